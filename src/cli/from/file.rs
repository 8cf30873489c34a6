//! A file as named on the command line, where `-` is standard input or output, and bounded reads.

use std::ffi::OsString;
use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser as _, ValueParser, ValueParserFactory};
use kube_enroll::qr::parts;
use kube_enroll::text;
use kube_enroll::text::{Show, Text};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::retry_on_intr;
use zeroize::Zeroizing;

use super::super::args::Refused;
use super::super::console;
use super::super::failure::Failure;
use super::super::os::privacy;
use super::super::usage;

/// How much of a file is read unless the person raises it, in bytes.
pub const DEFAULT_LIMIT: u64 = 1 << 20;

/// A path, or `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard input, or standard output where something is written.
    Stdio,
    /// A file.
    File(PathBuf),
}

impl Stream {
    /// The path, where it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdio => None,
            Self::File(path) => Some(path),
        }
    }

    /// The name that a report has for it, as it is.
    pub fn source(&self) -> String {
        match self {
            Self::Stdio => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// As it is typed.
    pub fn typed(&self) -> &Path {
        self.path().unwrap_or(Path::new("-"))
    }
}

impl From<OsString> for Stream {
    fn from(typed: OsString) -> Self {
        if typed == "-" {
            Self::Stdio
        } else {
            Self::File(typed.into())
        }
    }
}

/// No file has an empty name: that is a variable of a script that is not set.
impl ValueParserFactory for Stream {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        let parse = |typed: OsString| {
            if typed.is_empty() {
                return Err(Refused(
                    "a file is needed, and its name is empty (a variable that is not set?)".into(),
                ));
            }
            Ok(Self::from(typed))
        };
        ValueParser::new(OsStringValueParser::new().try_map(parse))
    }
}

impl From<PathBuf> for Stream {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Path> for Stream {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

/// Files behind `-f`, where kubectl has them, besides those that are operands.
#[derive(Debug, Clone, clap::Args)]
pub struct Filenames {
    /// The same as an operand, as kubectl has it
    #[arg(short = 'f', long, value_name = "FILE", hide_short_help = true)]
    filename: Vec<Stream>,
}

impl Filenames {
    /// Adds those files to the operands. As with kubectl one word may name several, with commas between
    /// them; but one file may have a comma in its name.
    pub fn join(&mut self, operands: &mut Vec<Stream>) {
        for file in self.filename.drain(..) {
            let names = file.path().filter(|path| !path.exists());
            match names.and_then(Path::to_str) {
                Some(names) => {
                    operands.extend(names.split(',').map(|name| OsString::from(name).into()));
                }
                None => operands.push(file),
            }
        }
    }

    /// The same for a command that reads standard input where no file is named.
    pub fn join_or_stdin(&mut self, operands: &mut Vec<Stream>) {
        self.join(operands);
        if operands.is_empty() {
            operands.push(Stream::Stdio);
        }
    }
}

/// The one file of a command that takes no more.
#[derive(Debug, clap::Args)]
pub struct Filename {
    /// The same as the operand, as kubectl has it
    #[arg(short = 'f', long, value_name = "FILE", hide_short_help = true)]
    filename: Option<Stream>,
}

impl Filename {
    /// Makes it the operand.
    pub fn join(&mut self, operand: &mut Option<Stream>) {
        *operand = operand.take().or_else(|| self.filename.take());
    }
}

/// As something that is read.
impl Show for Stream {
    fn show(&self) -> Text {
        match self {
            Self::Stdio => "standard input".into(),
            Self::File(path) => path.show(),
        }
    }
}

/// How much of a file is read at most.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    bytes: u64,
    is_option: bool,
}

impl Limit {
    /// So many bytes, which the option `--max-size` of the command changes.
    pub fn of_option(bytes: u64) -> Self {
        Self {
            bytes,
            is_option: true,
        }
    }

