//! From a fact to what a person reads: the file, what is wrong with it, and what to do next.

use std::fmt;
use std::io;

use kube_enroll::error::Error;
use kube_enroll::text::visible;

use super::input::Input;

/// Why a command stopped: one sentence, perhaps a next step, and the exit status they deserve.
#[derive(Debug)]
pub struct Failure {
    status: Status,
    sentence: String,
    next_step: Option<String>,
}

/// The two ways to end other than well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// The input was read, and it is not good: exit 1.
    NotGood,
    /// The command could not run: exit 2.
    CouldNotRun,
    /// The reader of our output went away, which is no failure: exit 0.
    BrokenPipe,
}

impl Failure {
    /// The command could not run.
    pub fn could_not_run(sentence: impl Into<String>) -> Self {
        Self {
            status: Status::CouldNotRun,
            sentence: sentence.into(),
            next_step: None,
        }
    }

    /// The input was read and judged, and it is not good.
    pub fn not_good(sentence: impl Into<String>) -> Self {
        Self {
            status: Status::NotGood,
            ..Self::could_not_run(sentence)
        }
    }

    /// What happened to a file while the operating system worked on it.
    pub fn io(doing: &str, file: impl fmt::Display, error: &io::Error) -> Self {
        let failure = Self::could_not_run(format!("cannot {doing} {file}: {}", reason(error)));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                failure.next("free some space and run the command again; nothing was left behind")
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                failure.next("choose a folder that can be written to")
            }
            _ => failure,
        }
    }

    /// A fact about the contents of `file`.
    pub fn in_file(file: &Input, error: &Error) -> Self {
        let failure = Self::could_not_run(format!("{file}: {}", visible(&error.to_string())));
        match next_step(error) {
            Some(step) => failure.next(step),
            None => failure,
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn next(self, step: impl Into<String>) -> Self {
        Self {
            next_step: Some(step.into()),
            ..self
        }
    }

    /// The exit status of the process.
    pub fn exit_status(&self) -> u8 {
        match self.status {
            Status::BrokenPipe => 0,
            Status::NotGood => 1,
            Status::CouldNotRun => 2,
        }
    }

    /// Whether there is nothing to say because nobody listens.
    pub fn is_silent(&self) -> bool {
        self.status == Status::BrokenPipe
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        match &self.next_step {
            Some(step) => write!(f, "\n  {step}"),
            None => Ok(()),
        }
    }
}

/// Failing to write to standard output, the only I/O whose errors are passed on with `?`.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let failure = Self::could_not_run(format!(
            "cannot write to standard output: {}",
            reason(&error)
        ));
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self {
                status: Status::BrokenPipe,
                ..failure
            },
            _ => failure,
        }
    }
}

/// A fact that is not about a file: a value given on the command line, or the machine.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::could_not_run(visible(&error.to_string()).to_string());
        match next_step(&error) {
            Some(step) => failure.next(step),
            None => failure,
        }
    }
}

/// The operating system's words, without the number that follows them.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

/// The likely next step after a fact, where there is one that always fits.
fn next_step(error: &Error) -> Option<&'static str> {
    match error {
        Error::PassphraseRequired => Some("give its passphrase with --passphrase-file FILE"),
        Error::PassphraseWrong => Some("check the passphrase, and the keyboard's layout"),
        Error::NoPrivateKey => {
            Some("a private key is PKCS#8, PKCS#1 or SEC1, in PEM or DER; is this the right file?")
        }
        Error::Unsupported {
            what: "private key encoding" | "key encryption",
            ..
        } => Some("convert it: openssl pkcs8 -topk8 -in OLD.key -out NEW.key"),
        Error::RsaSize { .. } => Some("make a new key: leave --key out"),
        Error::Randomness(_) | Error::Inconsistent => {
            Some("do not use this machine for keys until the cause is found")
        }
        _ => None,
    }
}
