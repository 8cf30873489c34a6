//! `kube-enroll credential`: kubectl asks for certificate and key, whose file stays encrypted.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::path::Path;

use kube_enroll::certificate::Certificate;
use kube_enroll::credential::{EXEC_INFO, ExecInfo, answer};
use kube_enroll::error::Error;
use kube_enroll::key::PrivateKey;
use kube_enroll::looks::{Want, look};
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::Show as _;
use time::OffsetDateTime;

use super::args::unlock_time;
use super::console::Console;
use super::failure::Failure;
use super::from::file::{self, DEFAULT_LIMIT, Stream};
use super::from::keys;
use super::from::passphrase::KeyPassphraseArgs;
use super::os::sandbox::Reach;
use super::os::{kernel_keyring, privacy};
use super::to::files;
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
kubectl runs this as an exec credential plugin (client.authentication.k8s.io/v1):
  kube-enroll kubeconfig alice.reply.yaml --exec --unlock-for 15m")]
pub struct Args {
    /// The issued certificate
    #[arg(long, value_name = "FILE")]
    pub certificate: Stream,
    /// Its private key
    #[arg(long, value_name = "FILE")]
    pub key: Stream,
    #[command(flatten)]
    pub passphrase: KeyPassphraseArgs,
    /// Keep the key unlocked in the kernel's memory for so long: 15m, at most 24h
    #[arg(long, value_name = "TIME", value_parser = unlock_time)]
    pub unlock_for: Option<u32>,
}

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default()
            .read([&self.certificate, &self.key])
            .read(self.passphrase.passphrase_file.as_ref())
            .keyring()
    }

    /// Writes an `ExecCredential`, or says on standard error why there is none.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let chain = self.certificates()?;
        let key = match chain.first() {
            Some(leaf) => self.key(leaf, console)?,
            None => return Err(Failure::could_not_run("there is no certificate")),
        };
        files::put_secret(&answer(&chain, &key.to_pkcs8_pem()?))?;
        Ok(Verdict::Good)
    }
}

impl Args {
    /// The certificate, as long as it is of use.
    fn certificates(&self) -> Result<Vec<Certificate>, Failure> {
        let input = &self.certificate;
        let contents = file::read(input, DEFAULT_LIMIT)
            .map_err(|failure| self.advise_looking(failure, input))?;
        let chain = Certificate::chain_from_pem(&contents).map_err(|error| match error {
            Error::NoCertificate => Failure::wrong_file(input, look(&contents), Want::Certificate),
            error => Failure::in_file(input, &error),
        })?;
        if let Some(leaf) = chain.first() {
            leaf.check_dates(OffsetDateTime::now_utc())
                .map_err(|error| {
                    Failure::not_good(text!("{}: {}", input, error))
                        .say("ask for another one, for the same user and groups:")
                        .run(Command::ours("renew").operand(input.typed()))
                })?;
        }
        Ok(chain)
    }

    fn key(&self, certificate: &Certificate, console: &Console) -> Result<PrivateKey, Failure> {
        let fingerprint = certificate.public_key().fingerprint();
        if let Some(key) = kernel_keyring::find(&fingerprint) {
            return Ok(key);
        }
        if let Some(path) = self.key.path() {
            privacy::warn_exposed(path, console);
        }
        let given = self.passphrase.read()?;
        let found = keys::read(&self.key, given.as_ref(), may_ask(console)?, console)
            .map_err(|failure| self.advise_looking(self.advise_unlocking(failure), &self.key))?;
        if found.key.public_key() != certificate.public_key() {
            return Err(Failure::not_good(text!(
                "{} is not the key of the certificate: found {}, expected {}",
                self.key,
                found.key.public_key().fingerprint(),
                fingerprint
            ))
            .say("write the kubeconfig anew:")
            .run(Command::ours("kubeconfig").operand("REPLY").word("--exec")));
        }
        let unlock_for = self.unlock_for.filter(|_| found.was_encrypted);
        if let Some(Err(failure)) = unlock_for.map(|time| kernel_keyring::keep(&found.key, time)) {
            console.warn(failure.show());
        }
        Ok(found.key)
    }

    /// A file that is not there was moved, or is lost.
    fn advise_looking(&self, failure: Failure, missing: &Stream) -> Failure {
        if missing.path().is_none_or(Path::exists) {
            return failure;
        }
        let is_key = *missing == self.key;
        let certificate = if is_key {
            self.certificate.typed()
        } else {
            Path::new("CERTIFICATE")
        };
        let key = if is_key {
            Path::new("KEY")
        } else {
            self.key.typed()
        };
        let again = Command::ours("kubeconfig")
            .operand(certificate)
            .option("--key", key)
            .option("--merge", "KUBECONFIG")
            .word("--exec");
        let failure = failure
            .say("if it was moved, point the kubeconfig to where it is now, in place of the words in capitals:")
            .run(again);
        if is_key {
            return failure
                .say(
                    "if it is lost, make another key and request, and let the administrator take this \
                     certificate away:",
                )
                .run(Command::ours("renew").operand(certificate));
        }
        failure
    }

    /// Where nobody can be asked now, somebody could be before.
    fn advise_unlocking(&self, failure: Failure) -> Failure {
        if failure.is_nobody_to_ask() {
            let unlock = Command::ours("unlock").operand(self.key.typed());
            return failure.say("or, in a terminal of this login:").run(unlock);
        }
        failure
    }
}

/// Whether kubectl lets a person be asked.
fn may_ask(console: &Console) -> Result<bool, Failure> {
    match std::env::var(EXEC_INFO) {
        Ok(json) => ExecInfo::read(&json)
            .map(|info| info.interactive)
            .map_err(|error| Failure::about(EXEC_INFO, error)),
        Err(_) => Ok(console.can_ask()),
    }
}
