//! Writes that appear whole under a new name or not at all, and replacements in one step.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube_enroll::secret::Secret;
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::hex;
use rustix::fs::{AtFlags, CWD, FlockOperation, OFlags, RenameFlags, flock, renameat_with};
use rustix::io::retry_on_intr;

use super::super::console::{self, Console};
use super::super::failure::{self, Failure};
use super::super::from::file::{self, Stream};
use super::super::os::privacy;
use super::super::os::signals::Held;

/// Makes the folder that output was asked to go to with those above it, if it is not there, under names as
/// lasting as what will be in it. This is before the process is confined to it: nothing could remove it
/// afterwards without a right to what is beside it, so that an empty one stays where a command fails.
pub fn make_folder(path: &Path, access: Access) -> Result<(), Failure> {
    if path == Path::new("-") {
        let what = "- is standard output, and several files need a folder";
        return Err(Failure::could_not_run(what).say("for a folder of that name: ./-"));
    }
    let missing = path.ancestors().take_while(|folder| !is_there(folder));
    // The innermost first.
    let missing: Vec<&Path> = missing.collect();
    let mode = match access {
        Access::Owner => 0o700,
        Access::Everyone => 0o777,
    };
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .and_then(|()| {
            missing
                .iter()
                .try_for_each(|folder| sync_folder(folder_of(folder)))
        });
    made.map_err(|error| {
        for folder in missing {
            let _ = fs::remove_dir(folder);
        }
        Failure::io("create the folder", path, &error)
    })
}

/// Files written together: unless they are kept, dropping removes what was created. From the first one on,
/// signals that would leave some of them behind are held back.
pub struct NewFiles<'a> {
    console: &'a Console,
    files: Vec<PathBuf>,
    /// The innermost first.
    folders: Vec<PathBuf>,
    /// Whether it was said what the file system cannot promise.
    has_warned: bool,
    /// The last field: it goes when everything is removed.
    held: Option<Held>,
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The owner alone, whatever the umask says.
    Owner,
    /// Whoever the umask lets.
    Everyone,
}

impl<'a> NewFiles<'a> {
    pub fn new(console: &'a Console) -> Self {
        Self {
            console,
            files: Vec::new(),
            folders: Vec::new(),
            has_warned: false,
            held: None,
        }
    }

    /// Creates a new folder that only the owner can look into.
    pub fn create_private_folder(&mut self, path: &Path) -> Result<(), Failure> {
        self.go_on()?;
        let created = fs::DirBuilder::new().mode(0o700).create(path);
        created.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(path),
            _ => Failure::io("create the folder", path, &error),
        })?;
        self.folders.push(path.to_owned());
        Ok(())
    }

    /// Creates `path` with `contents`, whole and synced, or not at all; its name is synced when
    /// everything is kept. An existing file is never replaced.
    pub fn create(&mut self, path: &Path, contents: &[u8], access: Access) -> Result<(), Failure> {
        self.go_on()?;
        refuse_existing(path)?;
        if access == Access::Owner {
            privacy::check_folder(folder_of(path), self.console)?;
        }
        self.write(path, contents, access)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => exists(path),
                _ => Failure::io("write", path, &error).say_if(
                    failure::is_own(&error, privacy::EXPOSED),
                    "keep what is secret in a folder of this machine, and take the files without \
                     a secret to the medium: .csr.yaml, .reply.yaml"
                        .into(),
                ),
            })
    }

    /// Holds signals back, and fails where one came.
    pub fn go_on(&mut self) -> Result<(), Failure> {
        if self.held.get_or_insert_with(Held::new).is_ended() {
            return Err(Failure::interrupted());
        }
        Ok(())
    }

    fn write(&mut self, path: &Path, contents: &[u8], access: Access) -> io::Result<()> {
        let step = put_new(path, access, |file| {
            if access == Access::Owner {
                privacy::keep_to_owner(file)?;
            }
            fill(file, contents)
        })?;
        self.files.push(path.to_owned());
        if step == Step::Reserved && !self.has_warned {
            self.has_warned = true;
            self.console.note(text!(
                "{}: this file system cannot put a file under a name only if it is free (FAT, network folders): \
                 nothing that was there is overwritten, but a program that takes the same name in \
                 this very moment may be, and a crash may leave an empty file",
                folder_of(path)
            ));
        }
        Ok(())
    }

    /// Keeps everything that was created, under names as lasting as the contents.
    pub fn keep(mut self) -> Result<(), Failure> {
        self.go_on()?;
        self.sync()?;
        self.release();
        Ok(())
    }

    /// Lets signals through again: what was created so far is whole and may stay.
    pub fn let_signals_through(&mut self) {
        self.held = None;
    }

    /// Takes over what another one created, to be kept or not with the rest.
    pub fn absorb(&mut self, mut other: Self) {
        self.files.append(&mut other.files);
        self.folders.append(&mut other.folders);
        self.held = self.held.take().or_else(|| other.held.take());
    }

    /// Makes the names as lasting as the contents: what comes next may refer to them.
    pub fn sync(&self) -> Result<(), Failure> {
        let created = self.files.iter().chain(&self.folders);
        let changed: BTreeSet<_> = created.map(|path| folder_of(path)).collect();
        for folder in changed {
            sync_folder(folder).map_err(|error| Failure::io("write", folder, &error))?;
        }
        Ok(())
    }

    /// Leaves everything where it is.
    pub fn release(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for NewFiles<'_> {
    /// What cannot be removed now will be refused the next time, by name.
    fn drop(&mut self) {
        for path in &self.files {
            let _ = fs::remove_file(path);
        }
        for path in &self.folders {
            let _ = fs::remove_dir(path);
        }
    }
}

