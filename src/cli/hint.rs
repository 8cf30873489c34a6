//! What to do next.

use std::env;
use std::ffi::OsStr;

use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Show, Text};

/// A next step: in words, or a command that works as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Advice.
    Say(Text),
    /// A command to run.
    Run(Command),
}

impl Show for Hint {
    fn show(&self) -> Text {
        match self {
            Self::Say(advice) => advice.clone(),
            Self::Run(command) => text!("run: {}", command),
        }
    }
}

/// The command as it was typed, with this value for an option.
pub fn again_with(
    command: &'static str,
    option: &'static str,
    value: impl AsRef<OsStr>,
) -> Command {
    let mut again = Command::ours(command).option(option, value);
    let mut is_named = false;
    let mut words = env::args_os().skip(1);
    while let Some(word) = words.next() {
        let rest = word.as_encoded_bytes().strip_prefix(option.as_bytes());
        match rest {
            // The value is the next word.
            Some(b"") => drop(words.next()),
            Some([b'=', ..]) => {}
            _ if !is_named && word == command => is_named = true,
            _ => again = again.typed(word),
        }
    }
    again
}

/// Creates what it reads, and approves what was created: not what somebody else put under its name.
pub fn create_and_approve() -> Command {
    let create = Command::new("kubectl").word("create").option("-f", "-");
    create.option("-o", "name").pipe(approve())
}

/// Approves those whose names it reads.
pub fn approve() -> Command {
    let xargs = Command::new("xargs").word("-r").word("kubectl");
    xargs.word("certificate").word("approve")
}
