//! `kube-enroll passphrase`: another passphrase for a private key, or none.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use kube_enroll::secret::Passphrase;
use kube_enroll::text;
use kube_enroll::text::count;

use super::console::Console;
use super::failure::Failure;
use super::from::file::{self, DEFAULT_LIMIT, Filename, Stream};
use super::from::passphrase::{self, KeyPassphraseArgs};
use super::from::{company, keys};
use super::hint::Again;
use super::os::sandbox::Reach;
use super::os::terminal::Terminal;
use super::to::files::{self, folder_of};
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll passphrase alice.key
  kube-enroll passphrase alice.key --remove")]
pub struct Args {
    /// The private key, which is replaced by PKCS#8 in PEM; - is standard input, and then output
    #[arg(value_name = "KEY", required_unless_present = "filename")]
    pub key: Option<Stream>,
    #[command(flatten)]
    pub filename: Filename,
    #[command(flatten)]
    pub old: KeyPassphraseArgs,
    /// Read the new passphrase from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub new_passphrase_file: Option<Stream>,
    /// Make a new passphrase, and show it once, on the terminal alone
    #[arg(long, conflicts_with = "new_passphrase_file")]
    pub generate_passphrase: bool,
    /// Leave the key unencrypted
    #[arg(long, conflicts_with_all = ["new_passphrase_file", "generate_passphrase"])]
    pub remove: bool,
}

impl Args {
    fn key(&self) -> &Stream {
        self.key.as_ref().unwrap_or(&Stream::Stdio)
    }
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let passphrases = [&self.old.passphrase_file, &self.new_passphrase_file];
        Reach::default()
            .read([self.key()])
            .read(passphrases.into_iter().flatten())
            .list(self.key().path().map_or(Path::new("."), folder_of))
            .write([self.key()])
    }

    /// Opens the key, and puts it in its own place under the new passphrase in one step.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        if let Some(path) = self.key().path().filter(|path| path.is_symlink())
            && let Ok(real) = path.canonicalize()
        {
            return Err(files::symbolic_link(path)
                .with_no_hints()
                .say("name the key that it leads to:")
                .run(Again::of("passphrase").of_operands([real]).command()));
        }
        let old = self.old.read()?;
        let contents = file::read(self.key(), DEFAULT_LIMIT)?;
        company::refuse(self.key(), &contents)?;
        let found = keys::open(&|| None, self.key(), &contents, old.as_ref(), console)?;
        let text = passphrase::encode(&found.key, self.new_passphrase()?.as_ref())?;
        let Some(path) = self.key().path() else {
            files::put_secret(&text)?;
            return Ok(Verdict::Good);
        };
        // Putting a file in place of one of several names leaves the others as they were.
        let others = path
            .metadata()
            .ok()
            .and_then(|it| usize::try_from(it.nlink()).ok()?.checked_sub(1));
        let others = others.filter(|others| *others > 0);
        files::clear_left_over(folder_of(path), &[path], console);
        files::replace_private(path, text.expose().as_bytes(), console)?;
        if let Some(others) = others {
            console.warn(text!(
                "{} had {} (hard links), under which the key is as it was: remove what is not needed",
                path,
                count(others, "other name", "other names")
            ));
        }
        let state = if self.remove {
            "not encrypted any more"
        } else {
            "encrypted with the new passphrase"
        };
        console.say(text!("{} is {}\n", path, state))?;
        Ok(Verdict::Good)
    }
}

impl Args {
    /// None at all has to be asked for by name.
    fn new_passphrase(&self) -> Result<Option<Passphrase>, Failure> {
        if self.remove {
            return Ok(None);
        }
        let new = match &self.new_passphrase_file {
            Some(file) => Some(passphrase::new_from_file(file, &[])?),
            None => {
                let terminal = Terminal::open().map_err(|why| {
                    Failure::could_not_run(text!("{} to ask for a new passphrase", why))
                        .say("give --new-passphrase-file FILE, or --remove")
                })?;
                if self.generate_passphrase {
                    return passphrase::make_new(&terminal).map(Some);
                }
                passphrase::ask_new(&terminal, "New passphrase", &[])?
            }
        };
        new.map(Some).ok_or_else(|| {
            Failure::could_not_run("the new passphrase is empty").say("give --remove to have none")
        })
    }
}
