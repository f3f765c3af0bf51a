//! Properties of a message, a recipient or an attachment (MS-OXMSG 2.4), read within limits.

use std::collections::HashMap;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use cfb::CompoundFile;
use redeliver_message::{LARGEST_MAIL, decode_text};

/// Most properties of one object. Messages have under 300.
const MOST_PROPERTIES: usize = 2000;

/// Most recipients, or attachments, of one message.
const MOST_OBJECTS: usize = 1000;

/// Longest text of a message, in bytes: a body, or a header with all its Received fields.
const LONGEST_TEXT: u64 = 2 * 1024 * 1024;

/// Longest other text: a name, an address, what a server said.
const LONGEST_VALUE: u64 = 64 * 1024;

/// Longest stream of fixed properties: sixteen bytes each.
const LONGEST_FIXED: u64 = 64 * 1024;

/// Numbers of the properties that are read (MS-OXPROPS).
pub(super) mod tag {
    pub(crate) const MESSAGE_CLASS: u16 = 0x001a;
    pub(crate) const REPORT_TIME: u16 = 0x0032;
    pub(crate) const SUBJECT: u16 = 0x0037;
    pub(crate) const CLIENT_SUBMIT_TIME: u16 = 0x0039;
    pub(crate) const REPRESENTING_NAME: u16 = 0x0042;
    pub(crate) const REPRESENTING_ADDRESS: u16 = 0x0065;
    pub(crate) const ORIGINAL_DISPLAY_TO: u16 = 0x0074;
    pub(crate) const TRANSPORT_HEADERS: u16 = 0x007d;
    pub(crate) const NDR_REASON_CODE: u16 = 0x0c04;
    pub(crate) const NDR_DIAGNOSTIC_CODE: u16 = 0x0c05;
    pub(crate) const RECIPIENT_TYPE: u16 = 0x0c15;
    pub(crate) const SENDER_NAME: u16 = 0x0c1a;
    pub(crate) const SUPPLEMENTARY_INFO: u16 = 0x0c1b;
    pub(crate) const SENDER_ADDRESS: u16 = 0x0c1f;
    pub(crate) const NDR_STATUS_CODE: u16 = 0x0c20;
    pub(crate) const REMOTE_MTA: u16 = 0x0c21;
    pub(crate) const DELIVERY_TIME: u16 = 0x0e06;
    pub(crate) const BODY: u16 = 0x1000;
    pub(crate) const REPORT_TEXT: u16 = 0x1001;
    pub(crate) const HTML: u16 = 0x1013;
    pub(crate) const MESSAGE_ID: u16 = 0x1035;
    pub(crate) const ORIGINAL_MESSAGE_ID: u16 = 0x1046;
    pub(crate) const DISPLAY_NAME: u16 = 0x3001;
    pub(crate) const ADDRESS: u16 = 0x3003;
    pub(crate) const ATTACHED: u16 = 0x3701;
    pub(crate) const FILE_NAME: u16 = 0x3704;
    pub(crate) const LONG_FILE_NAME: u16 = 0x3707;
    pub(crate) const MIME_TYPE: u16 = 0x370e;
    pub(crate) const SMTP_ADDRESS: u16 = 0x39fe;
    pub(crate) const INTERNET_CODE_PAGE: u16 = 0x3fde;
    pub(crate) const MESSAGE_CODE_PAGE: u16 = 0x3ffd;
    pub(crate) const SENDER_SMTP_ADDRESS: u16 = 0x5d01;
    pub(crate) const REPRESENTING_SMTP_ADDRESS: u16 = 0x5d02;
}

/// Types of properties (MS-OXCDATA 2.11.1).
const LONG: u16 = 0x0003;
const OBJECT: u16 = 0x000d;
const STRING_8: u16 = 0x001e;
const STRING: u16 = 0x001f;
const TIME: u16 = 0x0040;
const BINARY: u16 = 0x0102;

/// A message, recipient or attachment in a compound file.
pub(super) struct Storage {
    fixed: HashMap<u16, u64>,
    /// Streams and storages by number and type.
    named: HashMap<u16, (u16, PathBuf)>,
    recipients: Vec<PathBuf>,
    attachments: Vec<PathBuf>,
    code_page: Option<&'static str>,
}

impl Storage {
    /// The message that a file holds; none if it holds something else.
    pub(super) fn root<F: Read + Seek>(file: &mut CompoundFile<F>) -> Option<Self> {
        // MS-OXMSG 2.4.1.1: the header of a message at the top has 32 bytes, of one inside another 24, of others 8.
        Self::open(file, Path::new("/"), 32)
    }

