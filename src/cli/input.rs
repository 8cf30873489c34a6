//! A file to read or write as named on the command line, where `-` is standard input or output.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// A path, or `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input, or standard output where something is written.
    Stdio,
    /// A file.
    File(PathBuf),
}

impl Input {
    /// The path, where it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdio => None,
            Self::File(path) => Some(path),
        }
    }
}

impl From<OsString> for Input {
    fn from(typed: OsString) -> Self {
        if typed == "-" {
            Self::Stdio
        } else {
            Self::File(typed.into())
        }
    }
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio => f.write_str("standard input"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}
