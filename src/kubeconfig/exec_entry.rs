//! The exec entries of this program: what kubectl runs for certificate and key
//! (k8s.io/client-go/tools/clientcmd/api `ExecConfig`).

use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::text;
use crate::credential;

/// The command of this program that serves certificate and key.
const SERVE: &str = "credential";

/// The names of this program, as a command and as a plugin of kubectl.
const COMMANDS: [&str; 2] = ["kube-enroll", "kubectl-enroll"];

/// What this program decides of how it is run: the rest stays as somebody wrote it.
const DECIDED: [&str; 2] = ["command", "args"];
/// What kubectl shows where the command is missing.
const HINT: &str = "installHint";

/// An exec entry that runs `kube-enroll credential`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecEntry<T = String> {
    /// A name or path: of this program, or of what leads to it.
    pub command: T,
    /// What stands before `credential`, as for a plugin of kubectl.
    before: Vec<T>,
    /// The file of the certificate.
    pub certificate: Option<T>,
    /// The file of the private key.
    pub key: Option<T>,
    /// What it is given besides.
    besides: Vec<T>,
    /// The file that the passphrase of the key is read from.
    pub passphrase_file: Option<T>,
    /// For how long it keeps the key unlocked, as it was typed.
    pub unlock_for: Option<T>,
}

impl<'a> ExecEntry<&'a str> {
    /// Reads the entry of a user, where it runs `kube-enroll credential`; in a user entry that this
    /// program marked, also by a script or link with another name.
    pub(super) fn read(user: &'a Map<String, Value>, is_marked: bool) -> Option<Self> {
        let exec = user.get("exec")?.as_object()?;
        let command = text(exec, "command");
        let name = Path::new(command).file_name()?.to_str()?;
        let words = exec.get("args").and_then(Value::as_array)?;
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        let position = words.iter().position(|word| *word == SERVE)?;
        let (before, rest) = words.split_at(position);
        let runs_us = COMMANDS.contains(&name) && before.is_empty();
        if !(is_marked || runs_us) {
            return None;
        }
        let mut read = Self {
            command,
            before: before.to_vec(),
            certificate: None,
            key: None,
            besides: Vec::new(),
            passphrase_file: None,
            unlock_for: None,
        };
        let mut words = rest.iter().skip(1).copied();
        while let Some(word) = words.next() {
            let (name, joined) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            let option = match name {
                "--certificate" => &mut read.certificate,
                "--key" => &mut read.key,
                "--passphrase-file" => &mut read.passphrase_file,
                "--unlock-for" => &mut read.unlock_for,
                _ => {
                    read.besides.push(word);
                    continue;
                }
            };
            // The value is the next word where it is not joined to the option.
            *option = joined.or_else(|| words.next());
        }
        Some(read)
    }

    /// What is run, where that is not this program by its name: it may do anything before it leads here.
    #[must_use]
    pub fn way(&self) -> Option<String> {
        let name = Path::new(self.command).file_name().and_then(OsStr::to_str);
        let is_by_name = name.is_some_and(|name| COMMANDS.contains(&name));
        if is_by_name && self.before.is_empty() {
            return None;
        }
        Some([&[self.command], &self.before[..]].concat().join(" "))
    }

    /// The same, apart from the kubeconfig.
    #[must_use]
    pub fn to_owned(&self) -> ExecEntry {
        let all = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        ExecEntry {
            command: self.command.to_owned(),
            before: all(&self.before),
            certificate: self.certificate.map(str::to_owned),
            key: self.key.map(str::to_owned),
            besides: all(&self.besides),
            passphrase_file: self.passphrase_file.map(str::to_owned),
            unlock_for: self.unlock_for.map(str::to_owned),
        }
    }
}

impl ExecEntry {
    /// One that runs this program by its name or path.
    #[must_use]
    pub fn new(command: String, certificate: String, key: String) -> Self {
        Self {
            command,
            before: Vec::new(),
            certificate: Some(certificate),
            key: Some(key),
            besides: Vec::new(),
            passphrase_file: None,
            unlock_for: None,
        }
    }

    /// The same, for another certificate and key.
    #[must_use]
    pub fn with_files(self, certificate: String, key: String) -> Self {
        Self {
            certificate: Some(certificate),
            key: Some(key),
            ..self
        }
    }

    /// The same, run by this program's name or path and by nothing that leads to it.
    #[must_use]
    pub fn run_by(self, command: String) -> Self {
        Self {
            command,
            before: Vec::new(),
            ..self
        }
    }

