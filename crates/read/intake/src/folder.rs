//! What is in a folder, and in which order: Maildir and its sub-folders, MH, any other.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use crate::DEEPEST_FOLDER;
use crate::fault::Fault;
use crate::rotation::in_order_of_time;

/// The folders of one reading.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    seen: HashSet<(u64, u64)>,
    depth: usize,
}

impl Folders {
    /// The names of what is to be read in a folder, sorted; rotated logs the oldest first. None where it was read already: links cannot lead in circles.
    pub(crate) fn open(&mut self, path: &Path, about: &Metadata) -> Result<Vec<OsString>, Fault> {
        self.depth += 1;
        if self.depth > DEEPEST_FOLDER {
            return Err(Fault::new("too-deep", format!("folders are read to a depth of {DEEPEST_FOLDER}")));
        }
        let mut names = Vec::new();
        if !self.is_new(path, about) {
            return Ok(names);
        }
        for entry in fs::read_dir(path).map_err(Fault::io)? {
            names.push(entry.map_err(Fault::io)?.file_name());
        }
        choose(path, &mut names);
        names.sort_by(|one, other| number(one).cmp(&number(other)).then_with(|| one.cmp(other)));
        let names: Vec<PathBuf> = names.into_iter().map(PathBuf::from).collect();
        Ok(in_order_of_time(&names).into_iter().map(PathBuf::into_os_string).collect())
    }

    /// Says that the folder opened last is done with, whether or not it could be read.
    pub(crate) fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    #[cfg(unix)]
    fn is_new(&mut self, _path: &Path, about: &Metadata) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        self.seen.insert((about.dev(), about.ino()))
    }

    /// Without numbers of files, the whole path names a folder.
    #[cfg(not(unix))]
    fn is_new(&mut self, path: &Path, _about: &Metadata) -> bool {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        path.canonicalize().unwrap_or_else(|_| path.to_owned()).hash(&mut hasher);
        self.seen.insert((0, hasher.finish()))
    }
}

/// The number that a name is, behind all names in order: MH names its mails 1, 2 ... 10.
fn number(name: &OsString) -> u64 {
    name.to_str().and_then(|name| name.parse().ok()).unwrap_or(u64::MAX)
}

/// Leaves out what is no mail: in a Maildir all but `cur`, `new` and folders; elsewhere hidden files.
fn choose(path: &Path, names: &mut Vec<OsString>) {
    let has = |names: &[OsString], wanted: &str| names.iter().any(|name| name == wanted);
    let maildir = has(names, "cur") && has(names, "new");
    names.retain(|name| {
        let text = name.to_string_lossy();
        let inner = path.join(name);
        if text.starts_with('.') {
            // Maildir++ writes the folder Sent as `.Sent`; other hidden things belong to programs.
            return inner.join("cur").is_dir() || inner.join("new").is_dir();
        }
        // `tmp` holds mails that are still being written, the files beside it belong to the server.
        !maildir || (text != "tmp" && inner.is_dir())
    });
}
