//! A folder of its own for each test, gone behind it; and readings told as text.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use redeliver_intake::{Content, Options, Taken, items};

pub struct Folder {
    pub path: PathBuf,
}

impl Folder {
    pub fn new(name: &str) -> Self {
        // Tests of one process run beside each other where there is no cargo-nextest.
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("redeliver-intake-{}-{number}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    pub fn make(&self, name: &str) {
        fs::create_dir_all(self.path.join(name)).unwrap();
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Each item or fault: where it was, and `mail: ...`, `text: ...`, `lines: ...` or `code: ...`.
pub fn read(paths: &[PathBuf], input: Option<Box<dyn Read + Send>>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for taken in items(paths, Options { standard_input: input }) {
        let (origin, told) = match taken {
            Taken::Fault(fault) => (fault.origin, format!("{}: {}", fault.code, fault.text)),
            Taken::Item(item) => {
                let told = match item.content {
                    Content::Mail(bytes) => format!("mail: {}", String::from_utf8_lossy(&bytes)),
                    Content::Text(bytes) => format!("text: {}", String::from_utf8_lossy(&bytes)),
                    Content::Lines(lines) => format!("lines: {}", io::read_to_string(lines).unwrap()),
                };
                (item.origin, told)
            }
        };
        let member = origin.member.map(|member| format!("!{member}")).unwrap_or_default();
        let line = origin.line.map(|line| format!(":{line}")).unwrap_or_default();
        all.push((format!("{}{member}{line}", origin.source), told));
    }
    all
}

/// Each item or fault as `mail PATH`, `text PATH`, `lines PATH` or `code PATH`.
pub fn told(paths: &[PathBuf]) -> Vec<String> {
    read(paths, None)
        .into_iter()
        .map(|(place, told)| format!("{} {place}", told.split(':').next().unwrap_or_default()))
        .collect()
}
