//! Files, folders, mailboxes, archives and streams -> items: mails, texts, lines. Bounded, in order, one at a time.
//!
//! What a thing is, is told by its content, never by its name alone. Nothing is given a meaning here: whether a mail is a
//! bounce, or a line a refusal, is for others to say.
//!
//! A broken input is a [`Taken::Fault`] in its place, with a stable code and a sentence that says what to do, and never
//! stops the rest. Nothing is written, nothing is unpacked to the disk, and no name from outside is used as a path.
//!
//! Reading and unpacking run on a thread of their own, a few items ahead of who asks.

mod fault;
mod folder;
mod hand_over;
mod items;
mod mailbox;
mod outlook;
mod packed;
mod progress;
mod rotation;
mod sniff;
mod source;
mod text;
mod time_stamp;
mod walk;

use std::io::BufRead;

use redeliver_model::{Origin, Unread};

pub use items::{Items, Options, items};
pub use progress::{Done, Progress};
pub use sniff::is_mail;
pub use text::{LONGEST_LINE, TextFault, decode, open_lines, read_line};

/// Largest text that is handed over whole; a larger one is handed over as lines. A screen of text has some KiB, and the
/// longest bounce pasted without its headers stays far below.
pub const LARGEST_TEXT: usize = 1024 * 1024;

/// Bytes that are looked at to tell what an input is. The header block of a forwarded bounce reaches 20 KiB.
pub const HEAD: usize = 64 * 1024;

/// Largest archive or compound file that comes out of another or from a stream, and so has to be held in memory to be
/// jumped about in. What people pack twice is small; a large one can be unpacked once by hand.
pub const LARGEST_HELD: u64 = 32 * 1024 * 1024;

/// Deepest nesting of folders. A tree of mail has three or four; file systems end at a path of 4096 bytes.
pub const DEEPEST_FOLDER: usize = 64;

/// One thing that was handed in.
#[derive(Debug)]
pub struct Item {
    /// Where it was. Enough to find it again: the file; the member of the archive (`inner.zip!mail.eml`), or the number of
    /// the mail in its mailbox; for a mail of a mailbox the line on which it begins.
    pub origin: Origin<'static>,
    /// The byte at which it begins in its file or member, counted from 0 behind any unpacking.
    pub at: u64,
    /// What it is.
    pub content: Content,
}

/// What an item is.
pub enum Content {
    /// A message (RFC 5322). One longer than `redeliver_message::LARGEST_MAIL` is cut one byte behind it, which its reader
    /// then says.
    Mail(Vec<u8>),
    /// Other text of at most [`LARGEST_TEXT`] bytes: a pasted reply, a screen.
    Text(Vec<u8>),
    /// A log, a stream of events, or a text too large to be taken whole; unpacked, from its first line on. To be read
    /// before the next item is asked for: after that it may end early, with an error.
    Lines(Box<dyn BufRead + Send>),
}

impl std::fmt::Debug for Content {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mail(bytes) => write!(formatter, "Mail({} bytes)", bytes.len()),
            Self::Text(bytes) => write!(formatter, "Text({} bytes)", bytes.len()),
            Self::Lines(_) => formatter.write_str("Lines"),
        }
    }
}

/// An item, or what stands in its place.
#[derive(Debug)]
pub enum Taken {
    /// Something to read.
    Item(Item),
    /// Something that could not be read, or not to its end, and why. The codes are `empty`, `directory-empty`, `binary`,
    /// `too-long`, `too-deep`, `too-many`, `not-found`, `not-allowed`, `not-a-file`, `io`, `damaged`, `bomb`, `encrypted`,
    /// `unsupported`, and `internal`, which is a mistake of ours.
    Fault(Unread<'static>),
}
