//! Passphrases: from the first line of a file, or typed at the terminal, again where they were wrong;
//! never from an argument or the environment.

use clap::Args;
use getrandom::SysRng;
use kube_enroll::error::Error;
use kube_enroll::key::{EncodedKey, PrivateKey};
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::secret::{Passphrase, Secret};
use kube_enroll::text;

use super::super::failure::Failure;
use super::super::os::terminal::Terminal;
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
    pub fn get(&self) -> Result<Option<Passphrase>, Failure> {
        if self.no_passphrase {
            return Ok(None);
        }
        if let Some(file) = &self.passphrase_file {
            return from_file(file).map(Some);
        }
        let terminal = Terminal::open().map_err(|why| {
            Failure::could_not_run(text!("{} to ask for a passphrase", why)).say(
                "give --passphrase-file FILE, or --no-passphrase for a key that is not encrypted",
            )
        })?;
        ask_new(&terminal, "Passphrase for the new key (empty for none)")
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
pub fn ask_new(terminal: &Terminal, prompt: &'static str) -> Result<Option<Passphrase>, Failure> {
    let mut first_prompt = text!("{}: ", prompt);
    for _ in 0..ATTEMPTS {
        let first = terminal.ask(&first_prompt)?;
        if first.expose().is_empty() {
            return Ok(None);
        }
        if terminal.ask(&text!("The same again: "))? == first {
            return Ok(Some(first));
        }
        first_prompt = text!("these are not the same; try again\n{}: ", prompt);
    }
    Err(Failure::could_not_run("the passphrases are not the same"))
}

/// Opens a key with the passphrase given, else with one that a person is asked for, up to three
/// times. Once it is this process's turn to ask, the key may be `known` already.
pub fn open(
    key: &EncodedKey,
    source: &Stream,
    given: Option<&Passphrase>,
    known: &dyn Fn() -> Option<PrivateKey>,
) -> Result<PrivateKey, Failure> {
    let failed = |error: Error| Failure::in_file(source, &error);
    if given.is_some() || !key.is_encrypted() {
        return key.open(given).map_err(failed);
    }
    let terminal = Terminal::open().map_err(|why| {
        let what = text!(
            "{} is encrypted, and {} to ask for its passphrase",
            source,
            why
        );
        Failure::nobody_to_ask(what).say("give --passphrase-file FILE")
    })?;
    terminal.take_turn();
    if let Some(key) = known() {
        return Ok(key);
    }
    let mut prompt = text!("Passphrase for {}: ", source);
    let mut attempts = 1;
    loop {
        match key.open(Some(&terminal.ask(&prompt)?)) {
            Err(Error::PassphraseWrong) if attempts < ATTEMPTS => {
                prompt = text!(
                    "that is not its passphrase; try again\nPassphrase for {}: ",
                    source
                );
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
