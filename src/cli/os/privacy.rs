//! Who else can read a secret, or put another in its place.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::Text;
use rustix::process::{getegid, geteuid};

use super::super::console::Console;
use super::super::failure::{self, Failure};

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// Only its owner renames or removes a file in such a folder.
const STICKY: u32 = 0o1000;

/// As ssh does with its keys: not even the group. A pipe has no readers but this one.
fn is_exposed(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.mode() & 0o077 != 0
}

/// Whether only its owner can read a file that is there.
pub fn is_private(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !is_exposed(&metadata))
}

/// Warns about a key that others can read.
pub fn warn_exposed(path: &Path, console: &Console) {
    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    if is_exposed(&metadata) {
        console.warn(text!("{}; run: {}", others_can_read(path), tighten(path)));
    }
    if is_of_another(&metadata) {
        console.warn(text!(
            "{} belongs to another user, number {}, who can read and replace it",
            path,
            metadata.uid()
        ));
    }
}

/// Refuses a secret that others can read.
pub fn refuse_exposed(file: &File, path: &Path) -> Result<(), Failure> {
    let metadata = file.metadata();
    let metadata = metadata.map_err(|error| Failure::io("read", path, &error))?;
    if is_of_another(&metadata) {
        let what = text!(
            "{} belongs to another user, number {}, who can read it",
            path,
            metadata.uid()
        );
        return Err(Failure::could_not_run(what).say("give a file of your own"));
    }
    if is_exposed(&metadata) {
        return Err(Failure::could_not_run(others_can_read(path)).run(tighten(path)));
    }
    Ok(())
}

/// Whether its owner is neither who runs this nor root. A pipe is whoever's.
fn is_of_another(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.uid() != 0 && metadata.uid() != geteuid().as_raw()
}

fn others_can_read(path: &Path) -> Text {
    text!("others can read {}", path)
}

fn tighten(path: &Path) -> Command {
    chmod("600", path)
}

fn chmod(mode: &'static str, path: &Path) -> Command {
    Command::new("chmod").operand(mode).operand(path)
}

/// Refuses a folder where everyone could put another file in place of a secret, and warns where a
/// group or another user could: in the folder itself, or by exchanging one of those above it.
pub fn check_folder(folder: &Path, console: &Console) -> Result<(), Failure> {
    let own = fs::metadata(folder).map_err(|error| Failure::io("write to", folder, &error))?;
    check_writers(folder, &own, console)?;
    for passed in folders_to(folder) {
        // What cannot be looked at cannot be passed either, and we are there already.
        let Ok(metadata) = fs::metadata(&passed) else {
            continue;
        };
        if (metadata.dev(), metadata.ino()) != (own.dev(), own.ino()) {
            check_writers(&passed, &metadata, console)?;
        }
    }
    Ok(())
}

/// Who else may exchange what is in a folder: its owner, and who may write there unless only owners
/// rename and remove.
fn check_writers(folder: &Path, metadata: &Metadata, console: &Console) -> Result<(), Failure> {
    let owner = metadata.uid();
    if owner != 0 && owner != geteuid().as_raw() {
        console.warn(text!(
            "{} belongs to another user, number {}, who can replace files in it",
            folder,
            owner
        ));
    }
    if metadata.mode() & STICKY != 0 {
        return Ok(());
    }
    if metadata.mode() & OTHERS_WRITE != 0 {
        let what = text!("everyone can replace files in {}", folder);
        return Err(Failure::could_not_run(what)
            .say("choose another folder, or:")
            .run(chmod("go-w", folder)));
    }
    if metadata.mode() & GROUP_WRITES != 0 && !is_private_group(metadata) {
        let command = chmod("g-w", folder);
        console.warn(text!(
            "a group can replace files in {}; run: {}",
            folder,
            command
        ));
    }
    Ok(())
}

/// Every folder on the way to this one, and it itself: those where symbolic links stand, and those
/// that they lead through (`path_resolution(7)`).
fn folders_to(folder: &Path) -> BTreeSet<PathBuf> {
    const MOST_LINKS: usize = 40;
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let in_order = |path: &Path| -> Vec<PathBuf> {
        let parts = path.components().rev();
        parts.map(|part| PathBuf::from(part.as_os_str())).collect()
    };
    let mut ahead = in_order(&whole);
    let mut here = PathBuf::from("/");
    let mut passed = BTreeSet::from([here.clone()]);
    let mut links = 0;
    while let Some(part) = ahead.pop() {
        if part == Path::new("..") {
            here.pop();
            continue;
        }
        // The root takes the place of all before it.
        let next = here.join(part);
        match fs::read_link(&next) {
            Ok(target) if links < MOST_LINKS => {
                links += 1;
                ahead.extend(in_order(&target));
            }
            _ => {
                passed.insert(next.clone());
                here = next;
            }
        }
    }
    passed
}

/// A group that has the number of its user is that user's alone, by the convention of
/// `pam_umask(8)` `usergroups`.
fn is_private_group(metadata: &Metadata) -> bool {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    user == group && metadata.gid() == group
}

/// Mode 0600, whatever the umask says. FAT has no modes: what nobody else can read there all the same
/// will do.
pub fn keep_to_owner(file: &File) -> io::Result<()> {
    let changed = file.set_permissions(Permissions::from_mode(0o600));
    match changed {
        Err(error) if !has_no_modes(&error) => return Err(error),
        _ => {}
    }
    if is_exposed(&file.metadata()?) {
        return Err(failure::io_error(EXPOSED));
    }
    Ok(())
}

/// Why a secret is not written to some media.
pub const EXPOSED: &str = "this file system lets others read every file";

/// How file systems refuse a mode that they do not have.
fn has_no_modes(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
    )
}

/// The owner, group and mode of the file that is going to be replaced.
pub fn keep_as(file: &File, existing: &Metadata) -> io::Result<()> {
    keep_owner(file, existing)?;
    if file.metadata()?.mode() == existing.mode() {
        return Ok(());
    }
    file.set_permissions(existing.permissions())
}

/// The owner of the file that is going to be replaced, and nobody else.
pub fn keep_owner_as(file: &File, existing: &Metadata) -> io::Result<()> {
    keep_owner(file, existing)?;
    keep_to_owner(file)
}

fn keep_owner(file: &File, existing: &Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (existing.uid(), existing.gid()) {
        fchown(file, Some(existing.uid()), Some(existing.gid()))?;
    }
    Ok(())
}