/// One's turn to read files in a folder and replace them, until it is dropped.
pub struct Turn(#[expect(dead_code, reason = "it is held")] Option<File>);

impl Turn {
    /// Waits for other runs of this program in the folder. A file system without locks has no turns.
    pub fn wait(folder: &Path) -> Self {
        let folder = File::open(folder).ok();
        let lock =
            |folder: &File| retry_on_intr(|| flock(folder, FlockOperation::LockExclusive)).is_ok();
        Self(folder.filter(lock))
    }
}

/// Waits for kubectl, which holds `path.lock` while it changes the file (clientcmd `lockFile`).
pub fn wait_for_kubectl(path: &Path) -> Result<(), Failure> {
    const PAUSE: Duration = Duration::from_millis(50);
    const PAUSES: usize = 60;
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let other = PathBuf::from(name);
    for _ in 0..PAUSES {
        if refuse_existing(&other).is_ok() {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    Err(Failure::could_not_run(text!(
        "{} is being changed by another program: {} is there",
        path,
        other
    ))
    .say("wait for it; if no kubectl is running, the file is left over:")
    .run(Command::new("rm").operand(&other)))
}

/// Writes what is no secret to a new file, or to standard output.
pub fn put(out: &Stream, text: &str, console: &Console) -> Result<(), Failure> {
    match out {
        Stream::Stdio => console.data(text),
        // The same command twice.
        Stream::File(path) if holds(path, text) => Ok(()),
        Stream::File(path) => {
            privacy::warn_of_folder(folder_of(path), console);
            let mut files = NewFiles::new(console);
            files.create(path, text.as_bytes(), Access::Everyone)?;
            files.keep()
        }
    }
}

/// Whether a file is there that says this.
pub fn holds(path: &Path, text: impl AsRef<[u8]>) -> bool {
    path.is_file() && fs::read(path).is_ok_and(|there| there == text.as_ref())
}

/// Writes a secret to standard output, past all buffers, but never to a terminal.
pub fn put_secret(text: &Secret<String>) -> Result<(), Failure> {
    refuse_terminal()?;
    console::require_stdout()?;
    let mut rest = text.expose().as_bytes();
    while !rest.is_empty() {
        let written = retry_on_intr(|| rustix::io::write(rustix::stdio::stdout(), rest));
        let written =
            written.map_err(|error| Failure::io("write to", "standard output", &error.into()))?;
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// Fails where standard output is a terminal, to be told before anybody is asked for a passphrase.
pub fn refuse_terminal() -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        let failure = Failure::could_not_run("a private key is not written to a terminal");
        return Err(failure.say("send it to a program or a file that only you can read"));
    }
    Ok(())
}

/// Replaces `path` in one step with `contents` and keeps its owner and mode.
pub fn replace(path: &Path, contents: &[u8], console: &Console) -> Result<(), Failure> {
    replace_as(path, contents, privacy::keep_as, console)
}

/// The same for a key, which is its owner's alone from now on.
pub fn replace_private(path: &Path, contents: &[u8], console: &Console) -> Result<(), Failure> {
    replace_as(path, contents, privacy::keep_owner_as, console)
}

/// Removes what a run that was ended between two steps of a replacement has left over beside these files:
/// it may hold a key.
pub fn clear_left_over(folder: &Path, replaced: &[&Path], console: &Console) {
    // Other runs take moments.
    const OLD: Duration = Duration::from_mins(1);
    let names = replaced.iter().filter_map(|path| path.file_name());
    let names: HashSet<&str> = names.filter_map(OsStr::to_str).collect();
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str);
        let parts = name.and_then(|name| name.strip_prefix('.')?.rsplit_once('.'));
        let is_suffix = |suffix: &str| {
            let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            suffix.len() == SUFFIX_DIGITS && suffix.bytes().all(is_digit)
        };
        parts.is_some_and(|(name, suffix)| names.contains(name) && is_suffix(suffix))
    };
    let is_old = |path: &PathBuf| {
        let there = fs::symlink_metadata(path)
            .ok()
            .filter(fs::Metadata::is_file);
        let age = there.and_then(|it| it.modified().ok()?.elapsed().ok());
        age.is_some_and(|age| age > OLD)
    };
    // What cannot be removed is no reason to stop.
    let there = file::in_folder(folder).unwrap_or_default();
    for path in there.iter().filter(|path| is_ours(path) && is_old(path)) {
        if fs::remove_file(path).is_ok() {
            console.note(text!(
                "{} was left over by a run that was ended, and is removed",
                path
            ));
        }
    }
}

fn replace_as(
    path: &Path,
    contents: &[u8],
    keep: fn(&File, &fs::Metadata) -> io::Result<()>,
    console: &Console,
) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::io("write", path, &error);
    refuse_no_file(path)?;
    let existing = fs::symlink_metadata(path).map_err(failed)?;
    if existing.is_symlink() {
        return Err(symbolic_link(path));
    }
    privacy::check_folder(folder_of(path), console)?;
    let _held = Held::new();
    let replace = || -> io::Result<()> {
        let temporary = Temporary::beside(path, |file| {
            keep(file, &existing)?;
            fill(file, contents)
        })?;
        temporary.move_over(path)?;
        sync_folder(folder_of(path))
    };
    replace().map_err(failed)
}

