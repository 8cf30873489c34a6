//! What was typed, or what is wrong with it, in our words: an option is named, and a word that is
//! neither an option nor a command of ours is never repeated. It may be a secret in the wrong place.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use kube_enroll::error::Error;
use kube_enroll::shell;
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text};

use super::Verdict;
use super::args::{self, Cli, Command, Refused};
use super::complete;
use super::console::{Color, Console};
use super::failure::Failure;
use super::hint;

/// What was typed; else the exit status, after help was shown or it was said what is wrong.
pub fn parse(typed: &[OsString]) -> Result<Cli, ExitCode> {
    if let [_, command, words @ ..] = typed
        && command == complete::COMMAND
    {
        return Ok(Cli {
            quiet: false,
            color: Color::Never,
            version: false,
            verbose: false,
            command: Some(Command::Complete(complete::Args::new(words))),
        });
    }
    let parsed = args::command().try_get_matches_from(typed);
    let mut parsed = parsed.and_then(|matches| {
        hint::remember(&matches);
        Cli::from_arg_matches(&matches)
    });
    let color = match &parsed {
        Ok(cli) => cli.color,
        Err(_) => color_of(typed),
    };
    color.choose();
    if let Ok(Cli {
        command: Some(command),
        ..
    }) = &mut parsed
    {
        command.join_filenames();
    }
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp => {
            let help = error.render().ansi().to_string();
            let told = Console::new(false).data(&help);
            super::conclude(told.map(|()| Verdict::Good))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let help = error.render().ansi().to_string();
            let _ = anstream::stderr().write_all(help.as_bytes());
            ExitCode::from(2)
        }
        _ => super::conclude(Err(Mistake::new(&error, typed).explain())),
    })
}

/// Where parsing failed, the option that says how help is coloured was not read.
fn color_of(typed: &[OsString]) -> Color {
    let words = typed.iter().filter_map(|word| word.to_str());
    let mut color = Color::Auto;
    let mut is_value = false;
    for word in words {
        let value = word.strip_prefix("--color=");
        let value = value.or_else(|| is_value.then_some(word));
        is_value = word == "--color";
        color = match value {
            Some("always") => Color::Always,
            Some("never") => Color::Never,
            _ => color,
        };
    }
    color
}

/// There is nothing to do.
pub fn no_command() -> Failure {
    Failure::could_not_run("there is no command").run(shell::Command::ours("help"))
}

/// Standard input is named more than once.
pub fn stdin_twice() -> Failure {
    Failure::could_not_run("standard input (-) is named more than once, and can be read only once")
        .say("write one of them to a file")
}

/// Where a word stands that names a file: behind which option of ours, or which word it is. Nothing,
/// where it was not typed.
pub fn place_of(file: &OsStr) -> Option<Text> {
    let typed: Vec<OsString> = std::env::args_os().skip(1).collect();
    place_among(&typed, file)
}

fn place_among(typed: &[OsString], file: &OsStr) -> Option<Text> {
    let option = |word: &OsStr| {
        let long = word.to_str()?.strip_prefix("--")?;
        let command = args::command();
        let mut all = command
            .get_subcommands()
            .flat_map(clap::Command::get_arguments);
        let ours = all.find_map(|argument| argument.get_long().filter(|ours| *ours == long))?;
        Some(text!("--{}", Label::from(ours)))
    };
    for (index, word) in typed.iter().enumerate() {
        let text = word.to_string_lossy();
        let joined = text
            .split_once('=')
            .filter(|(name, value)| name.starts_with('-') && OsStr::new(value) == file);
        if let Some((name, _)) = joined {
            return option(OsStr::new(name)).or_else(|| Some(numbered(index)));
        }
        if word == file {
            let before = index.checked_sub(1).and_then(|before| typed.get(before));
            let named = before.and_then(|word| option(word));
            return Some(named.unwrap_or_else(|| numbered(index)));
        }
    }
    None
}

fn numbered(index: usize) -> Text {
    text!("word {} of the command line", index + 1)
}

