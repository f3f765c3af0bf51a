//! Messages that Outlook saved (.msg, MS-OXMSG): read as MAPI properties, handed over as mails (RFC 5322).
//!
//! A report (`REPORT.IPM.Note.NDR`) keeps what the server said in properties of its recipients; it becomes a
//! multipart/report with a delivery-status part, so that whoever reads mails reads it too. Nothing is judged here, and
//! nothing is made up: what no property holds is left out.

mod properties;
mod report;
mod write;

use std::io::{Cursor, Read, Seek};

use cfb::CompoundFile;

use crate::fault::{Fault, Place};
use crate::source::Source;
use crate::walk::{Given, Walk};
use crate::{Content, Item, LARGEST_HELD};

use properties::Storage;

/// Deepest nesting of messages in messages.
const DEEPEST_MESSAGE: usize = 6;

impl Walk {
    /// A compound file, of which the head was read.
    pub(crate) fn compound(&mut self, place: &Place, head: Vec<u8>, source: Source<'_>) -> Given {
        match source {
            Source::File(file) if file.size() <= LARGEST_HELD => self.outlook(place, file),
            Source::File(_) => {
                let words =
                    format!("a saved message may have {} MB: save it without its attachments", LARGEST_HELD >> 20);
                self.fault(place, Fault::new("too-long", words))
            }
            Source::Stream(reader) => match self.held(place, head, reader)? {
                Some(bytes) => self.outlook(place, Cursor::new(bytes)),
                None => Ok(()),
            },
        }
    }

    fn outlook(&mut self, place: &Place, reader: impl Read + Seek) -> Given {
        let mut file = match CompoundFile::open(reader) {
            Ok(file) => file,
            Err(error) => return self.fault(place, Fault::new("damaged", format!("it is damaged: {error}"))),
        };
        let Some(message) = Storage::root(&mut file) else {
            let words = "this is a document of an Office program: copy the text of the reply out of it";
            return self.fault(place, Fault::new("binary", words));
        };
        let bytes = write::message(&mut file, &message, DEEPEST_MESSAGE);
        self.give(Item { origin: place.origin(None), at: 0, content: Content::Mail(bytes) })
    }
}
