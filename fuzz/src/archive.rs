//! Archives: their members, what they unpack to, and the list of names.

use std::io::{Cursor, Read};

use redeliver_message::archive::{
    ArchiveError, Budget, LONGEST_NAME, MOST_LISTED, MemberKind, Packing, Tar, Zip, list, unpack,
};

use crate::hold::bounded;

/// Bytes that one input may unpack to here: the budget itself is what is tried, so it is set low.
const MOST: u64 = 1024 * 1024;

/// Members that are opened of one input: a zip may name the same bytes again and again.
const MOST_OPENED: usize = 64;

fn budget(bytes: &[u8]) -> Budget {
    let budget = Budget::new(Some(bytes.len() as u64), MOST);
    budget.packed(bytes.len() as u64);
    budget
}

/// Reads to the end, and holds it to the budget.
fn drained(reader: &mut dyn Read) -> u64 {
    let read = std::io::copy(reader, &mut std::io::sink()).unwrap_or_default();
    assert!(read <= MOST, "{read} bytes came through a budget of {MOST}");
    read
}

/// Names are lossy text: each byte may become U+FFFD, of three bytes.
fn named(name: &str) {
    bounded(name.len(), LONGEST_NAME, 3, 0);
}

fn zip(bytes: &[u8]) -> Result<u64, ArchiveError> {
    let mut zip = Zip::open(Cursor::new(bytes), &budget(bytes))?;
    let (mut number, mut sum) = (0, 0);
    while let Some(found) = zip.next_member()? {
        named(&found.member.name);
        number += 1;
        // A record of the directory has 46 bytes at least.
        assert!(number <= bytes.len() / 46);
        if number <= MOST_OPENED && found.member.kind == MemberKind::File {
            sum += zip.content(&found).map_or(0, |mut content| drained(&mut content));
        }
    }
    Ok(sum)
}

fn tar(bytes: &[u8]) -> Result<u64, ArchiveError> {
    let mut tar = Tar::new(bytes, &budget(bytes));
    let (mut number, mut sum) = (0, 0);
    while let Some(found) = tar.next_member()? {
        named(&found.name);
        number += 1;
        assert!(number <= bytes.len() / 512);
        sum += drained(&mut tar);
    }
    assert!(sum <= bytes.len() as u64);
    Ok(sum)
}

fn stream(packing: Packing, bytes: &[u8]) -> u64 {
    unpack(packing, bytes, &budget(bytes)).map_or(0, |mut reader| drained(&mut reader))
}

/// One input as each kind of archive: also as those that it does not say it is.
pub fn members(bytes: &[u8]) {
    let once = |bytes: &[u8]| {
        let sums = [zip(bytes).ok(), tar(bytes).ok(), Some(stream(Packing::Gzip, bytes)), Some(stream(Packing::Zstd, bytes))];
        (sums, list(bytes))
    };
    let (sums, listing) = once(bytes);
    assert_eq!((sums, listing.clone()), once(bytes));
    assert!(listing.is_none_or(|listing| {
        listing.members.iter().for_each(|member| named(&member.name));
        listing.members.len() <= MOST_LISTED && Some(listing.packing) == Packing::of(bytes)
    }));
}
