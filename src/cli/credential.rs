//! `kube-enroll credential`: kubectl asks for certificate and key, whose file stays encrypted.

use kube_enroll::certificate::Certificate;
use kube_enroll::credential::{EXEC_INFO, ExecInfo, answer};
use kube_enroll::key::{EncodedKey, PrivateKey};
use kube_enroll::secret::Passphrase;
use time::OffsetDateTime;

use super::args::CredentialArgs;
use super::console::Console;
use super::file::{self, DEFAULT_LIMIT};
use super::input::Input;
use super::message::Failure;
use super::{Verdict, passphrase, unlocked};

/// Writes an `ExecCredential`, or says on standard error why there is none.
pub fn run(args: &CredentialArgs, console: &Console) -> Result<Verdict, Failure> {
    let chain = certificates(args)?;
    let key = match chain.first() {
        Some(leaf) => key(leaf, args, console)?,
        None => return Err(Failure::could_not_run("there is no certificate")),
    };
    console.secret(&answer(&chain, &key.to_pkcs8_pem()?))?;
    Ok(Verdict::Good)
}

/// The certificate, as long as it is of use.
fn certificates(args: &CredentialArgs) -> Result<Vec<Certificate>, Failure> {
    let input = Input::from(args.certificate.clone());
    let in_file = |error| Failure::in_file(&input, &error);
    let chain =
        Certificate::chain_from_pem(&file::read(&input, DEFAULT_LIMIT)?).map_err(in_file)?;
    if let Some(leaf) = chain.first() {
        leaf.check_dates(OffsetDateTime::now_utc())
            .map_err(|error| {
                Failure::not_good(format!("{input}: {error}"))
                    .next("ask for a new certificate: kube-enroll request USER --key FILE")
            })?;
    }
    Ok(chain)
}

fn key(
    certificate: &Certificate,
    args: &CredentialArgs,
    console: &Console,
) -> Result<PrivateKey, Failure> {
    let fingerprint = certificate.public_key().fingerprint();
    if let Some(key) = unlocked::find(&fingerprint) {
        return Ok(key);
    }
    let input = Input::from(args.key.clone());
    let contents = file::read(&input, DEFAULT_LIMIT)?;
    let in_file = |error| Failure::in_file(&input, &error);
    let encoded = EncodedKey::find(&contents).map_err(in_file)?;
    file::warn_exposed(&args.key, console);
    let passphrase = if encoded.is_encrypted() {
        Some(ask(args, &input, console)?)
    } else {
        None
    };
    let key = encoded.open(passphrase.as_ref()).map_err(in_file)?;
    if key.public_key() != certificate.public_key() {
        return Err(Failure::not_good(format!(
            "{input} is not the key of the certificate: found {}, expected {fingerprint}",
            key.public_key().fingerprint()
        ))
        .next("write the kubeconfig anew: kube-enroll kubeconfig REPLY --exec"));
    }
    let unlock_for = args.unlock_for.filter(|_| encoded.is_encrypted());
    if let Some(Err(failure)) = unlock_for.map(|seconds| unlocked::keep(&key, seconds)) {
        console.warn(failure);
    }
    Ok(key)
}

/// The passphrase, where kubectl lets a person be asked.
fn ask(args: &CredentialArgs, key: &Input, console: &Console) -> Result<Passphrase, Failure> {
    if let Some(path) = &args.passphrase_file {
        return passphrase::from_file(path);
    }
    let may_ask = match std::env::var(EXEC_INFO) {
        Ok(json) => {
            let problem = |error| Failure::could_not_run(format!("{EXEC_INFO}: {error}"));
            ExecInfo::read(&json).map_err(problem)?.interactive
        }
        Err(_) => console.can_ask(),
    };
    if may_ask {
        return passphrase::ask_existing(&key.to_string());
    }
    Err(Failure::could_not_run(format!(
        "{key} is encrypted, and there is no terminal to ask for its passphrase"
    ))
    .next(
        "run kubectl once in a terminal with --unlock-for in the kubeconfig, or give --passphrase-file",
    ))
}
