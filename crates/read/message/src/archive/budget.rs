//! How much may be unpacked: counted over all layers of one archive, whatever they say of themselves.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::ArchiveError;

/// How many times its packed size something may unpack to. Logs reach 30, a log of one line repeated 200; a bomb of one
/// layer of deflate reaches 1032 and one of zstd more.
pub const EXPANSION: u64 = 250;

/// Bytes that may always be unpacked, whatever the ratio: small files of one repeated letter do exist. What is larger and honest stays
/// within [`EXPANSION`], which counts from the first 64 KiB that are read at once: a file of 16 KiB may have 5 MiB in it, not 36.
pub const FREE_BYTES: u64 = 1024 * 1024;

/// Most members of one archive, over all layers. Mailboxes of millions of mails are packed by file; past this, somebody
/// wants to keep us busy.
pub const MOST_MEMBERS: u64 = 10_000_000;

/// What was spent on one archive; clones share it, so that all layers count together.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    packed: AtomicU64,
    packed_most: u64,
    unpacked: AtomicU64,
    unpacked_most: u64,
    members: AtomicU64,
    spent: AtomicBool,
}

impl Budget {
    /// For an archive of `size` bytes (none where that is not known), that may unpack to `most` bytes in all.
    ///
    /// The reader of the outermost bytes tells [`Budget::packed`] what it reads.
    pub fn new(size: Option<u64>, most: u64) -> Self {
        Self(Arc::new(Counts {
            packed: AtomicU64::new(0),
            packed_most: size.unwrap_or(u64::MAX),
            unpacked: AtomicU64::new(0),
            unpacked_most: most,
            members: AtomicU64::new(0),
            spent: AtomicBool::new(false),
        }))
    }

    /// Says that so many packed bytes were read from outside.
    pub fn packed(&self, bytes: u64) {
        self.0.packed.fetch_add(bytes, Relaxed);
    }

    /// Says that so many bytes were unpacked, in any layer.
    pub fn unpacked(&self, bytes: u64) -> Result<(), ArchiveError> {
        let unpacked = self.0.unpacked.fetch_add(bytes, Relaxed).saturating_add(bytes);
        // Members of a zip may share their bytes; what is read twice does not count twice.
        let packed = self.0.packed.load(Relaxed).min(self.0.packed_most);
        let allowed = packed.saturating_mul(EXPANSION).saturating_add(FREE_BYTES).min(self.0.unpacked_most);
        if unpacked > allowed {
            self.spend();
            return Err(ArchiveError::Bomb);
        }
        Ok(())
    }

    /// Says that one more member was found.
    pub fn member(&self) -> Result<(), ArchiveError> {
        if self.0.members.fetch_add(1, Relaxed) >= MOST_MEMBERS { Err(ArchiveError::TooManyMembers) } else { Ok(()) }
    }

    /// Says that it turned out to be a bomb.
    pub(super) fn spend(&self) {
        self.0.spent.store(true, Relaxed);
    }

    /// Whether it turned out to be a bomb: what is left of the archive is not worth a look.
    pub fn is_spent(&self) -> bool {
        self.0.spent.load(Relaxed)
    }
}

/// A reader whose bytes count as unpacked.
pub(super) struct Metered<R> {
    pub(super) inner: R,
    pub(super) budget: Budget,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.budget.unpacked(read as u64)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_twice_counts_once() {
        let budget = Budget::new(Some(1000), u64::MAX);
        budget.packed(1_000_000);
        assert!(budget.unpacked(FREE_BYTES + 1000 * EXPANSION).is_ok());
        assert!(!budget.is_spent());
        assert!(matches!(budget.unpacked(1), Err(ArchiveError::Bomb)) && budget.is_spent());
    }

    #[test]
    fn a_small_file_is_small_inside() {
        let budget = Budget::new(Some(16 * 1024), u64::MAX);
        budget.packed(16 * 1024);
        assert!(budget.unpacked(5_000_000).is_ok() && budget.unpacked(200_000).is_err());
    }

    #[test]
    fn the_whole_is_bounded_too() {
        let budget = Budget::new(None, 100);
        budget.packed(100);
        assert!(budget.unpacked(100).is_ok() && budget.unpacked(1).is_err());
    }
}
