//! Names that are free for what is made of a file.

use std::path::{Path, PathBuf};

/// Whether nothing is there under a name.
pub type IsFree<'a> = &'a dyn Fn(&Path) -> bool;

/// A name in the same folder for what is made of a file: the file's, and what it becomes. Two stores
/// of one stem do not share it.
#[must_use]
pub fn new_name(file: &Path, becomes: &str, is_free: IsFree<'_>) -> PathBuf {
    let is_plain = |extension: &std::ffi::OsStr| extension == "key" || extension == "pem";
    let name = if file.extension().is_none_or(is_plain) {
        file.file_stem()
    } else {
        file.file_name()
    };
    let name = name.unwrap_or_default().to_string_lossy().into_owned();
    let (what, ending) = becomes.rsplit_once('.').unwrap_or((becomes, ""));
    free(file, is_free, |number| {
        format!("{name}{what}{number}.{ending}")
    })
}

/// The first name that is free, with nothing or a number in it.
fn free(file: &Path, is_free: IsFree<'_>, name: impl Fn(String) -> String) -> PathBuf {
    let numbers = (2..).map(|number: u64| format!("-{number}"));
    let mut names = std::iter::once(String::new()).chain(numbers);
    let paths = |number| file.with_file_name(name(number));
    let mut paths = names.by_ref().map(paths);
    paths.find(|path| is_free(path)).unwrap_or_default()
}

/// `NAME-opened` in the same folder, with the extension that it has.
pub(super) fn opened(file: &Path, is_free: IsFree<'_>) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = file.extension().map(std::ffi::OsStr::to_string_lossy);
    let extension = extension.map_or(String::new(), |extension| format!(".{extension}"));
    free(file, is_free, |number| {
        format!("{stem}-opened{number}{extension}")
    })
}

/// A name that gunzip takes.
pub(super) fn gzipped(file: &Path, is_free: IsFree<'_>) -> PathBuf {
    if file.extension().is_some_and(|it| it == "gz" || it == "tgz") {
        return file.to_owned();
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    free(file, is_free, |number| format!("{name}{number}.gz"))
}
