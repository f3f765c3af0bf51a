//! Rows of texts as a table, for lists such as that of the catalog.

use crate::escape::{cell, markdown};

/// Comma-separated, with the names of the columns first.
pub fn csv<'r>(names: &[&str], rows: impl Iterator<Item = Vec<&'r str>>) -> std::io::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(names)?;
    for row in rows {
        table.write_record(row.into_iter().map(|text| cell(text).into_owned()))?;
    }
    table.into_inner().map_err(|error| std::io::Error::other(error.to_string()))
}

/// As a table in Markdown.
pub fn markdown_table<'r>(names: &[&str], rows: impl Iterator<Item = Vec<&'r str>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(names.iter().map(|name| (*name).to_owned()).collect());
    text.push_str(&line(vec!["---".to_owned(); names.len()]));
    rows.for_each(|row| text.push_str(&line(row.into_iter().map(markdown).collect())));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_out_of_its_cell() {
        let rows = || [vec!["a|b", "=1+1"], vec!["c\nd", "\u{1b}e"]].into_iter();
        let table = String::from_utf8(csv(&["one", "two"], rows()).unwrap()).unwrap();
        assert_eq!(table, "one,two\na|b,'=1+1\nc d,\\u{1b}e\n");
        let table = markdown_table(&["one", "two"], rows());
        assert_eq!(table, "| one | two |\n| --- | --- |\n| a\\|b | =1+1 |\n| c d | \\\\u\\{1b\\}e |\n");
    }
}
