//! What to do next.

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
