//! Members of a zip (PKWARE APPNOTE 6.3), in the order of its directory; the directory is never held whole.
//!
//! Each byte belongs to one member at the most: a small file whose members share their bytes would unpack to any amount.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::budget::Metered;
use super::{ArchiveError, Budget, LONGEST_NAME, Member, MemberKind, Packing, name_text, unpack};

/// Fixed part of the record that ends a zip (4.3.16), and the longest comment behind it.
const END_RECORD: usize = 22;
const LONGEST_COMMENT: usize = 65_535;

/// Fixed parts of a record of the directory (4.3.12) and of the header in front of a member (4.3.7).
const RECORD: usize = 46;
const LOCAL_HEADER: usize = 30;

/// Bytes of the directory that are read at a time.
const DIRECTORY_PIECE: usize = 64 * 1024;

/// Most members whose bytes are remembered as taken. Of those behind, only the sum of all sizes is held to that of the archive: they
/// may share bytes, but unpack to no more.
const MOST_TAKEN: usize = 100_000;

/// Which bytes of a zip belong to a member.
#[derive(Debug, Default)]
struct Taken {
    /// Start and end of each member.
    spans: BTreeMap<u64, u64>,
    sum: u64,
}

impl Taken {
    /// Takes the bytes of one more member; whether no other has any of them. There are `room` in all.
    fn take(&mut self, start: u64, end: u64, room: u64) -> bool {
        self.sum = self.sum.saturating_add(end - start);
        let before = self.spans.range(..end).next_back();
        let is_free = self.sum <= room && before.is_none_or(|(_, taken)| *taken <= start);
        if is_free && self.spans.len() < MOST_TAKEN {
            self.spans.insert(start, end);
        }
        is_free
    }
}

/// A zip, read from its directory.
#[derive(Debug)]
pub struct Zip<R> {
    reader: R,
    budget: Budget,
    /// What stands in front of the zip, as in archives that unpack themselves.
    front: u64,
    /// The part of the directory that is held, and where the next begins and the last ends.
    held: Vec<u8>,
    at: usize,
    next: u64,
    end: u64,
    /// Where the directory begins.
    directory: u64,
    taken: Taken,
}

