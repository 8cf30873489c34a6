//! The files that a command may touch: each says so itself, from its arguments, before it runs.

use std::path::{Path, PathBuf};

use super::super::super::failure::Failure;
use super::super::super::from::file::{DEFAULT_LIMIT, Stream};
use super::super::super::to::Destination;
use super::super::super::to::files::{self, Access, folder_of};
use super::super::kernel_keyring::ALL_KEYS;

/// Standard input, where a kubeconfig is read from it.
pub(super) const STDIN: &str = "/dev/stdin";

/// What was named, and what follows from it.
#[derive(Debug, Default)]
pub struct Reach {
    /// Files to read.
    pub(super) read: Vec<PathBuf>,
    /// Folders to list, with all folders in them.
    pub(super) list: Vec<PathBuf>,
    /// Folders to make files and folders in. One that is missing is no reason to reach those above it.
    pub(super) create: Vec<PathBuf>,
    /// Folders that are made before anything is forbidden, where they are missing.
    make: Vec<(PathBuf, Access)>,
    /// The kubeconfigs that a cluster is taken from, and its context.
    pub(super) cluster: Option<(Vec<PathBuf>, Option<String>)>,
    /// Files that may be kubeconfigs, whose users may name certificates and keys.
    pub(super) credentials: Vec<PathBuf>,
    /// How many files it reads or makes, and how many bytes of each, where that is not the usual.
    work: Option<(usize, u64)>,
    /// Whether it uses the kernel's keyring.
    pub(super) keyring: bool,
    stdin: usize,
}

impl Reach {
    /// Reads these. A folder in place of a file can be opened, to be told that it is none, but not
    /// looked into.
    #[must_use]
    pub fn read<'a>(mut self, streams: impl IntoIterator<Item = &'a Stream>) -> Self {
        for stream in streams {
            match stream {
                Stream::Stdio => self.stdin += 1,
                Stream::File(path) if path.is_dir() => self.list.push(path.clone()),
                Stream::File(path) => self.read.push(path.clone()),
            }
        }
        self
    }

    /// Reads or makes so many files, of so many bytes each at most: the memory and time that it may take grow
    /// with them.
    #[must_use]
    pub fn with_work(mut self, files: usize, bytes: u64) -> Self {
        self.work = Some((files.max(1), bytes));
        self
    }

    /// Looks for keys in the kernel's keyring, or puts them there.
    #[must_use]
    pub fn keyring(mut self) -> Self {
        self.keyring = true;
        self
    }

    /// Forgets keys in every keyring that can be seen.
    #[must_use]
    pub fn all_keyrings(mut self) -> Self {
        self.read.push(ALL_KEYS.into());
        self.keyring()
    }

    /// Reads what is in these folders.
    #[must_use]
    pub fn read_in<'a>(mut self, folders: impl IntoIterator<Item = &'a Path>) -> Self {
        self.read.extend(folders.into_iter().map(Path::to_owned));
        self
    }

    /// Lists the names in a folder.
    #[must_use]
    pub fn list(mut self, folder: &Path) -> Self {
        self.list.push(folder.to_owned());
        self
    }

    /// Creates these files, and looks into those that are there.
    #[must_use]
    pub fn write<'a>(mut self, streams: impl IntoIterator<Item = &'a Stream>) -> Self {
        for path in streams.into_iter().filter_map(Stream::path) {
            if path.is_file() {
                self.read.push(path.to_owned());
            }
            self.create.push(folder_of(path).to_owned());
        }
        self
    }

    /// Creates files and folders in these.
    #[must_use]
    pub fn write_in<'a>(mut self, folders: impl IntoIterator<Item = &'a Path>) -> Self {
        self.create.extend(folders.into_iter().map(Path::to_owned));
        self
    }

    /// The same in folders that are made if they are not there, for whoever `access` says.
    #[must_use]
    pub fn make<'a>(mut self, folders: impl IntoIterator<Item = &'a Path>, access: Access) -> Self {
        for folder in folders {
            self.make.push((folder.to_owned(), access));
            self.create.push(folder.to_owned());
        }
        self
    }

    /// Makes the folders that are missing.
    pub fn make_folders(&self) -> Result<(), Failure> {
        let mut folders = self.make.iter();
        folders.try_for_each(|(folder, access)| files::make_folder(folder, *access))
    }

    /// Writes where the person said, and looks into what is there already.
    #[must_use]
    pub fn write_to(self, to: &Destination) -> Self {
        let folder = to.output_dir.as_deref();
        self.write([&to.out])
            .read_in(folder)
            .make(folder, Access::Everyone)
    }

    /// Reads this, and puts a new file in its place, perhaps more than once.
    #[must_use]
    pub fn replace<'a>(mut self, streams: impl IntoIterator<Item = &'a Stream>) -> Self {
        for stream in streams {
            match stream.path().map(folder_of) {
                Some(folder) => {
                    self.read.push(folder.to_owned());
                    self.create.push(folder.to_owned());
                }
                None => self.stdin += 1,
            }
        }
        self
    }

    /// Takes a cluster from these kubeconfigs, which may name the file of its authority.
    #[must_use]
    pub fn cluster(mut self, kubeconfigs: &[Stream], context: Option<&str>) -> Self {
        let paths = kubeconfigs.iter().map(|kubeconfig| match kubeconfig {
            // Nobody can tell which file it will name.
            Stream::Stdio => PathBuf::from(STDIN),
            Stream::File(path) => path.clone(),
        });
        self.cluster = Some((paths.collect(), context.map(str::to_owned)));
        self.stdin += kubeconfigs
            .iter()
            .filter(|kubeconfig| **kubeconfig == Stream::Stdio)
            .count();
        self
    }

    /// Reads the certificates and keys that these name, if they are kubeconfigs.
    #[must_use]
    pub fn credentials_of<'a>(mut self, files: impl IntoIterator<Item = &'a Path>) -> Self {
        self.credentials
            .extend(files.into_iter().map(Path::to_owned));
        self
    }

    /// The same without what it writes.
    pub(super) fn only_reading(&self) -> Self {
        Self {
            read: self.read.clone(),
            list: self.list.clone(),
            ..Self::default()
        }
    }

    /// How many files it reads or makes at most, and how many bytes of each: who does not say has some keys
    /// to make and some files to read.
    pub(super) fn work(&self) -> (usize, u64) {
        const USUAL: (usize, u64) = (64, DEFAULT_LIMIT);
        self.work.unwrap_or(USUAL)
    }

    /// Whether a thread looks for files that others name before the process is confined.
    pub(super) fn looks_first(&self) -> bool {
        self.cluster.is_some() || !self.credentials.is_empty()
    }

    /// How often standard input is read.
    pub fn stdin(&self) -> usize {
        self.stdin
    }
}
