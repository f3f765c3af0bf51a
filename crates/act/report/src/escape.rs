//! Making text from strangers harmless where it is shown.

use std::borrow::Cow;

/// Whether a character could move the cursor, hide text or turn its direction.
///
/// Control characters (C0, DEL, C1), line and paragraph separators, zero-width and bidirectional marks (UAX #9),
/// interlinear and tag characters, variation selectors, the invisible marks of scripts and notations, and letters that look like
/// blanks (fillers, the empty Braille cell).
pub fn is_dangerous(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{fe00}'..='\u{fe0f}' | '\u{110bd}'
        | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}')
}

/// The text on one line, dangerous characters written as `\u{1b}`; tabs and line ends become blanks.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) || !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' | '\r' | '\n' => shown.push(' '),
            c if is_dangerous(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// The text as a cell that no spreadsheet takes for a formula.
pub fn cell(text: &str) -> Cow<'_, str> {
    let text = visible(text);
    // Some take the full-width signs for the others.
    let signs = ['=', '+', '-', '@', '|', '%', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    if text.trim_start().starts_with(signs) { Cow::Owned(format!("'{text}")) } else { text }
}

/// The text as plain words in Markdown.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in visible(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' | '&') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The text as a code block in Markdown: indented, so that no run of back-ticks can end it.
pub fn markdown_block(text: &str) -> String {
    format!("    {}\n", visible(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_draws_on_the_screen() {
        assert_eq!(visible("a\u{1b}[2Jb\u{202e}c\r\nd\u{9b}"), "a\\u{1b}[2Jb\\u{202e}c  d\\u{9b}");
        assert_eq!(visible("Größe 拒否"), "Größe 拒否");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@x", " =cmd|' /C calc'!A0", "|x"] {
            assert!(cell(formula).starts_with('\''), "{formula}");
        }
        assert_eq!(cell("550 no"), "550 no");
    }

    #[test]
    fn markdown_stays_words() {
        assert_eq!(markdown("<b>[x](y)*"), "\\<b\\>\\[x\\](y)\\*");
    }
}
