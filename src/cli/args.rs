//! The command line as a whole: the commands, what is common to all, and shapes of values.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::fmt;

use clap::builder::{PossibleValuesParser, StyledStr, TypedValueParser};
use clap::{CommandFactory as _, Parser, Subcommand};
use kube_enroll::key::Algorithm;
use kube_enroll::lifetime;
use kube_enroll::shell;
use kube_enroll::text;
use kube_enroll::text::{Show as _, Text};

use super::console::Color;
use super::{
    Action, complete, completions, credential, inspect, kubeconfig, list, lock, man, passphrase,
    qr, rbac, rehearse, renew, reply, request, unlock, verify, version,
};

const USAGE: &str = "kube-enroll [OPTIONS] <COMMAND>";

/// Offline Kubernetes client-certificate enrollment.
#[derive(Debug, Parser)]
#[command(
    name = "kube-enroll",
    version,
    about,
    override_usage = USAGE,
    arg_required_else_help = true,
    disable_version_flag = true,
    after_help = "\
Examples:
  kube-enroll rehearse
  kube-enroll request alice --group developers
  kube-enroll verify alice.csr.yaml --user alice --group developers
  kube-enroll kubeconfig alice.reply.yaml

Exit status: 0 done or good, 1 read and not good, 2 could not run."
)]
pub struct Cli {
    /// Say nothing about what is good
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// When to colour text
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,

    /// Print the version
    #[arg(short = 'V', long)]
    pub version: bool,

    /// With --version: print what this process forbids itself here
    #[arg(short, long, requires = "version")]
    pub verbose: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands, in the order of the journey.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a private key and a certificate signing request (user)
    Request(request::Args),
    /// Make a key and a request to follow a certificate that ends: for the same user and groups (user)
    Renew(renew::Args),
    /// Show what keys, requests, certificates, replies and kubeconfigs are and say
    Inspect(inspect::Args),
    /// List credentials, certificates and requests: who, where, until when
    List(list::Args),
    /// Check a request against what was agreed and against the cluster's rules (admin)
    Verify(verify::Args),
    /// Join the issued object and the cluster's address into one file to send back (admin)
    Reply(reply::Args),
    /// Match a reply to its key and write the kubeconfig (user)
    Kubeconfig(kubeconfig::Args),
    /// Write role bindings for a user or group, and how to take access away (admin)
    Rbac(rbac::Args),
    /// Change or remove the passphrase of a private key (user)
    Passphrase(passphrase::Args),
    /// Serve certificate and key to kubectl; kubeconfigs written with --exec call it
    Credential(credential::Args),
    /// Ask for the passphrase once, so that kubectl does not for a time (user)
    Unlock(unlock::Args),
    /// Forget the keys that are unlocked (user)
    Lock(lock::Args),
    /// Show a file that is no secret as QR codes
    Qr(qr::Args),
    /// Play the whole journey on this machine with a throwaway certificate authority
    Rehearse(rehearse::Args),
    /// Print a shell completion script
    Completions(completions::Args),
    /// Print the manual page, or write all of them
    Man(man::Args),
    /// Print the version
    Version(version::Args),
    /// Tell what may stand next on a command line
    #[command(skip)]
    Complete(complete::Args),
}

impl Command {
    /// Makes operands of the files that stand behind `-f`.
    pub fn join_filenames(&mut self) {
        match self {
            Self::Inspect(args) => args.filenames.join_or_stdin(&mut args.files),
            Self::List(args) => args.filenames.join(&mut args.files),
            Self::Verify(args) => args.filenames.join(&mut args.files),
            Self::Kubeconfig(args) => args.filenames.join_or_stdin(&mut args.replies),
            Self::Reply(args) => args.filename.join(&mut args.file),
            Self::Renew(args) => args.filename.join(&mut args.credential),
            Self::Passphrase(args) => args.filename.join(&mut args.key),
            Self::Unlock(args) => args.filename.join(&mut args.file),
            Self::Rbac(args) => args.filenames.join(&mut args.files),
            Self::Qr(args) => args.filename.join(&mut args.file),
            _ => {}
        }
    }

