//! Finding the private keys that certificates belong to, by their public halves.

use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};

use kube_enroll::carrier;
use kube_enroll::error::Error;
use kube_enroll::key::{EncodedKey, Fingerprint, PrivateKey, PublicKey};
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::parallel;
use kube_enroll::pem;
use kube_enroll::secret::Passphrase;
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Text, count};

use super::super::console::Console;
use super::super::failure::Failure;
use super::super::os::privacy;
use super::super::os::sandbox::Reach;
use super::super::to::files::folder_of;
use super::file::{self, DEFAULT_LIMIT, Stream};
use super::{passphrase, requests};

/// Files that are named with the reason why they could not be opened.
const LISTED: usize = 10;

/// A key, and where it was.
pub struct FoundKey {
    pub source: Stream,
    pub key: PrivateKey,
    pub was_encrypted: bool,
    /// Whether the file is PEM as it is, which other programs read as well.
    pub is_pem: bool,
}

/// Opens the key in a file that was named.
pub fn read(
    source: &Stream,
    given: Option<&Passphrase>,
    console: &Console,
) -> Result<FoundKey, Failure> {
    read_unless(&|| None, source, given, console)
}

/// The same, unless the key is `known` once it is this process's turn to ask.
pub fn read_unless(
    known: &dyn Fn() -> Option<PrivateKey>,
    source: &Stream,
    given: Option<&Passphrase>,
    console: &Console,
) -> Result<FoundKey, Failure> {
    let contents = file::read(source, DEFAULT_LIMIT)?;
    open(known, source, &contents, given, console)
}

/// The same of a file that was read already.
pub fn open(
    known: &dyn Fn() -> Option<PrivateKey>,
    source: &Stream,
    contents: &[u8],
    given: Option<&Passphrase>,
    console: &Console,
) -> Result<FoundKey, Failure> {
    let (encoded, note) = found_in(source, contents)?;
    let keys = pem::blocks(contents).filter(|block| block.label.ends_with("PRIVATE KEY"));
    let keys = keys.count();
    if keys > 1 {
        console.warn(text!(
            "{}: there are {} private keys in it; the first is taken",
            source,
            keys
        ));
    }
    let is_pem = encoded.is_pem() && note.is_none();
    if let Some(note) = note {
        console.note(text!("{}: {}", source, note));
    }
    Ok(FoundKey {
        source: source.clone(),
        key: passphrase::open(&encoded, source, given, known)?,
        was_encrypted: encoded.is_encrypted(),
        is_pem,
    })
}

/// Whether the passphrase in another file opens the key in this one.
pub fn is_opened_by(source: &Stream, passphrase: &Stream) -> bool {
    let contents = file::read(source, DEFAULT_LIMIT);
    let encoded = contents.and_then(|it| Ok(found_in(source, &it)?.0));
    let passphrase = passphrase::from_file(passphrase);
    match (encoded, passphrase) {
        (Ok(encoded), Ok(passphrase)) => encoded.open(Some(&passphrase)).is_ok(),
        _ => false,
    }
}

/// A key that is another one than that of the certificate, as a kubeconfig names both.
pub fn of_another_certificate(
    key: &Stream,
    found: &PublicKey,
    certificate: &Stream,
    expected: &PublicKey,
    kubeconfig: &Path,
) -> Failure {
    let certificate = certificate.typed();
    Failure::not_good(text!(
        "{} is not the key of the certificate {}: found {}, expected {}",
        key,
        certificate,
        found.fingerprint(),
        expected.fingerprint()
    ))
    .say("look for the key of the certificate, and point the kubeconfig to it, in place of KEY:")
    .run(
        Command::ours("kubeconfig")
            .operand(certificate)
            .option("--key", "KEY")
            .option("--merge", kubeconfig)
            .word("--exec"),
    )
    .say(
        "if it is lost, make another key and request, and let the administrator take this certificate away:",
    )
    .run(Command::ours("renew").operand(certificate))
}

/// Whether the key in a file is encrypted, where there is one.
pub fn is_encrypted(source: &Stream) -> Option<bool> {
    let contents = file::read(source, DEFAULT_LIMIT).ok()?;
    let (encoded, _) = found_in(source, &contents).ok()?;
    Some(encoded.is_encrypted())
}

