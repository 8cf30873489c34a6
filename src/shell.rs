//! Words for a command line that others paste: whatever a name holds, the shell takes it as one
//! word, and showing it moves no cursor.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::sync::OnceLock;

use unicode_width::UnicodeWidthStr as _;

use crate::text;
use crate::text::{Show, Text, is_deceptive};

/// A folded command is no wider than this, in columns.
const WIDTH: usize = 78;

/// The word as it is, between single quotes, or, where there is something in it that would not be plainly
/// visible, in octal escapes that `printf` writes: so every POSIX shell reads it back. New lines at the
/// end would get lost on that way, and stand as they are between quotes.
#[must_use]
pub fn quote(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().as_encoded_bytes();
    let is_bare = |b: &u8| b.is_ascii_alphanumeric() || b"-_./:@,+=".contains(b);
    let plain = std::str::from_utf8(word)
        .ok()
        .filter(|plain| !plain.chars().any(is_deceptive));
    match plain {
        // A word that starts with = is a path to zsh.
        Some(plain) if word.iter().all(is_bare) && !word.is_empty() && !word.starts_with(b"=") => {
            return plain.to_owned();
        }
        Some(plain) => return format!("'{}'", plain.replace('\'', r"'\''")),
        None => {}
    }
    let end = word.iter().rposition(|byte| *byte != b'\n');
    let (word, line_ends) = word.split_at(end.map_or(0, |end| end + 1));
    let mut escaped = String::new();
    for (place, byte) in word.iter().enumerate() {
        // A dash in front would be an option of printf.
        if (is_bare(byte) || *byte == b' ') && !(place == 0 && *byte == b'-') {
            escaped.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "\\{byte:03o}");
        }
    }
    format!("\"$(printf '{escaped}'){}\"", "\n".repeat(line_ends.len()))
}

/// The commands of the program, where it was called as a plugin of kubectl.
static PLUGIN: OnceLock<Vec<String>> = OnceLock::new();

/// From now on texts say `kubectl enroll` for `kube-enroll` before each of these commands: so kubectl's
/// plugin is called.
pub fn call_us_plugin(commands: Vec<String>) {
    let _ = PLUGIN.set(commands);
}

/// Whether this program was called as a plugin of kubectl.
#[must_use]
pub fn is_plugin() -> bool {
    PLUGIN.get().is_some()
}

/// How this program was called.
#[must_use]
pub fn our_name() -> &'static str {
    if is_plugin() {
        "kubectl enroll"
    } else {
        "kube-enroll"
    }
}

/// Words of ours, with the commands in them as this program was called.
#[must_use]
pub fn in_our_name(words: &str) -> Cow<'_, str> {
    match PLUGIN.get() {
        Some(commands) => Cow::Owned(renamed(words, commands)),
        None => Cow::Borrowed(words),
    }
}

fn renamed(words: &str, commands: &[String]) -> String {
    const NAME: &str = "kube-enroll ";
    let mut pieces = words.split(NAME);
    let mut renamed = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let next = piece.split(|c: char| !c.is_ascii_alphabetic()).next();
        let is_command = next.is_some_and(|next| commands.iter().any(|command| command == next));
        let stands_for_one = piece.starts_with('[') || piece.starts_with("COMMAND");
        renamed.push_str(if is_command || stands_for_one {
            "kubectl enroll "
        } else {
            NAME
        });
        renamed.push_str(piece);
    }
    renamed
}

/// A command to run, which works as it is shown: each word is quoted for the shell, a value with a
/// leading dash is joined to its option, and `--` stands before operands where one has a leading dash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    program: &'static str,
    words: Vec<Word>,
    reader: Option<Box<Self>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// Ours: a subcommand or an option without a value.
    Literal(&'static str),
    Option(OsString, OsString),
    /// The same with an equals sign between both, whatever the value.
    Joined(OsString, OsString),
    /// An option that a person typed, without a value.
    Flag(OsString),
    Operand(OsString),
}

