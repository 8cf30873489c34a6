//! Bounded reads, and writes that appear whole under a new name or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

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
    const STEP: usize = 1 << 16;
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