/// The key in a file, with a note of what the way did to it; else what the file is and how to come to
/// a key.
fn found_in(source: &Stream, contents: &[u8]) -> Result<(EncodedKey, Option<Text>), Failure> {
    let error = match EncodedKey::find(contents) {
        Ok(found) => return Ok((found, None)),
        Err(error) => error,
    };
    let undone = carrier::undo(contents);
    if !undone.steps.is_empty()
        && let Ok(found) = EncodedKey::find(&undone.bytes)
    {
        return Ok((found, Some(undone.note())));
    }
    let look = look(contents);
    if look == Look::PrivateKey || matches!(error, Error::Unsupported { .. }) && !look.is_telling()
    {
        return Err(Failure::in_file(source, &error));
    }
    Err(Failure::wrong_file(source, look, Want::Key))
}

/// Every key that can be found. A folder is looked through once, however many certificates are
/// to be matched: reading a key takes longer than all the rest.
pub struct KeyFiles<'a> {
    named: Option<&'a Stream>,
    passphrase: Option<&'a Passphrase>,
    console: &'a Console,
    folders: RefCell<HashMap<PathBuf, Folder>>,
}

/// The `.key` files of a folder.
#[derive(Default)]
struct Folder {
    count: usize,
    paths: HashMap<Fingerprint, PathBuf>,
    /// Those that were opened in search of another one: nobody is asked twice.
    opened: HashMap<Fingerprint, FoundKey>,
    /// Encrypted ones without a request beside them.
    unknown: VecDeque<PathBuf>,
    /// Those that could not be opened, with the reason.
    closed: Vec<(PathBuf, Failure)>,
}