impl Command {
    /// A program, by name.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn new(program: &'static str) -> Self {
        Self {
            program,
            words: Vec::new(),
            reader: None,
        }
    }

    /// A command of this program: `kube-enroll COMMAND`, or as it was called.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn ours(command: &'static str) -> Self {
        let program = if is_plugin() {
            Self::new("kubectl").word("enroll")
        } else {
            Self::new("kube-enroll")
        };
        program.word(command)
    }

    /// Adds a word of ours: a subcommand, or an option that has no value.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn word(mut self, word: &'static str) -> Self {
        self.words.push(Word::Literal(word));
        self
    }

    /// Adds an option with its value.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn option(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.words
            .push(Word::Option(name.into(), value.as_ref().to_owned()));
        self
    }

    /// Adds an option that a person typed, by its long name without dashes, in one word with its value
    /// where it takes it so alone.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn given(mut self, name: &str, value: Option<&OsString>, is_joined: bool) -> Self {
        let name = OsString::from(format!("--{name}"));
        self.words.push(match value {
            Some(value) if is_joined => Word::Joined(name, value.clone()),
            Some(value) => Word::Option(name, value.clone()),
            None => Word::Flag(name),
        });
        self
    }

    /// Adds a file, a name or another operand.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn operand(mut self, operand: impl AsRef<OsStr>) -> Self {
        self.words.push(Word::Operand(operand.as_ref().to_owned()));
        self
    }

    /// Lets another command read what this one writes.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn pipe(mut self, reader: Self) -> Self {
        self.reader = Some(match self.reader {
            Some(first) => Box::new(first.pipe(reader)),
            None => Box::new(reader),
        });
        self
    }

    /// The program and its words as the shell will hand them over, for each command of the pipe.
    #[must_use]
    pub fn words(&self) -> Vec<Vec<OsString>> {
        let mut all = vec![self.groups().concat()];
        all.extend(self.reader.iter().flat_map(|reader| reader.words()));
        all
    }

    /// Words that stay together in one line, in their final order.
    fn groups(&self) -> Vec<Vec<OsString>> {
        let leads = |word: &OsString| {
            word.as_encoded_bytes().starts_with(b"-") && word.as_encoded_bytes() != b"-"
        };
        let is_operand = |word: &&Word| matches!(word, Word::Operand(_));
        let dashed = |word: &Word| matches!(word, Word::Operand(word) if leads(word));
        let must_end = self.words.iter().any(dashed);
        let group = |word: &Word| match word {
            Word::Literal(word) => vec![word.into()],
            Word::Option(name, value) if !leads(value) => vec![name.clone(), value.clone()],
            Word::Option(name, value) | Word::Joined(name, value) => {
                let mut joined = name.clone();
                joined.push("=");
                joined.push(value);
                vec![joined]
            }
            Word::Operand(word) | Word::Flag(word) => vec![word.clone()],
        };
        let mut groups = vec![vec![self.program.into()]];
        if must_end {
            groups.extend(
                self.words
                    .iter()
                    .filter(|word| !is_operand(word))
                    .map(group),
            );
            groups.push(vec!["--".into()]);
            groups.extend(self.words.iter().filter(is_operand).map(group));
        } else {
            groups.extend(self.words.iter().map(group));
        }
        groups
    }

    /// The command over as many lines as it takes, each behind `indent` spaces and broken between
    /// words.
    #[must_use]
    pub fn folded(&self, indent: usize) -> Text {
        self.check();
        let mut lines: Vec<String> = Vec::new();
        let mut command = Some(self);
        while let Some(shown) = command {
            // What reads from a pipe is indented once more, as are the lines that go on.
            let first = if lines.is_empty() { indent } else { indent + 2 };
            let mut line = " ".repeat(first);
            for group in shown.groups() {
                let words: Vec<String> = group.iter().map(quote).collect();
                let words = words.join(" ");
                let is_first = line.trim_start().is_empty();
                if !is_first && line.width() + 1 + words.width() + 2 > WIDTH {
                    lines.push(format!("{line} \\"));
                    line = format!("{}{words}", " ".repeat(indent + 2));
                    continue;
                }
                line.push_str(if is_first { "" } else { " " });
                line.push_str(&words);
            }
            command = shown.reader.as_deref();
            line.push_str(if command.is_some() { " |" } else { "" });
            lines.push(line);
        }
        shown(&lines.join("\n"))
    }

    /// Calls what a debug build of the program has set to check its own commands.
    fn check(&self) {
        if let Some(check) = CHECK.get() {
            self.words().iter().for_each(|words| check(words));
        }
    }
}

static CHECK: OnceLock<fn(&[OsString])> = OnceLock::new();

/// Has every command checked when it is shown: the program does so in its tests, with the parser
/// of its own command line.
pub fn check_commands_with(check: fn(&[OsString])) {
    let _ = CHECK.set(check);
}

/// In one line.
impl Show for Command {
    fn show(&self) -> Text {
        self.check();
        let line = |groups: Vec<Vec<OsString>>| {
            let words: Vec<_> = groups.concat().iter().map(quote).collect();
            shown(&words.join(" "))
        };
        match &self.reader {
            Some(reader) => text!("{} | {}", line(self.groups()), reader.as_ref()),
            None => line(self.groups()),
        }
    }
}

/// A word of its own, quoted, such as a file name in a list.
#[must_use]
pub fn quoted(word: impl AsRef<OsStr>) -> Text {
    shown(&quote(word))
}

