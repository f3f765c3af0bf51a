//! The `redeliver` binary: arguments, wiring, exit codes. The work is done in the other crates.

mod arguments;
mod catalog_command;
mod check;
mod check_arguments;
mod check_output;
mod clock;
mod exit;
mod explain;
mod log;
mod output;
mod overview;
mod progress;
mod recovery;
mod sink;
mod telling;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command};
use exit::Exit;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            if error.use_stderr() {
                // What was typed is shown in it, and may have come from a mail.
                output::say(&error.render().to_string());
                return Exit::Usage.into();
            }
            // Help and version were asked for.
            return if error.print().is_ok() { Exit::Fine } else { Exit::Usage }.into();
        }
    };
    let result = match arguments.command {
        Command::Explain(explain) => explain::run(&explain, &clock::SystemClock),
        Command::Check(check) => check::run(&check, &clock::shared()),
        Command::Catalog(catalog) => catalog_command::run(&catalog),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "redeliver", &mut script);
            output::print(&script)
        }
        Command::Man => output::man(&Arguments::command()),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) if output::is_closed_pipe(&error) => Exit::Fine.into(),
        Err(error) => {
            output::complain(&format!("{error:#}"));
            Exit::Usage.into()
        }
    }
}
