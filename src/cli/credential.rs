//! `kube-enroll credential`: kubectl asks for certificate and key, whose file stays encrypted.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::path::Path;

use kube_enroll::certificate::{Certificate, Chain};
use kube_enroll::credential::{ApiVersion, EXEC_INFO, answer};
use kube_enroll::error::Error;
use kube_enroll::key::PrivateKey;
use kube_enroll::kubeconfig::Kubeconfig;
use kube_enroll::looks::{Want, look};
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Show as _, Text, count};
use time::OffsetDateTime;

use super::args::unlock_time;
use super::console::Console;
use super::failure::Failure;
use super::from::cluster::default_kubeconfigs;
use super::from::file::{self, DEFAULT_LIMIT, Stream};
use super::from::keys;
use super::from::passphrase::KeyPassphraseArgs;
use super::os::sandbox::Reach;
use super::os::{kernel_keyring, privacy};
use super::to::files::{self, folder_of};
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll credential --certificate alice.crt --key alice.key | jq .kind
  kube-enroll credential --certificate alice.crt --key alice.key --unlock-for 15m > /dev/null

kubectl runs this as an exec credential plugin (client.authentication.k8s.io/v1 and v1beta1):
  kube-enroll kubeconfig alice.reply.yaml --exec --unlock-for 15m

The passphrase is asked for on the terminal, also where standard input is taken, as in
  kube-enroll rbac --user bob --cluster-role view | kubectl apply -f -
but not in the background and not where there is none: kube-enroll unlock, before, is for these.")]
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
            .read(&self.kubeconfigs())
            .keyring()
    }

    /// Writes an `ExecCredential`, or says on standard error why there is none.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        files::refuse_terminal()?;
        let version = match std::env::var(EXEC_INFO) {
            Ok(json) => {
                ApiVersion::asked_for(&json).map_err(|error| Failure::about(EXEC_INFO, error))?
            }
            Err(_) => ApiVersion::default(),
        };
        let chain = self.chain(console)?;
        let key = self.key(chain.leaf(), console)?;
        files::put_secret(&answer(version, &chain, &key.to_pkcs8_pem()?))?;
        Ok(Verdict::Good)
    }
}

impl Args {
    /// The certificate, as long as it is of use; a warning while there is time for the next one.
    fn chain(&self, console: &Console) -> Result<Chain, Failure> {
        let input = &self.certificate;
        let contents = file::read(input, DEFAULT_LIMIT)
            .map_err(|failure| self.advise_looking(failure, input))?;
        let chain = Chain::read(&contents).map_err(|error| match error {
            Error::NoCertificate | Error::Malformed { .. } => {
                Failure::wrong_file(input, look(&contents), Want::Certificate)
            }
            error => Failure::in_file(input, &error),
        })?;
        let leaf = chain.leaf();
        let now = OffsetDateTime::now_utc();
        leaf.check_dates(now).map_err(|error| {
            let failure = Failure::not_good(text!("{}: {}", input, error));
            match error {
                Error::Expired { .. } => failure.say("ask for a new one:").run(self.renewal()),
                _ => failure.say("check the clock of this machine"),
            }
        })?;
        if leaf.ends_soon(now) {
            console.warn(text!(
                "{} ends {} ({}); run: {}",
                input,
                within(leaf.days_left(now)),
                leaf.not_after(),
                self.renewal()
            ));
        }
        Ok(chain)
    }

    /// How to ask for the next certificate, in the kubeconfig that names this one if it is found.
    fn renewal(&self) -> Command {
        let renew = Command::ours("renew");
        match self.in_kubeconfig() {
            Some((file, context)) => renew.operand(file.typed()).option("--context", context),
            None => renew.operand(self.certificate.typed()),
        }
    }

    /// The kubeconfig that names this certificate, with the context.
    fn in_kubeconfig(&self) -> Option<(Stream, String)> {
        self.kubeconfigs().into_iter().find_map(|file| {
            let contents = file::read(&file, DEFAULT_LIMIT).ok()?;
            let kubeconfig = Kubeconfig::read(&contents).ok()?;
            let context = self.context(&kubeconfig)?.to_owned();
            Some((file, context))
        })
    }

    /// The context whose user has this certificate.
    fn context<'a>(&self, kubeconfig: &'a Kubeconfig) -> Option<&'a str> {
        let certificate = self.certificate.path();
        let mut users = kubeconfig.auth_infos();
        let user = users.find(|user| {
            let named = user.certificate.and_then(|held| held.path(Path::new("")));
            user.exec.is_some() && named.as_deref() == certificate
        })?;
        let mut contexts = kubeconfig.contexts();
        let context = contexts.find(|(_, _, name)| *name == user.name);
        context.map(|(name, _, _)| name)
    }

    /// Those that may name this certificate: in use, or beside it under the names that
    /// `kube-enroll kubeconfig` gives.
    fn kubeconfigs(&self) -> Vec<Stream> {
        let mut files = default_kubeconfigs().unwrap_or_default();
        if let Some(path) = self.certificate.path() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let users = name.match_indices('@');
            let users = users.filter_map(|(end, _)| name.get(..end));
            let beside = |name: String| Stream::from(folder_of(path).join(name));
            files.extend(users.map(|user| beside(format!("{user}.kubeconfig"))));
            files.push(beside("config".to_owned()));
        }
        files
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
        // Another one may have asked, and kept it, while this one waited for its turn.
        let known = || kernel_keyring::find(&fingerprint);
        let found = keys::read_unless(&known, &self.key, given.as_ref(), console)
            .map_err(|failure| self.advise_looking(self.advise_unlocking(failure), &self.key))?;
        if found.key.public_key() != certificate.public_key() {
            let named = self.in_kubeconfig();
            return Err(keys::of_another_certificate(
                &self.key,
                found.key.public_key(),
                &self.certificate,
                certificate.public_key(),
                named
                    .as_ref()
                    .map_or(Path::new("KUBECONFIG"), |(file, _)| file.typed()),
            ));
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
        // Both lay in one folder, mostly.
        let key_is_there = self.key.path().is_none_or(Path::exists);
        let key = if is_key || !key_is_there {
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

    /// Where nobody can be asked now, somebody could be before; who runs kubectl can give this command
    /// nothing.
    fn advise_unlocking(&self, failure: Failure) -> Failure {
        if failure.is_nobody_to_ask() {
            // By the kubeconfig it is compared with the certificate.
            let unlock = Command::ours("unlock");
            let unlock = match self.in_kubeconfig() {
                Some((file, context)) => unlock.operand(file.typed()).option("--context", context),
                None => unlock.operand(self.key.typed()),
            };
            return failure
                .with_no_hints()
                .say("unlock it first, in a terminal of this login:")
                .run(unlock);
        }
        failure
    }
}

/// In how many days.
fn within(days: i64) -> Text {
    match usize::try_from(days) {
        Ok(0) | Err(_) => "within a day".into(),
        Ok(days) => text!("in {}", count(days, "day", "days")),
    }
}
