//! Passphrases: from the first line of a file, or typed at the terminal; never from an argument
//! or the environment.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use getrandom::SysRng;
use kube_enroll::key::PrivateKey;
use kube_enroll::secret::{Passphrase, Secret};
use signal_hook::consts::SIGINT;
use zeroize::Zeroizing;

use super::file;
use super::message::Failure;

/// More than anyone types, in bytes.
const LIMIT: u64 = 64 * 1024;

/// The first line of a file that nobody else can read.
pub fn from_file(path: &Path) -> Result<Passphrase, Failure> {
    let contents = file::read_private(path, LIMIT)?;
    let line = contents
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        let problem = format!("{}: the first line is empty", path.display());
        return Err(Failure::could_not_run(problem)
            .next("for a key without passphrase use --no-passphrase"));
    }
    Ok(Passphrase::new(line.to_vec()))
}

/// A new passphrase, typed twice; nothing if the person wants none.
pub fn ask_new(prompt: &str) -> Result<Option<Passphrase>, Failure> {
    let first = ask(&format!("{prompt}: "))?;
    if first.expose().is_empty() {
        return Ok(None);
    }
    if ask("The same again: ")? == first {
        Ok(Some(first))
    } else {
        Err(Failure::could_not_run("the passphrases are not the same"))
    }
}

/// The passphrase of a key that is there.
pub fn ask_existing(key: &str) -> Result<Passphrase, Failure> {
    ask(&format!("Passphrase for {key}: "))
}

/// The key in PKCS#8 PEM: encrypted, if there is a passphrase.
pub fn encode(
    key: &PrivateKey,
    passphrase: Option<&Passphrase>,
) -> Result<Secret<String>, Failure> {
    Ok(match passphrase {
        Some(passphrase) => key.to_encrypted_pkcs8_pem(passphrase, &mut SysRng)?,
        None => key.to_pkcs8_pem()?,
    })
}

/// Ctrl-C only ends the question: the signal that `rpassword` raises for it would end the process
/// before the terminal echoes again.
fn ask(prompt: &str) -> Result<Passphrase, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let handler = signal_hook::flag::register(SIGINT, Arc::clone(&interrupted));
    let answer = ask_uninterrupted(prompt);
    if let Ok(handler) = handler {
        signal_hook::low_level::unregister(handler);
    }
    if interrupted.load(Ordering::Relaxed) {
        return Err(Failure::could_not_run("interrupted"));
    }
    answer
}

fn ask_uninterrupted(prompt: &str) -> Result<Passphrase, Failure> {
    let typed = rpassword::prompt_password(prompt)
        .map_err(|error| Failure::io("read a passphrase from", "the terminal", &error))?;
    let typed = Zeroizing::new(typed.into_bytes());
    Ok(typed.into())
}
