//! `kube-enroll list`: one line for each credential, certificate and request.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kube_enroll::lifetime;
use kube_enroll::list::{Contents, Keys, Layout, Row, contents, may_be_listed, settle, sort};
use kube_enroll::looks::{Look, look};
use kube_enroll::parallel;
use kube_enroll::text;
use kube_enroll::text::{Show as _, Text, count};
use time::{Duration, OffsetDateTime};

use super::args::{Refused, size};
use super::console::Console;
use super::failure::Failure;
use super::from::cluster::default_kubeconfigs;
use super::from::credentials::NamedFiles;
use super::from::file::{self, DEFAULT_LIMIT, Filenames, Limit, Stream};
use super::os::sandbox::Reach;
use super::to::files::folder_of;
use super::{Action, Verdict, report};

/// Files that could not be read and are named.
const LISTED: usize = 20;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll list
  kube-enroll list replies/ --expires-within 14d
  kube-enroll list ~/.kube/config -o wide
  kube-enroll list -o csv replies/ > issued.csv

Exit status: 1 where --expires-within finds something, 2 where a file could not be read, whatever the \
others say.")]
pub struct Args {
    /// Files, and folders whose files are listed [default: the current folder and the kubeconfig in
    /// use]
    #[arg(value_name = "FILE|DIR")]
    pub files: Vec<Stream>,
    #[command(flatten)]
    pub filenames: Filenames,
    /// The format of the list
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
    /// Only what ends within this time or has ended: 14d, 36h
    #[arg(long, value_name = "TIME", value_parser = within, allow_hyphen_values = true)]
    pub expires_within: Option<i64>,
    /// Read files up to this many bytes
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_LIMIT, value_parser = size)]
    pub max_size: u64,
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: a line each
    #[default]
    Table,
    /// For people: everything about each
    Wide,
    /// For programs
    Json,
    /// For programs, as YAML
    Yaml,
    /// For spreadsheets
    Csv,
    /// The files alone, for renew
    Name,
}

impl From<Format> for Layout {
    fn from(format: Format) -> Self {
        match format {
            Format::Table => Self::Table,
            Format::Wide => Self::Wide,
            Format::Json => Self::Json,
            Format::Yaml => Self::Yaml,
            Format::Csv => Self::Csv,
            Format::Name => Self::Name,
        }
    }
}

/// A number of seconds, none included.
fn within(typed: &str) -> Result<i64, Refused> {
    const LONGEST: i64 = 1000 * 365 * 86_400;
    if let Ok(number @ 1..) = typed.parse::<u16>() {
        let what = text!(
            "a number alone is seconds; is {}d meant, or {}s?",
            number,
            number
        );
        return Err(Refused(what));
    }
    match lifetime::seconds(typed) {
        // As kubectl has it: only none at all needs no unit.
        Ok(number @ 1..) if typed.parse() == Ok(number) => Err(Refused(text!(
            "a number alone has no unit; is {}d meant? There are y, w, d, h, m and s",
            number
        ))),
        Ok(..0) => Err(Refused("a time from now on, please: 14d, 36h".into())),
        Ok(seconds @ 0..=LONGEST) => Ok(seconds),
        Ok(_) => Err(Refused("up to a thousand years, please".into())),
        Err(error) => Err(Refused(error.show())),
    }
}

/// A file to list.
struct Listed {
    source: Stream,
    /// Whether it was named, here or for kubectl, and not just in a folder.
    is_named: bool,
}