    /// What the command is run with.
    #[must_use]
    pub fn arguments(&self) -> Vec<&str> {
        let mut words: Vec<&str> = self.before.iter().map(String::as_str).collect();
        words.push(SERVE);
        let named = [("--certificate", &self.certificate), ("--key", &self.key)];
        for (option, value) in named {
            words.extend(value.iter().flat_map(|value| [option, value]));
        }
        words.extend(self.besides.iter().map(String::as_str));
        let named = [
            ("--passphrase-file", &self.passphrase_file),
            ("--unlock-for", &self.unlock_for),
        ];
        for (option, value) in named {
            words.extend(value.iter().flat_map(|value| [option, value]));
        }
        words
    }

    pub(super) fn to_value(&self) -> Value {
        json!({
            "apiVersion": credential::API_VERSION,
            "command": self.command,
            "args": self.arguments(),
            "interactiveMode": credential::INTERACTIVE_MODE,
            HINT: install_hint(&self.command),
            "provideClusterInfo": false,
        })
    }
}

/// Takes what somebody else wrote into the exec entry of a user over into the new one.
pub(super) fn keep_others(user: &mut Map<String, Value>, there: &Map<String, Value>) {
    if let Some(exec) = user.get_mut("exec").and_then(Value::as_object_mut)
        && let Some(there) = there.get("exec").and_then(Value::as_object)
    {
        // A hint of ours is written anew, for the command; somebody's own says what they wrote.
        let is_others = |field: &str, value: &Value| match field {
            HINT => !value.as_str().is_some_and(is_our_hint),
            _ => !DECIDED.contains(&field),
        };
        let others = there
            .iter()
            .filter(|(field, value)| is_others(field, value));
        exec.extend(others.map(|(field, value)| (field.clone(), value.clone())));
    }
}

/// Whether this program wrote a hint, for whatever command.
fn is_our_hint(hint: &str) -> bool {
    let command = hint.split(SERVES).next();
    command.is_some_and(|command| hint == install_hint(command))
}

/// What stands behind the command in a hint.
const SERVES: &str = " serves the encrypted private key of this user, and ";

/// What kubectl shows where the command is missing.
fn install_hint(command: &str) -> String {
    let is_missing = if command.contains('/') {
        "is not there"
    } else {
        "is not on the PATH of this program"
    };
    let again = if command.ends_with("kubectl-enroll") {
        "kubectl enroll"
    } else {
        "kube-enroll"
    };
    format!(
        "{command}{SERVES}{is_missing}.\n\
         Install it, or write the kubeconfig anew with {again} kubeconfig REPLY --embed."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_command_is_called_by_the_name_that_was_looked_for() {
        for (command, found) in [
            ("kube-enroll", "kube-enroll serves"),
            ("kubectl-enroll", "with kubectl enroll kubeconfig REPLY"),
            ("/opt/kube-enroll", "/opt/kube-enroll serves"),
        ] {
            let hint = install_hint(command);
            assert!(hint.contains(found), "{hint}");
            assert_eq!(hint.contains("PATH"), !command.contains('/'));
        }
    }

    fn user(command: &str, args: &[&str]) -> Map<String, Value> {
        let user = json!({"exec": {"command": command, "args": args}});
        user.as_object().unwrap().clone()
    }

    #[test]
    fn an_option_has_its_value_behind_it_or_behind_an_equals_sign() {
        for (args, key) in [
            (&["credential", "--key", "k"][..], Some("k")),
            (&["credential", "--keys", "x", "--key=k"], Some("k")),
            (&["credential", "--key=a=b"], Some("a=b")),
            (&["credential", "--key"], None),
            (&["credential"], None),
        ] {
            let user = user("kube-enroll", args);
            let read = ExecEntry::read(&user, false).unwrap();
            assert_eq!(read.key, key, "{args:?}");
        }
    }

    #[test]
    fn what_is_read_is_written_again() {
        let args = [
            "enroll",
            "credential",
            "--certificate",
            "c",
            "--key",
            "k",
            "--passphrase-file",
            "/p",
            "--unlock-for",
            "20m",
        ];
        let user = user("kubectl", &args);
        assert_eq!(ExecEntry::read(&user, false), None);
        let read = ExecEntry::read(&user, true).unwrap().to_owned();
        assert_eq!(read.arguments(), args);
        let way = ExecEntry::read(&user, true).and_then(|entry| entry.way());
        assert_eq!(way.as_deref(), Some("kubectl enroll"));
        let by_name = read.run_by("kube-enroll".to_owned());
        assert_eq!(by_name.arguments(), args[1..]);
    }
}
