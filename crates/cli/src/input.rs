//! What a person hands in: a text, a file, a stream of lines. Bounded, and clear about what it cannot take.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use redeliver_diagnose::MOST_BYTES;

/// Longest line of a list of replies. RFC 5321 4.5.3.1.5 allows 512 octets a reply line; a log line around a long
/// multi-line reply stays far below this.
pub(crate) const LONGEST_LINE: usize = 64 * 1024;

/// Largest file that may hold one refusal.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Why a text is not taken: a stable word, and a sentence.
pub(crate) type Fault = (&'static str, String);

/// Reads bytes as text: UTF-8, or else Latin-1, in which old servers speak.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err((
            "empty",
            "there is no text: paste the whole reply, for example 554 5.7.1 Relay access denied".to_owned(),
        ));
    }
    let control = bytes.iter().filter(|byte| **byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x1b)).count();
    if bytes.contains(&0) || control * 20 > bytes.len() {
        return Err(("binary", "this is not text".to_owned()));
    }
    Ok(std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), Cow::Borrowed))
}

/// Whether a file is a mail: it begins with header fields that mail has.
pub(crate) fn is_mail(bytes: &[u8]) -> bool {
    let (headers, _) = redeliver_message::Headers::read(bytes);
    let known = ["from", "to", "subject", "received", "return-path", "message-id", "mime-version", "delivered-to"];
    known.iter().filter(|name| headers.has(name)).count() >= 2
}

/// Checks a text that was given on the command line.
pub(crate) fn check_text(text: &str) -> Result<(), Fault> {
    decode(text.as_bytes())?;
    if text.len() > MOST_BYTES {
        return Err(("too-long", format!("a reply has {MOST_BYTES} bytes at most, this text has {}", text.len())));
    }
    Ok(())
}

/// Reads a file that holds one refusal; `-` is standard input.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let mut reader: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        if path.is_dir() {
            return Err(("directory", "this is a folder: name the files in it".to_owned()));
        }
        Box::new(File::open(path).map_err(|error| io_fault(&error))?)
    };
    reader.by_ref().take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| io_fault(&error))?;
    if bytes.len() as u64 > LARGEST_FILE {
        let words =
            "the file is larger than 1 MB, and it should hold one refusal; for a list of replies use --replies FILE";
        return Err(("too-long", words.to_owned()));
    }
    Ok(bytes)
}

/// Opens a list of replies; `-` is standard input.
pub(crate) fn open_lines(path: &Path) -> Result<Box<dyn BufRead>, Fault> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    if path.is_dir() {
        return Err(("directory", "this is a folder, not a file with one reply a line".to_owned()));
    }
    let file = File::open(path).map_err(|error| io_fault(&error))?;
    Ok(Box::new(BufReader::with_capacity(256 * 1024, file)))
}

fn io_fault(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound => {
            ("not-found", "there is no such file; to explain a text use --reply 'TEXT'".to_owned())
        }
        io::ErrorKind::PermissionDenied => ("not-allowed", "you may not read this file".to_owned()),
        _ => ("io", error.to_string()),
    }
}

/// Reads one line into `line`, without its end, keeping at most [`LONGEST_LINE`] bytes.
///
/// Returns none at the end of the input, else the full length of the line.
pub(crate) fn read_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Option<usize>> {
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
        let end = buffer.iter().position(|byte| *byte == b'\n');
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
        assert_eq!(decode(b" \r\n").unwrap_err().0, "empty");
        assert_eq!(decode(b"\x7fELF\0\x01").unwrap_err().0, "binary");
        assert_eq!(check_text(&"x".repeat(MOST_BYTES + 1)).unwrap_err().0, "too-long");
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
