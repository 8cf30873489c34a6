//! Requests that lie about: what was asked for, in `.csr` files and manifests.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use kube_enroll::carrier;
use kube_enroll::csr::CertificationRequest;
use kube_enroll::inspect::signing_requests;
use kube_enroll::key::{Fingerprint, PublicKey};
use kube_enroll::list;
use kube_enroll::looks::{Look, look};
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::parallel;
use kube_enroll::pem;
use kube_enroll::text;
use kube_enroll::text::Text;
use kube_enroll::yaml;
use time::OffsetDateTime;

use super::super::console::Console;
use super::credentials::NamedFiles;
use super::file::{self, DEFAULT_LIMIT, Stream};

/// What files with a request are named like.
const ENDINGS: [&str; 2] = [".csr", ".csr.yaml"];
/// What files with an object are named like.
const OBJECT_ENDINGS: [&str; 2] = [".csr.yaml", ".reply.yaml"];

/// A request, and where it was.
#[derive(Clone)]
pub struct FoundRequest {
    pub path: PathBuf,
    pub request: CertificationRequest,
    /// What was undone to read it, which is told where the request is of use.
    note: Option<Text>,
}

/// The requests of some folders by their keys. A folder is looked through once, however many
/// certificates are to be compared.
pub struct Requests<'a> {
    console: &'a Console,
    folders: RefCell<HashMap<PathBuf, ByKey>>,
}

type ByKey = HashMap<Fingerprint, Vec<FoundRequest>>;

impl<'a> Requests<'a> {
    pub fn new(console: &'a Console) -> Self {
        Self {
            console,
            folders: RefCell::default(),
        }
    }

    /// All requests of a key in these folders.
    pub fn of(&self, key: &PublicKey, folders: &BTreeSet<&Path>) -> Vec<FoundRequest> {
        let fingerprint = key.fingerprint();
        let mut known = self.folders.borrow_mut();
        let mut found = Vec::new();
        for folder in folders {
            if !known.contains_key(*folder) {
                known.insert(folder.to_path_buf(), self.look_through(folder));
            }
            let of_key = known.get(*folder).and_then(|it| it.get(&fingerprint));
            for request in of_key.into_iter().flatten() {
                if let Some(note) = &request.note {
                    self.console.note(text!("{}: {}", request.path, note));
                }
                found.push(request.clone());
            }
        }
        found
    }

    fn look_through(&self, folder: &Path) -> ByKey {
        let mut paths = file::in_folder(folder).unwrap_or_else(|failure| {
            self.console.warn(text!(
                "requests are not compared with those in {}: {}",
                folder,
                failure.what()
            ));
            Vec::new()
        });
        paths.retain(|path| has_ending(path, &ENDINGS) && path.exists());
        file::retain_files(&mut paths, &|passed| self.console.warn(passed));
        let read = parallel::map(&paths, |path| read_forgiving(path));
        let mut by_key = ByKey::new();
        for (path, read) in paths.into_iter().zip(read) {
            match read {
                Ok((requests, note)) => {
                    for request in requests {
                        let path = path.clone();
                        let of_key = by_key.entry(request.public_key().fingerprint());
                        let note = note.clone();
                        of_key.or_default().push(FoundRequest {
                            path,
                            request,
                            note,
                        });
                    }
                }
                Err(Some(look)) => self.console.warn(text!(
                    "{} was passed over: it is no request ({}); move it away if it is not needed",
                    path,
                    look
                )),
                Err(None) => {}
            }
        }
        by_key
    }
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What macOS writes beside files is hidden.
    !name.starts_with('.') && endings.iter().any(|ending| name.ends_with(ending))
}

/// The objects in manifests and replies of these folders and beside a key, each with its file.
pub fn objects(
    folders: &BTreeSet<PathBuf>,
    key: Option<&Path>,
) -> Vec<(PathBuf, CertificateSigningRequest)> {
    // Where none is at hand, that is said.
    let files = folders
        .iter()
        .flat_map(|folder| file::files_in(folder).unwrap_or_default());
    let files = files.chain(key.into_iter().flat_map(objects_beside));
    let files: Vec<PathBuf> = files
        .filter(|path| has_ending(path, &OBJECT_ENDINGS) && path.is_file())
        .collect();
    let read = parallel::map(&files, |path| {
        let contents = file::read(&Stream::from(path.as_path()), DEFAULT_LIMIT);
        contents.map_or_else(
            |_| Vec::new(),
            |contents| signing_requests(&yaml::documents(&contents)),
        )
    });
    let all = files.into_iter().zip(read);
    all.flat_map(|(path, objects)| objects.into_iter().map(move |it| (path.clone(), it)))
        .collect()
}

