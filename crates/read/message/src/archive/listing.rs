//! What is inside an attachment, by name: for who has to judge by names and must not unpack what a stranger sent.

use std::io::{Cursor, Read};

use super::{ArchiveError, Budget, Member, MemberKind, Packing, Tar, Zip, name_text, unpack};

/// Most members that are listed. An attachment with more is judged by these.
pub const MOST_LISTED: usize = 1000;

/// Most bytes that are unpacked for a list: a tar inside gzip has its names between its contents.
const MOST_UNPACKED: u64 = 64 * 1024 * 1024;

/// Bytes in which a tar inside another packing is told.
const TAR_HEAD: u64 = 512;

/// The members of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// How it is packed, outermost.
    pub packing: Packing,
    /// Its members in order, at most [`MOST_LISTED`]. For gzip or zstd around one file, that file, with the name that gzip
    /// keeps, or none.
    pub members: Vec<Member>,
    /// Whether these are all: there may be more members, or the archive is damaged behind these, or a bomb.
    pub complete: bool,
}

/// Lists an archive that is held in memory; none if it is no archive, or of a kind that is not read here.
///
/// Of a zip only the directory is read; of what is inside a member nothing is.
pub fn list(bytes: &[u8]) -> Option<Listing> {
    let packing = Packing::of(bytes)?;
    let budget = Budget::new(Some(bytes.len() as u64), MOST_UNPACKED);
    budget.packed(bytes.len() as u64);
    let mut members = Vec::new();
    let end = match packing {
        Packing::Zip => zip(bytes, &budget, &mut members),
        Packing::Tar => tar(bytes, &budget, &mut members),
        Packing::Gzip | Packing::Zstd => packed(packing, bytes, &budget, &mut members),
        _ => return None,
    };
    Some(Listing { packing, members, complete: end.unwrap_or(false) })
}

fn zip(bytes: &[u8], budget: &Budget, members: &mut Vec<Member>) -> Result<bool, ArchiveError> {
    let mut zip = Zip::open(Cursor::new(bytes), budget)?;
    while let Some(found) = zip.next_member()? {
        if members.len() >= MOST_LISTED {
            return Ok(false);
        }
        members.push(found.member);
    }
    Ok(true)
}

fn tar(reader: impl Read, budget: &Budget, members: &mut Vec<Member>) -> Result<bool, ArchiveError> {
    let mut tar = Tar::new(reader, budget);
    while let Some(member) = tar.next_member()? {
        if members.len() >= MOST_LISTED {
            return Ok(false);
        }
        members.push(member);
    }
    Ok(true)
}

fn packed(packing: Packing, bytes: &[u8], budget: &Budget, members: &mut Vec<Member>) -> Result<bool, ArchiveError> {
    let mut reader = unpack(packing, bytes, budget)?;
    let mut head = Vec::new();
    let read = reader.by_ref().take(TAR_HEAD).read_to_end(&mut head);
    if Packing::of(&head) == Some(Packing::Tar) {
        return tar(Cursor::new(head).chain(reader), budget, members);
    }
    // RFC 1952 2.3.1: what it unpacks to is said at its end, modulo 2^32; only one who unpacks knows it.
    members.push(Member { name: gzip_name(bytes), size: 0, kind: MemberKind::File });
    read?;
    Ok(true)
}

/// The name of the file that gzip packed (RFC 1952 2.3), where it keeps one.
fn gzip_name(bytes: &[u8]) -> String {
    let (extra, name) = match bytes {
        [0x1f, 0x8b, _, flags, ..] => (flags & 4 != 0, flags & 8 != 0),
        _ => return String::new(),
    };
    let mut rest = bytes.get(10..).unwrap_or_default();
    if extra {
        let length = rest.get(..2).map_or(0, |two| usize::from(u16::from_le_bytes([two[0], two[1]])));
        rest = rest.get(2 + length..).unwrap_or_default();
    }
    if name { name_text(rest.split(|byte| *byte == 0).next().unwrap_or_default()) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, GzBuilder};
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn gzip(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzBuilder::new().filename(name).extra(*b"abc").write(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn names(bytes: &[u8]) -> (Vec<String>, bool) {
        let listing = list(bytes).unwrap();
        (listing.members.into_iter().map(|member| member.name).collect(), listing.complete)
    }

    fn tar_of(members: usize) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for number in 0..members {
            let mut header = tar::Header::new_gnu();
            header.set_size(3);
            builder.append_data(&mut header, format!("{number}.exe"), &b"MZ\x90"[..]).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn names_are_listed_through_each_packing() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("invoice.pdf.exe", SimpleFileOptions::default()).unwrap();
        let zip = writer.finish().unwrap().into_inner();
        assert_eq!(names(&zip), (vec!["invoice.pdf.exe".to_owned()], true));
        assert_eq!(names(&tar_of(1)), (vec!["0.exe".to_owned()], true));
        assert_eq!(names(&gzip("x.tar", &tar_of(1))), (vec!["0.exe".to_owned()], true));
        assert_eq!(names(&gzip("report.xml", b"<feedback/>")), (vec!["report.xml".to_owned()], true));
        assert_eq!(list(b"just words"), None);
    }

    #[test]
    fn a_list_has_an_end_and_says_whether_it_is_all() {
        let (listed, complete) = names(&tar_of(MOST_LISTED + 1));
        assert_eq!((listed.len(), complete), (MOST_LISTED, false));
        let whole = tar_of(2);
        assert_eq!(names(&whole[..1024 + 100]), (vec!["0.exe".to_owned()], false));
    }
}