    fn exceeded(self, input: &Stream) -> Failure {
        const MORE: u64 = 64;
        if !self.is_option {
            let what = text!("{} is larger than {} bytes", input, self.bytes);
            return Failure::could_not_run(what);
        }
        let what = text!(
            "{} is larger than {} bytes, the limit of --max-size",
            input,
            self.bytes
        );
        let more = self.bytes.max(DEFAULT_LIMIT).saturating_mul(MORE);
        let advice = text!("to read it all the same, give more: --max-size {}", more);
        Failure::could_not_run(what).say(advice)
    }
}

impl From<u64> for Limit {
    fn from(bytes: u64) -> Self {
        Self {
            bytes,
            is_option: false,
        }
    }
}

/// Reads all of `input` within `limit`; what came in parts of QR codes is joined. What is read may be a
/// key, so it is wiped.
pub fn read(input: &Stream, limit: impl Into<Limit>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let limit = limit.into();
    let contents = read_as_it_is(input, limit)?;
    if !parts::is_parts(&contents) {
        return Ok(contents);
    }
    let joined =
        parts::join(&contents).map_err(|error| Failure::about(input, &error).say(error.step()))?;
    if !joined.doubled.is_empty() {
        let doubled = parts::doubled_parts(&joined.doubled);
        console::warn_of(&text!("{}: {}, and is the same each time", input, doubled));
    }
    Ok(joined.file)
}

fn read_as_it_is(input: &Stream, limit: Limit) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match input {
        Stream::Stdio => read_bounded(Unbuffered, input, limit),
        Stream::File(path) => {
            let file = open(path).map_err(|error| match error.kind() {
                // A folder that was not to be read is told for what it is.
                ErrorKind::PermissionDenied if path.is_dir() => {
                    cannot_read(path, &ErrorKind::IsADirectory.into())
                }
                _ => cannot_read(path, &error),
            })?;
            await_writer(&file, path)?;
            read_bounded(file, input, limit)
        }
    }
}

/// What is in a folder, by name; `""` is the current one. A folder that cannot be read to its end is a
/// failure: what is missed would be missed without a word.
pub fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let here = folder == Path::new("");
    let listed = if here { Path::new(".") } else { folder };
    let names = fs::read_dir(listed)
        .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
    let mut names: Vec<OsString> = names.map_err(|error| cannot_read(listed, &error))?;
    names.sort();
    Ok(names.iter().map(|name| folder.join(name)).collect())
}

/// The files in a folder, and what turns out to be none when it is read: no folders, and no pipes,
/// sockets and devices, for which somebody may wait for ever.
pub fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = in_folder(folder)?;
    retain_files(&mut paths, &|_| {});
    Ok(paths)
}

/// The same of what is in a folder; each that is passed over is told.
pub fn retain_files(paths: &mut Vec<PathBuf>, tell: &dyn Fn(Text)) {
    paths.retain(|path| {
        let there = path.metadata().ok();
        let what = there.and_then(|there| no_file(there.file_type()));
        if let Some(what) = what {
            tell(text!("{} is {}, and is passed over", path, what));
        }
        what.is_none()
    });
}

/// Whether a file has a name that editors, downloads and file managers leave behind, and nobody sends.
pub fn is_leftover(path: &Path) -> bool {
    const NAMES: [&str; 4] = ["thumbs.db", "desktop.ini", "icon\r", "ehthumbs.db"];
    const ENDINGS: [&str; 7] = ["~", ".bak", ".swp", ".swo", ".part", ".crdownload", ".tmp"];
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_lowercase();
    NAMES.contains(&name.as_str())
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
        || name.starts_with("~$")
        || name.len() > 2 && name.starts_with('#') && name.ends_with('#')
}

/// What [`head`] reads, in bytes.
const HEAD: usize = 1 << 16;

/// The first bytes of a file that is no pipe: nobody waits for these.
pub fn head(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut head = Zeroizing::new(Vec::new());
    let file = open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        return Err(ErrorKind::InvalidInput.into());
    }
    file.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// All of a small file that is no pipe; nothing of another one.
pub fn whole_head(path: &Path) -> Option<Zeroizing<Vec<u8>>> {
    head(path).ok().filter(|head| head.len() < HEAD)
}

/// Reads a secret that nobody else may be able to read.
pub fn read_private(input: &Stream, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let limit = Limit::from(limit);
    let Stream::File(path) = input else {
        return read_as_it_is(input, limit);
    };
    let file = open(path).map_err(|error| cannot_read(path, &error))?;
    privacy::refuse_exposed(&file, path)?;
    await_writer(&file, path)?;
    read_bounded(file, input, limit)
}