/// Panics in tests of the program if a command of ours that it shows is not one.
#[cfg(debug_assertions)]
pub fn check_own(words: &[OsString]) {
    let is = |index: usize, word| words.get(index).is_some_and(|typed| typed == word);
    let ours = if is(0, "kube-enroll") {
        words.get(1..)
    } else if is(0, "kubectl") && is(1, "enroll") {
        words.get(2..)
    } else {
        None
    };
    if let Some(ours) = ours {
        let parsed = args::command()
            .no_binary_name(true)
            .try_get_matches_from(ours);
        let help = |error: &clap::Error| error.kind() == ErrorKind::DisplayHelp;
        let is_good = parsed.as_ref().err().is_none_or(help);
        debug_assert!(is_good, "a command that does not work was shown: {words:?}");
    }
}

/// What is wrong with what was typed.
struct Mistake<'a> {
    error: &'a clap::Error,
    typed: &'a [OsString],
    /// The command that was meant.
    command: clap::Command,
}

impl<'a> Mistake<'a> {
    fn new(error: &'a clap::Error, typed: &'a [OsString]) -> Self {
        let mut whole = args::command();
        whole.build();
        let mut words = typed.iter().skip(1).filter_map(|word| word.to_str());
        let command = words.find_map(|word| whole.find_subcommand(word)).cloned();
        Self {
            error,
            typed,
            command: command.unwrap_or(whole),
        }
    }

    fn explain(&self) -> Failure {
        let option = self.names(ContextKind::InvalidArg);
        let what = match self.error.kind() {
            ErrorKind::UnknownArgument => self.unknown(),
            ErrorKind::InvalidSubcommand => {
                text!("{} is no command of {}", self.position(), shell::our_name())
            }
            ErrorKind::MissingSubcommand => text!("there is no command"),
            ErrorKind::MissingRequiredArgument => text!("missing: {}", option),
            ErrorKind::ArgumentConflict => match self.names(ContextKind::PriorArg) {
                prior if prior == option => text!("{} is given twice", option),
                prior => text!("{} cannot be used with {}", option, prior),
            },
            ErrorKind::InvalidValue if self.is_empty_value() => {
                text!("{} needs a value", option)
            }
            ErrorKind::InvalidValue => text!("the value of {} is none of those it has", option),
            ErrorKind::ValueValidation => text!("{}: {}", option, self.refusal()),
            ErrorKind::InvalidUtf8 => text!("a word of the command line is not UTF-8"),
            ErrorKind::NoEquals => text!("{} takes its value behind =", option),
            _ => text!("{}: another number of values than it takes", option),
        };
        self.hints(Failure::could_not_run(what))
    }

    fn hints(&self, mut failure: Failure) -> Failure {
        for kind in [
            ContextKind::SuggestedArg,
            ContextKind::SuggestedSubcommand,
            ContextKind::SuggestedValue,
        ] {
            let suggested = match kind {
                ContextKind::SuggestedArg => self.begun().unwrap_or_else(|| self.known(kind)),
                ContextKind::SuggestedSubcommand => {
                    self.similar().unwrap_or_else(|| self.known(kind))
                }
                // Those that begin so are told together, or all.
                ContextKind::SuggestedValue if self.is_beginning_of_several() => Text::default(),
                _ => self.known(kind),
            };
            if !suggested.is_empty() {
                failure = failure.say(text!("did you mean {}?", suggested));
            }
        }
        let mut values = self.known(ContextKind::ValidValue);
        if self.error.kind() == ErrorKind::MissingRequiredArgument {
            values = self.choices();
        }
        if !values.is_empty() {
            failure = failure.say(text!("it is one of: {}", values));
        }
        let help = shell::Command::ours("help");
        failure.run(match self.command.get_name() {
            "kube-enroll" | "help" => help,
            name => help.operand(name),
        })
    }

