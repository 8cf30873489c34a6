//! Finding the private key that a certificate belongs to, by its public half.

use std::fs;
use std::path::{Path, PathBuf};

use kube_enroll::csr::CertificationRequest;
use kube_enroll::key::{EncodedKey, PrivateKey, PublicKey};
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

/// Finds the key in the file or folder named, else in the `.key` files beside the reply and here.
pub fn find(
    wanted: &PublicKey,
    named: Option<&Path>,
    reply: &Input,
    passphrase: Option<&Passphrase>,
    console: &Console,
) -> Result<FoundKey, Failure> {
    let search = Search {
        wanted,
        passphrase,
        console,
    };
    match named {
        Some(path) if !path.is_dir() => search.named_file(path),
        Some(folder) => search.files(&key_files(folder)?, &folder.display().to_string()),
        None => {
            let beside = reply.path().and_then(Path::parent).unwrap_or(Path::new(""));
            let mut files = key_files(beside)?;
            if beside != Path::new("") {
                files.extend(key_files(Path::new(""))?);
            }
            search.files(&files, "here and beside the reply")
        }
    }
}

struct Search<'a> {
    wanted: &'a PublicKey,
    passphrase: Option<&'a Passphrase>,
    console: &'a Console,
}

impl Search<'_> {
    fn named_file(&self, path: &Path) -> Result<FoundKey, Failure> {
        let input = Input::from(path.to_owned());
        let contents = file::read(&input, DEFAULT_LIMIT)?;
        let encoded =
            EncodedKey::find(&contents).map_err(|error| Failure::in_file(&input, &error))?;
        let found = self.open(&encoded, path)?;
        if found.key.public_key() == self.wanted {
            return Ok(found);
        }
        Err(Failure::not_good(format!(
            "the certificate is not for the key in {input}: found {}, expected {}",
            self.wanted.fingerprint(),
            found.key.public_key().fingerprint()
        ))
        .next("a reply fits the key that its request was made with; look for that one"))
    }

    /// The file whose key it is. Encrypted ones are told by the request beside them.
    fn files(&self, files: &[PathBuf], place: &str) -> Result<FoundKey, Failure> {
        let mut unknown = Vec::new();
        for path in files {
            let contents = match file::read(&Input::from(path.clone()), DEFAULT_LIMIT) {
                Ok(contents) => contents,
                Err(failure) => {
                    self.console.warn(failure);
                    continue;
                }
            };
            let Ok(encoded) = EncodedKey::find(&contents) else {
                continue;
            };
            match public_side(&encoded, path) {
                Some(key) if &key == self.wanted => return self.open(&encoded, path),
                Some(_) => {}
                None => unknown.push((encoded, path)),
            }
        }
        for (encoded, path) in unknown {
            match self.open(&encoded, path) {
                Ok(found) if found.key.public_key() == self.wanted => return Ok(found),
                _ => {}
            }
        }
        Err(Failure::not_good(format!(
            "none of the {} .key file(s) {place} fits the certificate, which is for {}",
            files.len(),
            self.wanted.fingerprint()
        ))
        .next("name the key with --key FILE, or the folder of keys with --key DIR"))
    }

    fn open(&self, encoded: &EncodedKey, path: &Path) -> Result<FoundKey, Failure> {
        let input = Input::from(path.to_owned());
        let asked = match self.passphrase {
            None if encoded.is_encrypted() && self.console.can_ask() => {
                Some(passphrase::ask_existing(&input.to_string())?)
            }
            _ => None,
        };
        let key = encoded
            .open(self.passphrase.or(asked.as_ref()))
            .map_err(|error| Failure::in_file(&input, &error))?;
        if key.public_key() == self.wanted {
            file::warn_exposed(path, self.console);
        }
        Ok(FoundKey {
            path: path.to_owned(),
            key,
            was_encrypted: encoded.is_encrypted(),
        })
    }
}

/// The public half of a plain key, or that of the request beside an encrypted one.
fn public_side(encoded: &EncodedKey, path: &Path) -> Option<PublicKey> {
    if !encoded.is_encrypted() {
        return encoded.open(None).ok().map(|key| key.public_key().clone());
    }
    let contents = file::read(&Input::from(path.with_extension("csr")), DEFAULT_LIMIT).ok()?;
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