/// What came of a file.
enum Outcome {
    Read(Contents),
    /// It was named, and there is nothing in such a file to list.
    Nothing(Look),
    /// It was not named, and is none to list.
    Passed,
    Unread(Failure),
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let (folders, files): (Vec<Stream>, Vec<Stream>) = self
            .places()
            .into_iter()
            .partition(|place| self.folder(place).is_some());
        let folders: Vec<&Path> = folders.iter().filter_map(Stream::path).collect();
        let mut reach = Reach::default().read(&files);
        let mut inside = Vec::new();
        for folder in folders {
            reach = reach.list(folder).read_in([folder]);
            inside.extend(files_in(folder).unwrap_or_default());
        }
        let named = files.iter().filter_map(Stream::path);
        let all = named.chain(inside.iter().map(PathBuf::as_path));
        reach
            .credentials_of(all)
            .with_work(files.len() + inside.len(), self.max_size)
    }

    /// Writes the list. Exit 1 says that something ends in time; 2 that a file could not be read, of
    /// which nobody knows when it ends.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let mut verdict = Verdict::Good;
        let mut listed = Vec::new();
        for place in self.places() {
            match self.expand(place) {
                Ok(files) => listed.extend(files),
                Err(failure) => verdict = verdict.max(report(&failure)),
            }
        }
        let now = OffsetDateTime::now_utc();
        let outcomes = parallel::map(&listed, |file| self.look_into(file, now));
        let mut rows: Vec<Row> = Vec::new();
        let mut unread = Vec::new();
        for (file, outcome) in listed.iter().zip(outcomes) {
            match outcome {
                Outcome::Read(contents) => {
                    let problems = contents.problems.into_iter();
                    unread.extend(problems.map(|problem| text!("{}: {}", file.source, problem)));
                    rows.extend(contents.rows);
                }
                // The kubeconfig in use may do without certificates.
                Outcome::Nothing(Look::Kubeconfig | Look::Empty) if self.files.is_empty() => {}
                Outcome::Nothing(look) => {
                    console.note(text!("{}: nothing to list: {}", file.source, look));
                }
                Outcome::Passed => {}
                Outcome::Unread(failure) => unread.push(failure.what().clone()),
            }
        }
        if !unread.is_empty() {
            verdict = verdict.max(Verdict::CouldNotRun);
            report(&unreadable(&unread));
        }
        settle(&mut rows);
        if let Some(seconds) = self.expires_within {
            let then = now + Duration::seconds(seconds);
            rows.retain(|row| row.ends_by(then));
            if !rows.is_empty() {
                verdict = verdict.max(Verdict::NotGood);
            }
        }
        sort(&mut rows);
        if rows.is_empty() && matches!(self.output, Format::Table | Format::Wide) {
            console.note(match (self.expires_within, verdict) {
                (Some(_), Verdict::CouldNotRun) => {
                    "no certificate ends within that time in what could be read"
                }
                (Some(_), _) => "no certificate ends within that time",
                (None, _) => "no credential, certificate or request here",
            });
            return Ok(verdict);
        }
        console.data(&Layout::from(self.output).write(&rows))?;
        Ok(verdict)
    }
}

impl Args {
    /// What was named; else the current folder and the kubeconfigs in use that are there.
    fn places(&self) -> Vec<Stream> {
        if !self.files.is_empty() {
            return self.files.clone();
        }
        // One that lies here may be among the files of this folder, under the name that it has there.
        let here = files_in(Path::new(".")).unwrap_or_default();
        let here: Vec<_> = here.iter().filter_map(|path| place_of(path)).collect();
        let there = in_use().into_iter().filter(|path| {
            is_there(path) && !place_of(path).is_some_and(|path| here.contains(&path))
        });
        std::iter::once(Stream::from(Path::new(".")))
            .chain(there.map(Stream::from))
            .collect()
    }

    /// The folder to be listed; one in the place of the kubeconfig in use is none.
    fn folder<'p>(&self, place: &'p Stream) -> Option<&'p Path> {
        let may_be_one = |path: &&Path| !self.files.is_empty() || *path == Path::new(".");
        place
            .path()
            .filter(|path| may_be_one(path) && path.is_dir())
    }

    /// The file, or those in the folder; none twice.
    fn expand(&self, place: Stream) -> Result<Vec<Listed>, Failure> {
        let Some(folder) = self.folder(&place) else {
            return Ok(vec![Listed {
                source: place,
                is_named: true,
            }]);
        };
        let files = files_in(folder)?;
        let in_use = if self.files.is_empty() {
            in_use()
        } else {
            Vec::new()
        };
        let in_use: Vec<_> = in_use.iter().filter_map(|path| place_of(path)).collect();
        let listed = files.into_iter().map(|path| Listed {
            is_named: place_of(&path).is_some_and(|path| in_use.contains(&path)),
            source: path.into(),
        });
        Ok(listed.collect())
    }

    /// Reads one file, and keeps no more of it than its lines.
    fn look_into(&self, listed: &Listed, now: OffsetDateTime) -> Outcome {
        if let Some(what) = no_file_of(listed) {
            return Outcome::Unread(Failure::about(&listed.source, what));
        }
        let input = match file::read(&listed.source, Limit::of_option(self.max_size)) {
            Ok(input) => input,
            Err(_) if self.is_passed(listed) => return Outcome::Passed,
            Err(failure) => return Outcome::Unread(failure),
        };
        let path = listed.source.path();
        let named = NamedFiles::of(&listed.source);
        let folder = path.and_then(Path::parent).unwrap_or(Path::new(""));
        match contents(
            &input,
            Keys::Compared,
            folder,
            &|path| named.read(path),
            now,
        ) {
            Some(mut contents) => {
                for row in &mut contents.rows {
                    row.source = listed.source.source();
                }
                Outcome::Read(contents)
            }
            None if listed.is_named => match look(&input) {
                look
                @ (Look::PrivateKey | Look::PublicKey | Look::Kubeconfig | Look::EmptyList) => {
                    Outcome::Nothing(look)
                }
                Look::Empty if self.files.is_empty() => Outcome::Nothing(Look::Empty),
                look => nothing_in(listed, look),
            },
            None => match path {
                Some(path) if is_damaged(path, &input) => nothing_in(listed, look(&input)),
                _ => Outcome::Passed,
            },
        }
    }

    /// Whether a file of a folder that is too large does not even begin like one to be listed.
    fn is_passed(&self, listed: &Listed) -> bool {
        let Some(path) = listed.source.path().filter(|_| !listed.is_named) else {
            return false;
        };
        let size = path.metadata().map(|metadata| metadata.len());
        size.is_ok_and(|size| size > self.max_size)
            && file::head(path).is_ok_and(|head| !may_be_listed(&head))
    }
}