/// Fails where there is a device, a pipe, a socket or a folder, or a link to one: what is put in its
/// place would be the end of it.
pub fn refuse_no_file(path: &Path) -> Result<(), Failure> {
    let there = fs::metadata(path).ok();
    match there.and_then(|there| file::no_file(there.file_type())) {
        Some(what) => Err(Failure::could_not_run(text!(
            "{} is {}, and is not replaced by a file",
            path,
            what
        ))
        .say("name a file")),
        None => Ok(()),
    }
}

/// Putting a file in place of a link would leave what it pointed to as it was.
pub fn symbolic_link(path: &Path) -> Failure {
    let failure = Failure::could_not_run(text!("{} is a symbolic link", path));
    match fs::canonicalize(path) {
        Ok(real) => failure.say(text!("name the file itself: {}", real)),
        Err(_) => failure,
    }
}

fn is_there(path: &Path) -> bool {
    path == Path::new("") || path.exists()
}

/// Fails where nothing can be written into a folder, or into the one that it would be made in.
pub fn refuse_unwritable(folder: &Path) -> Result<(), Failure> {
    use rustix::fs::{Access, access};
    let there = folder.ancestors().find(|path| is_there(path));
    let there = there.filter(|path| *path != Path::new(""));
    access(there.unwrap_or(Path::new(".")), Access::WRITE_OK)
        .map_err(|error| Failure::io("write into", folder, &error.into()))
}

/// Fails where there is anything under this name, be it a dangling link.
pub fn refuse_existing(path: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(exists(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::io("write", path, &error)),
    }
}

fn exists(path: &Path) -> Failure {
    let link = if path.is_symlink() && !path.exists() {
        ", a link to a file that is not there"
    } else {
        ""
    };
    Failure::could_not_run(text!("refusing to overwrite {}{}", path, link))
        .say("move it away, or write to another name or folder")
}

