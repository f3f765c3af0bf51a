//! From a path to items: folders in the order of their names, files by what is in them.
//!
//! Never follows a link that stands in a folder, never opens what is no file, never writes.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use redeliver_message::LARGEST_MAIL;
use redeliver_message::archive::Budget;

use crate::fault::{Fault, Place};
use crate::folder::Folders;
use crate::hand_over::{Gone, Pumped, Queue};
use crate::items::Handed;
use crate::progress::Progress;
use crate::sniff::{Look, look, without_mark};
use crate::source::{Broken, Counted, FromUtf16, LineFeeds, Source, read_head, whole};
use crate::text::is_binary;
use crate::{Content, HEAD, Item, LARGEST_TEXT, Taken};

/// Bytes of lines that are handed over at a time.
const LINES_PIECE: usize = 128 * 1024;

/// Whether who asks is still there.
pub(crate) type Given = Result<(), Gone>;

/// A reading on its way.
pub(crate) struct Walk {
    queue: Arc<Queue<Handed>>,
    pub(crate) progress: Progress,
    standard_input: Option<Box<dyn Read + Send>>,
    folders: Folders,
    /// Items and faults that were handed over.
    pub(crate) given: u64,
    /// What the present file may unpack to.
    pub(crate) budget: Budget,
}

impl Walk {
    pub(crate) fn new(
        queue: Arc<Queue<Handed>>,
        progress: Progress,
        standard_input: Option<Box<dyn Read + Send>>,
    ) -> Self {
        Self {
            queue,
            progress,
            standard_input,
            folders: Folders::default(),
            given: 0,
            budget: Budget::new(None, u64::MAX),
        }
    }

    /// One of the paths that were named.
    pub(crate) fn path(&mut self, path: &Path) -> Given {
        let place = Place::of(path.to_string_lossy().into_owned());
        if path.as_os_str() != "-" {
            let before = self.given;
            self.entry(path, &place, fs::metadata(path))?;
            if self.given > before {
                return Ok(());
            }
            // Empty folders inside a folder are usual (`new` of a Maildir); one that was named and gives nothing is told.
            let words = "there is nothing to read in this folder, or all of it was read already";
            return self.fault(&place, Fault::new("directory-empty", words));
        }
        let mut input = self.standard_input.take().unwrap_or_else(|| Box::new(io::stdin()));
        self.budget = Budget::new(None, u64::MAX);
        let mut input = Counted::new(&mut input, &self.progress, &self.budget);
        let given = self.source(&place, Source::Stream(&mut input));
        self.progress.finish();
        given
    }

    /// A file or folder.
    fn entry(&mut self, path: &Path, place: &Place, about: io::Result<Metadata>) -> Given {
        let about = match about {
            Ok(about) => about,
            Err(error) => return self.finish(place, Fault::io(error)),
        };
        if about.is_dir() {
            return self.folder(path, place, &about);
        }
        if about.is_symlink() {
            let words = "this is a link, which is not followed inside a folder; name it, or what it leads to";
            return self.finish(place, Fault::new("not-a-file", words));
        }
        // A device or a pipe may block or never end.
        if !about.is_file() {
            let words = "this is a device or a pipe; name - and hand its text in on standard input";
            return self.finish(place, Fault::new("not-a-file", words));
        }
        match File::open(path) {
            Err(error) => self.finish(place, Fault::io(error)),
            Ok(file) => {
                self.progress.begin(about.len());
                self.budget = Budget::new(Some(about.len()), u64::MAX);
                let given = self.source(place, Source::File(Counted::new(file, &self.progress, &self.budget)));
                self.progress.finish();
                given
            }
        }
    }

    /// Ends a file that could not be read.
    pub(crate) fn finish(&mut self, place: &Place, fault: Fault) -> Given {
        self.progress.finish();
        self.fault(place, fault)
    }

    pub(crate) fn fault(&mut self, place: &Place, fault: Fault) -> Given {
        self.hand_over(Taken::Fault(place.fault(fault)), None, 0)
    }

    fn hand_over(&mut self, taken: Taken, lines: Option<Arc<Queue<Vec<u8>>>>, bytes: usize) -> Given {
        self.given += 1;
        self.queue.give((taken, lines), bytes)
    }

    /// Hands over a mail or a text.
    pub(crate) fn give(&mut self, item: Item) -> Given {
        let bytes = match &item.content {
            Content::Mail(bytes) | Content::Text(bytes) => bytes.len(),
            Content::Lines(_) => 0,
        };
        self.hand_over(Taken::Item(item), None, bytes)
    }

    /// Anything that has bytes.
    pub(crate) fn source(&mut self, place: &Place, mut source: Source<'_>) -> Given {
        let (head, broken) = read_head(&mut source, HEAD, |head| look(head) == Look::Lines);
        match broken {
            None => self.told(place, head, source),
            Some(error) if head.is_empty() => self.fault(place, Fault::io(error)),
            Some(error) => self.told(place, head, Source::Stream(&mut Broken(Some(error)))),
        }
    }