    /// An option that is none, or a word too many.
    fn unknown(&self) -> Text {
        let is_option = matches!(
            self.error.get(ContextKind::InvalidArg),
            Some(ContextValue::String(word)) if word.starts_with('-')
        );
        let command = match self.command.get_name() {
            "kube-enroll" => text!("{}", shell::our_name()),
            name => text!("{} {}", shell::our_name(), Label::from(name)),
        };
        if is_option {
            text!("{} is no option of {}", self.position(), command)
        } else {
            text!("{} is one too many for {}", self.position(), command)
        }
    }

    /// The options that begin with what was typed: they are meant, rather than what is similar.
    fn begun(&self) -> Option<Text> {
        let Some(ContextValue::String(word)) = self.error.get(ContextKind::InvalidArg) else {
            return None;
        };
        let word = word.split('=').next().unwrap_or_default();
        let begun = word.strip_prefix("--").filter(|begun| !begun.is_empty())?;
        let longs = self.command.get_arguments().filter_map(clap::Arg::get_long);
        let longs: Vec<&str> = longs.filter(|long| long.starts_with(begun)).collect();
        let options = longs
            .iter()
            .map(|long| Label::from(format!("--{long}")).show());
        (!longs.is_empty()).then(|| Text::join(options, ", "))
    }

    /// The commands that are similar to one that help was asked about.
    fn similar(&self) -> Option<Text> {
        let asked =
            (self.command.get_name() == "help").then_some(ContextKind::InvalidSubcommand)?;
        let words = [Some("kube-enroll"), self.values(asked).first().copied()];
        let words = words.into_iter().flatten().map(OsString::from);
        let error = args::command().try_get_matches_from(words).err()?;
        let (typed, command) = (self.typed, self.command.clone());
        let mistake = Mistake {
            error: &error,
            typed,
            command,
        };
        Some(mistake.known(ContextKind::SuggestedSubcommand))
    }

    /// Whether several values begin with what was typed: none of them is meant more than the others.
    fn is_beginning_of_several(&self) -> bool {
        let typed = self.values(ContextKind::InvalidValue);
        let all = self.values(ContextKind::ValidValue);
        let begun = |value: &&&str| typed.iter().any(|typed| value.starts_with(typed));
        all.iter().filter(begun).count() > 1
    }