/// Makes a file of what `fill` writes, under a name that must be free.
fn put_new(
    path: &Path,
    access: Access,
    fill: impl Fn(&mut File) -> io::Result<()>,
) -> io::Result<Step> {
    if let Some(mut file) = nameless(folder_of(path), access) {
        fill(&mut file)?;
        match give_name(&file, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
            given => return given.map(|()| Step::Whole),
        }
    }
    let mut temporary = Temporary::create(path, access)?;
    fill(&mut temporary.file)?;
    temporary.move_to_new(path)
}

fn fill(file: &mut File, contents: &[u8]) -> io::Result<()> {
    file.write_all(contents)?;
    file.sync_all()
}

const fn mode(access: Access) -> u32 {
    match access {
        Access::Owner => 0o600,
        Access::Everyone => 0o666,
    }
}

/// A file that nobody finds, and that is gone with this process unless it gets a name; nothing where
/// there are none (FAT, network folders, other systems). The other way tells then what is wrong.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path, access: Access) -> Option<File> {
    let flags = OFlags::TMPFILE.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(flags).mode(mode(access));
    options.open(folder).ok()
}

#[cfg(not(target_os = "linux"))]
fn nameless(_: &Path, _: Access) -> Option<File> {
    None
}

/// Gives it its first name, if that is free, as open(2) tells for `O_TMPFILE`.
fn give_name(file: &File, path: &Path) -> io::Result<()> {
    let own = format!("/proc/self/fd/{}", file.as_raw_fd());
    let link = || rustix::fs::linkat(CWD, &own, CWD, path, AtFlags::SYMLINK_FOLLOW);
    Ok(retry_on_intr(link)?)
}

/// A file under a name that nobody asked for, removed unless it is moved to its own.
struct Temporary {
    path: PathBuf,
    file: File,
    moved: bool,
}

impl Temporary {
    /// Creates it beside `target`, where no other file system can be between the two.
    fn create(target: &Path, access: Access) -> io::Result<Self> {
        let path = Self::name(target)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode(access))
            .open(&path)?;
        Ok(Self {
            path,
            file,
            moved: false,
        })
    }

    /// A file of the owner's with what `fill` writes, which has its name only then where that can be.
    fn beside(target: &Path, fill: impl Fn(&mut File) -> io::Result<()>) -> io::Result<Self> {
        if let Some(mut file) = nameless(folder_of(target), Access::Owner) {
            fill(&mut file)?;
            let path = Self::name(target)?;
            if give_name(&file, &path).is_ok() {
                return Ok(Self {
                    path,
                    file,
                    moved: false,
                });
            }
        }
        let mut temporary = Self::create(target, Access::Owner)?;
        fill(&mut temporary.file)?;
        Ok(temporary)
    }

    fn name(target: &Path) -> io::Result<PathBuf> {
        let suffix = random_suffix()?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        Ok(folder_of(target).join(format!(".{name}.{suffix}")))
    }

    /// Moves to a name that must be free. File systems that cannot do it in one step are asked for a
    /// second name instead; those that have no second names, to replace an empty file of our own.
    fn move_to_new(mut self, target: &Path) -> io::Result<Step> {
        use rustix::io::Errno;
        let rename = || renameat_with(CWD, &self.path, CWD, target, RenameFlags::NOREPLACE);
        match retry_on_intr(rename) {
            Ok(()) => {
                self.moved = true;
                return Ok(Step::Whole);
            }
            Err(Errno::INVAL | Errno::NOSYS) => {}
            Err(error) => return Err(error.into()),
        }
        match retry_on_intr(|| rustix::fs::link(&self.path, target)) {
            Ok(()) => return Ok(Step::Whole),
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
        let reserve = || {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(target)
        };
        drop(reserve()?);
        let moved = self.move_over(target);
        if moved.is_err() {
            let _ = fs::remove_file(target);
        }
        moved.map(|()| Step::Reserved)
    }

    fn move_over(mut self, target: &Path) -> io::Result<()> {
        retry_on_intr(|| rustix::fs::rename(&self.path, target))?;
        self.moved = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.moved {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// How a file came to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// In one step, which fails where the name is taken.
    Whole,
    /// Over an empty file that held the name.
    Reserved,
}

/// The digits of [`random_suffix`].
const SUFFIX_DIGITS: usize = 16;

/// Sixteen hexadecimal digits that nobody can guess.
pub fn random_suffix() -> io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|_| failure::io_error("the random number generator of the system failed"))?;
    Ok(hex(&random))
}

/// Makes the names in a folder as lasting as what they stand for, where the file system can be told to.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
