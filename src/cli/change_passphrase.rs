//! `kube-enroll passphrase`: another passphrase for a private key, or none.

use kube_enroll::key::EncodedKey;
use kube_enroll::secret::Passphrase;

use super::args::ChangePassphraseArgs;
use super::console::Console;
use super::file::{self, DEFAULT_LIMIT};
use super::input::Input;
use super::message::Failure;
use super::{Verdict, passphrase};

/// Opens the key, and puts it in its own place under the new passphrase in one step.
pub fn run(args: &ChangePassphraseArgs, console: &Console) -> Result<Verdict, Failure> {
    let input = Input::from(args.key.clone());
    let contents = file::read(&input, DEFAULT_LIMIT)?;
    let in_file = |error| Failure::in_file(&input, &error);
    let encoded = EncodedKey::find(&contents).map_err(in_file)?;
    let old = old_passphrase(args, &encoded, &input, console)?;
    let key = encoded.open(old.as_ref()).map_err(in_file)?;
    let text = passphrase::encode(&key, new_passphrase(args, console)?.as_ref())?;
    file::replace_private(&args.key, text.expose().as_bytes(), console)?;
    let state = if args.remove {
        "not encrypted any more"
    } else {
        "encrypted with the new passphrase"
    };
    console.say(&format!("{input} is {state}\n"))?;
    Ok(Verdict::Good)
}

fn old_passphrase(
    args: &ChangePassphraseArgs,
    key: &EncodedKey,
    input: &Input,
    console: &Console,
) -> Result<Option<Passphrase>, Failure> {
    match &args.passphrase_file {
        _ if !key.is_encrypted() => Ok(None),
        Some(path) => passphrase::from_file(path).map(Some),
        None if console.can_ask() => passphrase::ask_existing(&input.to_string()).map(Some),
        None => Err(Failure::could_not_run(format!(
            "{input} is encrypted, and there is no terminal to ask for its passphrase"
        ))
        .next("give --passphrase-file FILE")),
    }
}

/// None at all has to be asked for by name.
fn new_passphrase(
    args: &ChangePassphraseArgs,
    console: &Console,
) -> Result<Option<Passphrase>, Failure> {
    if args.remove {
        return Ok(None);
    }
    let new = match &args.new_passphrase_file {
        Some(path) => Some(passphrase::from_file(path)?),
        None if console.can_ask() => passphrase::ask_new("New passphrase")?,
        None => {
            let problem = "there is no terminal to ask for a new passphrase";
            return Err(Failure::could_not_run(problem)
                .next("give --new-passphrase-file FILE, or --remove"));
        }
    };
    new.map(Some).ok_or_else(|| {
        Failure::could_not_run("the new passphrase is empty").next("give --remove to have none")
    })
}