    /// The command as something to do.
    pub fn action(&self) -> &(dyn Action + Sync) {
        match self {
            Self::Request(args) => args,
            Self::Renew(args) => args,
            Self::Inspect(args) => args,
            Self::List(args) => args,
            Self::Verify(args) => args,
            Self::Reply(args) => args,
            Self::Kubeconfig(args) => args,
            Self::Rbac(args) => args,
            Self::Passphrase(args) => args,
            Self::Credential(args) => args,
            Self::Unlock(args) => args,
            Self::Lock(args) => args,
            Self::Qr(args) => args,
            Self::Rehearse(args) => args,
            Self::Completions(args) => args,
            Self::Man(args) => args,
            Self::Version(args) => args,
            Self::Complete(args) => args,
        }
    }
}

/// The names of the commands.
pub fn names() -> Vec<String> {
    let mut command = Cli::command();
    command.build();
    let names = command.get_subcommands().map(clap::Command::get_name);
    names.map(str::to_owned).collect()
}

/// The definition of it all, in the words of a plugin of kubectl where it is one.
pub fn command() -> clap::Command {
    let command = Cli::command();
    if shell::is_plugin() {
        let usage = shell::in_our_name(USAGE).into_owned();
        return renamed(command.bin_name(shell::our_name()).override_usage(usage));
    }
    command
}

/// The same with the texts of ours that name commands in our name.
fn renamed(mut command: clap::Command) -> clap::Command {
    let in_our_name = |text: &StyledStr| shell::in_our_name(&text.to_string()).into_owned();
    if let Some(text) = command.get_after_help().map(in_our_name) {
        command = command.after_help(text);
    }
    if let Some(text) = command.get_after_long_help().map(in_our_name) {
        command = command.after_long_help(text);
    }
    command.mut_subcommands(renamed)
}

/// Why a value is refused, in our words and without the value.
#[derive(Debug)]
pub struct Refused(pub Text);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}

/// Seconds for which a key may stay unlocked.
pub fn unlock_time(typed: &str) -> Result<u32, Refused> {
    const LONGEST: u32 = 24 * 60 * 60;
    let seconds = lifetime::seconds(typed).map_err(|error| Refused(error.show()))?;
    match u32::try_from(seconds) {
        Ok(seconds @ 1..=LONGEST) => Ok(seconds),
        _ => Err(Refused("between 1s and 24h, please".into())),
    }
}

/// A name that something is to have.
pub fn not_empty(typed: &str) -> Result<String, Refused> {
    if typed.trim().is_empty() {
        return Err(Refused(
            "a name is needed, and it is empty (a variable that is not set?)".into(),
        ));
    }
    Ok(typed.to_owned())
}

/// The name of a namespace, which is a DNS label (apimachinery validation `IsDNS1123Label`).
pub fn namespace(typed: &str) -> Result<String, Refused> {
    const LONGEST: usize = 63;
    let typed = not_empty(typed)?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if typed.len() > LONGEST
        || !typed.chars().all(fits)
        || typed.starts_with('-')
        || typed.ends_with('-')
    {
        return Err(Refused(
            "a namespace is named with lower-case letters, digits and dashes between them, 63 at most".into(),
        ));
    }
    Ok(typed)
}

/// Seconds in words that can be typed.
pub fn show_seconds(seconds: u32) -> Text {
    let (number, unit) = match seconds {
        seconds if seconds % 3600 == 0 => (seconds / 3600, "h"),
        seconds if seconds % 60 == 0 => (seconds / 60, "m"),
        seconds => (seconds, "s"),
    };
    text!("{}{}", number, unit)
}

/// A number of bytes.
pub fn size(typed: &str) -> Result<u64, Refused> {
    let refused = |_| Refused("expected a number of bytes".into());
    typed.parse().map_err(refused)
}

/// Lists the algorithms in help and completions, and parses their names.
pub fn algorithm_parser() -> impl TypedValueParser<Value = Algorithm> {
    PossibleValuesParser::new(Algorithm::ALL.map(Algorithm::name)).try_map(|name| name.parse())
}
