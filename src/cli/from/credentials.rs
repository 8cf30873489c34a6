//! The certificates and keys that kubeconfigs name.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use kube_enroll::inspect::{Object, named_files};
use kube_enroll::parallel;
use kube_enroll::text;
use kube_enroll::text::Text;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::file::{self, DEFAULT_LIMIT, Stream};

/// No certificate or key is larger, in bytes.
const LIMIT: u64 = 1 << 16;
/// Files that are read for one kubeconfig.
const FILES: usize = 512;

/// What these files name as certificates and keys, where they are kubeconfigs.
#[cfg(target_os = "linux")]
pub fn named_by(files: &[PathBuf]) -> Vec<PathBuf> {
    let named = parallel::map(files, |path| {
        if !path.is_file() {
            return Vec::new();
        }
        let contents = file::read(&Stream::from(path.as_path()), DEFAULT_LIMIT);
        let mut named = contents.map_or_else(
            |_| Vec::new(),
            |contents| named_files(&contents, folder(path)),
        );
        named.truncate(FILES);
        named
    });
    named.concat()
}

/// Looks at the certificates and keys that the kubeconfigs in a file name.
pub fn look_up(objects: &mut [Object], source: &Stream, now: OffsetDateTime) {
    let named = NamedFiles::of(source);
    // What names files through a pipe was not there when it was decided what may be read.
    let Some(path) = source.path().filter(|_| named.are_in_reach) else {
        return;
    };
    for object in objects {
        object.look_up(folder(path), &|path| named.read(path), now);
    }
}

/// The files that one other file names, of which a number is read.
pub struct NamedFiles {
    are_in_reach: bool,
    left: Cell<usize>,
}

impl NamedFiles {
    pub fn of(source: &Stream) -> Self {
        Self {
            are_in_reach: source.path().is_some_and(is_file),
            left: Cell::new(FILES),
        }
    }

    /// Reads one: never a pipe or device, which may wait or have no end.
    pub fn read(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, Text> {
        if !self.are_in_reach {
            return Err(text!("{} is not read: it is named through a pipe", path));
        }
        let Some(left) = self.left.get().checked_sub(1) else {
            return Err("it names more files than are read here".into());
        };
        self.left.set(left);
        if !is_file(path) {
            return Err(text!("{} is not a file", path));
        }
        file::read(&Stream::from(path), LIMIT).map_err(|failure| failure.what().clone())
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Where there is none, or nobody can tell, that is told when it is read.
fn is_file(path: &Path) -> bool {
    path.metadata().map_or(true, |found| found.is_file())
}