impl<'a> KeyFiles<'a> {
    /// Keys in the file or folder named, else in the `.key` files beside the reply and here.
    pub fn new(
        named: Option<&'a Stream>,
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
    pub fn find(&self, wanted: &PublicKey, reply: &Stream) -> Result<FoundKey, Failure> {
        if let Some(named) = self.named
            && !named.path().is_some_and(Path::is_dir)
        {
            return self.open_for(wanted, named);
        }
        let folders = self.folders_for(reply);
        let place = match (self.named, folders.as_slice()) {
            (Some(_), [folder, ..]) => text!("in {}", folder),
            (_, [_]) => "here".into(),
            _ => "here and beside the reply".into(),
        };
        self.search(wanted, &folders, &place, reply)
    }

    /// Whether the key of a request or certificate is one of those that can be told without opening
    /// them.
    pub fn knows(&self, wanted: &PublicKey, reply: &Stream) -> Result<bool, Failure> {
        let mut known = self.folders.borrow_mut();
        for folder in self.folders_for(reply) {
            if self.folder(&mut known, folder)?.path_of(wanted).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A folder, looked through.
    fn folder<'f>(
        &self,
        known: &'f mut HashMap<PathBuf, Folder>,
        folder: &Path,
    ) -> Result<&'f mut Folder, Failure> {
        match known.entry(folder.to_owned()) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert(self.look_through(folder)?)),
        }
    }

    /// How many files could not be opened so far.
    pub fn closed(&self) -> usize {
        let folders = self.folders.borrow();
        folders.values().map(|folder| folder.closed.len()).sum()
    }

    /// Where keys are looked for; nowhere, where one was named.
    fn folders_for<'f>(&'f self, reply: &'f Stream) -> Vec<&'f Path> {
        let here = Path::new("");
        let beside = reply.path().and_then(Path::parent).unwrap_or(here);
        match self.named {
            Some(named) => named
                .path()
                .filter(|path| path.is_dir())
                .into_iter()
                .collect(),
            None if beside == here => vec![here],
            None => vec![beside, here],
        }
    }

    fn search(
        &self,
        wanted: &PublicKey,
        folders: &[&Path],
        place: &Text,
        reply: &Stream,
    ) -> Result<FoundKey, Failure> {
        let mut known = self.folders.borrow_mut();
        for folder in folders {
            let folder = self.folder(&mut known, folder)?;
            if let Some(found) = folder.opened.remove(&wanted.fingerprint()) {
                self.warn_exposed(&found.source);
                return Ok(found);
            }
            if let Some(path) = folder.path_of(wanted) {
                return self.open_for(wanted, &Stream::from(path.as_path()));
            }
        }
        let mut number = 0;
        let mut closed = Vec::new();
        for folder in folders {
            let folder = self.folder(&mut known, folder)?;
            if let Some(found) = self.try_unknown(folder, wanted)? {
                return Ok(found);
            }
            number += folder.count;
            closed.extend(folder.closed.iter().map(|(_, failure)| failure.clone()));
        }
        let name = "name the key with --key FILE, or the folder of keys with --key DIR";
        let failure = match closed.len() {
            0 => Failure::not_good(text!(
                "none of the {} {} fits the certificate, which is for {}",
                count(number, ".key file", ".key files"),
                place,
                wanted.fingerprint()
            ))
            .say(name)
            .say(
                "if it is in a token (request --csr), kubectl cannot use it by itself: a program that can makes \
                 the connection, and the kubeconfig names that one as proxy-url (docs/hardware.md)",
            )
            .say(
                "if it is lost, make another key and request, and let the administrator take this \
                 certificate away:",
            )
            .run(Command::ours("renew").operand(reply.typed())),
            1 if number == 1 => closed.remove(0),
            _ => not_opened(wanted, number, &closed, place).say(name),
        };
        Err(failure.for_want_of_a_key())
    }

    /// Encrypted keys are told by the request beside them.
    fn look_through(&self, folder: &Path) -> Result<Folder, Failure> {
        let mut files = file::in_folder(folder)?;
        files.retain(|path| is_called_key(path));
        file::retain_files(&mut files, &|passed| self.console.warn(passed));
        let mut found = Folder {
            count: files.len(),
            ..Folder::default()
        };
        let halves = parallel::map(&files, |path| public_half(path));
        for (path, half) in files.into_iter().zip(halves) {
            match half {
                Ok(PublicHalf::Known(fingerprint)) => found.is_at(fingerprint, path),
                Ok(PublicHalf::Unknown) => found.unknown.push_back(path),
                Err(failure) => found.is_closed(path, &failure),
            }
        }
        Ok(found)
    }

    /// Opens one after the other, each once, and remembers what is in it.
    fn try_unknown(
        &self,
        folder: &mut Folder,
        wanted: &PublicKey,
    ) -> Result<Option<FoundKey>, Failure> {
        while let Some(path) = folder.unknown.pop_front() {
            match self.open(&Stream::from(path.as_path())) {
                Ok(found) => {
                    let key = found.key.public_key().fingerprint();
                    folder.is_at(key, path);
                    if found.key.public_key() == wanted {
                        self.warn_exposed(&found.source);
                        return Ok(Some(found));
                    }
                    folder.opened.insert(key, found);
                }
                Err(failure) if failure.is_interrupted() => return Err(failure),
                Err(failure) => folder.is_closed(path, &failure),
            }
        }
        Ok(None)
    }

    /// Opens the key that has to be the one.
    fn open_for(&self, wanted: &PublicKey, source: &Stream) -> Result<FoundKey, Failure> {
        let found = self.open(source)?;
        if found.key.public_key() != wanted {
            return Err(Failure::not_good(text!(
                "the certificate is not for the key in {}: found {}, expected {}",
                source,
                wanted.fingerprint(),
                found.key.public_key().fingerprint()
            ))
            .say("a reply fits the key that its request was made with; look for that one"));
        }
        self.warn_exposed(source);
        Ok(found)
    }

    fn open(&self, source: &Stream) -> Result<FoundKey, Failure> {
        read(source, self.passphrase, self.console)
    }

    fn warn_exposed(&self, source: &Stream) {
        if let Some(path) = source.path() {
            privacy::warn_exposed(path, self.console);
        }
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

    fn is_closed(&mut self, path: PathBuf, failure: &Failure) {
        self.closed.push((path, failure.clone()));
    }
}