/// A member, and where its content is.
#[derive(Debug, Clone)]
pub struct ZipMember {
    /// What the directory says of it.
    pub member: Member,
    method: u16,
    packed: u64,
    header: u64,
    sum: u32,
    /// It ends in front of the directory.
    fits: bool,
    /// It has bytes that belong to another one as well.
    shares: bool,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |two| u16::from_le_bytes([two[0], two[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

impl<R: Read + Seek> Zip<R> {
    /// Finds the directory.
    pub fn open(mut reader: R, budget: &Budget) -> Result<Self, ArchiveError> {
        let length = reader.seek(SeekFrom::End(0))?;
        let tail_at = length.saturating_sub((END_RECORD + LONGEST_COMMENT) as u64);
        reader.seek(SeekFrom::Start(tail_at))?;
        let mut tail = Vec::new();
        reader.by_ref().take((END_RECORD + LONGEST_COMMENT) as u64).read_to_end(&mut tail)?;
        let found = memchr::memmem::rfind_iter(&tail, b"PK\x05\x06").find(|at| {
            let comment = usize::from(u16_at(&tail, at + 20));
            at + END_RECORD + comment <= tail.len()
        });
        let Some(found) = found else {
            return Err(ArchiveError::damaged("the directory at its end is missing"));
        };
        let mut size = u64::from(u32_at(&tail, found + 12));
        let mut start = u64::from(u32_at(&tail, found + 16));
        let mut end = tail_at + found as u64;
        // 4.4.1.4: what does not fit is said by the records of zip64 in front.
        if (size == u64::from(u32::MAX) || start == u64::from(u32::MAX) || u16_at(&tail, found + 10) == u16::MAX)
            && found >= 20
            && tail[found - 20..].starts_with(b"PK\x06\x07")
        {
            let record = u64_at(&tail, found - 20 + 8);
            let mut large = [0; 56];
            reader.seek(SeekFrom::Start(record))?;
            reader.read_exact(&mut large)?;
            if !large.starts_with(b"PK\x06\x06") {
                return Err(ArchiveError::damaged("its large directory is missing"));
            }
            size = u64_at(&large, 40);
            start = u64_at(&large, 48);
            end = record;
        }
        let front = end.checked_sub(size).and_then(|at| at.checked_sub(start));
        let Some(front) = front else { return Err(ArchiveError::damaged("its directory lies outside of it")) };
        let next = front + start;
        let (budget, taken) = (budget.clone(), Taken::default());
        Ok(Self { reader, budget, front, held: Vec::new(), at: 0, next, end, directory: next, taken })
    }

    /// The next `length` bytes of the directory; fewer at its end.
    fn hold(&mut self, length: usize) -> Result<&[u8], ArchiveError> {
        if self.held.len() - self.at < length && self.next < self.end {
            self.held.drain(..self.at);
            self.at = 0;
            self.reader.seek(SeekFrom::Start(self.next))?;
            let wanted = (length.max(DIRECTORY_PIECE) as u64).min(self.end - self.next);
            let read = self.reader.by_ref().take(wanted).read_to_end(&mut self.held)?;
            self.next += read as u64;
            if read == 0 {
                self.next = self.end;
            }
        }
        Ok(&self.held[self.at..])
    }

    /// The next member; none at the end.
    pub fn next_member(&mut self) -> Result<Option<ZipMember>, ArchiveError> {
        let record = self.hold(RECORD)?;
        if record.is_empty() {
            return Ok(None);
        }
        if record.len() < RECORD || !record.starts_with(b"PK\x01\x02") {
            return Err(ArchiveError::damaged("its directory breaks off"));
        }
        let lengths = [28, 30, 32].map(|at| usize::from(u16_at(record, at)));
        let whole = RECORD + lengths.iter().sum::<usize>();
        let record = self.hold(whole)?;
        let Some(record) = record.get(..whole) else {
            return Err(ArchiveError::damaged("its directory breaks off"));
        };
        let name = &record[RECORD..RECORD + lengths[0]];
        let extra = &record[RECORD + lengths[0]..RECORD + lengths[0] + lengths[1]];
        let mut found = read_record(record, name, extra);
        self.at += whole;
        // Without its name, which may be another one there.
        let start = self.front.saturating_add(found.header);
        let end = start.saturating_add(LOCAL_HEADER as u64).saturating_add(found.packed);
        found.fits = end <= self.directory;
        found.shares = found.fits && !self.taken.take(start, end, self.directory);
        self.budget.member()?;
        Ok(Some(found))
    }

    /// The content of a member.
    ///
    /// At its end the sum of its bytes is compared; a wrong one is [`ArchiveError::Damaged`]. One that shares its bytes with another
    /// is [`ArchiveError::Shared`], and the rest of the archive is not worth a look.
    pub fn content(&mut self, of: &ZipMember) -> Result<Box<dyn Read + '_>, ArchiveError> {
        if of.shares {
            self.budget.spend();
            return Err(ArchiveError::Shared);
        }
        if !of.fits {
            return Err(ArchiveError::damaged("a member is longer than the archive"));
        }
        if let MemberKind::Unsupported(name) = of.member.kind {
            return Err(ArchiveError::Unsupported(name));
        }
        let header_at = self.front.saturating_add(of.header);
        self.reader.seek(SeekFrom::Start(header_at))?;
        let mut header = [0; LOCAL_HEADER];
        self.reader.read_exact(&mut header)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(ArchiveError::damaged("a member is not where the directory says"));
        }
        // Lengths may differ from those of the directory.
        let skipped = u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
        let start = header_at.saturating_add(LOCAL_HEADER as u64).saturating_add(skipped);
        self.reader.seek(SeekFrom::Start(start))?;
        let packed = self.reader.by_ref().take(of.packed);
        let budget = self.budget.clone();
        let content: Box<dyn Read + '_> = match of.method {
            0 => Box::new(Metered { inner: packed, budget }),
            8 => Box::new(Metered { inner: DeflateDecoder::new(packed), budget }),
            _ => unpack(Packing::Zstd, packed, &budget)?,
        };
        Ok(Box::new(Summed { inner: content, crc: Crc::new(), want: of.sum }))
    }
}

fn read_record(record: &[u8], name: &[u8], extra: &[u8]) -> ZipMember {
    let (flags, method) = (u16_at(record, 8), u16_at(record, 10));
    let mut packed = u64::from(u32_at(record, 20));
    let mut size = u64::from(u32_at(record, 24));
    let mut header = u64::from(u32_at(record, 42));
    // 4.5.3: the values that did not fit, in this order.
    let mut large = extra_field(extra, 1).unwrap_or_default();
    for value in [&mut size, &mut packed, &mut header] {
        if *value == u64::from(u32::MAX) && large.len() >= 8 {
            *value = u64_at(large, 0);
            large = &large[8..];
        }
    }
    // 4.4.15: Unix keeps its mode in the upper half.
    let is_link = u32_at(record, 38) >> 28 == 0o12;
    let kind = match method {
        _ if name.ends_with(b"/") => MemberKind::Folder,
        _ if is_link => MemberKind::Other,
        99 => MemberKind::Encrypted,
        _ if flags & 1 != 0 => MemberKind::Encrypted,
        0 | 8 | 93 => MemberKind::File,
        9 => MemberKind::Unsupported("deflate64"),
        12 => MemberKind::Unsupported("bzip2"),
        14 => MemberKind::Unsupported("lzma"),
        95 => MemberKind::Unsupported("xz"),
        98 => MemberKind::Unsupported("ppmd"),
        _ => MemberKind::Unsupported("an unknown method"),
    };
    let name = name_text(&name[..name.len().min(LONGEST_NAME)]);
    ZipMember {
        member: Member { name, size, kind },
        method,
        packed,
        header,
        sum: u32_at(record, 16),
        fits: true,
        shares: false,
    }
}

/// The extra field with this number (4.5.1).
fn extra_field(mut extra: &[u8], number: u16) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let length = usize::from(u16_at(extra, 2));
        let content = extra.get(4..4 + length)?;
        if u16_at(extra, 0) == number {
            return Some(content);
        }
        extra = &extra[4 + length..];
    }
    None
}

