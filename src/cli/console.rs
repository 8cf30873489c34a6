//! What goes to the terminal: results on standard output, messages on standard error. Nothing else
//! prints.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::collections::HashSet;
use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use kube_enroll::inspect::Look;
use kube_enroll::shell;
use kube_enroll::text;
use kube_enroll::text::{Show as _, Text, count};
use terminal_size::{Height, Width, terminal_size_of};

use super::failure::Failure;
use super::os::descriptors;

mod fold;

/// Nobody reads lines that are longer, and none are shorter.
const WIDTHS: std::ops::RangeInclusive<u16> = 40..=100;

/// When text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On terminals, unless NO_COLOR is set
    #[default]
    Auto,
    /// Even into files
    Always,
    /// Not at all
    Never,
}

impl Color {
    /// Holds for all that is written from now on.
    pub fn choose(self) {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
        .write_global();
    }
}

/// The two streams, and how much is wanted on them.
pub struct Console {
    quiet: bool,
    /// The reader of standard output went away: nothing is written any more, and the command goes
    /// on to its verdict.
    unheard: AtomicBool,
    /// That of standard error did, before it had a report.
    untold: AtomicBool,
    warned: Mutex<HashSet<String>>,
}

impl Console {
    /// A console that says nothing about what is good if it is `quiet`.
    pub fn new(quiet: bool) -> Self {
        Self {
            quiet,
            unheard: AtomicBool::new(false),
            untold: AtomicBool::new(false),
            warned: Mutex::default(),
        }
    }

    /// Whether only what is not good is wanted.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Writes what the command is for: the contents of a file, or a report. Colours go to terminals
    /// that want them.
    pub fn data(&self, text: &str) -> Result<(), Failure> {
        if self.unheard.load(Ordering::Relaxed) || text.is_empty() {
            return Ok(());
        }
        require_stdout()?;
        let mut stdout = io::stdout().lock();
        let written = match AutoStream::choice(&stdout) {
            // A stream that strips writes every piece on its own.
            ColorChoice::Never => stdout.write_all(strip_str(text).to_string().as_bytes()),
            _ => stdout.write_all(text.as_bytes()),
        };
        match written.and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.unheard.store(true, Ordering::Relaxed);
                Ok(())
            }
            written => written.map_err(|error| Failure::io("write to", "standard output", &error)),
        }
    }

    /// Writes what another program does something with: unlike a report, it is of use only if all of it
    /// arrives.
    pub fn deliver(&self, text: &str) -> Result<(), Failure> {
        self.data(text)?;
        if self.unheard.load(Ordering::Relaxed) {
            let what = "the reader of standard output went away before it had all of it";
            return Err(Failure::could_not_run(what));
        }
        Ok(())
    }

    /// Writes a report beside what goes to standard output. Whoever reads it may go away before its end.
    pub fn aside(&self, text: &str) -> Result<(), Failure> {
        if !text.is_empty() && descriptors::is_stderr_closed() {
            return Err(Failure::could_not_run("standard error is closed"));
        }
        match anstream::stderr().write_all(text.as_bytes()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.untold.store(true, Ordering::Relaxed);
                Ok(())
            }
            written => written.map_err(|error| Failure::io("write to", "standard error", &error)),
        }
    }

    /// Fails where the reader of what was written [aside](Self::aside) went away: the verdict stands, and
    /// nothing follows from it.
    pub fn require_told(&self) -> Result<(), Failure> {
        if self.untold.load(Ordering::Relaxed) {
            let what = "the reader of standard error went away before it had all of the report";
            return Err(Failure::could_not_run(what));
        }
        Ok(())
    }

    /// Says on standard output how it went and what to do next.
    pub fn say(&self, text: impl Into<Text>) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        self.data(&in_lines(
            text.into().as_str(),
            terminal_size_of(io::stdout()),
            "",
        ))
    }

    /// Tells on standard error what is good to know.
    pub fn note(&self, text: impl Into<Text>) {
        if !self.quiet {
            to_stderr(&text.into(), "");
        }
    }

    /// Warns on standard error, once of everything.
    pub fn warn(&self, text: impl Into<Text>) {
        let text = text.into();
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(text.to_string()) {
            to_stderr(&text, "warning: ");
        }
    }

    /// How reports are laid out: as wide as the terminal.
    pub fn look(&self) -> Look {
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        Look {
            width,
            fingerprints: true,
        }
    }

    /// A spinner with the time that has passed, on a terminal only; it goes when it is dropped.
    pub fn spinner(&self, doing: impl Into<Text>) -> Spinner {
        if self.quiet || !io::stderr().is_terminal() {
            return Spinner(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        let spinner = ProgressBar::new_spinner()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
            .with_message(doing.into().to_string());
        spinner.enable_steady_tick(Duration::from_millis(100));
        Spinner(spinner)
    }

    /// Shows how far the command is: on a terminal a bar with rate and time left, elsewhere a line every
    /// few seconds.
    pub fn progress(&self, total: usize, what: &'static str) -> Progress {
        let total = u64::try_from(total).unwrap_or(u64::MAX);
        let is_terminal = io::stderr().is_terminal();
        if self.quiet || !is_terminal {
            return Progress {
                bar: ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden()),
                told: Mutex::new((!self.quiet).then(Instant::now)),
                what,
            };
        }
        let template = "{bar:24} {pos} of {len} {msg}, {rate} a second, {eta} left";
        let style = ProgressStyle::with_template(template);
        let bar = ProgressBar::new(total)
            .with_style(
                style
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
                        // There is nobody to tell.
                        let _ = write!(out, "{:.0}", state.per_sec());
                    }),
            )
            .with_message(what);
        Progress {
            bar,
            told: Mutex::new(None),
            what,
        }
    }

    /// Whether a person reads along and answers by keys.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// The same where the fingerprint is told in words, to be read out.
    pub fn look_without_fingerprints(&self) -> Look {
        Look {
            fingerprints: false,
            ..self.look()
        }
    }

    /// The columns and lines of the terminal that results go to.
    pub fn window(&self) -> Option<(usize, usize)> {
        if !io::stdout().is_terminal() {
            return None;
        }
        let (width, height) = terminal_size::terminal_size()?;
        Some((width.0.into(), height.0.into()))
    }

    /// Waits for a person to press Enter.
    pub fn wait(&self, seen: impl Into<Text>) -> Result<(), Failure> {
        self.note(text!("{}; press Enter for the next", seen.into()));
        let read = io::stdin().read_line(&mut String::new());
        let read = read.map_err(|error| Failure::io("read", "standard input", &error));
        read.map(|_| ())
    }

    /// Says that the command waits for a person to type a file.
    pub fn note_waiting(&self) {
        if io::stdin().is_terminal() {
            self.note("reading standard input, the terminal: end it with Ctrl-D, or name a file");
        }
    }
}

