//! `kube-enroll man`: manual pages, made from the same definitions as `--help`.

use clap::builder::StyledStr;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};
use kube_enroll::shell;

use super::args;
use super::console::Console;
use super::failure::Failure;
use super::os::sandbox::Reach;
use super::to::Destination;
use super::to::files::{self, Access, NewFiles};
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll man | man -l -
  kube-enroll man --output-dir ~/.local/share/man/man1")]
#[command(mut_arg("output_dir", |arg| arg.help(
    "Write one page for each command into this folder"
)))]
pub struct Args {
    #[command(flatten)]
    pub to: Destination,
}

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default().write_to(&self.to)
    }

    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let mut whole = args::command();
        whole.build();
        let Some(folder) = &self.to.output_dir else {
            let page = Page::of_all(&whole).render()?;
            files::put(&self.to.out, &String::from_utf8_lossy(&page), console)?;
            return Ok(Verdict::Good);
        };
        let mut files = NewFiles::new(console);
        for page in Page::every(&whole) {
            let path = folder.join(format!("{}.1", page.name));
            files.create(&path, &page.render()?, Access::Everyone)?;
        }
        files.keep()?;
        Ok(Verdict::Good)
    }
}

/// What holds for several commands: what it is called, what it means, and for which commands.
struct Fact {
    name: &'static str,
    about: &'static str,
    commands: &'static [&'static str],
}

const fn fact(name: &'static str, about: &'static str, commands: &'static [&'static str]) -> Fact {
    Fact {
        name,
        about,
        commands,
    }
}

const FILES: &[Fact] = &[
    fact(
        "USER.key",
        "The private key, in PKCS#8, which its owner alone can read. It never leaves this machine.",
        &[
            "request",
            "renew",
            "kubeconfig",
            "passphrase",
            "credential",
            "unlock",
        ],
    ),
    fact(
        "USER.csr, USER.csr.yaml",
        "The certification request, and the manifest that goes to the administrator. Where one of these \
         names is taken, all files of a request are named after its object instead.",
        &["request", "renew", "verify", "inspect", "qr", "rehearse"],
    ),
    fact(
        "USER.reply.yaml",
        "The issued object and the cluster's address, which go back to the user. Nothing in it is secret.",
        &["reply", "kubeconfig", "list", "renew", "rbac"],
    ),
    fact(
        "USER.kubeconfig",
        "The kubeconfig, which its owner alone can read.",
        &["kubeconfig", "renew", "unlock", "list"],
    ),
    fact(
        "~/.kube/config",
        "The kubeconfig in use, where $KUBECONFIG names no other.",
        &["reply", "unlock", "list"],
    ),
    fact(
        "~/.kube/kuberc",
        "Preferences of kubectl, 1.35 and later, that may restrict which programs it runs for a key.",
        &["kubeconfig", "inspect", "credential"],
    ),
    fact(
        "authorization-config.yaml",
        "The authorizers of API servers (--authorization-config), with the one that denies certificates.",
        &["rbac"],
    ),
    fact(
        "/proc/keys",
        "The keys of all keyrings that can be seen: those that are unlocked are found there.",
        &["lock", "unlock"],
    ),
];

const ENVIRONMENT: &[Fact] = &[
    fact(
        "KUBECONFIG",
        "Kubeconfigs in use, separated by colons, merged as kubectl merges them.",
        &["reply", "unlock", "list"],
    ),
    fact(
        "HOME",
        "The folder that ~ stands for.",
        &["reply", "unlock", "list"],
    ),
    fact(
        "PATH",
        "Where this program is looked for: found there, a kubeconfig names it without its path.",
        &["kubeconfig", "inspect"],
    ),
    fact(
        "KUBERNETES_EXEC_INFO",
        "What kubectl tells a plugin: the version of the answer, and whether somebody can be asked.",
        &["credential"],
    ),
    fact(
        "TMPDIR",
        "Where the folder is made that is played in, and stays.",
        &["rehearse"],
    ),
    fact(
        "NO_COLOR",
        "Set to anything, it keeps text without colours.",
        &[],
    ),
];

const EXIT_STATUS: [(&str, &str); 3] = [
    ("0", "Done; of commands that judge: everything is good."),
    ("1", "Read and judged, and not good."),
    (
        "2",
        "It could not run: a file or an option is missing, wrong or cannot be read.",
    ),
];

/// Manual pages of other programs that are named in ours.
const OTHERS: [&str; 3] = ["kubectl", "openssl", "ssh-keygen"];

/// One manual page.
struct Page<'a> {
    name: String,
    command: &'a clap::Command,
    /// The command's own name; nothing on the page of the whole.
    of: Option<&'a str>,
    /// The names of all pages.
    all: Vec<String>,
}

impl<'a> Page<'a> {
    fn of_all(whole: &'a clap::Command) -> Self {
        let names = commands(whole).map(|command| page_name(command.get_name()));
        Self {
            name: whole.get_name().to_owned(),
            command: whole,
            of: None,
            all: names.collect(),
        }
    }

    fn every(whole: &'a clap::Command) -> Vec<Self> {
        let first = Self::of_all(whole);
        let all = first.all.clone();
        let pages = commands(whole).map(|command| Self {
            name: page_name(command.get_name()),
            command,
            of: Some(command.get_name()),
            all: all.clone(),
        });
        std::iter::once(first).chain(pages).collect()
    }

