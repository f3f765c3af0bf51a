//! Where findings go: one of the formats on standard output, a progress bar on a terminal.

use std::io::{self, BufWriter, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use redeliver_model::{Finding, Unread};
use redeliver_report as report;

use crate::arguments::Format;
use crate::check_arguments::Check;
use crate::output;

/// A target and what was found.
pub(crate) struct Checked {
    pub(crate) target: String,
    pub(crate) findings: Vec<Finding>,
}

/// A bar on standard error: on a terminal only, and only where there is more than one target to wait for.
pub(crate) fn bar(targets: usize) -> ProgressBar {
    if targets < 2 || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(targets as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} targets, {elapsed}") {
        bar.set_style(style);
    }
    bar
}

/// Writes everything.
pub(crate) fn write(arguments: &Check, checked: &[Checked], unread: &[Unread<'_>]) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(256 * 1024, io::stdout().lock());
    match arguments.shape.format() {
        Format::Text => text(&mut out, arguments, checked, unread)?,
        Format::Markdown => {
            for one in checked {
                writeln!(out, "{}", report::markdown_findings(&one.target, &one.findings))?;
            }
            told(unread)?;
        }
        Format::Csv => {
            report::csv_findings(&mut out, checked.iter().flat_map(|one| &one.findings))?;
            told(unread)?;
        }
        format => json(&mut out, format == Format::Json, checked, unread)?,
    }
    out.flush()
}

fn told(unread: &[Unread<'_>]) -> io::Result<()> {
    unread.iter().try_for_each(|unread| writeln!(io::stderr(), "{}", report::text_unread(unread)))
}

fn text(out: &mut impl Write, arguments: &Check, checked: &[Checked], unread: &[Unread<'_>]) -> io::Result<()> {
    let style = output::style(arguments.verbose);
    for (number, one) in checked.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        out.write_all(report::text_findings(&one.target, &one.findings, style).as_bytes())?;
    }
    unread.iter().try_for_each(|unread| writeln!(out, "{}", report::text_unread(unread)))
}

fn json(out: &mut impl Write, array: bool, checked: &[Checked], unread: &[Unread<'_>]) -> io::Result<()> {
    let mut line = Vec::new();
    let mut written = false;
    let findings = checked.iter().flat_map(|one| &one.findings);
    for finding in findings {
        line.clear();
        report::json_finding(finding, &mut line);
        element(out, &line, array, &mut written)?;
    }
    for unread in unread {
        line.clear();
        report::json_unread_target(unread, &mut line);
        element(out, &line, array, &mut written)?;
    }
    if array {
        out.write_all(if written { b"\n]\n" } else { b"[]\n" })?;
    }
    Ok(())
}

fn element(out: &mut impl Write, line: &[u8], array: bool, written: &mut bool) -> io::Result<()> {
    if !array {
        return out.write_all(line);
    }
    out.write_all(if std::mem::replace(written, true) { b",\n" } else { b"[\n" })?;
    out.write_all(line.trim_ascii_end())
}
