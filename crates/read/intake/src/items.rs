//! The row of items as who asks sees it: an iterator, fed by a thread of its own.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use crate::Taken;
use crate::fault::{Fault, Place};
use crate::hand_over::{Gone, Queue};
use crate::progress::Progress;
use crate::rotation::in_order_of_time;
use crate::walk::Walk;

/// What is handed over, with the way by which its lines come.
pub(crate) type Handed = (Taken, Option<Arc<Queue<Vec<u8>>>>);

/// How to read.
#[derive(Default)]
pub struct Options {
    /// What `-` means; standard input where none is given.
    pub standard_input: Option<Box<dyn Read + Send>>,
}

/// Items in the order of the paths, of the names in a folder, and of the members in an archive; rotated logs the oldest first.
pub struct Items {
    queue: Arc<Queue<Handed>>,
    lines: Option<Arc<Queue<Vec<u8>>>>,
    progress: Progress,
}

/// Reads files, folders and, for `-`, standard input.
///
/// The reading begins at once, on a thread of its own that runs a mebibyte ahead at most and ends when the iterator is
/// dropped.
pub fn items(paths: &[PathBuf], options: Options) -> Items {
    let queue = Queue::new();
    let progress = Progress::default();
    progress.know(paths.len());
    let walk = Walk::new(Arc::clone(&queue), progress.clone(), options.standard_input);
    let paths = in_order_of_time(paths);
    let giver = Arc::clone(&queue);
    let started = std::thread::Builder::new().name("intake".to_owned()).spawn(move || {
        read_all(walk, &paths);
        giver.end();
    });
    if let Err(error) = started {
        let fault = Place::of(String::new()).fault(Fault::io(error));
        let _: Result<(), Gone> = queue.give((Taken::Fault(fault), None), 0);
        queue.end();
    }
    Items { queue, lines: None, progress }
}

fn read_all(mut walk: Walk, paths: &[PathBuf]) {
    for path in paths {
        // A parser that gives up on one input must not take the others with it.
        let result = catch_unwind(AssertUnwindSafe(|| walk.path(path))).unwrap_or_else(|_| {
            let words = "reading it failed inside this program: please report it, with the file if you can";
            walk.fault(&Place::of(path.to_string_lossy().into_owned()), Fault::new("internal", words))
        });
        if let Err(Gone) = result {
            return;
        }
    }
}

impl Items {
    /// A look at how far the reading is, that stays valid while the items are asked for.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Iterator for Items {
    type Item = Taken;

    fn next(&mut self) -> Option<Taken> {
        // Lines that were not read to their end would hold up what follows them.
        if let Some(lines) = self.lines.take() {
            lines.leave();
        }
        let (taken, lines) = self.queue.take()?;
        self.lines = lines;
        Some(taken)
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        if let Some(lines) = self.lines.take() {
            lines.leave();
        }
        self.queue.leave();
    }
}
