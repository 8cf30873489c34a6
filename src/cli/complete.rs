//! What may stand next on a command line, for shells and kubectl that ask while it is typed.
//!
//! `kube-enroll __complete WORDS...` answers as programs made with Cobra do, which is what kubectl
//! asks of its plugins: a candidate in each line, a tab and a description behind it, and in the last
//! line a colon and what the shell is to do (cobra `ShellCompDirective`). Names of files are the
//! shell's own work, so that nothing is read here but the kubeconfig whose contexts are wanted.

use std::any::TypeId;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use kube_enroll::kubeconfig::Kubeconfig;
use kube_enroll::policy::CODES;
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text};

use super::args;
use super::console::Console;
use super::failure::Failure;
use super::from::cluster::default_kubeconfigs;
use super::from::file::{self, DEFAULT_LIMIT, Stream};
use super::os::sandbox::Reach;
use super::{Action, Verdict};

/// The name of the command. It is for programs, and no help has it.
pub const COMMAND: &str = "__complete";

/// The words behind the name of the program. The last is the one that is being typed.
#[derive(Debug)]
pub struct Args {
    words: Vec<OsString>,
}

impl Args {
    /// The words behind the name of this command.
    pub fn new(words: &[OsString]) -> Self {
        let words = words.to_vec();
        Self { words }
    }

    /// The kubeconfigs whose contexts are wanted.
    fn kubeconfigs(&self) -> Vec<Stream> {
        let command = built();
        let line = Line::read(&command, &self.words);
        match line.wanted() {
            Wanted::Context => line.kubeconfigs(),
            _ => Vec::new(),
        }
    }
}

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default().read(&self.kubeconfigs())
    }

    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let command = built();
        let line = Line::read(&command, &self.words);
        let Answer { candidates, then } = line.answer();
        for Candidate { word, about } in candidates {
            let about = about.lines().next().unwrap_or_default();
            // What a stranger may have named is offered only as it is.
            let (word, about) = (Label::from(word), Label::from(about));
            let said = text!("{}\t{}\n", word, about);
            console.data(said.as_str())?;
        }
        console.data(text!(":{}\n", then as u32).as_str())?;
        Ok(Verdict::Good)
    }
}

fn built() -> Command {
    let mut command = args::command();
    command.build();
    command
}

/// What the shell is to do besides (cobra `ShellCompDirective`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Offer files where there is no candidate.
    Files = 0,
    /// Offer no files, and keep the order.
    Nothing = 4 + 32,
    /// Offer folders.
    Folders = 16,
}

#[derive(Debug, PartialEq, Eq)]
struct Candidate {
    word: String,
    about: String,
}

#[derive(Debug)]
struct Answer {
    candidates: Vec<Candidate>,
    then: Then,
}

/// What a value is, by its type and the name that help has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    File,
    Folder,
    Context,
    Code,
    Anything,
}

impl Wanted {
    fn of(argument: &Arg) -> Self {
        let names = argument.get_value_names().unwrap_or_default();
        let kind = argument.get_value_parser().type_id();
        match names.first().map_or("", |name| name.as_str()) {
            "DIR" => Self::Folder,
            "CONTEXT" => Self::Context,
            "CODE" => Self::Code,
            _ if kind == TypeId::of::<Stream>() || kind == TypeId::of::<PathBuf>() => Self::File,
            _ => Self::Anything,
        }
    }
}

/// A command line that is being typed, as far as it is known.
struct Line<'a> {
    command: &'a Command,
    /// Options with the values that they were given.
    given: Vec<(&'a Arg, &'a OsStr)>,
    operands: Vec<&'a OsStr>,
    /// The option whose value comes next.
    option: Option<&'a Arg>,
    /// Whether no option can follow.
    is_over: bool,
    word: &'a OsStr,
}

impl<'a> Line<'a> {
    fn read(command: &'a Command, words: &'a [OsString]) -> Self {
        let (word, before) = match words.split_last() {
            Some((word, before)) => (word.as_os_str(), before),
            None => (OsStr::new(""), words),
        };
        let mut line = Self {
            command,
            given: Vec::new(),
            operands: Vec::new(),
            option: None,
            is_over: false,
            word,
        };
        for word in before {
            line.push(word);
        }
        line
    }