/// Fails where nobody can read what is written to standard output.
pub fn require_stdout() -> Result<(), Failure> {
    if descriptors::is_stdout_closed() {
        return Err(Failure::could_not_run("standard output is closed"));
    }
    Ok(())
}

/// Whether there was something to say that nobody can have read.
pub fn has_something_unsaid() -> bool {
    UNSAID.load(Ordering::Relaxed)
}

static UNSAID: AtomicBool = AtomicBool::new(false);

/// See [`Console::spinner`].
pub struct Spinner(ProgressBar);

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Tells what is good to know, where there is no console at hand.
pub fn note_of(text: &Text) {
    to_stderr(text, "");
}

/// Warns, where there is no console at hand.
pub fn warn_of(text: &Text) {
    to_stderr(text, "warning: ");
}

/// See [`Console::progress`].
pub struct Progress {
    bar: ProgressBar,
    /// When a line was written last, where lines are written.
    told: Mutex<Option<Instant>>,
    what: &'static str,
}

impl Progress {
    /// Time between two lines.
    const INTERVAL: Duration = Duration::from_secs(5);

    /// One more is done.
    pub fn advance(&self) {
        self.bar.inc(1);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = told
            .as_mut()
            .filter(|last| last.elapsed() >= Self::INTERVAL)
        else {
            return;
        };
        *last = Instant::now();
        let (done, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
        if done == total {
            return;
        }
        let seconds = self.bar.elapsed().as_secs().max(1);
        let left = seconds.saturating_mul(total.saturating_sub(done)) / done.max(1);
        // It is of no use but to whoever watches.
        let _ = is_lost(
            &text!(
                "{} of {} {}, {} a second, {} left",
                done,
                total,
                self.what,
                done / seconds,
                count(
                    usize::try_from(left).unwrap_or(usize::MAX),
                    "second",
                    "seconds"
                )
            ),
            "",
        );
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Says what went wrong, on standard error.
pub fn report_failure(failure: &Failure) {
    to_stderr(&failure.show(), "");
}

/// In lines that fit, where it goes to a terminal: programs get what they search in one line.
fn in_lines(text: &str, terminal: Option<(Width, Height)>, hanging: &str) -> String {
    let Some((width, _)) = terminal else {
        return text.to_owned();
    };
    let width = width.0.clamp(*WIDTHS.start(), *WIDTHS.end());
    fold::folded(text, usize::from(width), hanging)
}

/// Says something that counts as output.
fn to_stderr(text: &Text, kind: &str) {
    if is_lost(text, kind) {
        UNSAID.store(true, Ordering::Relaxed);
    }
}

/// Whether nobody can have read what it says.
fn is_lost(text: &Text, kind: &str) -> bool {
    let message = format!("{}: {kind}{text}\n", shell::our_name());
    let message = in_lines(&message, terminal_size_of(io::stderr()), fold::HANGING);
    let written = anstream::stderr().write_all(message.as_bytes());
    // Whoever stops to read has read what was wanted.
    written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe)
        || descriptors::is_stderr_closed()
}
