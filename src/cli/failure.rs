//! From a fact to what a person reads: the file, what is wrong with it, and what to do next.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use kube_enroll::error::Error;
use kube_enroll::looks::{Look, Want, new_name};
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Show, Text, count};

use super::Verdict;
use super::console::report_failure;
use super::from::file::Stream;
use super::hint::Hint;

/// Why a command stopped: one sentence, the exit status it deserves, and next steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    status: Verdict,
    what: Text,
    hints: Vec<Hint>,
    cause: Cause,
}

/// What callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Interrupted,
    NobodyToAsk,
    NoKey,
    Other,
}

// What makes messages is kept out of line, and what leads to it is taken for rare: nobody waits for
// either, and the program is smaller by a tenth.
impl Failure {
    /// The command could not run.
    #[cold]
    #[inline(never)]
    pub fn could_not_run(what: impl Into<Text>) -> Self {
        Self {
            status: Verdict::CouldNotRun,
            what: what.into(),
            hints: Vec::new(),
            cause: Cause::Other,
        }
    }

    /// The input was read and judged, and it is not good.
    #[cold]
    #[inline(never)]
    pub fn not_good(what: impl Into<Text>) -> Self {
        Self {
            status: Verdict::NotGood,
            ..Self::could_not_run(what)
        }
    }

    /// A person wants the command to end at once: nothing is tried instead.
    pub fn interrupted() -> Self {
        Self {
            cause: Cause::Interrupted,
            ..Self::could_not_run("interrupted")
        }
    }

    /// What happened while the operating system worked on a file.
    #[cold]
    #[inline(never)]
    pub fn io(doing: &'static str, file: impl Show, error: &io::Error) -> Self {
        let failure = Self::could_not_run(text!("cannot {} {}: {}", doing, file, reason(error)));
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                failure.say("free some space and run the command again; no file is there in part")
            }
            ErrorKind::ReadOnlyFilesystem => failure.say("nothing can be written there: work on a copy in another folder"),
            ErrorKind::PermissionDenied => {
                failure.say("run it as the owner of that (ls -ld shows who that is), or let the owner give it to you")
            }
            _ => failure,
        }
    }

    /// A fact about the contents of `source`.
    #[cold]
    #[inline(never)]
    pub fn about(source: impl Show, fact: impl Show) -> Self {
        Self::could_not_run(text!("{}: {}", source, fact))
    }

    /// A fact about the contents of `file`, with the step that is the next after it.
    #[cold]
    #[inline(never)]
    pub fn in_file(file: &Stream, error: &Error) -> Self {
        let failure = Self::about(file, error);
        let convert = |command: Command| {
            let new = new_name(file.typed(), "-pkcs8.key", &is_free);
            command.option("-in", file.typed()).option("-out", new)
        };
        match error {
            Error::Unsupported {
                what: "private key encoding",
                found,
            } if found.raw().contains("RFC 1421") => failure
                .say("convert it; it asks for the passphrase of the key and for a new one twice:")
                .run(convert(
                    Command::new("openssl").word("pkcs8").word("-topk8"),
                )),
            Error::Unsupported {
                what: "key encryption",
                ..
            } => failure
                .say("encrypt it anew; it asks for the old passphrase and for a new one twice:")
                .run(convert(
                    Command::new("openssl")
                        .word("pkcs8")
                        .option("-provider", "legacy")
                        .option("-provider", "default")
                        .word("-topk8"),
                )),
            Error::Malformed { .. } => failure
                .say("if it was damaged on its way, take it from where it came once more, whole"),
            _ => failure.after(error),
        }
    }

    /// A file is another one than is wanted: what it is, and what to do.
    #[cold]
    #[inline(never)]
    pub fn wrong_file(source: &Stream, look: Look, want: Want) -> Self {
        let failure = match look {
            Look::Template(_) | Look::Conflict(_) | Look::Comments => Self::about(source, look),
            _ if look.is_damaged() => Self::about(source, look),
            _ => Self::could_not_run(text!("{} is {}, not {}", source, look, want)),
        };
        let steps = look.steps(want, source.typed(), &is_free);
        steps.into_iter().fold(failure, Self::say)
    }

    /// The same failure as the answer to a question.
    #[must_use]
    pub fn judged(self) -> Self {
        Self {
            status: Verdict::NotGood,
            ..self
        }
    }

    /// Adds advice.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn say(mut self, advice: impl Into<Text>) -> Self {
        self.hints.push(Hint::Say(advice.into()));
        self
    }

    /// Adds advice that holds in some cases.
    #[must_use]
    pub fn say_if(self, holds: bool, advice: Text) -> Self {
        if holds { self.say(advice) } else { self }
    }

    /// Takes the advice away, for other advice.
    #[must_use]
    pub fn with_no_hints(mut self) -> Self {
        self.hints.clear();
        self
    }

    /// Adds a command to run.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn run(mut self, command: Command) -> Self {
        self.hints.push(Hint::Run(command));
        self
    }

    /// Adds the next steps of another failure that are not among these yet.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn also(mut self, other: &Self) -> Self {
        for hint in &other.hints {
            if !self.hints.contains(hint) {
                self.hints.push(hint.clone());
            }
        }
        self
    }

    /// Whether another failure has the same next steps.
    pub fn has_hints_of(&self, other: &Self) -> bool {
        self.hints == other.hints
    }

    /// Adds the next steps of another failure, which was told just before.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn indented(mut self, other: &Self) -> Self {
        let hints = other.hints.iter();
        self.hints
            .extend(hints.map(|hint| Hint::Say(text!("  {}", hint))));
        self
    }

    /// How the command ends for it.
    pub fn status(&self) -> Verdict {
        self.status
    }

    /// Whether to end at once.
    pub fn is_interrupted(&self) -> bool {
        self.cause == Cause::Interrupted
    }

    /// A passphrase is needed, and there is no terminal.
    #[cold]
    #[inline(never)]
    pub fn nobody_to_ask(what: impl Into<Text>) -> Self {
        Self {
            cause: Cause::NobodyToAsk,
            ..Self::could_not_run(what)
        }
    }

    /// Whether it is for want of a terminal.
    pub fn is_nobody_to_ask(&self) -> bool {
        self.cause == Cause::NobodyToAsk
    }

    /// The same failure, told as one for want of a key.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn for_want_of_a_key(self) -> Self {
        Self {
            cause: Cause::NoKey,
            ..self
        }
    }

    /// Whether it is for want of a key.
    pub fn is_no_key(&self) -> bool {
        self.cause == Cause::NoKey
    }

    /// The sentence alone.
    pub fn what(&self) -> &Text {
        &self.what
    }

    /// The likely next step after a fact, where there is one that always fits.
    fn after(self, error: &Error) -> Self {
        match error {
            Error::PassphraseRequired => {
                self.say("give its passphrase with --passphrase-file FILE")
            }
            Error::PassphraseWrong => self.say("check the passphrase, and the keyboard's layout"),
            Error::NoPrivateKey => self.say(
                "a private key is PKCS#8, PKCS#1 or SEC1, in PEM or DER; is this the right file?",
            ),
            Error::Unsupported {
                what:
                    "private key algorithm" | "elliptic curve" | "RSA private key" | "key encryption"
                    | "private key encoding",
                ..
            }
            | Error::RsaSize { .. } => self.say(
                "make a new key: kube-enroll request USER, without --key; or give another one, of RSA \
                 (2048 to 8192 bits), ECDSA (P-256, P-384, P-521) or Ed25519",
            ),
            Error::Randomness | Error::Inconsistent => {
                self.say("do not use this machine for keys until the cause is found")
            }
            _ => self,
        }
    }
}

