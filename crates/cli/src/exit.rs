//! What the exit code says.

use std::process::ExitCode;

/// How a run ended; of several, the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All was read (`explain`), or nothing is wrong (`check`, `catalog test`).
    Fine,
    /// Something could not be asked, and nothing was found wrong (`check`).
    CouldNotAsk,
    /// Something was found wrong, or some input could not be read while the rest was.
    Findings,
    /// The call was wrong, or nothing could be read: nothing was done.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::CouldNotAsk => 3,
            Exit::Findings => 1,
            Exit::Usage => 2,
        })
    }
}
