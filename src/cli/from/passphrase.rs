//! Passphrases: from the first line of a file, or typed at the terminal, again where they were wrong;
//! never from an argument or the environment.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use getrandom::SysRng;
use kube_enroll::error::Error;
use kube_enroll::key::{EncodedKey, PrivateKey};
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::secret::{Passphrase, Secret};
use kube_enroll::text;
use kube_enroll::text::Text;
use signal_hook::consts::SIGINT;
use zeroize::Zeroizing;

use super::super::console::Console;
use super::super::failure::Failure;
use super::file::{self, Stream};

/// More than anyone types, in bytes.
const LIMIT: u64 = 64 * 1024;
/// How often a person is asked.
const ATTEMPTS: u8 = 3;

/// Where the passphrase of a key that is there comes from, if not from the terminal.
#[derive(Debug, Clone, Args)]
pub struct KeyPassphraseArgs {
    /// Read the passphrase of the key from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<Stream>,
}

impl KeyPassphraseArgs {
    /// The passphrase, where a file is named.
    pub fn read(&self) -> Result<Option<Passphrase>, Failure> {
        self.passphrase_file.as_ref().map(from_file).transpose()
    }
}

/// Where the passphrase of a new key comes from, if not from the terminal.
#[derive(Debug, Clone, Default, Args)]
#[group(multiple = false)]
pub struct NewPassphraseArgs {
    /// Read the passphrase from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<Stream>,
    /// Write the key unencrypted
    #[arg(long)]
    pub no_passphrase: bool,
}

impl NewPassphraseArgs {
    /// A plaintext key is only made when that is what was asked for.
    pub fn get(&self, console: &Console) -> Result<Option<Passphrase>, Failure> {
        if self.no_passphrase {
            return Ok(None);
        }
        if let Some(file) = &self.passphrase_file {
            return from_file(file).map(Some);
        }
        if console.can_ask() {
            return ask_new("Passphrase for the new key (empty for none)", console);
        }
        let failure = Failure::could_not_run("there is no terminal to ask for a passphrase");
        Err(failure
            .say("give --passphrase-file FILE, or --no-passphrase for a key that is not encrypted"))
    }
}

/// The first line of a file that nobody else can read.
pub fn from_file(file: &Stream) -> Result<Passphrase, Failure> {
    let contents = file::read_private(file, LIMIT)?;
    let look = look(&contents);
    let is_other_file = look.is_telling()
        && !matches!(
            look,
            Look::Empty | Look::Token | Look::Template(_) | Look::ErrorMessage | Look::Utf16
        );
    if is_other_file {
        return Err(Failure::wrong_file(file, look, Want::Passphrase));
    }
    let line = contents
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::about(file, "the first line is empty")
            .say("a passphrase is the first line of a file that holds nothing else"));
    }
    Ok(Passphrase::new(line.to_vec()))
}

/// A new passphrase, typed twice; nothing if the person wants none.
pub fn ask_new(prompt: &'static str, console: &Console) -> Result<Option<Passphrase>, Failure> {
    for _ in 0..ATTEMPTS {
        let first = ask(&text!("{}: ", prompt))?;
        if first.expose().is_empty() {
            return Ok(None);
        }
        if ask(&text!("The same again: "))? == first {
            return Ok(Some(first));
        }
        console.warn("the passphrases are not the same; try again");
    }
    Err(Failure::could_not_run("the passphrases are not the same"))
}

/// Opens a key with the passphrase given, else with one that is asked for, up to three times, if a
/// person may be asked.
pub fn open(
    key: &EncodedKey,
    source: &Stream,
    given: Option<&Passphrase>,
    may_ask: bool,
    console: &Console,
) -> Result<PrivateKey, Failure> {
    let failed = |error: Error| Failure::in_file(source, &error);
    if given.is_some() || !key.is_encrypted() {
        return key.open(given).map_err(failed);
    }
    if !may_ask {
        let what = text!(
            "{} is encrypted, and there is no terminal to ask for its passphrase",
            source
        );
        return Err(Failure::nobody_to_ask(what).say("give --passphrase-file FILE"));
    }
    let mut attempts = 1;
    loop {
        let typed = ask(&text!("Passphrase for {}: ", source))?;
        match key.open(Some(&typed)) {
            Err(Error::PassphraseWrong) if attempts < ATTEMPTS => {
                console.warn("that is not its passphrase; try again");
                attempts += 1;
            }
            opened => return opened.map_err(failed),
        }
    }
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
fn ask(prompt: &Text) -> Result<Passphrase, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let handler = signal_hook::flag::register(SIGINT, Arc::clone(&interrupted));
    let answer = ask_uninterrupted(prompt);
    if let Ok(handler) = handler {
        signal_hook::low_level::unregister(handler);
    }
    if interrupted.load(Ordering::Relaxed) {
        return Err(Failure::interrupted());
    }
    answer
}

fn ask_uninterrupted(prompt: &Text) -> Result<Passphrase, Failure> {
    let typed =
        rpassword::prompt_password(prompt.as_str()).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Failure::could_not_run("no passphrase was given"),
            _ => Failure::io("read a passphrase from", "the terminal", &error),
        })?;
    let typed = Zeroizing::new(typed.into_bytes());
    Ok(typed.into())
}