/// Keys that could not be opened, each with its reason, and each next step once: the one that is
/// looked for may be among them.
fn not_opened(wanted: &PublicKey, number: usize, closed: &[Failure], place: &Text) -> Failure {
    let mut failure = Failure::could_not_run(text!(
        "the key of the certificate, {}, is not among those that could be opened: of {} {}, {} could not",
        wanted.fingerprint(),
        count(number, ".key file", ".key files"),
        place,
        closed.len()
    ));
    let more = closed.len().saturating_sub(LISTED);
    // Those with the same next steps stand together, before the steps.
    let mut left: Vec<&Failure> = closed.iter().take(LISTED).collect();
    while let Some(first) = left.first().copied() {
        let (same, others): (Vec<&Failure>, Vec<&Failure>) =
            left.iter().partition(|one| one.has_hints_of(first));
        for one in same {
            failure = failure.say(one.what().clone());
        }
        failure = failure.indented(first);
        left = others;
    }
    if more > 0 {
        failure = failure.say(text!("and {} more that could not be opened", more));
    }
    failure
}

/// What a file tells of a key without a passphrase.
enum PublicHalf {
    Known(Fingerprint),
    Unknown,
}

/// The key that a file holds, where that can be told without a passphrase.
pub fn fingerprint(path: &Path) -> Option<Fingerprint> {
    match public_half(path).ok()? {
        PublicHalf::Known(fingerprint) => Some(fingerprint),
        PublicHalf::Unknown => None,
    }
}

/// The public half of a plain key, or that of the request beside an encrypted one.
fn public_half(path: &Path) -> Result<PublicHalf, Failure> {
    let source = Stream::from(path);
    let contents = file::read(&source, DEFAULT_LIMIT)?;
    let failed = |error| Failure::in_file(&source, &error);
    let encoded = found_in(&source, &contents)?.0;
    if encoded.is_encrypted() {
        let mut beside = requests::beside(path).into_iter();
        let request = beside.find_map(|path| requests::read(&path));
        return Ok(request.map_or(PublicHalf::Unknown, |request| {
            PublicHalf::Known(request.public_key().fingerprint())
        }));
    }
    let opened = encoded.open(None).map_err(failed)?;
    Ok(PublicHalf::Known(opened.public_key().fingerprint()))
}

/// The `.key` files of a folder, by name.
pub fn key_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = file::files_in(folder)?;
    paths.retain(|path| is_called_key(path));
    Ok(paths)
}

fn is_called_key(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "key")
}

/// Where those of the keys are that are symbolic links: what was made with them lies there.
pub fn folders_of_links(named: Option<&Stream>, folders: &[PathBuf]) -> Vec<PathBuf> {
    let keys = match named.and_then(Stream::path).filter(|key| !key.is_dir()) {
        Some(key) => vec![key.to_owned()],
        None => {
            let keys = folders.iter().map(|folder| key_files(folder));
            keys.flat_map(Result::unwrap_or_default).collect()
        }
    };
    keys.iter().filter_map(|key| folder_of_link(key)).collect()
}

/// The folder of the key that a symbolic link leads to.
pub fn folder_of_link(key: &Path) -> Option<PathBuf> {
    let real = key.canonicalize().ok().filter(|_| key.is_symlink())?;
    Some(folder_of(&real).to_owned())
}

/// What [`KeyFiles`] reads, and the folders that the keys are in.
pub fn reach(
    mut reach: Reach,
    named: Option<&Stream>,
    replies: &[Stream],
) -> (Reach, Vec<PathBuf>) {
    let folders = match named {
        Some(Stream::File(key)) if key.is_dir() => vec![key.clone()],
        Some(key) => {
            let beside = key.path().map(requests::beside).unwrap_or_default();
            let beside: Vec<Stream> = beside.into_iter().map(Stream::from).collect();
            let folder = key.path().map_or(Path::new("."), folder_of).to_owned();
            return (reach.read([key]).read(&beside), vec![folder]);
        }
        None => {
            let beside = replies.iter().filter_map(Stream::path).map(folder_of);
            beside.chain([Path::new(".")]).map(Path::to_owned).collect()
        }
    };
    for folder in &folders {
        reach = reach.list(folder);
        for key in key_files(folder).unwrap_or_default() {
            let beside: Vec<Stream> = requests::beside(&key)
                .into_iter()
                .map(Stream::from)
                .collect();
            reach = reach.read(&beside).read([&key.into()]);
        }
    }
    (reach, folders)
}
