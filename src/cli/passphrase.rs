//! Passphrases: from the first line of a file, or typed at the terminal; never from an argument
//! or the environment.

use std::path::Path;

use kube_enroll::secret::Passphrase;
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
pub fn ask_new() -> Result<Option<Passphrase>, Failure> {
    let first = ask("Passphrase for the new key (empty for none): ")?;
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

fn ask(prompt: &str) -> Result<Passphrase, Failure> {
    let typed = rpassword::prompt_password(prompt)
        .map_err(|error| Failure::io("read a passphrase from", "the terminal", &error))?;
    let typed = Zeroizing::new(typed.into_bytes());
    Ok(typed.into())
}