/// The files of a folder, by name, and none of its folders. There is nothing to list in keys.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = if folder == Path::new(".") {
        Path::new("")
    } else {
        folder
    };
    let is_key = |path: &Path| path.extension().is_some_and(|extension| extension == "key");
    let is_missed = |path: &Path| !path.is_dir() && has_our_name(path);
    let mut files = file::in_folder(shown)?;
    files.retain(|path| !is_key(path) && (may_be_a_file(path) || is_missed(path)));
    Ok(files)
}

/// Whether it is named like a certificate, request, reply or kubeconfig: it would be missed.
fn has_our_name(path: &Path) -> bool {
    const ENDINGS: [&str; 5] = [".crt", ".csr", ".csr.yaml", ".reply.yaml", ".kubeconfig"];
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// What is in the place of a file of a folder: nobody may ever write to a pipe there.
fn no_file_of(listed: &Listed) -> Option<Text> {
    let path = listed.source.path().filter(|_| !listed.is_named)?;
    match path.metadata() {
        Ok(there) => {
            let what = file::no_file(there.file_type())?;
            Some(text!("it is {}, and is not read", what))
        }
        Err(_) if path.is_symlink() && !path.exists() => {
            Some("it is a link to a file that is not there".into())
        }
        Err(_) => None,
    }
}

/// The kubeconfigs in use.
fn in_use() -> Vec<PathBuf> {
    let files = default_kubeconfigs().unwrap_or_default().into_iter();
    let paths = files.filter_map(|file| file.path().map(Path::to_owned));
    paths.collect()
}

/// Where a file is, however it was named; links to files are places of their own.
fn place_of(path: &Path) -> Option<PathBuf> {
    let folder = folder_of(path).canonicalize().ok()?;
    Some(folder.join(path.file_name()?))
}

fn nothing_in(listed: &Listed, look: Look) -> Outcome {
    Outcome::Unread(Failure::about(
        &listed.source,
        text!("nothing to list: {}", look),
    ))
}

/// Whether it has the name of a certificate, request or kubeconfig, and no more than a piece of one in
/// it.
fn is_damaged(path: &Path, input: &[u8]) -> bool {
    let extension = path.extension().unwrap_or_default();
    let is_in_use = || {
        let folder = folder_of(path).canonicalize().unwrap_or_default();
        path.file_name() == Some("config".as_ref()) && folder.ends_with(".kube")
    };
    if extension == "crt" || extension == "csr" {
        matches!(
            look(input),
            Look::CutPem(_) | Look::BrokenPem(_) | Look::Empty
        )
    } else if extension == "kubeconfig" || is_in_use() {
        // One that was just made is empty.
        !matches!(look(input), Look::Kubeconfig | Look::Empty)
    } else {
        false
    }
}

/// Whether there is something, or nobody can tell.
fn is_there(path: &Path) -> bool {
    path.metadata().is_ok() || path.is_symlink() || may_be_a_file(path)
}

/// Whether there is a file, or nobody can tell: that is told when it is read.
fn may_be_a_file(path: &Path) -> bool {
    match path.metadata() {
        Ok(metadata) => metadata.is_file(),
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// How many files could not be read, and which.
fn unreadable(problems: &[Text]) -> Failure {
    let number = count(problems.len(), "problem", "problems");
    let what = text!("{} with files that could not be read or used", number);
    let shown = problems.iter().take(LISTED).cloned();
    let failure = shown.fold(Failure::could_not_run(what), Failure::say);
    match problems.len().saturating_sub(LISTED) {
        0 => failure,
        more => failure.say(text!("and {} more", more)),
    }
}
