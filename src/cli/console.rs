//! What goes to the terminal: results on standard output, messages on standard error.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressStyle};
use kube_enroll::inspect::Look;
use kube_enroll::secret::Secret;
use rustix::io::retry_on_intr;

use super::message::Failure;

/// The two streams, and how much is wanted on them.
pub struct Console {
    quiet: bool,
}

impl Console {
    /// A console that says only what went wrong if it is `quiet`.
    pub fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Whether only what went wrong is wanted.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Writes data, which is wanted in any case. Colours go to terminals that want them.
    pub fn data(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match AutoStream::choice(&stdout) {
            // A stream that strips writes every piece on its own.
            ColorChoice::Never => stdout.write_all(strip_str(text).to_string().as_bytes())?,
            _ => stdout.write_all(text.as_bytes())?,
        }
        stdout.flush()?;
        Ok(())
    }

    /// Writes a secret, past all buffers.
    pub fn secret(&self, text: &Secret<String>) -> Result<(), Failure> {
        let mut rest = text.expose().as_bytes();
        while !rest.is_empty() {
            let written = retry_on_intr(|| rustix::io::write(rustix::stdio::stdout(), rest));
            rest = rest
                .get(written.map_err(io::Error::from)?..)
                .unwrap_or_default();
        }
        Ok(())
    }

    /// Says how it went and what to do next.
    pub fn say(&self, text: &str) -> Result<(), Failure> {
        if self.quiet { Ok(()) } else { self.data(text) }
    }

    /// Warns on standard error.
    pub fn warn(&self, text: impl fmt::Display) {
        if !self.quiet {
            // There is nobody left to tell if standard error is gone.
            let _ = writeln!(anstream::stderr(), "kube-enroll: warning: {text}");
        }
    }

    /// How reports are laid out: as wide as the terminal.
    pub fn look(&self) -> Look {
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        Look { width }
    }

    /// A spinner with the time that has passed, on a terminal only; it goes when it is dropped.
    pub fn spinner(&self, doing: &str) -> Spinner {
        if self.quiet || !io::stderr().is_terminal() {
            return Spinner(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        let spinner = ProgressBar::new_spinner()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
            .with_message(doing.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(100));
        Spinner(spinner)
    }

    /// Whether a person can be asked.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }
}

/// See [`Console::spinner`].
pub struct Spinner(ProgressBar);

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Says what went wrong, on standard error.
pub fn report_failure(failure: &Failure) {
    let _ = writeln!(anstream::stderr(), "kube-enroll: {failure}");
}