    /// Which word it is, counted without the program's name.
    fn position(&self) -> Text {
        let kinds = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand];
        let wrong = kinds
            .iter()
            .find_map(|kind| match self.error.get(*kind) {
                Some(ContextValue::String(word)) => Some(word.as_str()),
                _ => None,
            })
            .unwrap_or_default();
        let is_wrong = |word: &OsString| {
            let word = word.to_string_lossy();
            let is_value = |rest: &str| rest.is_empty() || rest.starts_with('=');
            word.strip_prefix(wrong).is_some_and(is_value)
        };
        match self.typed.iter().skip(1).position(is_wrong) {
            Some(index) => numbered(index),
            None => text!("a word of the command line"),
        }
    }

    /// The values of what is missing, where it has names for them.
    fn choices(&self) -> Text {
        let missing = self.values(ContextKind::InvalidArg);
        let mut arguments = self.command.get_arguments();
        let missing = arguments.find(|argument| missing.contains(&&*argument.to_string()));
        let values = missing.map(clap::Arg::get_possible_values);
        let names = values.into_iter().flatten();
        let names = names.map(|value| Label::from(value.get_name()).show());
        Text::join(names, ", ")
    }

    /// Names of options and operands of this command. Clap gives nothing else here, and what is
    /// none of them is left out.
    fn names(&self, kind: ContextKind) -> Text {
        // An operand is in other brackets where it is missing.
        let plain = |name: &str| name.replace(['[', ']', '<', '>', '.'], "");
        let is_ours = |name: &&str| {
            let mut all = self.command.get_arguments();
            all.any(|argument| plain(&argument.to_string()) == plain(name))
        };
        let names = self.values(kind);
        let names: Vec<_> = names.into_iter().filter(is_ours).map(Label::from).collect();
        match names.as_slice() {
            [] => text!("an option"),
            names => Text::join(names.iter().map(Label::show), ", "),
        }
    }

    /// Words that clap takes from our definitions.
    fn known(&self, kind: ContextKind) -> Text {
        let words = self.values(kind).into_iter().map(Label::from);
        Text::join(words.map(|word| word.show()), ", ")
    }

    fn values(&self, kind: ContextKind) -> Vec<&str> {
        match self.error.get(kind) {
            Some(ContextValue::String(word)) => vec![word],
            Some(ContextValue::Strings(words)) => words.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    fn is_empty_value(&self) -> bool {
        matches!(
            self.error.get(ContextKind::InvalidValue),
            Some(ContextValue::String(value)) if value.is_empty()
        )
    }

    /// Our own words about a value, and nobody else's.
    fn refusal(&self) -> Text {
        let source = std::error::Error::source(self.error);
        let error = source.and_then(|source| source.downcast_ref::<Error>());
        let refused = source.and_then(|source| source.downcast_ref::<Refused>());
        match (error, refused) {
            (Some(error), _) => error.show(),
            (_, Some(Refused(words))) => words.clone(),
            _ => "not a valid value".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn explained(words: &[&str]) -> String {
        let typed: Vec<OsString> = ["kube-enroll"]
            .iter()
            .chain(words)
            .map(Into::into)
            .collect();
        let error = args::command().try_get_matches_from(&typed).unwrap_err();
        Mistake::new(&error, &typed).explain().to_string()
    }

    #[test]
    fn a_word_that_is_not_ours_is_never_repeated() {
        let secret = "-----BEGIN PRIVATE KEY-----\u{1b}[2J";
        for words in [
            vec![secret],
            vec!["request", secret],
            vec!["request", "alice", "toor-secret"],
            vec!["request", "alice", "--passphrase-fil=toor-secret"],
            vec!["request", "alice", "--passphrase=toor-secret"],
            vec!["request", "alice", "-xtoor-secret"],
            vec!["request", "alice", "--algorithm", "toor-secret"],
            vec!["request", "alice", "--expires-in", "toor-secret"],
            vec!["verify", "a", "--fingerprint", "toor-secret"],
            vec!["verify", "a", "--max-size", "toor-secret"],
            vec!["kubeconfig", "--unlock-for", "toor-secret"],
            vec!["request", "alice", "--no-passphrase=toor-secret"],
            vec!["toor-secret"],
            vec!["help", "toor-secret"],
            vec!["completions", "toor-secret"],
        ] {
            let said = explained(&words);
            for piece in ["toor-secret", "BEGIN", "\u{1b}"] {
                assert!(!said.contains(piece), "{said}");
            }
            assert!(said.contains("\n  run: kube-enroll help"), "{said}");
        }
    }

    #[test]
    fn a_word_that_names_a_file_is_told_by_its_place() {
        let place = |words: &[&str], file: &str| {
            let typed: Vec<OsString> = words.iter().map(Into::into).collect();
            place_among(&typed, OsStr::new(file)).map(|place| place.to_string())
        };
        for (words, expected) in [
            (&["inspect", "x"][..], Some("word 2 of the command line")),
            (&["request", "a", "--key", "x"], Some("--key")),
            (&["request", "a", "--key=x"], Some("--key")),
            (
                &["verify", "--no-such", "x"],
                Some("word 3 of the command line"),
            ),
            (&["inspect", "y"], None),
        ] {
            assert_eq!(place(words, "x").as_deref(), expected, "{words:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_was_meant() {
        for (words, expected) in [
            (
                &["request", "alice", "--passphrase-fil", "x"][..],
                "word 3 of the command line is no option of kube-enroll request\n  \
                 did you mean --passphrase-file?\n  run: kube-enroll help request",
            ),
            (
                &["request", "alice", "--passphrase", "x"],
                "did you mean --passphrase-file?\n",
            ),
            (
                &["verfy"],
                "word 1 of the command line is no command of kube-enroll\n  did you mean verify?",
            ),
            (
                &["help", "verfy"],
                "word 2 of the command line is no command of kube-enroll\n  did you mean verify?\n  \
                 run: kube-enroll help",
            ),
            (&["request"], "missing: <USER>"),
            (&["verify"], "missing: <FILE>..."),
            (
                &["rbac", "--user", "a", "--role", "x"],
                "missing: --namespace <NAMESPACE>",
            ),
            (
                &["request", "a", "--passphrase-file", "x", "--no-passphrase"],
                "--passphrase-file <FILE> cannot be used with --no-passphrase",
            ),
            (
                &["request", "a", "--expires-in", "x"],
                "--expires-in <LIFETIME>: not a valid lifetime: expected 90d, 12h, 1d12h or a \
                 number of seconds",
            ),
            (
                &["request", "a", "--algorithm", "rsa"],
                "is none of those it has\n  it is one of: rsa-4096, ",
            ),
            (
                &["completions"],
                "missing: <SHELL>\n  it is one of: bash, elvish, fish, ",
            ),
            (&["request", "a", "--key"], "--key <FILE> needs a value"),
            (
                &["request", "a", "--name", "a", "--name", "b"],
                "--name <NAME> is given twice",
            ),
        ] {
            let said = explained(words);
            assert!(said.contains(expected), "{said}\n{expected}");
        }
    }

    #[test]
    fn the_definitions_hold() {
        args::command().debug_assert();
    }

    /// The commands of ours in a shell's lines, as they are typed: quotes are not undone, and what is
    /// left out is filled in.
    fn check_lines(lines: &str) -> usize {
        // Fingerprints are shown by their beginning.
        let lines = lines
            .replace("\\\n", " ")
            .replace("\"39947 71802 ...\"", "SHA256:...");
        let mut number = 0;
        for part in lines.lines().flat_map(|line| line.split('|')) {
            let part = part.trim().trim_start_matches("$ ");
            let part = part.split(['>', '<', ';']).next().unwrap();
            let words: Vec<OsString> = part
                .split_whitespace()
                .map(|word| {
                    word.replace("SHA256:...", &format!("SHA256:{}", "A".repeat(43)))
                        .into()
                })
                .collect();
            if words.first().is_some_and(|word| word == "kube-enroll") {
                check_own(&words);
                number += 1;
            }
        }
        number
    }

    #[test]
    fn every_example_in_the_help_is_a_command_of_ours() {
        let command = args::command();
        let help = |command: &clap::Command| command.get_after_help().map(ToString::to_string);
        let all = command.get_subcommands().chain([&command]);
        let number: usize = all.filter_map(help).map(|help| check_lines(&help)).sum();
        assert!(number > 20, "{number}");
    }

    /// The terminal breaks them: what is broken already is broken twice.
    #[test]
    fn paragraphs_of_the_help_are_lines() {
        for command in args::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string);
            let lines: Vec<_> = help.iter().flat_map(|help| help.lines()).collect();
            let is_text = |line: &str| !line.is_empty() && !line.starts_with(' ');
            for pair in lines.windows(2) {
                if let [first, second] = pair
                    && is_text(first)
                    && is_text(second)
                {
                    assert!(first.ends_with(':'), "{}: {pair:?}", command.get_name());
                }
            }
        }
    }

    #[test]
    fn every_command_in_the_documentation_is_a_command_of_ours() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let docs = std::fs::read_dir(root.join("docs")).unwrap();
        let docs = docs.map(|entry| entry.unwrap().path());
        let mut number = 0;
        for page in docs.chain([root.join("README.md")]) {
            if page.extension().is_none_or(|kind| kind != "md") {
                continue;
            }
            let text = std::fs::read_to_string(page).unwrap();
            let blocks = text.split("```console\n").skip(1);
            number += blocks
                .map(|block| check_lines(block.split("```").next().unwrap()))
                .sum::<usize>();
        }
        assert!(number > 20, "{number}");
    }
}
