//! Members of a tar: POSIX ustar and pax, GNU's long names, and the old form without a magic.

use std::io::{self, Read};

use tar::{EntryType, Header, PaxExtensions};

use super::{ArchiveError, Budget, LONGEST_NAME, Member, MemberKind, name_text};

const BLOCK: usize = 512;

/// Longest block of pax records that is read; the rest is skipped. Names and sizes take some hundred bytes.
const LONGEST_RECORDS: u64 = 64 * 1024;

/// A tar, read once from its start. Reading from it gives the content of the member that was found last.
#[derive(Debug)]
pub struct Tar<R> {
    reader: R,
    budget: Budget,
    left: u64,
    padding: u64,
}

/// What a block in front of a member says of it.
#[derive(Default)]
struct Before {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

impl<R: Read> Tar<R> {
    /// A tar that begins where the reader stands.
    pub fn new(reader: R, budget: &Budget) -> Self {
        Self { reader, budget: budget.clone(), left: 0, padding: 0 }
    }

    /// The next member; none at the end.
    pub fn next_member(&mut self) -> Result<Option<Member>, ArchiveError> {
        let mut before = Before::default();
        loop {
            self.skip()?;
            let Some(block) = self.block()? else { return Ok(None) };
            let header = Header::from_byte_slice(&block);
            if !has_sum(&block) {
                return Err(ArchiveError::damaged("a header of the tar has a wrong sum"));
            }
            let size = header.entry_size()?;
            self.budget.member()?;
            self.set(size);
            match header.entry_type() {
                EntryType::GNULongName => {
                    let mut name = self.start(LONGEST_NAME as u64)?;
                    while name.last() == Some(&0) {
                        name.pop();
                    }
                    before.name = Some(name);
                }
                EntryType::XHeader => {
                    let records = self.start(LONGEST_RECORDS)?;
                    for record in PaxExtensions::new(&records).flatten() {
                        match record.key_bytes() {
                            b"path" => before.name = Some(record.value_bytes().to_vec()),
                            b"size" => before.size = record.value().ok().and_then(|size| size.parse().ok()),
                            _ => {}
                        }
                    }
                }
                EntryType::GNULongLink | EntryType::XGlobalHeader => {}
                kind => {
                    let size = before.size.unwrap_or(size);
                    let name = before.name.unwrap_or_else(|| header.path_bytes().into_owned());
                    let kind = kind_of(kind, &name);
                    // Links say a size and have no content.
                    self.set(if kind == MemberKind::Other && header.entry_type() != EntryType::GNUSparse {
                        0
                    } else {
                        size
                    });
                    return Ok(Some(Member { name: name_text(&name), size, kind }));
                }
            }
        }
    }

    fn set(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// The start of the present member's content.
    fn start(&mut self, most: u64) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = Vec::new();
        self.by_ref().take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Goes over what was not read of the present member.
    fn skip(&mut self) -> Result<(), ArchiveError> {
        let rest = self.left.saturating_add(self.padding);
        self.left = 0;
        self.padding = 0;
        let skipped = io::copy(&mut self.reader.by_ref().take(rest), &mut io::sink())?;
        // The last padding is left out by some writers.
        if rest.saturating_sub(skipped) >= BLOCK as u64 {
            return Err(ArchiveError::damaged("it ends within a member"));
        }
        Ok(())
    }

    /// The next block that is not all zeros; none at the end.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, ArchiveError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.reader.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(ArchiveError::damaged("it ends within a header")),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        // A block of zeros ends it; what follows is the rest of the tape's record.
        Ok(block.iter().any(|byte| *byte != 0).then_some(block))
    }
}

impl<R: Read> Read for Tar<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.reader.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

fn kind_of(kind: EntryType, name: &[u8]) -> MemberKind {
    match kind {
        EntryType::Directory => MemberKind::Folder,
        // The old form marks a folder by its name alone.
        EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") => MemberKind::Folder,
        EntryType::Regular | EntryType::Continuous => MemberKind::File,
        EntryType::GNUSparse => MemberKind::Unsupported("holes"),
        _ => MemberKind::Other,
    }
}

/// Whether a block is a header of a tar, by its sum.
pub(super) fn has_sum(block: &[u8]) -> bool {
    let Some(block) = block.get(..BLOCK) else { return false };
    let Ok(said) = Header::from_byte_slice(block).cksum() else { return false };
    // The sum is taken with blanks in its own place.
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let own: u32 = block[148..156].iter().map(|byte| u32::from(*byte)).sum();
    said == sum - own + 8 * u32::from(b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(bytes: &[u8]) -> Result<Vec<(String, MemberKind, String)>, ArchiveError> {
        let mut tar = Tar::new(bytes, &Budget::new(None, u64::MAX));
        let mut all = Vec::new();
        while let Some(member) = tar.next_member()? {
            let mut text = String::new();
            if member.name != "skipped" {
                tar.read_to_string(&mut text)?;
            }
            all.push((member.name, member.kind, text));
        }
        Ok(all)
    }

    fn entry(builder: &mut tar::Builder<Vec<u8>>, name: &str, kind: EntryType, text: &str) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    }

    fn sample() -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        entry(&mut builder, "folder/", EntryType::Directory, "");
        entry(&mut builder, "one", EntryType::Regular, "text");
        entry(&mut builder, "skipped", EntryType::Regular, &"x".repeat(2000));
        entry(&mut builder, &"long/".repeat(60), EntryType::Regular, "deep");
        entry(&mut builder, "last", EntryType::Regular, "end");
        builder.into_inner().unwrap()
    }

    #[test]
    fn members_in_their_order_read_or_not() {
        let got = members(&sample()).unwrap();
        let names: Vec<&str> = got.iter().map(|(name, ..)| name.as_str()).collect();
        let long = "long/".repeat(60);
        assert_eq!(names, ["folder/", "one", "skipped", &long, "last"].map(|name| name.trim_end_matches('|')));
        assert_eq!((got[1].2.as_str(), got[4].2.as_str()), ("text", "end"));
    }

    #[test]
    fn a_tar_that_was_cut_gives_what_is_there_and_says_so() {
        let whole = sample();
        for end in [100, 512 + 300, 1024 + 3, 2048] {
            let got = members(&whole[..end]);
            assert!(matches!(&got, Err(ArchiveError::Damaged(_))), "{end} {got:?}");
        }
        let mut wrong = whole;
        wrong[0] ^= 1;
        assert!(matches!(members(&wrong), Err(ArchiveError::Damaged(_))));
    }

    #[test]
    fn a_name_of_gigabytes_is_cut() {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::GNULongName);
        header.set_size(1 << 20);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend(vec![b'n'; 1 << 20]);
        let mut builder = tar::Builder::new(Vec::new());
        entry(&mut builder, "x", EntryType::Regular, "text");
        bytes.extend(builder.into_inner().unwrap());
        let got = members(&bytes).unwrap();
        assert_eq!((got[0].0.len(), got[0].2.as_str()), (LONGEST_NAME, "text"));
    }
}
