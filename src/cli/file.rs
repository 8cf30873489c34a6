//! Bounded reads, and writes that appear whole under a new name or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use kube_enroll::text::hex;
use rustix::fs::{OFlags, RenameFlags};
use zeroize::Zeroizing;

use super::input::Input;
use super::message::Failure;

/// How much of a file is read unless the person raises it, in bytes.
pub const DEFAULT_LIMIT: u64 = 1 << 20;

/// Reads all of `input`, at most `limit` bytes. What is read may be a key, so it is wiped.
pub fn read(input: &Input, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match input {
        Input::Stdio => read_bounded(io::stdin().lock(), input, limit),
        Input::File(path) => {
            let file = open(path).map_err(|error| Failure::io("read", input, &error))?;
            read_bounded(file, input, limit)
        }
    }
}

/// Opens a file for reading without waiting for the other end of a named pipe.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        rustix::fs::fcntl_setfl(&file, OFlags::empty())?;
    }
    Ok(file)
}

fn read_bounded(
    mut source: impl Read,
    input: &Input,
    limit: u64,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    const STEP: usize = 1 << 13;
    let mut contents = Zeroizing::new(Vec::with_capacity(STEP));
    let mut step = Zeroizing::new([0; STEP]);
    loop {
        let count = match source.read(&mut step[..]) {
            Ok(0) => return Ok(contents),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::io("read", input, &error)),
        };
        append(&mut contents, step.get(..count).unwrap_or_default());
        if contents.len() as u64 > limit {
            return Err(Failure::could_not_run(format!(
                "{input} is larger than {limit} bytes"
            )));
        }
    }
}

/// Appends without leaving an unwiped copy behind when the buffer has to grow.
fn append(contents: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    if contents.capacity() - contents.len() < more.len() {
        let mut larger = Vec::with_capacity((contents.capacity() * 2).max(more.len()));
        larger.extend_from_slice(contents);
        *contents = Zeroizing::new(larger);
    }
    contents.extend_from_slice(more);
}

/// Files written together: unless they are kept, dropping removes what was created.
#[derive(Default)]
pub struct NewFiles {
    created: Vec<PathBuf>,
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The owner alone, whatever the umask says.
    Owner,
    /// Whoever the umask lets.
    Everyone,
}

impl NewFiles {
    /// Creates `path` with `contents`, whole and synced, or not at all. An existing file is never
    /// replaced.
    pub fn create(&mut self, path: &Path, contents: &[u8], access: Access) -> Result<(), Failure> {
        refuse_existing(path)?;
        let temporary = Temporary::write(path, contents, access)
            .map_err(|error| Failure::io("write", path.display(), &error))?;
        temporary
            .move_to_new(path)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => exists(path),
                _ => Failure::io("write", path.display(), &error),
            })?;
        self.created.push(path.to_owned());
        Ok(())
    }

    /// Keeps everything that was created.
    pub fn keep(mut self) {
        self.created.clear();
    }
}

impl Drop for NewFiles {
    fn drop(&mut self) {
        for path in &self.created {
            // What cannot be removed now will be refused the next time, by name.
            let _ = fs::remove_file(path);
        }
    }
}

/// Replaces `path` in one step with `contents` and keeps its mode.
pub fn replace(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let replace = || -> io::Result<()> {
        let permissions = fs::metadata(path)?.permissions();
        let temporary = Temporary::write(path, contents, Access::Owner)?;
        fs::set_permissions(&temporary.path, permissions)?;
        temporary.move_over(path)
    };
    replace().map_err(|error| Failure::io("write", path.display(), &error))
}

/// Fails where there is anything under this name, be it a dangling link.
pub fn refuse_existing(path: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(exists(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::io("write", path.display(), &error)),
    }
}

fn exists(path: &Path) -> Failure {
    Failure::could_not_run(format!("refusing to overwrite {}", path.display()))
        .next("move it away, or choose another folder with --output-dir")
}

/// A file under a name that nobody asked for, removed unless it is moved to its own.
struct Temporary {
    path: PathBuf,
    folder: PathBuf,
    moved: bool,
}

impl Temporary {
    fn write(target: &Path, contents: &[u8], access: Access) -> io::Result<Self> {
        let folder = match target.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let suffix = random_suffix()?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = folder.join(format!(".{name}.{suffix}"));
        let mode = match access {
            Access::Owner => 0o600,
            Access::Everyone => 0o666,
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)?;
        let temporary = Self {
            path,
            folder,
            moved: false,
        };
        if access == Access::Owner {
            file.set_permissions(fs::Permissions::from_mode(mode))?;
        }
        file.write_all(contents)?;
        file.sync_all()?;
        Ok(temporary)
    }

    /// Moves to a name that must be free. File systems that cannot do it in one step are asked
    /// for a second name instead.
    fn move_to_new(mut self, target: &Path) -> io::Result<()> {
        let moved = rustix::fs::renameat_with(
            rustix::fs::CWD,
            &self.path,
            rustix::fs::CWD,
            target,
            RenameFlags::NOREPLACE,
        );
        match moved {
            Ok(()) => self.moved = true,
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                fs::hard_link(&self.path, target)?;
            }
            Err(error) => return Err(error.into()),
        }
        sync_folder(&self.folder)
    }

    fn move_over(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.moved = true;
        sync_folder(&self.folder)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.moved {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Sixteen hexadecimal digits that nobody can guess.
pub fn random_suffix() -> io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(hex(&random))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Creates a folder that only the owner can look into.
pub fn create_private_folder(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    let created = fs::DirBuilder::new().mode(0o700).create(path);
    created.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => Failure::io("create the folder", path.display(), &error),
    })
}

/// Creates the folder that output was asked to go to, if it is not there.
pub fn create_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path)
        .map_err(|error| Failure::io("create the folder", path.display(), &error))
}
