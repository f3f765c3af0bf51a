//! Members of archives, and what packed bytes unpack to: bounded, one at a time, nothing written to a disk.
//!
//! [`Packing::of`] tells by the first bytes what something is; [`unpack`] reads gzip and zstd, [`Zip`] and [`Tar`] go over
//! members, [`list`] gives the names of what is inside an attachment without unpacking more than it must.
//!
//! A name of a member is text from outside: it is never used as a path, and is escaped where it is shown. What unpacks to
//! far more than it should is [`ArchiveError::Bomb`], noticed while unpacking and not by what the archive says of itself.

mod budget;
mod listing;
mod tar_members;
mod unpack;
mod zip_members;

use std::io;

pub use budget::{Budget, EXPANSION, FREE_BYTES, MOST_MEMBERS};
pub use listing::{Listing, MOST_LISTED, list};
pub use tar_members::Tar;
pub use unpack::{LARGEST_WINDOW, unpack};
pub use zip_members::{Zip, ZipMember};

/// Longest name of a member; the rest is cut off. Paths end at 4096 bytes on the systems that write archives.
pub const LONGEST_NAME: usize = 4096;

/// Deepest nesting of packings: a mail in a `.tar.gz` in a `.zip` has three.
pub const DEEPEST_PACKING: usize = 5;

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// PKWARE's APPNOTE.
    Zip,
    /// POSIX.1-1988 and -2001, and GNU's.
    Tar,
    /// Known by its first bytes, and not unpacked here.
    Bzip2,
    /// Known by its first bytes, and not unpacked here.
    Xz,
    /// Known by its first bytes, and not unpacked here.
    SevenZip,
    /// Known by its first bytes, and not unpacked here.
    Rar,
}

/// What the bytes of a tar say at this place, in either of its forms.
const TAR_MAGIC_AT: usize = 257;

impl Packing {
    /// Tells how something is packed by its first 512 bytes.
    pub fn of(head: &[u8]) -> Option<Self> {
        let known: &[(&[u8], Self)] = &[
            (b"\x1f\x8b\x08", Self::Gzip),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
            (b"PK\x03\x04", Self::Zip),
            (b"PK\x05\x06", Self::Zip), // an empty one
            (b"BZh", Self::Bzip2),
            (b"\xfd7zXZ\0", Self::Xz),
            (b"7z\xbc\xaf\x27\x1c", Self::SevenZip),
            (b"Rar!\x1a\x07", Self::Rar),
        ];
        let found = known.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, packing)| *packing);
        // `BZh` may begin a word; a block of bzip2 begins with the digits of pi.
        let found = found.filter(|packing| *packing != Self::Bzip2 || head.get(4..10) == Some(b"1AY&SY"));
        // RFC 8878 3.1.2: a frame to be skipped may stand in front.
        let skippable = matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
        let is_tar = || {
            head.get(TAR_MAGIC_AT..TAR_MAGIC_AT + 5) == Some(b"ustar")
                || (head.first() != Some(&0) && tar_members::has_sum(head))
        };
        found.or_else(|| skippable.then_some(Self::Zstd)).or_else(|| is_tar().then_some(Self::Tar))
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::SevenZip => "7z",
            Self::Rar => "rar",
        }
    }
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    /// A file that can be read.
    File,
    /// A folder.
    Folder,
    /// A link, a device or another thing without content.
    Other,
    /// A file that needs a password.
    Encrypted,
    /// A file packed in a way that is not read here, and its name.
    Unsupported(&'static str),
}

/// A member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name, from outside: at most [`LONGEST_NAME`] bytes, with whatever letters the sender chose.
    pub name: String,
    /// Bytes that it says it has, unpacked.
    pub size: u64,
    /// What it is.
    pub kind: MemberKind,
}

/// Why an archive, or the rest of it, cannot be read. All are permanent but [`ArchiveError::Io`].
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It unpacks to more than [`EXPANSION`] times its size, or to more than was allowed.
    #[error("it unpacks to far more than its size, as an archive does that is meant to do harm")]
    Bomb,
    /// Members of a zip share their bytes.
    #[error("it shares its bytes with another member, as in an archive that is meant to do harm")]
    Shared,
    /// More than [`MOST_MEMBERS`].
    #[error("it has more than {MOST_MEMBERS} members")]
    TooManyMembers,
    /// It ends early, or contradicts itself.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// A packing that is not read here.
    #[error("it is packed with {0}, which is not read here")]
    Unsupported(&'static str),
    /// The bytes could not be had.
    #[error("{0}")]
    Io(io::Error),
}

impl ArchiveError {
    pub(crate) fn damaged(words: impl Into<String>) -> Self {
        Self::Damaged(words.into())
    }
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::damaged("it ends too early"),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Self::damaged(error.to_string()),
            _ => error.downcast::<Self>().unwrap_or_else(Self::Io),
        }
    }
}

impl From<ArchiveError> for io::Error {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Io(error) => error,
            error => Self::other(error),
        }
    }
}

/// A name as text: UTF-8, or else Latin-1, cut to [`LONGEST_NAME`] bytes.
fn name_text(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(LONGEST_NAME)];
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Cut within a letter.
        Err(error) if error.error_len().is_none() && bytes.len() == LONGEST_NAME => {
            String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned()
        }
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packings_are_told_by_their_bytes_and_words_are_none() {
        for (head, want) in [
            (&b"\x1f\x8b\x08\0"[..], Some(Packing::Gzip)),
            (b"\x28\xb5\x2f\xfd\0", Some(Packing::Zstd)),
            (b"\x5f\x2a\x4d\x18\0", Some(Packing::Zstd)),
            (b"PK\x03\x04", Some(Packing::Zip)),
            (b"BZh91AY&SY", Some(Packing::Bzip2)),
            (b"BZh is a word", None),
            (b"Rar!\x1a\x07\0", Some(Packing::Rar)),
            (b"PK is a word", None),
            (&[0; 512], None),
            (b"", None),
        ] {
            assert_eq!(Packing::of(head), want, "{head:?}");
        }
    }

    #[test]
    fn names_are_text_and_bounded() {
        assert_eq!(name_text("größe".as_bytes()), "größe");
        assert_eq!(name_text(b"gr\xf6\xdfe"), "größe");
        let long = "a".to_owned() + &"ö".repeat(LONGEST_NAME);
        assert_eq!(name_text(long.as_bytes()).len(), LONGEST_NAME - 1);
    }

    #[test]
    fn errors_keep_their_kind_through_a_reader() {
        assert!(matches!(ArchiveError::from(io::Error::from(ArchiveError::Bomb)), ArchiveError::Bomb));
        let early = ArchiveError::from(io::Error::from(io::ErrorKind::UnexpectedEof));
        assert!(matches!(early, ArchiveError::Damaged(_)));
    }
}
