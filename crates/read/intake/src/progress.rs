//! How far the reading is: counts that one thread writes and another may look at any time, for a bar of progress.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A look at the reading; cheap to copy and to ask.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    files: AtomicU64,
    files_known: AtomicU64,
    bytes: AtomicU64,
    file_bytes: AtomicU64,
    file_size: AtomicU64,
}

/// What has been read, and what is known to be there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Done {
    /// Files that are finished.
    pub files: u64,
    /// Files that have been seen so far; it grows as folders are opened.
    pub files_known: u64,
    /// Bytes that were read, before any unpacking.
    pub bytes: u64,
    /// 0 to 1: files done, and the part of the present one. It may step back when a folder is opened.
    pub part: f64,
}

impl Progress {
    /// How far the reading is now.
    pub fn done(&self) -> Done {
        let read = |count: &AtomicU64| count.load(Relaxed);
        let (files, known) = (read(&self.0.files), read(&self.0.files_known));
        let (at, size) = (read(&self.0.file_bytes), read(&self.0.file_size));
        let within = if size == 0 { 0.0 } else { (at as f64 / size as f64).min(1.0) };
        let part = if known == 0 { 0.0 } else { ((files as f64 + within) / known as f64).min(1.0) };
        Done { files, files_known: known, bytes: read(&self.0.bytes), part }
    }

    pub(crate) fn know(&self, files: usize) {
        self.0.files_known.fetch_add(files as u64, Relaxed);
    }

    pub(crate) fn begin(&self, size: u64) {
        self.0.file_bytes.store(0, Relaxed);
        self.0.file_size.store(size, Relaxed);
    }

    pub(crate) fn read(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Relaxed);
        self.0.file_bytes.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn finish(&self) {
        self.0.file_size.store(0, Relaxed);
        self.0.files.fetch_add(1, Relaxed);
    }
}
