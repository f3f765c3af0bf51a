//! Into what is packed: the stream of a compressed file, the members of an archive, archives in archives.

use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use redeliver_message::archive::{ArchiveError, DEEPEST_PACKING, MemberKind, Packing, Tar, Zip, unpack};

use crate::LARGEST_HELD;
use crate::fault::{Fault, Place};
use crate::source::{Source, whole};
use crate::walk::{Given, Walk};

/// Bytes of a tar that are read at a time: its members are small, and each has a header.
const PIECE: usize = 256 * 1024;

impl Walk {
    /// Something packed, of which the head was read.
    pub(crate) fn packed(&mut self, place: &Place, packing: Packing, head: Vec<u8>, source: Source<'_>) -> Given {
        if place.depth >= DEEPEST_PACKING {
            let words = format!("it is packed more than {DEEPEST_PACKING} times: unpack it first");
            return self.fault(place, Fault::new("too-deep", words));
        }
        let inside = place.unpacked();
        let before = self.given;
        match packing {
            Packing::Gzip | Packing::Zstd => match unpack(packing, whole(head, source), &self.budget) {
                Ok(mut reader) => return self.source(&inside, Source::Stream(&mut reader)),
                Err(error) => self.fault(place, error.into())?,
            },
            Packing::Tar => self.tar(&inside, whole(head, source))?,
            Packing::Zip => self.zip_source(&inside, head, source)?,
            Packing::Bzip2 | Packing::Xz => {
                let program = if packing == Packing::Xz { "xz" } else { "bzip2" };
                let words =
                    format!("{program} is not unpacked here; unpack it first: {program} -dc FILE, and name - here");
                self.fault(place, Fault::new("unsupported", words))?;
            }
            Packing::SevenZip | Packing::Rar => {
                let words =
                    format!("{} is not unpacked here: unpack it into a folder and name the folder", packing.name());
                self.fault(place, Fault::new("unsupported", words))?;
            }
        }
        if self.given > before {
            return Ok(());
        }
        self.fault(place, Fault::new("empty", "there is nothing to read in this archive"))
    }

    fn zip_source(&mut self, place: &Place, head: Vec<u8>, source: Source<'_>) -> Given {
        match source {
            Source::File(mut file) => match file.seek(SeekFrom::Start(0)) {
                Ok(_) => self.zip(place, file),
                Err(error) => self.fault(place, Fault::io(error)),
            },
            Source::Stream(reader) => match self.held(place, head, reader)? {
                Some(bytes) => self.zip(place, Cursor::new(bytes)),
                None => Ok(()),
            },
        }
    }

    /// The whole of something that has to be jumped about in; none where it is too large, which is told.
    pub(crate) fn held(
        &mut self,
        place: &Place,
        head: Vec<u8>,
        reader: &mut dyn Read,
    ) -> Result<Option<Vec<u8>>, crate::hand_over::Gone> {
        let mut bytes = head;
        let room = (LARGEST_HELD + 1).saturating_sub(bytes.len() as u64);
        if let Err(error) = reader.take(room).read_to_end(&mut bytes) {
            self.fault(place, Fault::io(error))?;
            return Ok(None);
        }
        if bytes.len() as u64 > LARGEST_HELD {
            let words = format!(
                "inside another archive or on standard input this may have {} MB: unpack it first",
                LARGEST_HELD >> 20
            );
            self.fault(place, Fault::new("too-long", words))?;
            return Ok(None);
        }
        Ok(Some(bytes))
    }

    fn zip(&mut self, place: &Place, reader: impl Read + Seek) -> Given {
        let mut zip = match Zip::open(reader, &self.budget) {
            Ok(zip) => zip,
            Err(error) => return self.fault(place, error.into()),
        };
        loop {
            let found = match zip.next_member() {
                Ok(Some(found)) => found,
                Ok(None) => return Ok(()),
                Err(error) => return self.fault(place, error.into()),
            };
            if is_left_out(&found.member.name) {
                continue;
            }
            let member = place.inside(&found.member.name);
            match found.member.kind {
                MemberKind::File => match zip.content(&found) {
                    Ok(mut content) => self.source(&member, Source::Stream(&mut content))?,
                    Err(error) => self.fault(&member, error.into())?,
                },
                kind => self.without_content(&member, kind)?,
            }
            if self.budget.is_spent() {
                return Ok(());
            }
        }
    }

    fn tar(&mut self, place: &Place, reader: impl Read) -> Given {
        let mut tar = Tar::new(BufReader::with_capacity(PIECE, reader), &self.budget);
        loop {
            let found = match tar.next_member() {
                Ok(Some(found)) => found,
                Ok(None) => return Ok(()),
                Err(error) => return self.fault(place, error.into()),
            };
            if is_left_out(&found.name) {
                continue;
            }
            let member = place.inside(&found.name);
            match found.kind {
                MemberKind::File => self.source(&member, Source::Stream(&mut tar))?,
                kind => self.without_content(&member, kind)?,
            }
            if self.budget.is_spent() {
                return Ok(());
            }
        }
    }

    fn without_content(&mut self, member: &Place, kind: MemberKind) -> Given {
        match kind {
            MemberKind::Encrypted => {
                let words = "this needs a password: unpack it first, and name the folder";
                self.fault(member, Fault::new("encrypted", words))
            }
            MemberKind::Unsupported(name) => self.fault(member, ArchiveError::Unsupported(name).into()),
            MemberKind::File | MemberKind::Folder | MemberKind::Other => Ok(()),
        }
    }
}

/// Whether a member is there for a program and not for a person: hidden files, and what macOS puts beside each file.
fn is_left_out(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    last.starts_with('.') || name.starts_with("__MACOSX/")
}