/// Quoted words hold nothing that is to be escaped, but perhaps the ends of lines.
fn shown(words: &str) -> Text {
    let lines: Vec<String> = words.split('\n').map(str::to_owned).collect();
    Text::of_escaped_lines(&lines)
}

#[cfg(test)]
mod tests {
    use std::process::Command as Process;

    use super::*;

    #[test]
    fn a_word_is_shown_as_plainly_as_it_can_be() {
        for (word, quoted) in [
            ("alice", "alice"),
            ("alice@example.com", "alice@example.com"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(reboot)`x`;\"", "'$(reboot)`x`;\"'"),
            ("it's", r"'it'\''s'"),
            ("~root", "'~root'"),
            ("Zoë", "'Zoë'"),
            ("李's", r"'李'\''s'"),
            (
                "-a\n'\\\u{1b}[2J %",
                r#""$(printf '\055a\012\047\134\033\1332J \045')""#,
            ),
            ("a\u{202e}1", r#""$(printf 'a\342\200\2561')""#),
            ("é\n", "\"$(printf '\\303\\251')\n\""),
            ("a\nb\n\n", "\"$(printf 'a\\012b')\n\n\""),
        ] {
            assert_eq!(quote(word), quoted);
        }
    }

    #[test]
    fn every_shell_reads_back_every_word() {
        let words = [
            "alice",
            "",
            " a  b ",
            "it's",
            "$HOME`id`",
            "\\",
            "*",
            "#a",
            "a\n",
            "\n\nb",
            "\t\u{1b}[2J",
            "-n\u{7}%s\\n!!$(id)`id`\"'",
            "Zoë",
            "José's 李 🙂",
            "a\u{202e}\u{a0}1",
            "!!",
            "-n",
        ];
        for shell in ["sh", "dash", "bash", "zsh"] {
            for word in words {
                let script = format!("printf %s {}", quote(word));
                let Ok(output) = Process::new(shell).args(["-c", &script]).output() else {
                    assert_ne!(
                        std::env::var("CI").as_deref(),
                        Ok("true"),
                        "{shell} is missing"
                    );
                    println!("skipped: {shell} is missing");
                    break;
                };
                assert_eq!(output.stdout, word.as_bytes(), "{shell}: {script}");
            }
        }
    }

    #[test]
    fn a_command_is_quoted_and_its_operands_are_told_from_options() {
        let plain = Command::ours("verify")
            .operand("a.yaml")
            .option("--user", "it's");
        assert_eq!(
            plain.show().as_str(),
            r"kube-enroll verify a.yaml --user 'it'\''s'"
        );
        let dashed = Command::ours("verify")
            .operand("-a")
            .option("--group", "- a");
        assert_eq!(
            dashed.show().as_str(),
            "kube-enroll verify '--group=- a' -- -a"
        );
        let stdin = Command::ours("verify").operand("-");
        assert_eq!(stdin.show().as_str(), "kube-enroll verify -");
    }

    #[test]
    fn a_plugin_calls_its_commands_by_its_own_name() {
        for (words, expected) in [
            ("run: kube-enroll help", "run: kubectl enroll help"),
            (
                "Usage: kube-enroll [OPTIONS] <COMMAND>",
                "Usage: kubectl enroll [OPTIONS] <COMMAND>",
            ),
            (
                "a | kube-enroll reply; `kube-enroll COMMAND`",
                "a | kubectl enroll reply; `kubectl enroll COMMAND`",
            ),
            (
                "kubectl asks kube-enroll for it",
                "kubectl asks kube-enroll for it",
            ),
            ("-l kube-enroll/user=a", "-l kube-enroll/user=a"),
        ] {
            let commands = ["help", "reply"].map(str::to_owned);
            assert_eq!(renamed(words, &commands), expected);
        }
    }

    #[test]
    fn a_pipe_is_shown_in_one_line_or_in_lines_of_words() {
        let get = Command::new("kubectl")
            .word("get")
            .word("csr")
            .operand("a".repeat(40));
        let pipe = get
            .option("-o", "yaml")
            .pipe(Command::ours("reply").option("--out", "b".repeat(45)));
        assert_eq!(pipe.words().len(), 2);
        let folded = pipe.folded(2);
        let lines: Vec<&str> = folded.as_str().lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("  kubectl get csr aaa") && lines[0].ends_with(" |"));
        assert!(lines[1].starts_with("    kube-enroll reply --out bbb"));
        assert!(
            pipe.show()
                .as_str()
                .contains(" -o yaml | kube-enroll reply --out bbb")
        );
        let long = Command::ours("verify")
            .operand("a")
            .option("--user", "b".repeat(60));
        assert_eq!(
            long.folded(2).as_str().lines().next(),
            Some("  kube-enroll verify a \\")
        );
    }
}