/// A reader that compares the sum of its bytes at the end (4.4.7).
struct Summed<R> {
    inner: R,
    crc: Crc,
    want: u32,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.crc.update(&buffer[..read]);
        if read == 0 && !buffer.is_empty() && self.crc.sum() != self.want {
            return Err(ArchiveError::damaged("a member has a wrong sum").into());
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::CompressionMethod;
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn written(members: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes, method) in members {
            writer.start_file(*name, SimpleFileOptions::default().compression_method(*method)).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.set_comment("PK\x05\x06 in a comment").unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn members(bytes: &[u8]) -> Result<Vec<(String, MemberKind, String)>, ArchiveError> {
        let budget = Budget::new(Some(bytes.len() as u64), u64::MAX);
        budget.packed(bytes.len() as u64);
        let mut zip = Zip::open(Cursor::new(bytes), &budget)?;
        let mut all = Vec::new();
        while let Some(found) = zip.next_member()? {
            let mut text = String::new();
            if found.member.kind == MemberKind::File {
                zip.content(&found)?.read_to_string(&mut text)?;
            }
            all.push((found.member.name, found.member.kind, text));
        }
        Ok(all)
    }

    const SAMPLE: &[(&str, &[u8], CompressionMethod)] = &[
        ("folder/", b"", CompressionMethod::Stored),
        ("folder/größe", b"deflated deflated deflated", CompressionMethod::Deflated),
        ("../../etc/passwd", b"stored", CompressionMethod::Stored),
    ];

    #[test]
    fn members_as_another_program_wrote_them() {
        let got = members(&written(SAMPLE)).unwrap();
        let want = [
            ("folder/", MemberKind::Folder, ""),
            ("folder/größe", MemberKind::File, "deflated deflated deflated"),
            ("../../etc/passwd", MemberKind::File, "stored"),
        ];
        assert_eq!(got, want.map(|(name, kind, text)| (name.to_owned(), kind, text.to_owned())));
        let in_front = [&b"#!/bin/sh\n"[..], &written(SAMPLE)].concat();
        assert_eq!(members(&in_front).unwrap(), got, "an archive that unpacks itself");
    }

    #[test]
    fn more_members_than_the_small_end_record_can_count() {
        let names: Vec<String> = (0..70_000).map(|number| format!("{number}.eml")).collect();
        let all: Vec<(&str, &[u8], CompressionMethod)> =
            names.iter().map(|name| (name.as_str(), &b"x"[..], CompressionMethod::Stored)).collect();
        let got = members(&written(&all)).unwrap();
        assert!(got.iter().map(|(name, ..)| name).eq(names.iter()));
    }

    #[test]
    fn what_needs_a_password_or_another_method_is_named() {
        let mut bytes = written(&SAMPLE[2..]);
        let directory = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
        bytes[directory + 8] |= 1;
        assert_eq!(members(&bytes).unwrap()[0].1, MemberKind::Encrypted);
        bytes[directory + 8] = 0;
        bytes[directory + 10] = 14;
        assert_eq!(members(&bytes).unwrap()[0].1, MemberKind::Unsupported("lzma"));
    }

    #[test]
    fn damage_is_told_wherever_it_is() {
        let whole = written(SAMPLE);
        for end in 0..whole.len() - 25 {
            assert!(matches!(members(&whole[..end]), Err(ArchiveError::Damaged(_))), "{end}");
        }
        // No byte may lead to a panic or a hang; many are not looked at.
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut wrong = whole.clone();
                wrong[at] = value;
                let _ = members(&wrong);
            }
        }
    }

