//! `kube-enroll unlock`: asks for a passphrase once, and keeps the key for kubectl for a time.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::path::{Path, PathBuf};

use kube_enroll::certificate::Chain;
use kube_enroll::key::PublicKey;
use kube_enroll::kubeconfig::{AuthInfo, Held, Kubeconfig};
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text};
use zeroize::Zeroizing;

use super::args::{show_seconds, unlock_time};
use super::console::Console;
use super::failure::Failure;
use super::from::cluster::default_kubeconfigs;
use super::from::file::{self, DEFAULT_LIMIT, Filename, Stream};
use super::from::keys;
use super::from::passphrase::KeyPassphraseArgs;
use super::os::kernel_keyring;
use super::os::sandbox::Reach;
use super::{Action, Verdict};

/// Where neither the command nor the kubeconfig says how long, in seconds.
const DEFAULT: u32 = 15 * 60;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll unlock
  kube-enroll unlock alice.kubeconfig --for 8h
  kube-enroll unlock alice.key

The key lies in the keyring that the kernel keeps for this login session, and nobody but you can read \
it, neither by su nor by sudo. A tmux that was started in another login, and cron, do not find it: unlock \
it there. It is gone when the time is over, when the login ends, or by kube-enroll lock.")]
pub struct Args {
    /// The kubeconfig whose key to unlock, or the key itself [default: the kubeconfig in use]
    #[arg(value_name = "KUBECONFIG|KEY")]
    pub file: Option<Stream>,
    #[command(flatten)]
    pub filename: Filename,
    /// The context whose key it is [default: the current one]
    #[arg(long, value_name = "CONTEXT")]
    pub context: Option<String>,
    /// For so long: 15m, 8h, at most 24h [default: as --unlock-for in the kubeconfig, else 15m]
    #[arg(long = "for", value_name = "TIME", value_parser = unlock_time)]
    pub time: Option<u32>,
    #[command(flatten)]
    pub passphrase: KeyPassphraseArgs,
}

/// What is to be unlocked.
struct Target {
    key: Stream,
    /// The certificate that it is for, where a kubeconfig names both.
    certificate: Option<Stream>,
    /// What is in that file, where it was read already.
    contents: Option<Zeroizing<Vec<u8>>>,
    seconds: Option<u32>,
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let files = self.files().unwrap_or_default();
        Reach::default()
            .list(Path::new("."))
            .read(&files)
            .read(&self.passphrase.passphrase_file)
            .credentials_of(files.iter().filter_map(Stream::path))
            .keyring()
    }

    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let target = self.target()?;
        let given = self.passphrase.read()?;
        let contents = match target.contents {
            Some(contents) => contents,
            None => file::read(&target.key, DEFAULT_LIMIT).map_err(|failure| {
                failure
                    .say("if it was moved, name it as it is called now, and point the kubeconfig to it:")
                    .run(Command::ours("unlock").operand("KEY"))
                    .run(
                        Command::ours("kubeconfig")
                            .operand("CERTIFICATE")
                            .option("--key", "KEY")
                            .option("--merge", "KUBECONFIG"),
                    )
            })?,
        };
        let found = keys::open(&|| None, &target.key, &contents, given.as_ref(), console)?;
        self.check(
            &target.key,
            target.certificate.as_ref(),
            found.key.public_key(),
        )?;
        if !found.was_encrypted {
            let is = text!(
                "{} is not encrypted: there is nothing to unlock\n",
                target.key
            );
            console.say(is)?;
            return Ok(Verdict::Good);
        }
        let seconds = self.time.or(target.seconds).unwrap_or(DEFAULT);
        let keyring = kernel_keyring::keep(&found.key, seconds)?;
        console.say(text!(
            "{} is unlocked for {}, {}\nto end it before, run: {}\n",
            target.key,
            show_seconds(seconds),
            keyring.about(),
            Command::ours("lock")
        ))?;
        Ok(Verdict::Good)
    }
}

impl Args {
    /// Fails where the key is another one than kubectl needs: it would ask again and again. A certificate
    /// that cannot be read is told when kubectl asks.
    fn check(
        &self,
        key: &Stream,
        certificate: Option<&Stream>,
        found: &PublicKey,
    ) -> Result<(), Failure> {
        let contents = certificate.and_then(|file| file::read(file, DEFAULT_LIMIT).ok());
        let chain = contents.and_then(|it| Chain::read(&it).ok());
        match (certificate, chain) {
            (Some(certificate), Some(chain)) if chain.leaf().public_key() != found => {
                let kubeconfig = self
                    .file
                    .as_ref()
                    .map_or(Path::new("KUBECONFIG"), Stream::typed);
                let expected = chain.leaf().public_key();
                Err(keys::of_another_certificate(
                    key,
                    found,
                    certificate,
                    expected,
                    kubeconfig,
                ))
            }
            _ => Ok(()),
        }
    }

