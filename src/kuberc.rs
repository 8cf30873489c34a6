//! kubectl's own preferences, as far as they say which programs a kubeconfig may have it run
//! (k8s.io/kubectl/pkg/kuberc, `Preference` of kubectl.config.k8s.io; kubectl 1.35 and later).
//!
//! Two kubectls read the same file differently: what an entry of the list names is `name` for 1.35,
//! and `command` from 1.36 on, which takes `name` as well.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::manifest;
use crate::shell::Command;
use crate::text;
use crate::text::{Label, Show as _, Text};

mod reading;

#[cfg(test)]
mod tests;

use reading::{Reading, Taken, Version, documents, reading};

/// `kind` of the file.
pub const KIND: &str = "Preference";

/// The name that kubectl gives the file.
const FILE: &str = "kuberc";

const GROUP: &str = "kubectl.config.k8s.io/";

/// The part of a kuberc that is about credential plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kuberc {
    policy: Option<String>,
    allowlist: Vec<String>,
    line: Option<usize>,
    old: Reading,
    new: Reading,
}

/// Whether kubectl runs a command of a kubeconfig, and why or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// kubectl 1.35.
    pub old: Result<Text, Text>,
    /// kubectl 1.36 and later.
    pub new: Result<Text, Text>,
}

/// The file that a command without a slash runs, by the folders of the path.
pub type LookPath<'a> = &'a dyn Fn(&str) -> Option<PathBuf>;

/// Whether a file is kubectl's preferences: by its name, or by what it says of itself. What holds a
/// request is none, since that is what somebody would have looked at.
#[must_use]
pub fn is_kuberc(source: &str, input: &[u8]) -> bool {
    let is_named = Path::new(source)
        .file_name()
        .is_some_and(|name| name == FILE);
    if !is_named && memchr::memmem::find(input, GROUP.as_bytes()).is_none() {
        return false;
    }
    let objects: Vec<_> = documents(input).map_while(Result::ok).collect();
    let mut objects = objects
        .iter()
        .filter_map(|document| document.1.as_ref().ok());
    let text = |object: &Value, field| object.get(field).and_then(Value::as_str).map(str::to_owned);
    let mut says_so = false;
    let has_others = objects.any(|object| {
        let group = text(object, "apiVersion").unwrap_or_default();
        says_so |= group.starts_with(GROUP);
        text(object, "kind").is_some_and(|kind| kind == manifest::KIND || kind.ends_with("List"))
    });
    !has_others && (is_named || says_so)
}

impl Answer {
    /// Whether the kubectls of this time run it.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.new.is_ok()
    }

    /// Yes or no, and why; both where the kubectls differ.
    #[must_use]
    pub fn said(&self) -> Text {
        let said = |answer: &Result<Text, Text>, whose: &'static str| {
            let (word, why) = match answer {
                Ok(why) => ("yes", why),
                Err(why) => ("no", why),
            };
            text!("{}{}: {}", word, whose, why)
        };
        if self.old.is_ok() == self.new.is_ok() {
            return said(&self.new, "");
        }
        let new = said(&self.new, " with kubectl 1.36 and later");
        text!("{}; {}", new, said(&self.old, " with 1.35"))
    }
}

impl Kuberc {
    /// Reads preferences as kubectl does: of several documents it takes the first that it can read.
    #[must_use]
    pub fn read(input: &[u8]) -> Self {
        let (old, _) = reading(input, Version::Old);
        let (new, taken) = reading(input, Version::New);
        let listed = |(_, object): &Taken| {
            let entries = object.get("credentialPluginAllowlist")?.as_array()?.clone();
            let field = |entry: &Value, name| entry.get(name)?.as_str().map(str::to_owned);
            let named = |entry: &Value| {
                field(entry, "command")
                    .filter(|command| !command.is_empty())
                    .or_else(|| field(entry, "name"))
            };
            Some(entries.iter().filter_map(named).collect())
        };
        let policy =
            |(_, object): &Taken| Some(object.get("credentialPluginPolicy")?.as_str()?.to_owned());
        let is_one_of_several = documents(input).nth(1).is_some();
        Self {
            policy: taken.as_ref().and_then(policy),
            allowlist: taken.as_ref().and_then(listed).unwrap_or_default(),
            line: taken.filter(|_| is_one_of_several).map(|(line, _)| line),
            old,
            new,
        }
    }

    /// The same in a file that `$KUBERC` or `--kuberc` names, of which kubectl has to take something.
    #[must_use]
    pub fn named(mut self) -> Self {
        for reading in [&mut self.old, &mut self.new] {
            if let Reading::Passed(why) = reading {
                *reading = Reading::Mistake(std::mem::take(why));
            }
        }
        self
    }

    /// The policy, as it is written in what kubectl takes.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// The policy as it is written, else what kubectl (1.36 and later) does without one.
    #[must_use]
    pub fn policy_said(&self) -> Text {
        match (&self.policy, &self.new) {
            (Some(policy), _) => Label::from(policy.as_str()).show(),
            (None, Reading::Taken(..)) => "none is set: kubectl runs every command".into(),
            (None, Reading::Passed(_)) => {
                "none: kubectl takes nothing of this file, and runs every command".into()
            }
            (None, Reading::Mistake(_)) => {
                "none: kubectl takes nothing of this file, and runs no command".into()
            }
        }
    }

    /// What may run, by name or path, as it is written in what kubectl takes.
    #[must_use]
    pub fn allowlist(&self) -> &[String] {
        &self.allowlist
    }

    /// The line, counted from 1, of the document that kubectl takes, where there are several.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The mistake for which kubectl (1.36 and later) does nothing at all with this file.
    #[must_use]
    pub fn mistake(&self) -> Option<&Text> {
        match &self.new {
            Reading::Mistake(mistake) => Some(mistake),
            _ => None,
        }
    }

    /// What has kubectl (1.36 and later) run this command besides what may run already; nothing where
    /// the file has to be corrected first, since that command reads it too.
    #[must_use]
    pub fn allowing(&self, command: &str) -> Option<Command> {
        if self.mistake().is_some() {
            return None;
        }
        let others = self.allowlist.iter().map(String::as_str);
        Some(allowing(
            others.filter(|other| *other != command).chain([command]),
        ))
    }

    /// Whether kubectl runs this command of a kubeconfig, and why (client-go
    /// `plugin/pkg/client/auth/exec`). Links are not followed.
    #[must_use]
    pub fn runs(&self, command: &str, look_path: LookPath<'_>) -> Answer {
        Answer {
            old: self.old.runs(command, look_path),
            new: self.new.runs(command, look_path),
        }
    }
}

/// What has kubectl (1.36 and later) run these commands of kubeconfigs and no others.
pub fn allowing<'a>(commands: impl IntoIterator<Item = &'a str>) -> Command {
    let set = Command::new("kubectl").word("kuberc").word("set");
    let set = set.option("--section", "credentialplugin");
    let set = set.option("--policy", "Allowlist");
    commands.into_iter().fold(set, |set, command| {
        set.option("--allowlist-entry", format!("command={command}"))
    })
}
