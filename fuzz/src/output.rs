//! Everything that is written: text from strangers stays text, in each form.

use redeliver_model::{Origin, Unread};

use crate::hold::bounded;

/// Whether a character could move the cursor, hide text or turn its direction. Said here once more, and not taken from the
/// program that is tried.
fn draws(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A stranger's text as the name, the member and the words of what could not be read.
pub fn escapes(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let shown = redeliver_report::visible(&text);
    assert!(!shown.contains(draws), "{shown:?}");
    // `\u{e007f}` for four bytes, `\u{1b}` for one.
    bounded(shown.len(), text.len(), 6, 0);
    assert_eq!(redeliver_report::visible(&shown), shown, "what is shown is shown as it is");
    let origin = Origin { source: (&*text).into(), member: Some((&*text).into()), line: Some(1) };
    let unread = Unread { origin, code: "io", text: (&*text).into() };
    let line = redeliver_report::text_unread(&unread);
    assert!(!line.contains(draws));
    let mut object = Vec::new();
    redeliver_report::json_unread(&unread, &mut object);
    let object = String::from_utf8(object).expect("JSON is text");
    let object = object.trim_end_matches('\n');
    assert!(!object.contains(draws), "{object:?}");
    bounded(object.len(), text.len(), 24, 512);
    let mut table = Vec::new();
    if let Ok(mut writer) = redeliver_report::CsvWriter::new(&mut table) {
        assert!(writer.unread(&unread).is_ok() && writer.flush().is_ok());
    }
    let table = String::from_utf8(table).expect("a table is text");
    assert_eq!(table.lines().count(), 2, "a cell ends the row");
    assert!(!table.contains(|c| draws(c) && c != '\n'), "{table:?}");
    let row = table.lines().nth(1).unwrap_or_default();
    // One quotation mark opens a cell; two more are one of its text.
    let cell = row.strip_prefix('"').unwrap_or(row).trim_start();
    assert!(!cell.starts_with(['=', '+', '-', '@', '|', '%']), "{row}");
}
