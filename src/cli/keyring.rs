//! Finding the private keys that certificates belong to, by their public halves.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, mem};

use kube_enroll::csr::CertificationRequest;
use kube_enroll::key::{EncodedKey, Fingerprint, PrivateKey, PublicKey};
use kube_enroll::parallel;
use kube_enroll::pem;
use kube_enroll::secret::Passphrase;

use super::console::Console;
use super::file::{self, DEFAULT_LIMIT};
use super::input::Input;
use super::message::Failure;
use super::passphrase;

/// A key, and where it was.
pub struct FoundKey {
    pub path: PathBuf,
    pub key: PrivateKey,
    pub was_encrypted: bool,
}

/// Every key that can be found. A folder is looked through once, however many certificates are
/// to be matched: reading a key takes longer than all the rest.
pub struct Keyring<'a> {
    named: Option<&'a Path>,
    passphrase: Option<&'a Passphrase>,
    console: &'a Console,
    folders: RefCell<HashMap<PathBuf, Folder>>,
}

/// The `.key` files of a folder.
struct Folder {
    count: usize,
    paths: HashMap<Fingerprint, PathBuf>,
    /// Encrypted ones without a request beside them.
    unknown: Vec<PathBuf>,
}

impl<'a> Keyring<'a> {
    /// Keys in the file or folder named, else in the `.key` files beside the reply and here.
    pub fn new(
        named: Option<&'a Path>,
        passphrase: Option<&'a Passphrase>,
        console: &'a Console,
    ) -> Self {
        Self {
            named,
            passphrase,
            console,
            folders: RefCell::default(),
        }
    }

    /// The key of a certificate in `reply`.
    pub fn find(&self, wanted: &PublicKey, reply: &Input) -> Result<FoundKey, Failure> {
        match self.named {
            Some(path) if !path.is_dir() => self.open_for(wanted, path),
            Some(folder) => self.search(wanted, &[folder], &folder.display().to_string()),
            None => {
                let beside = reply.path().and_then(Path::parent).unwrap_or(Path::new(""));
                let here = Path::new("");
                let folders = if beside == here {
                    &[here][..]
                } else {
                    &[beside, here]
                };
                self.search(wanted, folders, "here and beside the reply")
            }
        }
    }

    fn search(
        &self,
        wanted: &PublicKey,
        folders: &[&Path],
        place: &str,
    ) -> Result<FoundKey, Failure> {
        let mut known = self.folders.borrow_mut();
        for folder in folders {
            if !known.contains_key(*folder) {
                known.insert(folder.to_path_buf(), self.look_through(folder)?);
            }
            let path = known.get(*folder).and_then(|folder| folder.path_of(wanted));
            if let Some(path) = path {
                return self.open_for(wanted, path);
            }
        }
        let mut count = 0;
        for folder in folders {
            let Some(folder) = known.get_mut(*folder) else {
                continue;
            };
            if let Some(found) = self.try_unknown(folder, wanted) {
                return Ok(found);
            }
            count += folder.count;
        }
        Err(Failure::not_good(format!(
            "none of the {count} .key file(s) {place} fits the certificate, which is for {}",
            wanted.fingerprint()
        ))
        .next("name the key with --key FILE, or the folder of keys with --key DIR"))
    }

    /// Encrypted keys are told by the request beside them.
    fn look_through(&self, folder: &Path) -> Result<Folder, Failure> {
        let files = key_files(folder)?;
        let mut found = Folder {
            count: files.len(),
            paths: HashMap::new(),
            unknown: Vec::new(),
        };
        let sides = parallel::map(&files, |path| public_side(path));
        for (path, side) in files.into_iter().zip(sides) {
            match side {
                Ok(Side::Key(fingerprint)) => found.is_at(fingerprint, path),
                Ok(Side::Unknown) => found.unknown.push(path),
                Ok(Side::None) => {}
                Err(failure) => self.console.warn(failure),
            }
        }
        Ok(found)
    }

