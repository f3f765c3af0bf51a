//! The progress bar: on a terminal only, and only where nothing else is printed meanwhile.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use redeliver_intake::Progress;

/// Steps of the bar.
const STEPS: u64 = 1000;

/// A bar that follows the reading.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    progress: Progress,
}

impl Bar {
    /// Starts a bar; `silent` says that standard output stays empty until the end.
    pub(crate) fn new(progress: Progress, silent: bool) -> Self {
        let shown = io::stderr().is_terminal() && (silent || !io::stdout().is_terminal());
        let bar = shown.then(|| {
            let bar = ProgressBar::new(STEPS);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {eta} left") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, progress }
    }

    /// Shows how far the reading has come.
    pub(crate) fn show(&self, read: u64) {
        if let Some(bar) = &self.bar
            && read.is_multiple_of(64)
        {
            let done = self.progress.done();
            #[expect(clippy::cast_sign_loss, reason = "a share is not negative")]
            bar.set_position((done.part * STEPS as f64) as u64);
            bar.set_message(format!("{read} read, {} files", done.files));
        }
    }

    /// Takes the bar away before something is printed.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Prints words above the bar.
    pub(crate) fn above<R>(&self, print: impl FnOnce() -> R) -> R {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}
