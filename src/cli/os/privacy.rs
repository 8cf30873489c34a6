//! Who else can read a secret, or put another in its place.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::Text;
use rustix::process::{getegid, geteuid};

use super::super::console::{Console, warn_of};
use super::super::failure::{self, Failure};
use super::super::from::file;
use super::super::to::files::folder_of;

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// Only its owner renames or removes a file in such a folder.
const STICKY: u32 = 0o1000;

/// As ssh does with its keys: not even the group.
fn is_exposed(metadata: &Metadata) -> bool {
    has_owner(metadata) && metadata.mode() & 0o077 != 0
}

/// Whether an owner and a mode say who can read it or write to it.
fn has_owner(metadata: &Metadata) -> bool {
    metadata.is_file() || metadata.file_type().is_fifo()
}

/// Whether it is a pipe without a name, which has no readers but this one, and nobody else can write to it.
fn is_nameless_pipe(path: &Path, metadata: &Metadata) -> bool {
    // Linux has for such a pipe a link that leads to no name, other systems a name in here.
    let is_named = |path: PathBuf| !path.starts_with("/dev/fd");
    metadata.file_type().is_fifo() && !path.canonicalize().is_ok_and(is_named)
}

/// Whether only its owner can read a file that is there.
pub fn is_private(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !is_exposed(&metadata))
}

/// Warns about a key that others can read or exchange.
pub fn warn_exposed(path: &Path, console: &Console) {
    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    if is_nameless_pipe(path, &metadata) {
        return;
    }
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
    if has_owner(&metadata) {
        for danger in dangers(folder_of(path), path) {
            console.warn(danger.warning());
        }
    }
}

/// Refuses a secret that others can read, or that everyone can exchange; warns where somebody can.
pub fn refuse_exposed(file: &File, path: &Path) -> Result<(), Failure> {
    let metadata = file.metadata();
    let metadata = metadata.map_err(|error| Failure::io("read", path, &error))?;
    if is_nameless_pipe(path, &metadata) {
        return Ok(());
    }
    if is_of_another(&metadata) {
        let what = of_another(path, &metadata);
        return Err(Failure::could_not_run(what).say("give a file of your own"));
    }
    if is_exposed(&metadata) {
        return Err(Failure::could_not_run(others_can_read(path)).run(tighten(path)));
    }
    if has_owner(&metadata) {
        judge(dangers(folder_of(path), path), &|warning| warn_of(&warning))?;
    }
    Ok(())
}

/// Refuses a key that is there and is not a file of one's own alone.
pub fn refuse_not_own(path: &Path) -> Result<(), Failure> {
    let metadata = fs::metadata(path).map_err(|error| Failure::io("read", path, &error))?;
    if let Some(what) = file::no_file(metadata.file_type()) {
        return Err(Failure::could_not_run(text!("{} is {}", path, what)).say("move it away"));
    }
    if is_of_another(&metadata) {
        return Err(
            Failure::could_not_run(of_another(path, &metadata)).say("move it away for a new key")
        );
    }
    if is_exposed(&metadata) {
        return Err(Failure::could_not_run(others_can_read(path))
            .say("move it away for a new key; or, if nobody has read it:")
            .run(tighten(path)));
    }
    Ok(())
}

fn of_another(path: &Path, metadata: &Metadata) -> Text {
    text!(
        "{} belongs to another user, number {}, who can read it",
        path,
        metadata.uid()
    )
}

/// Whether its owner is neither who runs this nor root.
fn is_of_another(metadata: &Metadata) -> bool {
    has_owner(metadata) && is_other(metadata.uid())
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
    fs::metadata(folder).map_err(|error| Failure::io("write to", folder, &error))?;
    judge(dangers(folder, folder), &|warning| console.warn(warning))
}

/// Warns of a folder where somebody could put another file in place of one that is no secret and is gone
/// by all the same.
pub fn warn_of_folder(folder: &Path, console: &Console) {
    for danger in dangers(folder, folder) {
        console.warn(danger.warning());
    }
}

/// What somebody else could do to what a path leads to.
struct Danger {
    what: Text,
    /// What ends it.
    step: Option<Command>,
    /// Whether everyone could, or somebody who waits for nothing else.
    is_refused: bool,
}

impl Danger {
    fn warning(self) -> Text {
        match self.step {
            Some(step) => text!("{}; run: {}", self.what, step),
            None => self.what,
        }
    }
}

