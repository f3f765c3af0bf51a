//! Texts and lists of lines: bounded, decoded, and clear about what cannot be taken.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::fault::Fault;

/// Longest line of a list of replies. RFC 5321 4.5.3.1.5 allows 512 octets a reply line; a log line around a long
/// multi-line reply stays far below this.
pub const LONGEST_LINE: usize = 64 * 1024;

/// Why a text is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFault {
    /// A stable word: `empty`, `binary`, `not-found`, `not-allowed`, `not-a-file`, `io`.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub text: Cow<'static, str>,
}

impl From<Fault> for TextFault {
    fn from(fault: Fault) -> Self {
        Self { code: fault.code, text: fault.text }
    }
}

/// Reads bytes as text: UTF-16 where a byte order mark says so, else UTF-8, else Latin-1, in which old servers speak.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, TextFault> {
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes {
        let units = bytes[2..].chunks_exact(2).map(|pair| match bytes[0] {
            0xff => u16::from_le_bytes([pair[0], pair[1]]),
            _ => u16::from_be_bytes([pair[0], pair[1]]),
        });
        let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        return decode(text.as_bytes()).map(|text| Cow::Owned(text.into_owned()));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        let words = "there is no text: paste the whole reply, for example 554 5.7.1 Relay access denied";
        return Err(Fault::new("empty", words).into());
    }
    if is_binary(bytes) {
        return Err(Fault::new("binary", "this is not text").into());
    }
    Ok(std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), Cow::Borrowed))
}

/// Whether bytes are no text in any charset that is told by its bytes.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    // Escapes stand in logs of terminals and in ISO-2022-JP, form feeds in what was meant for a printer.
    let control = |byte: &&u8| **byte < b' ' && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    memchr::memchr(0, bytes).is_some() || bytes.iter().filter(control).count() * 20 > bytes.len()
}

/// Opens a list with one entry a line; `-` is standard input.
pub fn open_lines(path: &Path) -> Result<Box<dyn BufRead>, TextFault> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let about = std::fs::metadata(path).map_err(Fault::io)?;
    if about.is_dir() {
        return Err(Fault::new("not-a-file", "this is a folder, not a file with one reply a line").into());
    }
    let file = File::open(path).map_err(Fault::io)?;
    Ok(Box::new(BufReader::with_capacity(256 * 1024, file)))
}

/// Reads one line into `line`, without its end, keeping at most [`LONGEST_LINE`] bytes.
///
/// Returns none at the end of the input, else the full length of the line.
pub fn read_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Option<usize>> {
    line.clear();
    let mut length = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok((length > 0).then_some(length));
        }
        let end = memchr::memchr(b'\n', buffer);
        let part = &buffer[..end.unwrap_or(buffer.len())];
        line.extend_from_slice(&part[..part.len().min(LONGEST_LINE.saturating_sub(line.len()))]);
        length += part.len();
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded_or_refused_in_words() {
        assert_eq!(decode("\u{feff}Größe".as_bytes()).unwrap(), "Größe");
        assert_eq!(decode(b"Gr\xf6\xdfe").unwrap(), "Größe");
        assert_eq!(decode(b"\xff\xfeG\0r\0\xf6\0\xdf\0e\0").unwrap(), "Größe");
        assert_eq!(decode(b"\xfe\xff\0G\0r\0\xf6\0\xdf\0e").unwrap(), "Größe");
        assert_eq!(decode(b" \r\n").unwrap_err().code, "empty");
        assert_eq!(decode(b"\xff\xfe \0").unwrap_err().code, "empty");
        assert_eq!(decode(b"\x7fELF\0\x01").unwrap_err().code, "binary");
    }

    #[test]
    fn a_long_line_is_kept_in_part_and_measured_whole() {
        let text = format!("short\n{}\nlast", "x".repeat(LONGEST_LINE * 3));
        let mut reader = BufReader::with_capacity(7, text.as_bytes());
        let mut line = Vec::new();
        assert_eq!(read_line(&mut reader, &mut line).unwrap(), Some(5));
        assert_eq!(read_line(&mut reader, &mut line).unwrap(), Some(LONGEST_LINE * 3));
        assert_eq!(line.len(), LONGEST_LINE);
        assert_eq!(read_line(&mut reader, &mut line).unwrap(), Some(4));
        assert_eq!(read_line(&mut reader, &mut line).unwrap(), None);
    }
}
