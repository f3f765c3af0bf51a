//! Where explanations go: one of the formats, written as they come; or what they come to, written at the end.

use std::io::{self, Write};

use redeliver_model::{Explanation, Unread};
use redeliver_report::{self as report, CsvWriter, Style};

use crate::arguments::Format;
use crate::overview::Overview;

/// What of many explanations is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Each; as text, the summary where there are more than a few.
    AsFits,
    /// Each, however many.
    Each,
    /// The summary.
    Summary,
    /// The addresses.
    Addresses,
    /// The way back.
    Recovery,
}

/// So many explanations are printed whole in a text for a person; of more, the summary.
const A_FEW: usize = 5;

/// Writes explanations in one format.
pub(crate) struct Sink<W: Write> {
    form: Form<W>,
    format: Format,
    style: Style,
    wanted: Wanted,
    overview: Overview,
    held: Vec<String>,
    told: usize,
}

/// The formats, with what each needs while it is written.
enum Form<W: Write> {
    Plain { out: W },
    Lines { out: W, line: Vec<u8> },
    Array { out: W, line: Vec<u8>, written: bool },
    Table { table: Box<CsvWriter<W>> },
}

impl<W: Write> Sink<W> {
    pub(crate) fn new(out: W, format: Format, style: Style, wanted: Wanted) -> io::Result<Self> {
        let at_the_end = matches!(wanted, Wanted::Summary | Wanted::Addresses | Wanted::Recovery);
        let form = match format {
            _ if at_the_end => Form::Plain { out },
            Format::Text | Format::Markdown => Form::Plain { out },
            Format::Jsonl => Form::Lines { out, line: Vec::new() },
            Format::Json => Form::Array { out, line: Vec::new(), written: false },
            Format::Csv => Form::Table { table: Box::new(CsvWriter::new(out)?) },
        };
        Ok(Self { form, format, style, wanted, overview: Overview::default(), held: Vec::new(), told: 0 })
    }

    /// Whether nothing more is printed until the end.
    pub(crate) fn is_silent(&self) -> bool {
        match self.wanted {
            Wanted::Summary | Wanted::Addresses | Wanted::Recovery => true,
            Wanted::AsFits => self.format == Format::Text,
            Wanted::Each => false,
        }
    }

    /// Whether only the summary is wanted, so that each refusal need only be counted.
    pub(crate) fn is_summary(&self) -> bool {
        matches!(self.wanted, Wanted::Summary | Wanted::Addresses | Wanted::Recovery)
    }

    /// Whether each refusal is told, and none was.
    pub(crate) fn told_nothing(&self) -> bool {
        !self.is_summary() && self.told == 0
    }

    /// As text for a person, a log is told as a summary, however little is in it.
    pub(crate) fn prefer_summary(&mut self) {
        if self.wanted == Wanted::AsFits && self.format == Format::Text {
            self.wanted = Wanted::Summary;
            self.held.clear();
        }
    }

    /// What everything comes to.
    pub(crate) fn overview(&mut self) -> &mut Overview {
        &mut self.overview
    }

    pub(crate) fn explanation(&mut self, told: &Explanation<'_>) -> io::Result<()> {
        self.told += 1;
        if self.is_silent() {
            self.overview.add(told);
            if self.wanted == Wanted::AsFits {
                self.hold(told);
            }
            return Ok(());
        }
        match &mut self.form {
            Form::Plain { out } if self.format == Format::Markdown => {
                writeln!(out, "{}", report::markdown_explanation(told))
            }
            Form::Plain { out } => {
                if self.told > 1 {
                    writeln!(out, "{}", rule(self.style))?;
                }
                out.write_all(report::text_explanation(told, self.style).as_bytes())
            }
            Form::Lines { out, line } => {
                report::json_explanation(told, line);
                if line.len() < ENOUGH { Ok(()) } else { hand_on(out, line) }
            }
            Form::Array { out, line, written } => {
                line.clear();
                report::json_explanation(told, line);
                element(out, line, written)
            }
            Form::Table { table } => table.explanation(told),
        }
    }

    /// Keeps the first few texts, until it is known whether there are more.
    fn hold(&mut self, told: &Explanation<'_>) {
        if self.told > A_FEW {
            self.held.clear();
        } else {
            self.held.push(report::text_explanation(told, self.style));
        }
    }

    /// An input that could not be read, in the formats that programs read; people are told at once, elsewhere.
    pub(crate) fn unread(&mut self, unread: &Unread<'_>) -> io::Result<()> {
        self.overview.summary.add_unread();
        if self.is_silent() {
            return Ok(());
        }
        match &mut self.form {
            Form::Plain { out } => writeln!(out, "{}", report::markdown_unread(unread)),
            Form::Lines { line, .. } => {
                report::json_unread(unread, line);
                Ok(())
            }
            Form::Array { out, line, written } => {
                line.clear();
                report::json_unread(unread, line);
                element(out, line, written)
            }
            Form::Table { table } => table.unread(unread),
        }
    }

    /// Text that is not an explanation, such as a letter.
    pub(crate) fn plain(&mut self, text: &str) -> io::Result<()> {
        match &mut self.form {
            Form::Plain { out } | Form::Lines { out, .. } | Form::Array { out, .. } => writeln!(out, "{text}"),
            Form::Table { .. } => Ok(()),
        }
    }

    /// What is told whole, at the end.
    pub(crate) fn whole(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.form {
            Form::Plain { out } | Form::Lines { out, .. } | Form::Array { out, .. } => out.write_all(bytes),
            Form::Table { .. } => Ok(()),
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.form {
            Form::Lines { out, line } => {
                hand_on(out, line)?;
                out.flush()
            }
            Form::Plain { out } | Form::Array { out, .. } => out.flush(),
            Form::Table { table } => table.flush(),
        }
    }

    /// Writes what is told at the end.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let held = self.held.join(&format!("{}\n", rule(self.style)));
        match (&mut self.form, self.wanted) {
            (Form::Plain { out }, Wanted::AsFits) if self.format == Format::Text => {
                if self.told > A_FEW {
                    let (summary, addresses) = self.overview.summary();
                    out.write_all(report::text_summary(summary, addresses, self.style).as_bytes())?;
                } else {
                    out.write_all(held.as_bytes())?;
                }
            }
            (Form::Plain { out }, Wanted::Summary) => {
                let (summary, addresses) = self.overview.summary();
                let text = match self.format {
                    Format::Text => report::text_summary(summary, addresses, self.style).into_bytes(),
                    Format::Markdown => report::markdown_summary(summary, addresses).into_bytes(),
                    Format::Json | Format::Jsonl => report::json_summary(summary, addresses),
                    Format::Csv => report::csv_summary(summary)?,
                };
                out.write_all(&text)?;
            }
            (Form::Plain { out }, Wanted::Addresses) => {
                let addresses = self.overview.addresses();
                match self.format {
                    Format::Csv => report::addresses_csv(&addresses, out)?,
                    Format::Markdown => out.write_all(report::addresses_markdown(&addresses).as_bytes())?,
                    Format::Json => out.write_all(&report::addresses_json(&addresses, true))?,
                    Format::Jsonl => out.write_all(&report::addresses_json(&addresses, false))?,
                    Format::Text => out.write_all(report::addresses_text(&addresses).as_bytes())?,
                }
            }
            (Form::Array { out, written, .. }, _) => out.write_all(if *written { b"\n]\n" } else { b"[]\n" })?,
            _ => {}
        }
        self.flush()
    }
}

/// What stands between two explanations.
fn rule(style: Style) -> String {
    "─".repeat(style.width.min(40))
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