/// What went wrong with some of many: the first few are told, and the others are counted.
#[derive(Default)]
pub struct Failures {
    worst: Option<Verdict>,
    more: usize,
    told: usize,
}

impl Failures {
    /// More than this nobody reads.
    const TOLD: usize = 20;

    /// Says what went wrong.
    pub fn report(&mut self, failure: &Failure) {
        self.worst = self.worst.max(Some(failure.status()));
        if self.told < Self::TOLD {
            self.told += 1;
            report_failure(failure);
        } else {
            self.more += 1;
        }
    }

    /// Says how many were not told, and how the command ends for all of them.
    pub fn end(self, one: &'static str, many: &'static str) -> Verdict {
        if self.more > 0 {
            let what = text!("so it is with {}", count(self.more, one, many));
            report_failure(
                &Failure::could_not_run(what)
                    .say("they are not told one by one; give fewer at once to see them"),
            );
        }
        self.worst.unwrap_or(Verdict::Good)
    }
}

/// The sentence, and each next step in a line of its own.
impl Show for Failure {
    fn show(&self) -> Text {
        let hints = self.hints.iter().map(|hint| text!("\n  {}", hint));
        text!("{}{}", self.what, Text::join(hints, ""))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show().fmt(f)
    }
}

/// A fact that is not about a file: a value given on the command line, or the machine.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::could_not_run(error.show()).after(&error)
    }
}

/// Whether nothing is there under a name, be it a dangling link.
pub fn is_free(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err()
}

/// An error of our own where the operating system has none.
pub fn io_error(words: &'static str) -> io::Error {
    io::Error::other(OwnWords(words))
}

#[derive(Debug)]
struct OwnWords(&'static str);

impl fmt::Display for OwnWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for OwnWords {}

/// Whether it is that error of our own.
pub fn is_own(error: &io::Error, words: &str) -> bool {
    let own = error.get_ref().and_then(|inner| inner.downcast_ref());
    own.is_some_and(|OwnWords(own)| *own == words)
}

/// What the operating system means, in words of ours.
pub fn reason(error: &io::Error) -> Text {
    let own = error.get_ref().and_then(|inner| inner.downcast_ref());
    if let Some(OwnWords(words)) = own {
        return Text::from(*words);
    }
    let words = match error.kind() {
        ErrorKind::NotFound => "no such file or directory",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::AlreadyExists => "it exists already",
        ErrorKind::IsADirectory => "is a directory",
        ErrorKind::NotADirectory => "not a directory",
        ErrorKind::DirectoryNotEmpty => "the directory is not empty",
        ErrorKind::StorageFull => "no space left on device",
        ErrorKind::QuotaExceeded => "the quota is used up",
        ErrorKind::FileTooLarge => "file too large",
        ErrorKind::ReadOnlyFilesystem => "read-only file system",
        ErrorKind::BrokenPipe => "its reader went away",
        ErrorKind::UnexpectedEof => "it ended too early",
        ErrorKind::InvalidFilename => "file name too long",
        ErrorKind::TooManyLinks => "too many links",
        ErrorKind::ResourceBusy => "it is in use",
        ErrorKind::OutOfMemory => "out of memory",
        ErrorKind::Unsupported => "not supported here",
        ErrorKind::InvalidInput => "not a valid name for a file",
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            "it is a link that leads to itself"
        }
        _ => {
            return error
                .raw_os_error()
                .map_or("the system refused".into(), |code| {
                    text!("error {} of the system", code)
                });
        }
    };
    words.into()
}