/// Fails with what is refused, and warns of the rest.
fn judge(dangers: Vec<Danger>, warn: &dyn Fn(Text)) -> Result<(), Failure> {
    for danger in dangers {
        if danger.is_refused {
            let failure = Failure::could_not_run(danger.what);
            return Err(match danger.step {
                Some(step) => failure.say("choose another folder, or:").run(step),
                None => failure.say("name what it leads to, if that is what you mean"),
            });
        }
        warn(danger.warning());
    }
    Ok(())
}

/// What others could do on the way to `path`, which is `folder` or in it: in every folder that is passed,
/// and with every link. `folder` is told as it was typed, and once.
fn dangers(folder: &Path, path: &Path) -> Vec<Danger> {
    let mut all = Vec::new();
    let own = fs::metadata(folder).ok();
    let own = own.inspect(|own| tell_writers(folder, own, &mut all));
    let own = own.map(|own| (own.dev(), own.ino()));
    let way = Way::to(path);
    for passed in way.folders {
        // What cannot be looked at cannot be passed either, and we are there already.
        let metadata = fs::metadata(&passed).ok();
        let metadata = metadata.filter(Metadata::is_dir);
        if let Some(metadata) = metadata.filter(|it| Some((it.dev(), it.ino())) != own) {
            tell_writers(&passed, &metadata, &mut all);
        }
    }
    for link in way.links {
        let shared = |folder: Metadata| folder.mode() & (GROUP_WRITES | OTHERS_WRITE) != 0;
        let is_shared = fs::metadata(folder_of(&link)).is_ok_and(shared);
        let owner = fs::symlink_metadata(&link).map_or(0, |link| link.uid());
        if is_shared && is_other(owner) {
            all.push(Danger {
                what: text!(
                    "{} is a symbolic link of another user, number {}, who can have it lead elsewhere",
                    &*link,
                    owner
                ),
                step: None,
                is_refused: true,
            });
        }
    }
    all
}

/// Whether this is neither who runs this nor root.
fn is_other(user: u32) -> bool {
    user != 0 && user != geteuid().as_raw()
}

/// Who else may exchange what is in a folder: its owner, and who may write there unless only owners
/// rename and remove.
fn tell_writers(folder: &Path, metadata: &Metadata, all: &mut Vec<Danger>) {
    let owner = metadata.uid();
    if is_other(owner) {
        all.push(Danger {
            what: text!(
                "{} belongs to another user, number {}, who can replace files in it",
                folder,
                owner
            ),
            step: None,
            is_refused: false,
        });
    }
    if metadata.mode() & STICKY != 0 {
        return;
    }
    if metadata.mode() & OTHERS_WRITE != 0 {
        all.push(Danger {
            what: text!("everyone can replace files in {}", folder),
            step: Some(chmod("go-w", folder)),
            is_refused: true,
        });
    } else if metadata.mode() & GROUP_WRITES != 0 && !is_private_group(metadata) {
        all.push(Danger {
            what: text!("a group can replace files in {}", folder),
            step: Some(chmod("g-w", folder)),
            is_refused: false,
        });
    }
}

/// What is passed on the way to a path, and it itself (`path_resolution(7)`).
struct Way {
    /// Those where symbolic links stand, and those that they lead through.
    folders: BTreeSet<PathBuf>,
    links: Vec<PathBuf>,
}

impl Way {
    fn to(path: &Path) -> Self {
        const MOST_LINKS: usize = 40;
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let in_order = |path: &Path| -> Vec<PathBuf> {
            let parts = path.components().rev();
            parts.map(|part| PathBuf::from(part.as_os_str())).collect()
        };
        let mut ahead = in_order(&whole);
        let mut here = PathBuf::from("/");
        let mut way = Self {
            folders: BTreeSet::from([here.clone()]),
            links: Vec::new(),
        };
        while let Some(part) = ahead.pop() {
            if part == Path::new("..") {
                here.pop();
                continue;
            }
            // The root takes the place of all before it.
            let next = here.join(part);
            match fs::read_link(&next) {
                Ok(target) if way.links.len() < MOST_LINKS => {
                    ahead.extend(in_order(&target));
                    way.links.push(next);
                }
                _ => {
                    way.folders.insert(next.clone());
                    here = next;
                }
            }
        }
        way
    }
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
