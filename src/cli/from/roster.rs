//! A roster, read whole or not at all.

use std::collections::BTreeSet;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use kube_enroll::looks::{Want, look};
use kube_enroll::roster::Roster;
use kube_enroll::text;
use kube_enroll::text::{Text, count};

use super::super::console::Console;
use super::super::failure::Failure;
use super::file::{self, Stream};

/// Some hundred thousand people, in bytes.
const LIMIT: u64 = 32 << 20;
/// Rows that are wrong and told.
const TOLD: usize = 1000;
/// Rows that are told and not wrong.
const NOTED: usize = 20;

/// Reads a roster; everything that is wrong in it is told at once.
pub fn read(input: &Stream, allow_system: bool, console: &Console) -> Result<Roster, Failure> {
    let contents = file::read(input, LIMIT)?;
    let roster = Roster::read(&contents, allow_system).map_err(|wrong| {
        let look = look(&contents);
        if look.is_telling() && !wrong.names_people {
            return Failure::wrong_file(input, look, Want::Roster);
        }
        let wrong = wrong.remarks;
        let rows: BTreeSet<_> = wrong.iter().map(|remark| remark.line).collect();
        let what = text!(
            "{}: {}; nothing was done",
            input,
            count(rows.len(), "row is wrong", "rows are wrong")
        );
        let failure = Failure::could_not_run(what);
        let told = wrong.iter().take(TOLD);
        let failure = told.fold(failure, |failure, remark| failure.say(text!("{}", remark)));
        match wrong.len().saturating_sub(TOLD) {
            0 => failure,
            more => failure.say(text!("and {} more", more)),
        }
    })?;
    let notes = roster.notes();
    for note in notes.iter().take(NOTED) {
        console.warn(text!("{}: {}", input, note));
    }
    if let Some(more @ 1..) = notes.len().checked_sub(NOTED) {
        console.warn(text!("{}: and {} more lines of that kind", input, more));
    }
    Ok(roster)
}

/// A roster as it is named in a command that is run again.
pub struct Repeated {
    pub name: PathBuf,
    /// What there is to say behind the command.
    pub note: Text,
}

/// What came through a pipe is gone, and has to be saved first.
pub fn to_repeat(roster: &Stream) -> Repeated {
    let is_pipe = |path: &Path| {
        let kind = path.metadata().map(|it| it.file_type());
        ["/dev/", "/proc/"]
            .iter()
            .any(|folder| path.starts_with(folder))
            || kind.is_ok_and(|kind| kind.is_fifo())
    };
    match roster.path().filter(|path| !is_pipe(path)) {
        Some(path) => Repeated {
            name: path.to_owned(),
            note: Text::default(),
        },
        None => Repeated {
            name: "team.csv".into(),
            note: "\n\nwhere team.csv is the roster, which came through a pipe: save it first"
                .into(),
        },
    }
}