    /// Takes a whole word in.
    fn push(&mut self, word: &'a OsStr) {
        if let Some(option) = self.option.take() {
            self.given.push((option, word));
            return;
        }
        let text = word.to_str().unwrap_or_default();
        if self.is_over || !text.starts_with('-') || text == "-" {
            match self.command.find_subcommand(word) {
                Some(command) if self.operands.is_empty() && !self.is_over => {
                    self.command = command;
                }
                _ => self.operands.push(word),
            }
        } else if text == "--" {
            self.is_over = true;
        } else if let Some(long) = text.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let option = self.long(name);
            match (option, value) {
                (Some(option), Some(value)) => self.given.push((option, OsStr::new(value))),
                (Some(option), None) => self.begin(option, ""),
                (None, _) => {}
            }
        } else {
            let mut rest = text.get(1..).unwrap_or_default().chars();
            while let Some(option) = rest.next().and_then(|short| self.short(short)) {
                let takes_value = option.get_action().takes_values();
                self.begin(option, if takes_value { rest.as_str() } else { "" });
                if takes_value {
                    break;
                }
            }
        }
    }

    /// An option stands there, perhaps with its value.
    fn begin(&mut self, option: &'a Arg, value: &'a str) {
        let is_next = !option.is_require_equals_set() && value.is_empty();
        if option.get_action().takes_values() && is_next {
            self.option = Some(option);
        } else {
            self.given.push((option, OsStr::new(value)));
        }
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        let mut arguments = self.command.get_arguments();
        arguments.find(|argument| {
            let names = argument.get_long_and_visible_aliases();
            names.is_some_and(|names| names.contains(&name))
        })
    }

    fn short(&self, name: char) -> Option<&'a Arg> {
        let mut arguments = self.command.get_arguments();
        arguments.find(|argument| argument.get_short() == Some(name))
    }

    /// What the word is a value of, and what stands before the value in it.
    fn value(&self) -> Option<(&'a Arg, &'a str, &'a str)> {
        let word = self.word.to_str().unwrap_or_default();
        if let Some(option) = self.option {
            return Some((option, "", word));
        }
        if word.starts_with('-') && !self.is_over {
            let (name, value) = word.split_once('=')?;
            let option = self.long(name.strip_prefix("--")?)?;
            let before = word.get(..=name.len())?;
            return Some((option, before, value));
        }
        let operands: Vec<_> = self.command.get_positionals().collect();
        let is_repeated = |operand: &&&Arg| matches!(operand.get_action(), ArgAction::Append);
        let operand = operands.get(self.operands.len());
        let operand = operand.or_else(|| operands.last().filter(is_repeated))?;
        Some((operand, "", word))
    }

    fn wanted(&self) -> Wanted {
        let value = self.value();
        value.map_or(Wanted::Anything, |(argument, _, _)| Wanted::of(argument))
    }

    fn answer(&self) -> Answer {
        let word = self.word.to_str().unwrap_or_default();
        let mut then = Then::Nothing;
        let mut candidates = Vec::new();
        let mut add = |word: &str, about: String| {
            let word = word.to_owned();
            candidates.push(Candidate { word, about });
        };
        if let Some((argument, before, _)) = self.value() {
            for value in argument.get_possible_values() {
                if !value.is_hide_set() {
                    let about = value.get_help().map(ToString::to_string);
                    add(
                        &format!("{before}{}", value.get_name()),
                        about.unwrap_or_default(),
                    );
                }
            }
            match Wanted::of(argument) {
                Wanted::File => then = Then::Files,
                Wanted::Folder => then = Then::Folders,
                Wanted::Context => {
                    for name in contexts(&self.kubeconfigs()) {
                        add(&format!("{before}{name}"), String::new());
                    }
                }
                Wanted::Code => CODES.iter().for_each(|(code, about)| {
                    add(&format!("{before}{code}"), about.replace('`', ""));
                }),
                Wanted::Anything => {}
            }
        }
        if self.option.is_none() && self.operands.is_empty() && !word.starts_with('-') {
            for command in self.command.get_subcommands().filter(|c| !c.is_hide_set()) {
                add(command.get_name(), about(command.get_about()));
            }
        }
        candidates.retain(|candidate| candidate.word.starts_with(word));
        let nothing_else = then == Then::Nothing && candidates.is_empty();
        if self.option.is_none() && !self.is_over && (nothing_else || word.starts_with('-')) {
            candidates.extend(self.options(word));
        }
        if word.starts_with('-') && !word.contains('=') && !candidates.is_empty() {
            then = Then::Nothing;
        }
        Answer { candidates, then }
    }

    /// The options that begin so and can still be given.
    fn options(&self, word: &str) -> Vec<Candidate> {
        let mut found = Vec::new();
        for option in self.command.get_arguments() {
            let is_given = self
                .given
                .iter()
                .any(|(given, _)| given.get_id() == option.get_id());
            let is_once = !matches!(option.get_action(), ArgAction::Append);
            if option.is_positional() || option.is_hide_set() || (is_given && is_once) {
                continue;
            }
            let longs = option.get_long_and_visible_aliases().unwrap_or_default();
            let longs = longs.into_iter().map(|long| format!("--{long}"));
            let shorts = option.get_short().map(|short| format!("-{short}"));
            for name in longs.chain(shorts.filter(|_| word == "-")) {
                if name.starts_with(word) {
                    found.push(Candidate {
                        word: name,
                        about: about(option.get_help()),
                    });
                }
            }
        }
        found
    }

    /// Where contexts are looked for: the kubeconfig that is named, else the one in use.
    fn kubeconfigs(&self) -> Vec<Stream> {
        let named = self.given.iter().rev().find(|(option, _)| {
            let name = option.get_id().as_str();
            name == "kubeconfig" || name == "cluster"
        });
        let named = named.map(|(_, file)| *file);
        let is_operand = |(option, _): &&(&Arg, &OsStr)| option.get_id().as_str() == "filename";
        let operand = self.operands.first().copied();
        let operand = operand.or_else(|| self.given.iter().find(is_operand).map(|(_, file)| *file));
        match named.or(operand) {
            Some(file) if named.is_some() || self.takes_kubeconfig() => {
                vec![Stream::File(expanded(file))]
            }
            _ => default_kubeconfigs().unwrap_or_default(),
        }
    }

    /// Whether the operand may be a kubeconfig.
    fn takes_kubeconfig(&self) -> bool {
        let has_option = self.long("kubeconfig").or_else(|| self.long("cluster"));
        has_option.is_none()
    }
}

