//! Passphrases: from the first line of a file, or typed at the terminal, again where they were wrong;
//! never from an argument or the environment.

use clap::Args;
use getrandom::SysRng;
use kube_enroll::carrier;
use kube_enroll::error::Error;
use kube_enroll::key::{EncodedKey, PrivateKey};
use kube_enroll::looks::{Look, Want, look, under_its_coats};
use kube_enroll::passphrase::{composed, generate, weakness};
use kube_enroll::secret::{Passphrase, Secret};
use kube_enroll::shell::Command;
use kube_enroll::text;

use super::super::console::warn_of;
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
    /// Make a passphrase, and show it once, on the terminal alone
    #[arg(long)]
    pub generate_passphrase: bool,
    /// Write the key unencrypted
    #[arg(long)]
    pub no_passphrase: bool,
}

impl NewPassphraseArgs {
    /// A plaintext key is only made when that is what was asked for. What is little more than one of
    /// `names` is told to be weak.
    pub fn get(&self, names: &[&str]) -> Result<Option<Passphrase>, Failure> {
        if self.no_passphrase {
            return Ok(None);
        }
        if let Some(file) = &self.passphrase_file {
            return new_from_file(file, names).map(Some);
        }
        let terminal = Terminal::open().map_err(|why| {
            Failure::could_not_run(text!("{} to ask for a passphrase", why)).say(
                "give --passphrase-file FILE, or --no-passphrase for a key that is not encrypted",
            )
        })?;
        if self.generate_passphrase {
            return make_new(&terminal).map(Some);
        }
        ask_new(
            &terminal,
            "Passphrase for the new key (empty for none)",
            names,
        )
    }
}

/// The passphrase of a new key from a file, with a word on one that is guessed soon.
pub fn new_from_file(file: &Stream, names: &[&str]) -> Result<Passphrase, Failure> {
    let passphrase = from_file(file)?;
    warn_of_weakness(&passphrase, names);
    Ok(passphrase)
}

fn warn_of_weakness(passphrase: &Passphrase, names: &[&str]) {
    if let Some(weakness) = weakness(passphrase, names) {
        let other = Command::ours("passphrase").operand("KEY");
        warn_of(&text!(
            "whoever gets hold of the key file will guess this passphrase soon: {}; one that nobody guesses \
             is made by {}",
            weakness,
            other.word("--generate-passphrase")
        ));
    }
}

/// The first line of a file that nobody else can read, as it would be typed: without what an editor or
/// PowerShell puts around text.
pub fn from_file(file: &Stream) -> Result<Passphrase, Failure> {
    let contents = file::read_private(file, LIMIT)?;
    let decoded = carrier::decode(&contents);
    let contents = &decoded.bytes;
    let look = look(contents);
    let text = String::from_utf8_lossy(contents);
    let is_one_line = text.lines().filter(|line| !line.trim().is_empty()).count() == 1;
    // What one line looks like may be what somebody thought of.
    let can_be_thought_of = match look {
        Look::Empty | Look::Utf16 => true,
        Look::Template(_) | Look::Comments | Look::Url | Look::Hex(_) => is_one_line,
        other => !other.is_telling(),
    };
    if !can_be_thought_of {
        return Err(Failure::wrong_file(file, look, Want::Passphrase));
    }
    if let Some((look, coats)) = under_its_coats(contents).filter(|(look, _)| look.is_telling()) {
        let what = text!("{} is {}, under {}, not a passphrase", file, look, coats);
        return Err(Failure::could_not_run(what).say(ALONE));
    }
    if let Some(number) = settings(contents) {
        let what = text!("{} is {} lines of settings, not a passphrase", file, number);
        return Err(Failure::could_not_run(what).say(ALONE));
    }
    if let Some(other) = other_document(text.trim()) {
        let what = text!("{} is {}, not a passphrase", file, other);
        return Err(Failure::could_not_run(what).say(ALONE));
    }
    if contents.contains(&0) {
        let what = text!("{} holds NUL bytes, which nobody can type", file);
        return Err(Failure::could_not_run(what).say(ALONE));
    }
    let line = contents
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let rest = contents.get(line.len() + 1..).unwrap_or_default();
    if !rest.trim_ascii().is_empty() {
        warn_of(&text!(
            "{}: the passphrase is its first line alone, and there are more",
            file
        ));
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::about(file, "the first line is empty").say(ALONE));
    }
    if !decoded.steps.is_empty() {
        warn_of(&text!("{}: {}", file, decoded.note()));
    }
    Ok(Passphrase::new(line.to_vec()))
}

const ALONE: &str = "a passphrase is the first line of a file that holds nothing else";

/// What programs write that nothing else here has to know.
fn other_document(text: &str) -> Option<&'static str> {
    let first = text.lines().next()?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_json = || {
        let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
        json.is_some_and(|json| json.is_object() || json.is_array())
    };
    if text.starts_with(['{', '[']) && is_json() {
        Some("JSON")
    } else if first.starts_with("SPKAC=") {
        Some("a request of a browser (SPKAC)")
    } else if words.first() == Some(&"machine") && words.contains(&"password") {
        Some("a list of logins (netrc)")
    } else if first.starts_with("-----BEGIN ") {
        Some("PEM")
    } else if first.starts_with('#') && text.lines().count() > 1 {
        Some("a file that begins with a comment")
    } else {
        None
    }
}

/// How many lines there are, where they are those of a configuration: a section in brackets, or a name
/// and a value in each.
fn settings(contents: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(contents).ok()?;
    let lines = text.lines().map(str::trim);
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']))
        .collect();
    let is_section = |line: &str| line.starts_with('[') && line.ends_with(']');
    let is_setting = |line: &&str| {
        let name = line.split(['=', ':']).next().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
        name.len() < line.len() && !name.trim().is_empty() && name.chars().all(is_name)
    };
    let first = lines.first()?;
    let is_config = is_section(first) || lines.iter().all(is_setting);
    (lines.len() > 1 && is_config).then_some(lines.len())
}

/// A new passphrase, typed twice; nothing if the person wants none. It is taken in composed form, so that
/// another keyboard types the same.
pub fn ask_new(
    terminal: &Terminal,
    prompt: &'static str,
    names: &[&str],
) -> Result<Option<Passphrase>, Failure> {
    let mut first_prompt = text!("{}: ", prompt);
    for _ in 0..ATTEMPTS {
        let first = composed(&terminal.ask(&first_prompt)?);
        if first.expose().is_empty() {
            return Ok(None);
        }
        if composed(&terminal.ask(&text!("The same again: "))?) == first {
            warn_of_weakness(&first, names);
            return Ok(Some(first));
        }
        first_prompt = text!("these are not the same; try again\n{}: ", prompt);
    }
    Err(Failure::could_not_run("the passphrases are not the same"))
}

/// A passphrase that is made here, and typed once by who has written it down.
pub fn make_new(terminal: &Terminal) -> Result<Passphrase, Failure> {
    let new = generate(&mut SysRng)?;
    let mut prompt = text!("Write it down: it is not shown again. Then type it: ");
    for _ in 0..ATTEMPTS {
        terminal.reveal("The passphrase of the new key", &new)?;
        if terminal.ask(&prompt)? == new {
            return Ok(new);
        }
        prompt = text!("that was another one; try again: ");
    }
    Err(Failure::could_not_run("that was another passphrase"))
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