    /// The files named, else the kubeconfigs in use.
    fn files(&self) -> Result<Vec<Stream>, Failure> {
        match &self.file {
            Some(file) => Ok(vec![file.clone()]),
            None => default_kubeconfigs().map_err(name_one),
        }
    }

    fn target(&self) -> Result<Target, Failure> {
        let mut kubeconfigs = Vec::new();
        for file in self.files()? {
            let contents = file::read(&file, DEFAULT_LIMIT);
            let contents = match &self.file {
                Some(_) => contents?,
                None => contents.map_err(name_one)?,
            };
            match Kubeconfig::read(&contents) {
                Ok(kubeconfig) if look(&contents) == Look::Kubeconfig => {
                    kubeconfigs.push(kubeconfig);
                }
                // What it is instead is told when it is opened.
                _ if self.file.is_some() => {
                    return Ok(Target {
                        key: file,
                        certificate: None,
                        contents: Some(contents),
                        seconds: None,
                    });
                }
                _ => {
                    let look = look(&contents);
                    return Err(name_one(Failure::wrong_file(&file, look, Want::Kubeconfig)));
                }
            }
        }
        self.in_kubeconfigs(&kubeconfigs)
    }

    /// The key of the context that is meant. The first of several files that has something to say
    /// counts, as for kubectl.
    fn in_kubeconfigs(&self, all: &[Kubeconfig]) -> Result<Target, Failure> {
        let ours = || {
            let users = all.iter().flat_map(Kubeconfig::auth_infos);
            users.filter(|user| user.exec.is_some() && user.key.is_some())
        };
        let current = all.iter().map(Kubeconfig::current_context);
        let current = current.into_iter().find(|name| !name.is_empty());
        let meant = self.context.as_deref().or(current).unwrap_or_default();
        let mut contexts = all.iter().flat_map(Kubeconfig::contexts);
        let context = contexts.find(|(name, ..)| *name == meant);
        if let Some((_, _, name)) = context
            && let Some(user) = ours().find(|user| user.name == name)
        {
            return Ok(target(&user));
        }
        // As for kubectl, one that was chosen has to be there.
        if self.context.is_none()
            && (meant.is_empty() || context.is_some())
            && let (Some(user), None) = (ours().next(), ours().nth(1))
        {
            return Ok(target(&user));
        }
        let missing = (context.is_none() && !meant.is_empty()).then_some(meant);
        Err(none_meant(all, missing))
    }
}

/// Why there is no key to unlock: there is no such context, or its key is served by nobody.
fn none_meant(all: &[Kubeconfig], missing: Option<&str>) -> Failure {
    let users = |kubeconfig: &Kubeconfig| -> Vec<String> {
        let users = kubeconfig.auth_infos().filter(|user| user.exec.is_some());
        users.map(|user| user.name.to_owned()).collect()
    };
    let ours: Vec<_> = all.iter().flat_map(users).collect();
    let contexts = all.iter().flat_map(Kubeconfig::contexts);
    let contexts: Vec<Text> = contexts
        .filter(|(_, _, user)| ours.iter().any(|ours| ours == user))
        .map(|(name, ..)| Label::from(name).show())
        .collect();
    let failure = match missing {
        Some(name) => Failure::could_not_run(text!("there is no context {}", Label::from(name))),
        None => Failure::could_not_run(
            "kubectl asks nobody for the key of this context: there is nothing to unlock",
        ),
    };
    if contexts.is_empty() {
        return failure
            .say("kubeconfigs written with --exec have kubectl ask kube-enroll for the key");
    }
    failure.say(text!(
        "give --context, one of: {}",
        Text::join(contexts, ", ")
    ))
}

/// Adds what to run for the kubeconfigs and keys that are here.
fn name_one(failure: Failure) -> Failure {
    const ENDINGS: [&str; 2] = [".kubeconfig", ".key"];
    const SHOWN: usize = 3;
    let here = file::files_in(Path::new("")).unwrap_or_default();
    let named = ENDINGS.iter().flat_map(|ending| {
        let has_ending =
            move |path: &&PathBuf| path.exists() && path.to_string_lossy().ends_with(ending);
        here.iter().filter(has_ending)
    });
    let found: Vec<_> = named.take(SHOWN).map(PathBuf::as_path).collect();
    let found = match found.as_slice() {
        [] => &[Path::new("KUBECONFIG")],
        found => found,
    };
    let failure = failure.say("name the kubeconfig or the key:");
    let lines = found.iter();
    lines.fold(failure, |failure, path| {
        failure.run(Command::ours("unlock").operand(path))
    })
}

fn target(user: &AuthInfo<'_>) -> Target {
    let path = |held: Option<Held<'_>>| held.and_then(|it| it.path(Path::new("")));
    let time = user.exec.as_ref().and_then(|exec| exec.unlock_for);
    Target {
        key: path(user.key).unwrap_or_default().into(),
        certificate: path(user.certificate).map(Stream::from),
        contents: None,
        seconds: time.and_then(|typed| unlock_time(typed).ok()),
    }
}
