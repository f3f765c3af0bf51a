//! HTML as the lines a person would see. No element is executed, loaded or trusted; time and memory are linear.

use mail_parser::decoders::html::add_html_token;

/// Elements whose content is not shown.
const HIDDEN: [&str; 5] = ["style", "script", "template", "title", "head"];

/// Elements that begin or end a line.
const BLOCKS: [&str; 22] = [
    "br",
    "p",
    "div",
    "tr",
    "td",
    "th",
    "table",
    "li",
    "ul",
    "ol",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "pre",
    "blockquote",
    "dt",
    "dd",
    "body",
];

/// Those that leave a blank line behind them.
const PARAGRAPHS: [&str; 12] = ["p", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"];

/// Longest entity: `&CounterClockwiseContourIntegral;`.
const LONGEST_ENTITY: usize = 34;

/// The visible text; blocks and cells begin new lines.
pub fn html_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    let mut hidden: Option<&str> = None;
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        if hidden.is_none() {
            words(&mut text, &rest[..at]);
        }
        rest = &rest[at..];
        if rest.starts_with('&') {
            let entity = rest.bytes().take(LONGEST_ENTITY).position(|byte| byte == b';').map_or(1, |end| end + 1);
            if hidden.is_none() {
                add_html_token(&mut text, &rest.as_bytes()[..entity], false);
            }
            rest = &rest[entity..];
            continue;
        }
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let inner = &rest[1..];
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            // "<ann@example.org>" begins like an element; "a < b" does not.
            if hidden.is_none() {
                text.push('<');
            }
            rest = inner;
            continue;
        }
        let Some(end) = inner.find('>') else { break };
        let tag = &inner[..end];
        let closes = tag.starts_with('/');
        let name = tag.trim_start_matches('/');
        let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
        if tag.contains('@') && !tag.contains(['=', ' ']) {
            // An address in angle brackets that was not escaped.
            words(&mut text, &rest[..end + 2]);
        } else if let Some(known) = HIDDEN.iter().find(|known| name.eq_ignore_ascii_case(known)) {
            if closes {
                hidden = None;
            } else if !tag.ends_with('/') {
                hidden = hidden.or(Some(known));
            }
        } else if BLOCKS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            if name.eq_ignore_ascii_case("body") {
                hidden = None;
            }
            let paragraph = closes && PARAGRAPHS.iter().any(|known| name.eq_ignore_ascii_case(known));
            end_line(&mut text, paragraph, name.eq_ignore_ascii_case("br"));
        }
        rest = &inner[end + 1..];
    }
    if hidden.is_none() && !rest.starts_with('<') {
        words(&mut text, rest);
    }
    text
}

/// Adds words with single blanks between them.
fn words(text: &mut String, words: &str) {
    for c in words.chars() {
        if !c.is_ascii_whitespace() && c != '\u{a0}' {
            text.push(c);
        } else if !text.is_empty() && !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}

/// Ends the line; a paragraph leaves a blank line behind it, and so do two `<br>`, but never more than one.
fn end_line(text: &mut String, paragraph: bool, br: bool) {
    while text.ends_with(' ') {
        text.pop();
    }
    if text.is_empty() {
        return;
    }
    if !text.ends_with('\n') || (br && !text.ends_with("\n\n")) {
        text.push('\n');
    }
    if paragraph && !text.ends_with("\n\n") {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_would_see() {
        for (html, want) in [
            (
                "<html><head><title>x</title><style>p{a:b}</style></head><body><p>One &amp; two</p><p>Three</p>",
                "One & two\n\nThree",
            ),
            ("<table><tr><td>550</td><td>5.1.1 no</td></tr></table>", "550\n5.1.1 no"),
            ("a<br>b<br/>c", "a\nb\nc"),
            ("&lt;ann@example.org&gt; <ann@example.org> 1 < 2", "<ann@example.org> <ann@example.org> 1 < 2"),
            ("<!-- <p>hidden --> shown <script>alert(1)</script>", "shown "),
            ("<p", ""),
            ("&bogus; &#1234567890; &", "&bogus; \u{fffd} &"),
        ] {
            assert_eq!(html_text(html).trim_end_matches('\n'), want, "{html}");
        }
    }

    #[test]
    fn hostile_nesting_stays_linear() {
        assert_eq!(html_text(&"<div>".repeat(100_000)), "");
        assert!(html_text(&"&".repeat(100_000)).len() <= 100_000);
    }
}
