//! Standard output and standard error: results there, words here.

use std::io::{self, IsTerminal, Write};

use redeliver_report::Style;

use crate::exit::Exit;

/// Says something to the person at the terminal.
pub(crate) fn complain(words: &str) {
    say(&format!("redeliver: {words}"));
}

/// The same without our name in front.
pub(crate) fn say(words: &str) {
    let shown: Vec<_> = words.lines().map(redeliver_report::visible).collect();
    let _ = writeln!(io::stderr(), "{}", shown.join("\n"));
}

/// How to lay out text: colour only on a terminal, and not where `NO_COLOR` is set (no-color.org).
pub(crate) fn style(verbose: bool) -> Style {
    let terminal = io::stdout().is_terminal();
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    Style { width: columns.unwrap_or(100).clamp(40, 120), colour: terminal && !no_colour, verbose }
}

/// Whether a write failed because the reader has gone (`| head`): no fault of the run.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Prints the manual page.
pub(crate) fn man(command: &clap::Command) -> anyhow::Result<Exit> {
    let mut out = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut out)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name = format!("redeliver-{}", sub.get_name());
        clap_mangen::Man::new(sub.clone()).title(name).render(&mut out)?;
    }
    print(&out)
}

/// Prints a whole text.
pub(crate) fn print(text: &[u8]) -> anyhow::Result<Exit> {
    io::stdout().write_all(text)?;
    Ok(Exit::Fine)
}