    fn render(&self) -> Result<Vec<u8>, Failure> {
        // What short help leaves out has its place here.
        let command = self
            .command
            .clone()
            .mut_args(|arg| arg.hide_short_help(false));
        let man = Man::new(
            command
                .name(self.name.clone())
                .display_name(self.name.clone()),
        )
        .title(self.name.to_uppercase())
        .source(concat!("kube-enroll ", env!("CARGO_PKG_VERSION")))
        .manual("kube-enroll");
        let mut page = Vec::new();
        let written = man
            .render_title(&mut page)
            .and_then(|()| man.render_name_section(&mut page))
            .and_then(|()| self.synopsis().to_writer(&mut page))
            .and_then(|()| man.render_description_section(&mut page))
            .and_then(|()| man.render_options_section(&mut page))
            .and_then(|()| self.sections().to_writer(&mut page));
        written.map_err(|error| Failure::io("make", "a manual page", &error))?;
        Ok(page)
    }

    fn synopsis(&self) -> Roff {
        let usage = self.command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").to_owned();
        let mut roff = Roff::new();
        roff.control("SH", ["SYNOPSIS"]);
        for line in usage.lines() {
            roff.text([bold(line.trim())]);
            roff.control("br", []);
        }
        roff
    }

    fn sections(&self) -> Roff {
        let mut roff = Roff::new();
        if self.of.is_none() {
            roff.control("SH", ["COMMANDS"]);
            for command in commands(self.command) {
                tagged(&mut roff, command.get_name(), &plain(command.get_about()));
            }
        }
        let help = self.command.get_after_long_help();
        let help = plain(help.or_else(|| self.command.get_after_help()));
        let (examples, notes) = split_examples(&help);
        if !notes.is_empty() && self.of.is_some() {
            roff.control("SH", ["NOTES"]);
            paragraphs(&mut roff, notes);
        }
        if !examples.is_empty() {
            roff.control("SH", ["EXAMPLES"]);
            as_it_is(&mut roff, examples);
        }
        self.facts(&mut roff, "FILES", FILES);
        self.facts(&mut roff, "ENVIRONMENT", ENVIRONMENT);
        roff.control("SH", ["EXIT STATUS"]);
        for (status, about) in EXIT_STATUS {
            tagged(&mut roff, status, about);
        }
        roff.control("SH", ["SEE ALSO"]);
        let pages = self.see_also(&help);
        let last = pages.len().saturating_sub(1);
        for (position, page) in pages.iter().enumerate() {
            let end = if position == last { "(1)" } else { "(1)," };
            roff.control("BR", [page.as_str(), end]);
        }
        roff
    }

    fn facts(&self, roff: &mut Roff, title: &str, facts: &[Fact]) {
        let holds = |fact: &&Fact| match self.of {
            Some(of) => fact.commands.contains(&of) || fact.commands.is_empty(),
            None => true,
        };
        let mut facts = facts.iter().filter(holds).peekable();
        if facts.peek().is_none() {
            return;
        }
        roff.control("SH", [title]);
        for fact in facts {
            roff.control("TP", []);
            roff.text([italic(fact.name)]);
            roff.text([roman(fact.about)]);
        }
    }

    /// Of a command the whole, and the pages of all that its page names; of the whole every other.
    fn see_also(&self, help: &str) -> Vec<String> {
        if self.of.is_none() {
            return self
                .all
                .iter()
                .map(String::as_str)
                .chain(["kubectl"])
                .map(str::to_owned)
                .collect();
        }
        let named = |page: &&String| {
            let command = page.strip_prefix("kube-enroll-").unwrap_or(page);
            let command = format!("kube-enroll {command}");
            **page != self.name && help.contains(shell::in_our_name(&command).as_ref())
        };
        let ours = self.all.iter().filter(named).map(String::as_str);
        let others = OTHERS.into_iter().filter(|other| help.contains(other));
        let all = std::iter::once("kube-enroll").chain(ours).chain(others);
        all.map(str::to_owned).collect()
    }
}

fn commands(whole: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    let all = whole.get_subcommands();
    all.filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

fn page_name(command: &str) -> String {
    format!("kube-enroll-{command}")
}

fn plain(text: Option<&StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// The lines of the examples, and what stands behind them.
fn split_examples(help: &str) -> (&str, &str) {
    match help.strip_prefix("Examples:\n") {
        Some(rest) => rest.split_once("\n\n").unwrap_or((rest, "")),
        None => ("", help),
    }
}

fn tagged(roff: &mut Roff, tag: &str, about: &str) {
    roff.control("TP", []);
    roff.text([bold(tag)]);
    roff.text([roman(about)]);
}

/// Lines that begin with a space stay as they are; the others are text.
fn paragraphs(roff: &mut Roff, text: &str) {
    for paragraph in text.split("\n\n") {
        roff.control("PP", []);
        let (indented, lines): (Vec<_>, Vec<_>) =
            paragraph.lines().partition(|line| line.starts_with(' '));
        for line in lines {
            roff.text([roman(line)]);
        }
        if !indented.is_empty() {
            as_it_is(roff, &indented.join("\n"));
        }
    }
}

fn as_it_is(roff: &mut Roff, lines: &str) {
    roff.control("EX", []);
    for line in lines.lines() {
        roff.text([roman(line)]);
    }
    roff.control("EE", []);
}
