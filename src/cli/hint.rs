//! What to do next.

use std::ffi::{OsStr, OsString};
use std::sync::{LazyLock, OnceLock};

use clap::ArgMatches;
use clap::parser::ValueSource;
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Show, Text};

use super::args;

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

/// What was typed, as it was parsed.
static TYPED: OnceLock<ArgMatches> = OnceLock::new();

/// The same word by word, taken apart once: a message may be one of thousands.
static WORDS: LazyLock<Vec<Given>> = LazyLock::new(|| TYPED.get().map_or_else(Vec::new, given));

/// Remembers what was typed, to be told again with something changed.
pub fn remember(typed: &ArgMatches) {
    let _ = TYPED.set(typed.clone());
}

/// A word of a command: an option with its value or without one, or an operand.
#[derive(Clone)]
struct Given {
    /// The long name; nothing where it is an operand.
    option: Option<String>,
    value: Option<OsString>,
    is_joined: bool,
}

/// The words of the command that was typed, in their order.
fn given(typed: &ArgMatches) -> Vec<Given> {
    let whole = args::command();
    let Some((command, matches)) = typed.subcommand() else {
        return Vec::new();
    };
    let arguments = whole.find_subcommand(command).into_iter();
    let mut words = Vec::new();
    for argument in arguments.flat_map(clap::Command::get_arguments) {
        let name = argument.get_id().as_str();
        if matches.value_source(name) != Some(ValueSource::CommandLine) {
            continue;
        }
        let takes_value = argument.get_action().takes_values();
        let values = matches.get_raw(name).into_iter().flatten();
        let values = values.map(|value| takes_value.then(|| value.to_owned()));
        let places = matches.indices_of(name).into_iter().flatten();
        words.extend(places.zip(values).map(|(place, value)| {
            let given = Given {
                option: argument.get_long().map(str::to_owned),
                value,
                is_joined: argument.is_require_equals_set(),
            };
            (place, given)
        }));
    }
    words.sort_by_key(|(place, _)| *place);
    words.into_iter().map(|(_, given)| given).collect()
}

/// The command as it was typed, with something changed: what a message tells to run.
#[derive(Clone)]
pub struct Again {
    command: &'static str,
    words: Vec<Given>,
}

impl Again {
    /// This command, which was typed.
    pub fn of(command: &'static str) -> Self {
        let words = WORDS.clone();
        Self { command, words }
    }

    /// Without these options.
    pub fn without(mut self, options: &[&str]) -> Self {
        let is_one = |name: &String| options.contains(&name.as_str());
        self.words
            .retain(|word| !word.option.as_ref().is_some_and(is_one));
        self
    }

    /// With these values for an option, in place of those that it has.
    pub fn with_all<V: AsRef<OsStr>>(
        self,
        option: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let mut without = self.without(&[option]);
        let values = values.into_iter().map(|value| Given {
            option: Some(option.to_owned()),
            value: Some(value.as_ref().to_owned()),
            is_joined: false,
        });
        without.words.extend(values);
        without
    }

    /// With this value for an option.
    pub fn with(self, option: &str, value: impl AsRef<OsStr>) -> Self {
        self.with_all(option, [value])
    }

    /// With an option that has no value.
    pub fn with_flag(self, option: &str) -> Self {
        let mut without = self.without(&[option]);
        without.words.push(Given {
            option: Some(option.to_owned()),
            value: None,
            is_joined: false,
        });
        without
    }

    /// With these operands in place of those that were typed, be it behind `-f`.
    pub fn of_operands<V: AsRef<OsStr>>(self, operands: impl IntoIterator<Item = V>) -> Self {
        let mut others = self.without(&["filename"]);
        others.words.retain(|word| word.option.is_some());
        let operands = operands.into_iter().map(|operand| Given {
            option: None,
            value: Some(operand.as_ref().to_owned()),
            is_joined: false,
        });
        let options = std::mem::replace(&mut others.words, operands.collect());
        others.words.extend(options);
        others
    }

    /// What is typed for it.
    pub fn command(&self) -> Command {
        let command = Command::ours(self.command);
        self.words
            .iter()
            .fold(command, |command, word| match (&word.option, &word.value) {
                (None, Some(operand)) => command.operand(operand),
                (Some(name), Some(value)) => command.given(name, Some(value), word.is_joined),
                (Some(name), None) => command.given(name, None, false),
                (None, None) => command,
            })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn again(typed: &[OsString]) -> (Again, String) {
        let matches = args::command().try_get_matches_from(typed).unwrap();
        let command = match typed[1].to_str().unwrap() {
            "kubeconfig" => "kubeconfig",
            "request" => "request",
            "renew" => "renew",
            _ => "rbac",
        };
        let words = given(&matches);
        let parsed = <args::Cli as clap::FromArgMatches>::from_arg_matches(&matches);
        let parsed = format!("{:?}", parsed.unwrap().command);
        (Again { command, words }, parsed)
    }

    #[test]
    fn a_command_is_told_again_as_it_was_typed() {
        for typed in [
            "kubeconfig a.yaml --key k --cluster c --cluster-context x --client-ca r --files --context y \
             -n n --cluster-name z --out o --passphrase-file p",
            "kubeconfig a.yaml b.yaml --key k --server https://a --certificate-authority ca --embed \
             --merge m --merge=m2 --ca-fingerprint SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "kubeconfig --output-dir d --exec --unlock-for 90s --dry-run -f c.yaml -- -a.yaml",
            "request alice -g dev --group=-ops --expires-in 90d --no-passphrase --algorithm ecdsa-p256",
            "request -- -alice",
            "renew a.kubeconfig --keep-key -g a -g b --output-dir .",
            "rbac --approver=create",
        ] {
            let typed: Vec<OsString> = ["kube-enroll"]
                .into_iter()
                .chain(typed.split_whitespace())
                .map(OsString::from)
                .collect();
            let (first, parsed) = again(&typed);
            let shown = first.command().words().remove(0);
            assert_eq!(again(&shown).1, parsed, "{shown:?}");
        }
    }

    #[test]
    fn what_is_changed_takes_the_place_of_what_was_typed() {
        let typed = "kube-enroll kubeconfig a -f b --merge m --merge n --embed --context=x";
        let typed: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
        let changed = again(&typed)
            .0
            .of_operands(["-c"])
            .with("context", "y")
            .with_all("merge", ["o"]);
        let changed = changed.without(&["embed"]).with_flag("exec").command();
        assert_eq!(
            changed.show().as_str(),
            "kube-enroll kubeconfig --context y --merge o --exec -- -c"
        );
    }
}