/// The keys of all certificates in these folders, in whatever files they are.
pub fn keys_of_certificates(folders: &BTreeSet<PathBuf>) -> HashSet<Fingerprint> {
    let all = folders
        .iter()
        .flat_map(|folder| file::files_in(folder).unwrap_or_default());
    let files: Vec<PathBuf> = all
        .filter(|path| path.extension() != Some("key".as_ref()))
        .collect();
    let now = OffsetDateTime::now_utc();
    let keys = parallel::map(&files, |path| {
        let source = Stream::from(path.as_path());
        let named = NamedFiles::of(&source);
        let folder = path.parent().unwrap_or(Path::new(""));
        let contents = file::read(&source, DEFAULT_LIMIT).ok();
        let listed = contents
            .and_then(|it| {
                list::contents(
                    &it,
                    list::Keys::Unopened,
                    folder,
                    &|path| named.read(path),
                    now,
                )
            })
            .unwrap_or_default();
        let certificates = listed.rows.into_iter().filter(|row| row.end.is_some());
        certificates.filter_map(|row| row.key).collect::<Vec<_>>()
    });
    keys.into_iter().flatten().collect()
}

/// Where the request that was made with a key is.
pub fn beside(key: &Path) -> Vec<PathBuf> {
    named_like(key, ENDINGS)
}

/// Where the manifest of that request is, and the reply to it.
pub fn objects_beside(key: &Path) -> Vec<PathBuf> {
    named_like(key, OBJECT_ENDINGS)
}

fn named_like(key: &Path, endings: [&str; 2]) -> Vec<PathBuf> {
    let stem = key.file_stem().unwrap_or_default();
    let named = endings.iter().map(|ending| {
        let mut name = stem.to_owned();
        name.push(ending);
        key.with_file_name(name)
    });
    named.collect()
}

/// The request in a file, as it is. Nobody waits for a pipe of that name.
pub fn read(path: &Path) -> Option<CertificationRequest> {
    if !path.is_file() {
        return None;
    }
    let contents = file::read(&Stream::from(path), DEFAULT_LIMIT).ok()?;
    find(&contents).into_iter().next()
}

/// Whom the first request in a file is for.
pub fn user_of(contents: &[u8]) -> Option<String> {
    let request = find(contents).into_iter().next()?;
    let identity = request.subject().identity_when_issued()?;
    Some(identity.username)
}

/// The requests in a file whatever the way did to it, with a note of that; what it is where there is
/// none in it, and nothing where it cannot be read.
fn read_forgiving(path: &Path) -> Result<(Vec<CertificationRequest>, Option<Text>), Option<Look>> {
    let contents = file::read(&Stream::from(path), DEFAULT_LIMIT).map_err(|_| None)?;
    let as_it_is = find(&contents);
    if !as_it_is.is_empty() {
        return Ok((as_it_is, None));
    }
    let undone = carrier::undo(&contents);
    match find(&undone.bytes) {
        none if none.is_empty() => Err(Some(look(&contents))),
        found => Ok((found, Some(undone.note()))),
    }
}

/// In PEM, in DER, or in manifests.
fn find(contents: &[u8]) -> Vec<CertificationRequest> {
    let in_block = |bytes: &[u8]| {
        let block = pem::first(bytes).map(|block| block.contents);
        let der = block.as_ref().map_or(bytes, |block| block);
        CertificationRequest::from_der(der).ok()
    };
    if let Some(request) = in_block(contents) {
        return vec![request];
    }
    let objects = signing_requests(&yaml::documents(contents));
    let requests = objects
        .iter()
        .filter_map(|object| object.request.as_deref());
    requests.filter_map(in_block).collect()
}