    #[test]
    fn a_bomb_is_named() {
        let zeros = vec![0; 48 * 1024 * 1024];
        let one = written(&[("a", &zeros, CompressionMethod::Deflated)]);
        assert!(matches!(members(&one), Err(ArchiveError::Bomb)));
    }

    /// A zip with this directory instead of its own.
    fn with_directory(zip: &[u8], make: impl FnOnce(&[&[u8]]) -> Vec<u8>) -> Vec<u8> {
        let directory = memchr::memmem::find(zip, b"PK\x01\x02").unwrap();
        let end = memchr::memmem::find(&zip[directory..], b"PK\x05\x06").unwrap() + directory;
        let mut starts: Vec<usize> = memchr::memmem::find_iter(&zip[..end], b"PK\x01\x02").collect();
        starts.push(end);
        let records: Vec<&[u8]> = starts.windows(2).map(|two| &zip[two[0]..two[1]]).collect();
        let directory_now = make(&records);
        let mut whole = [&zip[..directory], &directory_now, &zip[end..]].concat();
        let size = (directory_now.len() as u32).to_le_bytes();
        whole[directory + directory_now.len() + 12..][..4].copy_from_slice(&size);
        whole
    }

    #[test]
    fn members_that_share_their_bytes_are_refused_and_those_before_are_told() {
        let written = written(SAMPLE);
        let shared = with_directory(&written, |records| [records[0], records[2], records[1], records[1]].concat());
        let budget = Budget::new(Some(shared.len() as u64), u64::MAX);
        budget.packed(shared.len() as u64);
        let mut zip = Zip::open(Cursor::new(&shared), &budget).unwrap();
        let mut told = Vec::new();
        while let Some(found) = zip.next_member().unwrap() {
            told.push(zip.content(&found).map(drop).map_err(|error| error.to_string()));
        }
        assert!(told[..3].iter().all(Result::is_ok) && told[3].is_err() && budget.is_spent(), "{told:?}");
        // One that begins within another, and one around it, whichever comes first.
        let (mut taken, room) = (Taken::default(), 10_000);
        assert!(taken.take(1000, 2000, room) && taken.take(3000, 4000, room) && taken.take(2000, 3000, room));
        for (start, end) in [(1000, 2000), (1999, 2100), (900, 1001), (900, 5000), (1500, 1600), (3999, 4001)] {
            assert!(!taken.take(start, end, room), "{start}..{end}");
        }
        assert!(taken.take(4000, 4100, room) && taken.take(900, 1000, room));
    }

    #[test]
    fn members_out_of_order_are_all_told() {
        let written = written(SAMPLE);
        let turned = with_directory(&written, |records| records.iter().rev().copied().collect::<Vec<_>>().concat());
        let mut got = members(&turned).unwrap();
        got.reverse();
        assert_eq!(got, members(&written).unwrap());
    }

    #[test]
    fn what_is_remembered_of_very_many_members_has_an_end() {
        let mut taken = Taken::default();
        let room = 100 * 2 * MOST_TAKEN as u64;
        let starts = (0..2 * MOST_TAKEN as u64).rev().map(|number| number * 100);
        assert!(starts.clone().all(|start| taken.take(start, start + 100, room)));
        assert!(taken.spans.len() == MOST_TAKEN && !taken.take(0, 100, room), "no more than there are bytes");
    }
}