/// What was typed in place of a file may be a secret: a name is repeated where it can be one that was
/// meant, and else it is told which word it was.
fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    let is_missing = matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename
    );
    let Some(place) = usage::place_of(path.as_os_str()).filter(|_| is_missing) else {
        let is_link = error.kind() == ErrorKind::PermissionDenied && path.is_symlink();
        return Failure::io("read", path, error).say_if(
            is_link,
            "it is a link; links out of the folders that a command was given are not followed"
                .into(),
        );
    };
    if is_missing && path.is_symlink() {
        let what = text!(
            "cannot read {}: it is a link to a file that is not there",
            path
        );
        return Failure::could_not_run(what);
    }
    let is_passphrase = place.as_str().ends_with("passphrase-file");
    if is_passphrase {
        return Failure::could_not_run(text!("{} names no file", place))
            .say("it takes the name of a file whose first line is the passphrase");
    }
    if can_be_meant(path) {
        return Failure::io("read", path, error);
    }
    Failure::could_not_run(text!("{} names no file", place))
}

/// Whether somebody can have meant it as the name of a file: it is short, has an ending that files have
/// here, or lies in a folder that is there.
fn can_be_meant(path: &Path) -> bool {
    const SHORT: usize = 12;
    const ENDINGS: [&str; 22] = [
        "key",
        "pem",
        "crt",
        "cer",
        "der",
        "csr",
        "p12",
        "pfx",
        "jks",
        "ppk",
        "p7b",
        "yaml",
        "yml",
        "json",
        "csv",
        "txt",
        "conf",
        "cnf",
        "config",
        "kubeconfig",
        "zip",
        "gz",
    ];
    let has_ending = path.extension().is_some_and(|it| {
        let ending = it.to_string_lossy().to_ascii_lowercase();
        ENDINGS.contains(&ending.as_str())
    });
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let is_short = |part: &Path| part.as_os_str().len() < SHORT;
    is_short(path) || has_ending || folder.is_some_and(|it| it.is_dir() && *it != *Path::new("/"))
}

/// Standard input without the buffer of [`io::stdin`], which is never wiped.
struct Unbuffered;

impl Read for Unbuffered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
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

/// Waits until there is something to read from a pipe, or its writer has gone: a person may have to say
/// something first to whoever writes. Nobody can tell a writer that is late from none, so after a while it is
/// said what is waited for.
fn await_writer(file: &File, path: &Path) -> Result<(), Failure> {
    const PATIENCE: Timespec = Timespec {
        tv_sec: 5,
        tv_nsec: 0,
    };
    let failed = |error: io::Error| Failure::io("read", path, &error);
    if !file.metadata().map_err(failed)?.file_type().is_fifo() {
        return Ok(());
    }
    let wait = |time: Option<&Timespec>| {
        let mut ready = [PollFd::new(file, PollFlags::IN)];
        retry_on_intr(|| poll(&mut ready, time)).map_err(|error| failed(error.into()))
    };
    if wait(Some(&PATIENCE))? == 0 {
        console::note_of(&text!(
            "waiting for {}, a pipe: nothing has come through it yet (Ctrl-C ends this)",
            path
        ));
        wait(None)?;
    }
    Ok(())
}

/// What is there, where it is no file.
pub fn no_file(kind: FileType) -> Option<&'static str> {
    if kind.is_dir() {
        Some("a directory")
    } else if kind.is_fifo() {
        Some("a named pipe (FIFO)")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_char_device() || kind.is_block_device() {
        Some("a device")
    } else {
        None
    }
}

fn read_bounded(
    mut source: impl Read,
    input: &Stream,
    limit: Limit,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    const STEP: usize = 1 << 13;
    let mut contents = Zeroizing::new(Vec::with_capacity(STEP));
    let mut step = Zeroizing::new([0; STEP]);
    loop {
        let count = match source.read(&mut step[..]) {
            Ok(0) => return Ok(contents),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::io("read", input, &error)),
        };
        append(&mut contents, step.get(..count).unwrap_or_default());
        if contents.len() as u64 > limit.bytes {
            return Err(limit.exceeded(input));
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
