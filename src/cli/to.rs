//! Where things go: files that appear whole or not at all, and what they are named after.

pub mod files;
pub mod names;

use std::path::PathBuf;

use super::from::file::Stream;

/// Where the output of a command goes that can be one file or several.
#[derive(Debug, clap::Args)]
pub struct Destination {
    /// Write to this file instead of standard output
    #[arg(
        long,
        value_name = "FILE",
        default_value = "-",
        conflicts_with = "output_dir"
    )]
    pub out: Stream,
    /// Write into this folder
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
}