/// The first line of a help text.
fn about(help: Option<&clap::builder::StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default()
}

/// Shells hand over the words as they are typed.
fn expanded(file: &OsStr) -> PathBuf {
    let Some(typed) = file.to_str().filter(|_| !Path::new(file).exists()) else {
        return file.into();
    };
    // bash leaves its quotes in them.
    let mut plain = String::with_capacity(typed.len());
    let mut signs = typed.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' | '\'' => {}
            '\\' => plain.extend(signs.next()),
            other => plain.push(other),
        }
    }
    let homes = ["~/", "$HOME/", "${HOME}/"];
    let below = homes.iter().find_map(|home| plain.strip_prefix(home));
    match (below, env::var_os("HOME")) {
        (Some(below), Some(home)) => PathBuf::from(home).join(below),
        _ => plain.into(),
    }
}

/// The contexts of these files that show as they are. Whatever cannot be read has none.
fn contexts(kubeconfigs: &[Stream]) -> Vec<String> {
    let mut names = Vec::new();
    for kubeconfig in kubeconfigs.iter().filter(|file| file.path().is_some()) {
        let Ok(contents) = file::read(kubeconfig, DEFAULT_LIMIT) else {
            continue;
        };
        let Ok(kubeconfig) = Kubeconfig::read(&contents) else {
            continue;
        };
        let is_plain = |name: &&str| {
            let shown: Text = Label::from(*name).show();
            !name.is_empty() && shown.as_str() == *name
        };
        let found = kubeconfig.contexts().map(|(name, _, _)| name);
        names.extend(found.filter(is_plain).map(str::to_owned));
    }
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn answer(words: &[&str]) -> (Vec<String>, Then) {
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        let command = built();
        let answer = Line::read(&command, &words).answer();
        let words = answer
            .candidates
            .into_iter()
            .map(|candidate| candidate.word);
        (words.collect(), answer.then)
    }

    #[test]
    fn commands_options_and_their_values_are_offered_where_they_may_stand() {
        let has = |words: &[&str], expected: &str| {
            let (found, _) = answer(words);
            assert!(
                found.iter().any(|word| word == expected),
                "{words:?}: {found:?}"
            );
        };
        has(&[""], "request");
        has(&["re"], "rehearse");
        has(&["-q", "ver"], "verify");
        has(&["--color", "never", ""], "request");
        has(&["--color", ""], "always");
        has(&["help", "kube"], "kubeconfig");
        has(&["request", "alice", "--a"], "--algorithm");
        has(&["request", "alice", "--algorithm", "ecdsa"], "ecdsa-p256");
        has(&["request", "--algorithm=ed"], "--algorithm=ed25519");
        has(&["verify", "a", "-o", ""], "manifest");
        has(&["verify", "a", "-qo", ""], "manifest");
        has(&["verify", "--explain", "user"], "user-mismatch");
        has(&["completions", ""], "zsh");
        has(&["rbac", "--clusterr"], "--clusterrole");
        has(&["rbac", "--approver="], "--approver=create");
        has(&["rbac", "--approver", "--us"], "--user");
        has(&["request", "alice", ""], "--group");
        has(&["lock", ""], "--quiet");
        has(&["request", "-"], "-g");
    }

    #[test]
    fn files_and_folders_are_left_to_the_shell() {
        for words in [
            &["verify", ""][..],
            &["verify", "a", "b"],
            &["verify", "-f", ""],
            &["verify", "--", "-"],
            &["request", "alice", "--key", "a"],
            &["request", "alice", "--key=a"],
            &["kubeconfig", ""],
            &["renew", ""],
            &["rbac", "-f", ""],
        ] {
            assert_eq!(answer(words), (vec![], Then::Files), "{words:?}");
        }
        for words in [
            &["request", "alice", "--output-dir", ""][..],
            &["reply", "--output-dir=o"],
        ] {
            assert_eq!(answer(words), (vec![], Then::Folders), "{words:?}");
        }
    }

    #[test]
    fn nothing_is_offered_that_would_be_refused() {
        for words in [
            &["request", "alice", "--group", ""][..],
            &["renew", "--expires-in=", ""],
            &["verify", "--", "--ou"],
            &["zzz"],
        ] {
            let (found, _) = answer(words);
            assert!(
                !found
                    .iter()
                    .any(|word| word == "--output" || word == "verify")
            );
        }
        let (found, _) = answer(&["request", "--name", "a", "-g", "b", "--"]);
        assert!(!found.contains(&"--name".to_owned()), "{found:?}");
        assert!(found.contains(&"--group".to_owned()), "{found:?}");
    }
}