    /// Reads on by what the head looks like.
    fn told(&mut self, place: &Place, head: Vec<u8>, source: Source<'_>) -> Given {
        match look(&head) {
            Look::Empty if head.len() < HEAD => self.fault(place, Fault::empty()),
            Look::Binary(None) => self.fault(place, Fault::new("binary", "this is not text")),
            Look::Binary(Some(name)) => self.fault(place, Fault::new("binary", format!("this is {name}"))),
            Look::Compound => self.compound(place, head, source),
            Look::Packed(packing) => self.packed(place, packing, head, source),
            Look::Utf16 { low_first } => {
                let mut reader = FromUtf16::new(whole(head, source), low_first);
                self.source(place, Source::Stream(&mut reader))
            }
            Look::CarriageReturns => {
                let mut reader = LineFeeds(whole(head, source));
                self.source(place, Source::Stream(&mut reader))
            }
            Look::Mbox => self.mailbox(place, whole(unmarked(head), source)),
            Look::Mail => self.mail(place, unmarked(head), source),
            Look::Lines => self.lines(place, unmarked(head), source),
            Look::Text | Look::Empty => self.text(place, unmarked(head), source),
        }
    }

    fn mail(&mut self, place: &Place, head: Vec<u8>, source: Source<'_>) -> Given {
        let mut bytes = head;
        let room = (LARGEST_MAIL + 1).saturating_sub(bytes.len()) as u64;
        let end = source.take(room).read_to_end(&mut bytes);
        // A reason stands at the start of a mail: what was read before it broke is worth reading.
        self.give(Item { origin: place.origin(None), at: 0, content: Content::Mail(bytes) })?;
        end.map_or_else(|error| self.fault(place, Fault::io(error)), |_| Ok(()))
    }

    fn text(&mut self, place: &Place, head: Vec<u8>, mut source: Source<'_>) -> Given {
        let mut bytes = head;
        let room = (LARGEST_TEXT + 1).saturating_sub(bytes.len()) as u64;
        let end = source.by_ref().take(room).read_to_end(&mut bytes);
        if bytes.len() > LARGEST_TEXT {
            return self.lines(place, bytes, source);
        }
        if is_binary(&bytes) {
            return self.fault(place, Fault::new("binary", "this is not text"));
        }
        self.give(Item { origin: place.origin(None), at: 0, content: Content::Text(bytes) })?;
        end.map_or_else(|error| self.fault(place, Fault::io(error)), |_| Ok(()))
    }

    fn lines(&mut self, place: &Place, head: Vec<u8>, source: Source<'_>) -> Given {
        match source {
            Source::File(file) => {
                let reader = BufReader::with_capacity(LINES_PIECE, whole(head, file));
                self.give(Item { origin: place.origin(None), at: 0, content: Content::Lines(Box::new(reader)) })
            }
            Source::Stream(reader) => self.pump(place, head, reader),
        }
    }

    /// Hands lines over as they come.
    fn pump(&mut self, place: &Place, head: Vec<u8>, reader: &mut dyn Read) -> Given {
        let lines = Queue::new();
        let content = Content::Lines(Box::new(Pumped::new(Arc::clone(&lines))));
        let item = Item { origin: place.origin(None), at: 0, content };
        self.hand_over(Taken::Item(item), Some(Arc::clone(&lines)), 0)?;
        let mut piece = head;
        let broken = loop {
            if !piece.is_empty() {
                let bytes = piece.len();
                // They are not wanted to their end: the next item is.
                if lines.give(piece, bytes).is_err() {
                    return Ok(());
                }
            }
            piece = vec![0; LINES_PIECE];
            match reader.read(&mut piece) {
                Ok(0) => break None,
                Ok(read) => piece.truncate(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => piece.clear(),
                Err(error) => break Some(error),
            }
        };
        lines.end();
        broken.map_or(Ok(()), |error| self.fault(place, Fault::io(error)))
    }

    fn folder(&mut self, path: &Path, place: &Place, about: &Metadata) -> Given {
        let opened = self.folders.open(path, about);
        self.progress.know(opened.as_ref().map_or(0, Vec::len));
        self.progress.finish();
        if let Err(fault) = &opened {
            self.fault(place, fault.clone())?;
        }
        for name in opened.unwrap_or_default() {
            let path = path.join(name);
            // Whoever fills a folder does not choose what else is read: a link may lead anywhere.
            let about = fs::symlink_metadata(&path);
            self.entry(&path, &Place::of(path.to_string_lossy().into_owned()), about)?;
        }
        self.folders.close();
        Ok(())
    }
}

/// A head without its byte order mark.
fn unmarked(mut head: Vec<u8>) -> Vec<u8> {
    let mark = head.len() - without_mark(&head).len();
    head.drain(..mark);
    head
}