    /// Opens one after the other, and remembers what is in each.
    fn try_unknown(&self, folder: &mut Folder, wanted: &PublicKey) -> Option<FoundKey> {
        let mut unknown = mem::take(&mut folder.unknown).into_iter();
        let mut closed = Vec::new();
        let found = unknown.find_map(|path| {
            let Ok(found) = self.open(&path) else {
                closed.push(path);
                return None;
            };
            folder.is_at(found.key.public_key().fingerprint(), path);
            Some(found).filter(|found| found.key.public_key() == wanted)
        });
        // A passphrase from a file is the same next time; one that is typed may be right then.
        if self.passphrase.is_none() {
            folder.unknown = closed;
        }
        folder.unknown.extend(unknown);
        found.inspect(|found| file::warn_exposed(&found.path, self.console))
    }

    /// Opens the key that has to be the one.
    fn open_for(&self, wanted: &PublicKey, path: &Path) -> Result<FoundKey, Failure> {
        let found = self.open(path)?;
        if found.key.public_key() != wanted {
            return Err(Failure::not_good(format!(
                "the certificate is not for the key in {}: found {}, expected {}",
                path.display(),
                wanted.fingerprint(),
                found.key.public_key().fingerprint()
            ))
            .next("a reply fits the key that its request was made with; look for that one"));
        }
        file::warn_exposed(path, self.console);
        Ok(found)
    }

    fn open(&self, path: &Path) -> Result<FoundKey, Failure> {
        let input = Input::from(path.to_owned());
        let contents = file::read(&input, DEFAULT_LIMIT)?;
        let in_file = |error| Failure::in_file(&input, &error);
        let encoded = EncodedKey::find(&contents).map_err(in_file)?;
        let asked = match self.passphrase {
            None if encoded.is_encrypted() && self.console.can_ask() => {
                Some(passphrase::ask_existing(&input.to_string())?)
            }
            _ => None,
        };
        let key = encoded
            .open(self.passphrase.or(asked.as_ref()))
            .map_err(in_file)?;
        Ok(FoundKey {
            path: path.to_owned(),
            key,
            was_encrypted: encoded.is_encrypted(),
        })
    }
}

impl Folder {
    fn path_of(&self, key: &PublicKey) -> Option<&PathBuf> {
        self.paths.get(&key.fingerprint())
    }

    /// The first of several files with the same key is taken.
    fn is_at(&mut self, key: Fingerprint, path: PathBuf) {
        self.paths.entry(key).or_insert(path);
    }
}

/// What a file tells of a key without a passphrase.
enum Side {
    Key(Fingerprint),
    Unknown,
    /// No key, or a broken one.
    None,
}

/// The public half of a plain key, or that of the request beside an encrypted one.
fn public_side(path: &Path) -> Result<Side, Failure> {
    let contents = file::read(&Input::from(path.to_owned()), DEFAULT_LIMIT)?;
    let Ok(encoded) = EncodedKey::find(&contents) else {
        return Ok(Side::None);
    };
    if encoded.is_encrypted() {
        let key = requested_key(&path.with_extension("csr"));
        return Ok(key.map_or(Side::Unknown, |key| Side::Key(key.fingerprint())));
    }
    let opened = encoded.open(None);
    Ok(opened.map_or(Side::None, |key| Side::Key(key.public_key().fingerprint())))
}

fn requested_key(path: &Path) -> Option<PublicKey> {
    let contents = file::read(&Input::from(path.to_owned()), DEFAULT_LIMIT).ok()?;
    let block = pem::first(&contents)?;
    let request = CertificationRequest::from_der(&block.contents).ok()?;
    Some(request.public_key().clone())
}

/// The `.key` files of a folder, by name.
pub fn key_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let listed = if folder == Path::new("") {
        Path::new(".")
    } else {
        folder
    };
    let entries =
        fs::read_dir(listed).map_err(|error| Failure::io("read", listed.display(), &error))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(folder.join(entry.ok()?.file_name())))
        .filter(|path| path.extension().is_some_and(|extension| extension == "key"))
        .collect();
    files.sort();
    Ok(files)
}
