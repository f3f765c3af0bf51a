//! Where explanations go: one of the formats, written as they come.

use std::io::{self, Write};

use redeliver_model::{Explanation, Unread};
use redeliver_report::{self as report, CsvWriter, Style};

use crate::arguments::Format;

/// Writes explanations in one format.
pub(crate) enum Sink<W: Write> {
    Text { out: W, style: Style, written: bool },
    Markdown { out: W },
    Lines { out: W, line: Vec<u8> },
    Array { out: W, line: Vec<u8>, written: bool },
    Table { table: Box<CsvWriter<W>> },
}

impl<W: Write> Sink<W> {
    pub(crate) fn new(out: W, format: Format, style: Style) -> io::Result<Self> {
        Ok(match format {
            Format::Text => Self::Text { out, style, written: false },
            Format::Markdown => Self::Markdown { out },
            Format::Jsonl => Self::Lines { out, line: Vec::new() },
            Format::Json => Self::Array { out, line: Vec::new(), written: false },
            Format::Csv => Self::Table { table: Box::new(CsvWriter::new(out)?) },
        })
    }

    pub(crate) fn explanation(&mut self, told: &Explanation<'_>) -> io::Result<()> {
        match self {
            Self::Text { out, style, written } => {
                if std::mem::replace(written, true) {
                    writeln!(out, "{}", "─".repeat(style.width.min(40)))?;
                }
                out.write_all(report::text_explanation(told, *style).as_bytes())
            }
            Self::Markdown { out } => writeln!(out, "{}", report::markdown_explanation(told)),
            Self::Lines { out, line } => {
                report::json_explanation(told, line);
                if line.len() < ENOUGH {
                    return Ok(());
                }
                hand_on(out, line)
            }
            Self::Array { out, line, written } => {
                line.clear();
                report::json_explanation(told, line);
                element(out, line, written)
            }
            Self::Table { table } => table.explanation(told),
        }
    }

    pub(crate) fn unread(&mut self, unread: &Unread<'_>) -> io::Result<()> {
        match self {
            Self::Text { out, .. } => writeln!(out, "{}", report::text_unread(unread)),
            Self::Markdown { out } => writeln!(out, "> {}\n", report::text_unread(unread)),
            Self::Lines { line, .. } => {
                report::json_unread(unread, line);
                Ok(())
            }
            Self::Array { out, line, written } => {
                line.clear();
                report::json_unread(unread, line);
                element(out, line, written)
            }
            Self::Table { table } => table.unread(unread),
        }
    }

    /// Text that is not an explanation, such as a letter.
    pub(crate) fn plain(&mut self, text: &str) -> io::Result<()> {
        match self {
            Self::Text { out, .. } | Self::Markdown { out } | Self::Lines { out, .. } | Self::Array { out, .. } => {
                writeln!(out, "{text}")
            }
            Self::Table { .. } => Ok(()),
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Lines { out, line } => {
                hand_on(out, line)?;
                out.flush()
            }
            Self::Text { out, .. } | Self::Markdown { out } | Self::Array { out, .. } => out.flush(),
            Self::Table { table } => table.flush(),
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        if let Self::Array { out, written, .. } = &mut self {
            out.write_all(if *written { b"\n]\n" } else { b"[]\n" })?;
        }
        self.flush()
    }
}

/// Lines are handed on when so many bytes have come together.
const ENOUGH: usize = 256 * 1024;

fn hand_on(out: &mut impl Write, lines: &mut Vec<u8>) -> io::Result<()> {
    out.write_all(lines)?;
    lines.clear();
    Ok(())
}

/// Writes a line of JSON as an element of an array.
fn element(out: &mut impl Write, line: &[u8], written: &mut bool) -> io::Result<()> {
    out.write_all(if std::mem::replace(written, true) { b",\n" } else { b"[\n" })?;
    out.write_all(line.trim_ascii_end())
}