    fn open<F: Read + Seek>(file: &mut CompoundFile<F>, path: &Path, header: usize) -> Option<Self> {
        let fixed = read_stream(file, &path.join("__properties_version1.0"), LONGEST_FIXED)?;
        let mut storage = Self {
            fixed: HashMap::new(),
            named: HashMap::new(),
            recipients: Vec::new(),
            attachments: Vec::new(),
            code_page: None,
        };
        for entry in fixed.get(header..).unwrap_or_default().chunks_exact(16) {
            let half = |at: usize| u16::from_le_bytes([entry[at], entry[at + 1]]);
            if matches!(half(0), LONG | TIME) {
                let value = entry[8..16].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
                storage.fixed.insert(half(2), if half(0) == LONG { value & 0xffff_ffff } else { value });
            }
        }
        for entry in file.read_storage(path).ok()?.take(MOST_PROPERTIES + 2 * MOST_OBJECTS) {
            let (name, path) = (entry.name(), entry.path().to_owned());
            let objects = if name.starts_with("__recip_version1.0_") {
                &mut storage.recipients
            } else if name.starts_with("__attach_version1.0_") {
                &mut storage.attachments
            } else {
                let tag = name.strip_prefix("__substg1.0_").and_then(|tag| u32::from_str_radix(tag, 16).ok());
                if let Some(tag) = tag {
                    storage.named.insert((tag >> 16) as u16, (tag as u16, path));
                }
                continue;
            };
            if objects.len() < MOST_OBJECTS {
                objects.push(path);
            }
        }
        storage.recipients.sort();
        storage.attachments.sort();
        let page = storage.long(tag::MESSAGE_CODE_PAGE).or_else(|| storage.long(tag::INTERNET_CODE_PAGE));
        storage.code_page = page.and_then(charset);
        Some(storage)
    }

    /// Its recipients.
    pub(super) fn recipients<F: Read + Seek>(&self, file: &mut CompoundFile<F>) -> Vec<Self> {
        self.objects(file, &self.recipients)
    }

    /// Its attachments.
    pub(super) fn attachments<F: Read + Seek>(&self, file: &mut CompoundFile<F>) -> Vec<Self> {
        self.objects(file, &self.attachments)
    }

    fn objects<F: Read + Seek>(&self, file: &mut CompoundFile<F>, paths: &[PathBuf]) -> Vec<Self> {
        let opened = paths.iter().filter_map(|path| Self::open(file, path, 8));
        opened.map(|one| Self { code_page: one.code_page.or(self.code_page), ..one }).collect()
    }

    /// The message that an attachment is.
    pub(super) fn message<F: Read + Seek>(&self, file: &mut CompoundFile<F>) -> Option<Self> {
        match self.named.get(&tag::ATTACHED)? {
            (OBJECT, path) => Self::open(file, path, 24),
            _ => None,
        }
    }

    /// A number.
    pub(super) fn long(&self, tag: u16) -> Option<u32> {
        self.fixed.get(&tag).and_then(|value| u32::try_from(*value).ok())
    }

    /// A time, in seconds since 1970.
    pub(super) fn time(&self, tag: u16) -> Option<i64> {
        // MS-DTYP 2.3.3: tenths of microseconds since 1601.
        let ticks = self.fixed.get(&tag).filter(|ticks| **ticks > 0)?;
        i64::try_from(ticks / 10_000_000).ok().map(|seconds| seconds - 11_644_473_600)
    }

    /// A text, without white space around it; none where it is empty.
    pub(super) fn text<F: Read + Seek>(&self, file: &mut CompoundFile<F>, tag: u16) -> Option<String> {
        let (kind, path) = self.named.get(&tag)?;
        let long = matches!(tag, tag::BODY | tag::HTML | tag::REPORT_TEXT | tag::TRANSPORT_HEADERS);
        let bytes = read_stream(file, path, if long { LONGEST_TEXT } else { LONGEST_VALUE })?;
        let text = match *kind {
            STRING => decode_text(&bytes, Some("utf-16le")),
            STRING_8 => decode_text(&bytes, self.code_page),
            _ => return None,
        };
        let text = text.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace());
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Bytes.
    pub(super) fn bytes<F: Read + Seek>(&self, file: &mut CompoundFile<F>, tag: u16) -> Option<Vec<u8>> {
        let (_, path) = self.named.get(&tag).filter(|(kind, _)| *kind == BINARY)?;
        read_stream(file, path, LARGEST_MAIL as u64).filter(|bytes| !bytes.is_empty())
    }

    /// The charset of its HTML.
    pub(super) fn html_charset(&self) -> Option<&'static str> {
        self.long(tag::INTERNET_CODE_PAGE).and_then(charset).or(self.code_page)
    }
}

fn read_stream<F: Read + Seek>(file: &mut CompoundFile<F>, path: &Path, most: u64) -> Option<Vec<u8>> {
    let stream = file.open_stream(path).ok()?;
    let mut bytes = Vec::new();
    // What can be read of a damaged stream is worth reading.
    let _ = stream.take(most).read_to_end(&mut bytes);
    Some(bytes)
}

/// The charset that a number of Windows means.
fn charset(page: u32) -> Option<&'static str> {
    Some(match page {
        65001 | 20127 => "utf-8",
        1250 => "windows-1250",
        1251 => "windows-1251",
        1252 => "windows-1252",
        1253 => "windows-1253",
        1254 => "windows-1254",
        1255 => "windows-1255",
        1256 => "windows-1256",
        1257 => "windows-1257",
        1258 => "windows-1258",
        874 => "windows-874",
        932 => "shift_jis",
        936 | 54936 => "gb18030",
        949 => "euc-kr",
        950 => "big5",
        20866 => "koi8-r",
        21866 => "koi8-u",
        28591 => "iso-8859-1",
        28592 => "iso-8859-2",
        28595 => "iso-8859-5",
        28597 => "iso-8859-7",
        28599 => "iso-8859-9",
        28605 => "iso-8859-15",
        50220..=50222 => "iso-2022-jp",
        51932 => "euc-jp",
        _ => return None,
    })
}
