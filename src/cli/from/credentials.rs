//! The certificates and keys that kubeconfigs name.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use kube_enroll::inspect::{Object, named_files};
use kube_enroll::parallel;
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
    // What names files through a pipe was not there when it was decided what may be read.
    let Some(path) = source.path().filter(|path| path.is_file()) else {
        return;
    };
    let left = Cell::new(FILES);
    let read = |path: &Path| -> Result<Zeroizing<Vec<u8>>, Text> {
        left.set(left.get().saturating_sub(1));
        if left.get() == 0 {
            return Err("it names more files than are read here".into());
        }
        read_named(path)
    };
    for object in objects {
        object.look_up(folder(path), &read, now);
    }
}

/// A file that another one names: never a pipe or device, which may wait or have no end.
fn read_named(path: &Path) -> Result<Zeroizing<Vec<u8>>, Text> {
    let source = Stream::from(path);
    if path.exists() && !path.is_file() {
        return Err(kube_enroll::text!("{} is not a file", path));
    }
    file::read(&source, LIMIT).map_err(|failure| failure.what().clone())
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
