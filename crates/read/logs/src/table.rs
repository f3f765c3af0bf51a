//! Tables: the head line that names the columns, and rows of fields in quotation marks (RFC 4180).

use std::borrow::Cow;

/// The columns of a table, their names in small letters with `-` for blanks and underlines.
#[derive(Debug, Default, Clone)]
pub(crate) struct Columns {
    names: Vec<String>,
    line: String,
}

/// The most fields that a row may have: Microsoft's widest report has 40.
const MOST_FIELDS: usize = 256;

impl Columns {
    /// Reads a head line: `#Fields: a,b` or `a,b`.
    pub(crate) fn read(line: &str) -> Self {
        let bare = line.trim_start_matches('\u{feff}');
        let bare = bare.strip_prefix("#Fields:").unwrap_or(bare);
        let plain = |name: Cow<'_, str>| name.trim().to_ascii_lowercase().replace([' ', '_'], "-");
        Self { names: fields(bare).map(plain).collect(), line: line.to_owned() }
    }

    pub(crate) fn is_known(&self) -> bool {
        !self.names.is_empty()
    }

    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    /// The head line as it was.
    pub(crate) fn line(&self) -> Option<String> {
        self.is_known().then(|| self.line.clone())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// A row, if it has fields enough.
    pub(crate) fn row<'a>(&'a self, text: &'a str) -> Row<'a> {
        Row { columns: self, fields: fields(text).collect() }
    }
}

/// One row.
pub(crate) struct Row<'a> {
    columns: &'a Columns,
    fields: Vec<Cow<'a, str>>,
}

impl Row<'_> {
    /// The field of a column, empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let at = self.columns.names.iter().position(|known| known == name);
        at.and_then(|at| self.fields.get(at)).map_or("", |field| field.as_ref())
    }

    /// The field of the first of these columns that has one.
    pub(crate) fn first(&self, names: &[&str]) -> &str {
        names.iter().map(|name| self.get(name)).find(|field| !field.is_empty()).unwrap_or("")
    }

    /// Whether it has a field for each column; Exchange leaves out empty ones at the end.
    pub(crate) fn fits(&self) -> bool {
        self.fields.len() <= self.columns.names.len().max(1) && self.fields.len() * 2 >= self.columns.names.len()
    }

    /// Whether it is the head line again.
    pub(crate) fn is_head(&self) -> bool {
        let same = |(field, name): (&Cow<'_, str>, &String)| {
            field.trim().trim_start_matches('\u{feff}').to_ascii_lowercase().replace([' ', '_'], "-") == *name
        };
        self.fields.len() == self.columns.names.len() && self.fields.iter().zip(&self.columns.names).all(same)
    }
}

/// The fields of a row.
fn fields(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (field, behind) = field(text);
        rest = behind;
        Some(field)
    })
    .take(MOST_FIELDS)
}

/// The first field, and what stands behind its comma.
fn field(text: &str) -> (Cow<'_, str>, Option<&str>) {
    let Some(quoted) = text.strip_prefix('"') else {
        return match text.split_once(',') {
            Some((field, rest)) => (Cow::Borrowed(field), Some(rest)),
            None => (Cow::Borrowed(text), None),
        };
    };
    let bytes = quoted.as_bytes();
    let mut at = 0;
    let mut doubled = false;
    while let Some(mark) = memchr::memchr(b'"', &bytes[at..]) {
        at += mark;
        if bytes.get(at + 1) != Some(&b'"') {
            break;
        }
        // RFC 4180 2.7: a quotation mark within is written twice.
        doubled = true;
        at += 2;
    }
    let end = if bytes.get(at) == Some(&b'"') { at } else { bytes.len() };
    let inner = &quoted[..end];
    let field = if doubled { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
    let rest = quoted.get(end + 1..).and_then(|rest| rest.split_once(',')).map(|(_, rest)| rest);
    (field, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_with_commas_marks_and_ends() {
        let show = |text| fields(text).map(Cow::into_owned).collect::<Vec<_>>();
        assert_eq!(show("a,\"b,\"\"c\"\"\",,\"\",d"), ["a", "b,\"c\"", "", "", "d"]);
        assert_eq!(show("\"open, to the end"), ["open, to the end"]);
        assert_eq!(show(""), [""]);
        let columns = Columns::read("\u{feff}Message ID,Event_Status");
        assert_eq!(columns.row("1,x").get("event-status"), "x");
        assert!(columns.row("message-id,event status").is_head());
    }
}
