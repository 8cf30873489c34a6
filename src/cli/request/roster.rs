//! `request --roster`: keys and requests for the robots, classes and labs of a roster, on all cores. A run
//! that was stopped goes on where it was: what is there stays, and no key is made twice.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use getrandom::SysRng;
use kube_enroll::agreement::{Found, Point};
use kube_enroll::csr::CertificationRequest;
use kube_enroll::key::Fingerprint;
use kube_enroll::list::{self, Layout};
use kube_enroll::manifest::slug;
use kube_enroll::parallel;
use kube_enroll::pem;
use kube_enroll::roster::Person;
use kube_enroll::secret::Passphrase;
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text, count, hex};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::{Args, Paths, Wanted, is_there, manifest, read_back};
use crate::cli::Verdict;
use crate::cli::console::{Console, report_failure};
use crate::cli::failure::Failure;
use crate::cli::from::file::{self, DEFAULT_LIMIT, Stream};
use crate::cli::from::{keys, passphrase, requests, roster};
use crate::cli::to::files::{self, Access, NewFiles};
use crate::cli::to::names;

/// What files with all requests are named after, and no person's.
const RESERVED: &str = "requests";
/// Files that are tried for all requests.
const FILES_OF_ALL: usize = 1000;
/// The size of such a file, in bytes.
const LIMIT_OF_ALL: u64 = 1 << 30;

/// How the fingerprints are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: what can be read out
    #[default]
    Text,
    /// For spreadsheets; it is a roster with fingerprints
    Csv,
    /// For programs
    Json,
}

type Hash = [u8; 32];

/// A person with the name of their files.
struct Named<'a> {
    person: &'a Person,
    stem: String,
}

/// What there is for a person now.
struct Done<'a> {
    person: &'a Person,
    fingerprint: Fingerprint,
    path: PathBuf,
    manifest: String,
    /// Whether it was made by this run.
    is_new: bool,
}

/// Makes what is not there yet.
pub fn make(args: &Args, file: &Stream, console: &Console) -> Result<Verdict, Failure> {
    let roster = roster::read(file, args.allow_system, console)?;
    let passphrase = args.passphrase.get(&[])?;
    let mut folder = NewFiles::new(console);
    folder.create_folder(&args.output_dir)?;
    folder.keep()?;

    let people: Vec<Named<'_>> = roster
        .people()
        .iter()
        .map(|person| Named {
            person,
            stem: stem(person.user()),
        })
        .collect();
    let progress = console.progress(people.len(), "keys and requests");
    let is_over = AtomicBool::new(false);
    let results = parallel::map_waiting(&people, |named| {
        // Where one cannot be written, so it will be with the others.
        if is_over.load(Ordering::Relaxed) {
            return None;
        }
        let done = args.make_for(named, passphrase.as_ref(), console);
        is_over.fetch_or(done.is_err(), Ordering::Relaxed);
        progress.advance();
        Some(done)
    });
    drop(progress);
    let (done, failures): (Vec<_>, Vec<_>) = results.into_iter().flatten().partition(Result::is_ok);
    for failure in failures.into_iter().filter_map(Result::err) {
        report_failure(&failure);
    }
    let mut files = NewFiles::new(console);
    let done = done.into_iter().flatten().map(|(done, new)| {
        files.absorb(new);
        done
    });
    let done: Vec<Done<'_>> = done.collect();
    // Thousands of names in a folder are made lasting at once.
    files.keep()?;
    if done.len() < people.len() {
        let what = text!("{} of {} are done", done.len(), people.len());
        return Err(
            Failure::could_not_run(what).say("the same command goes on where this one stopped")
        );
    }

    let all = put_all(&args.output_dir, &done, console)?;
    let format = args.output.unwrap_or_default();
    if format != Format::Text || !console.is_quiet() {
        console.data(&table(&done, format))?;
    }
    let new = done.iter().filter(|done| done.is_new).count();
    let summary = summary(new, done.len(), &all, file);
    match format {
        Format::Text => console.say(summary)?,
        Format::Csv | Format::Json => console.note(summary),
    }
    Ok(Verdict::Good)
}

impl Args {
    /// The key and the request of one person, those that are there or new ones, with the files that are
    /// new.
    fn make_for<'a, 'c>(
        &self,
        named: &Named<'a>,
        passphrase: Option<&Passphrase>,
        console: &'c Console,
    ) -> Result<(Done<'a>, NewFiles<'c>), Failure> {
        let person = named.person;
        let wanted = Wanted {
            subject: person.subject().clone(),
            settings: person.settings().or(self.settings()),
            extensions: Vec::new(),
        };
        let paths = Paths::with_stem(&named.stem, &self.output_dir);
        let key_path = paths.key.path().unwrap_or(Path::new("")).to_owned();
        let has_key = key_path.symlink_metadata().is_ok();
        let earlier = earlier_request(&paths.request, person).filter(|_| has_key);
        let done = |request: &CertificationRequest, path, manifest, is_new| Done {
            person,
            fingerprint: request.public_key().fingerprint(),
            path,
            manifest,
            is_new,
        };
        let mut files = NewFiles::new(console);
        if let Some(request) = &earlier {
            let yaml = manifest(&wanted, request).to_yaml();
            if is_there(&paths, request, &yaml) {
                return Ok((done(request, paths.manifest, yaml, false), files));
            }
        }
        let (new_key, request) = if has_key {
            let found = keys::read(&paths.key, passphrase, console)?;
            let public = found.key.public_key();
            let request = match earlier.filter(|earlier| earlier.public_key() == public) {
                Some(request) => request,
                None => CertificationRequest::build(&wanted.subject, &[], &found.key, &mut SysRng)?,
            };
            (None, request)
        } else {
            let (key, request) = CertificationRequest::build_with_new_key(
                &wanted.subject,
                &[],
                wanted.algorithm(),
                &mut SysRng,
            )?;
            (Some(passphrase::encode(&key, passphrase)?), request)
        };
        let manifest = manifest(&wanted, &request);
        let yaml = manifest.to_yaml();
        let paths = paths.or_beside(&request, &yaml, &manifest.name, &self.output_dir);
        read_back(&paths.manifest, &yaml, &wanted)?;

        if let Some(text) = &new_key {
            files.create(&key_path, text.expose().as_bytes(), Access::Owner)?;
        }
        for (path, text) in [
            (&paths.request, request.to_pem()),
            (&paths.manifest, yaml.clone()),
        ] {
            if !files::holds(path, &text) {
                files.create(path, text.as_bytes(), Access::Everyone)?;
            }
        }
        Ok((done(&request, paths.manifest, yaml, true), files))
    }
}

impl Paths {
    /// These, or where they hold something else, others named after the object.
    fn or_beside(
        self,
        request: &CertificationRequest,
        yaml: &str,
        name: &str,
        folder: &Path,
    ) -> Self {
        let is_free =
            |path: &Path, text: &str| path.symlink_metadata().is_err() || files::holds(path, text);
        if is_free(&self.request, &request.to_pem()) && is_free(&self.manifest, yaml) {
            return self;
        }
        Self {
            key: self.key,
            ..Self::with_stem(&names::stem(name, name), folder)
        }
    }
}

/// The names of a person's files, which are no others' whoever else is in the roster, in either case: the
/// user's where it is a file name in lower case, else a slug with a hash behind a sign that is in no
/// such name.
fn stem(user: &str) -> String {
    let is_plain = |user: &&str| !user.contains(char::is_uppercase) && *user != RESERVED;
    match names::safe(user).filter(is_plain) {
        Some(user) => user.to_owned(),
        None => {
            let hash = Sha256::digest(user);
            let hash = hex(hash.get(..4).unwrap_or_default());
            format!("{}={hash}", slug(&names::stem(user, user)))
        }
    }
}

/// The request that is there already, where it asks for this person.
fn earlier_request(path: &Path, person: &Person) -> Option<CertificationRequest> {
    let contents = file::read(&Stream::from(path), DEFAULT_LIMIT).ok()?;
    let block = pem::first(&contents)?;
    let request = CertificationRequest::from_der(&block.contents).ok()?;
    let identity = request.subject().identity_when_issued()?;
    let found = Found {
        identity: Some(&identity),
        ..Found::default()
    };
    let (comparison, _) = person.agreement().compare(&found);
    let is_theirs = comparison.user == Point::Agreed && comparison.groups == Point::Agreed;
    (is_theirs && request.verify().is_ok()).then_some(request)
}

/// Writes all requests into one file, and answers with its name. What another run wrote there for these
/// people is replaced; what is anything else stays, and the file gets another name.
fn put_all(folder: &Path, done: &[Done<'_>], console: &Console) -> Result<PathBuf, Failure> {
    let manifests: Vec<&str> = done.iter().map(|done| done.manifest.as_str()).collect();
    let text = manifests.join("---\n");
    let mut known = None;
    let mut passed = None;
    for number in 1..=FILES_OF_ALL {
        let path = match number {
            1 => folder.join(format!("{RESERVED}.csr.yaml")),
            _ => folder.join(format!("{RESERVED}={number}.csr.yaml")),
        };
        if path.symlink_metadata().is_err() || files::holds(&path, &text) {
            files::put(&Stream::from(path.as_path()), &text, console)?;
        } else if is_earlier(
            &path,
            known.get_or_insert_with(|| manifests_in(folder)),
            done,
        ) {
            files::replace(&path, text.as_bytes(), console)?;
        } else {
            passed.get_or_insert(path);
            continue;
        }
        if let Some(passed) = passed {
            console.note(text!("{} holds something else, and stays as it is", passed));
        }
        return Ok(path);
    }
    Err(
        Failure::could_not_run(text!("{}: a thousand files of requests are there", folder))
            .say("move some away"),
    )
}

/// Whether a file holds requests of these people from earlier, and nothing that is not in files of its own
/// here as well.
fn is_earlier(path: &Path, known: &[(PathBuf, Hash)], done: &[Done<'_>]) -> bool {
    let is_file = path.symlink_metadata().is_ok_and(|it| it.is_file());
    let Some(contents) = is_file
        .then(|| file::read(&Stream::from(path), LIMIT_OF_ALL).ok())
        .flatten()
    else {
        return false;
    };
    let Ok(text) = std::str::from_utf8(&contents) else {
        return false;
    };
    let people: HashSet<&str> = done.iter().map(|done| done.person.user()).collect();
    let is_theirs = |part: &&str| {
        let user = requests::user_of(part.as_bytes());
        user.is_some_and(|user| people.contains(user.as_str()))
    };
    let others = known.iter().filter(|(file, _)| file != path);
    let others: HashSet<&Hash> = others.map(|(_, hash)| hash).collect();
    let mut parts = text.split("---\n");
    parts.all(|part| others.contains(&Hash::from(Sha256::digest(part))))
        && text.split("---\n").any(|part| is_theirs(&part))
}

/// The manifests in a folder.
fn manifests_in(folder: &Path) -> Vec<(PathBuf, Hash)> {
    let listed = fs::read_dir(folder).into_iter().flatten();
    let paths: Vec<PathBuf> = listed
        .filter_map(|entry| Some(folder.join(entry.ok()?.file_name())))
        .filter(|path| path.to_string_lossy().ends_with(".csr.yaml"))
        .collect();
    let read = parallel::map(&paths, |path| {
        let contents = file::read(&Stream::from(path.as_path()), DEFAULT_LIMIT).ok()?;
        Some(Hash::from(Sha256::digest(&*contents)))
    });
    let both = paths.into_iter().zip(read);
    both.filter_map(|(path, hash)| Some((path, hash?)))
        .collect()
}

/// Who has which key.
fn table(done: &[Done<'_>], format: Format) -> String {
    match format {
        Format::Text => {
            let lines = done.iter().map(|done| {
                let user = Label::from(done.person.user()).show();
                (user, done.fingerprint.spoken())
            });
            let lines: Vec<_> = lines.collect();
            let width = lines.iter().map(|(user, _)| user.width()).max();
            let width = width.unwrap_or_default();
            let lines = lines
                .into_iter()
                .map(|(user, spoken)| text!("{}  {}\n", user.padded(width), Label::from(spoken)));
            Text::join(lines, "").to_string()
        }
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let row = |done: &Done<'_>| {
                let groups = done.person.groups().join(";");
                [
                    done.person.user().to_owned(),
                    groups,
                    done.fingerprint.to_string(),
                ]
            };
            let head = ["user", "groups", "fingerprint"].map(str::to_owned);
            let rows = std::iter::once(head).chain(done.iter().map(row));
            // Memory takes everything.
            let written = rows
                .into_iter()
                .try_for_each(|row| writer.write_record(&row));
            let bytes = written.ok().and_then(|()| writer.into_inner().ok());
            String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
        }
        Format::Json => {
            let now = OffsetDateTime::now_utc();
            let none = |_: &Path| Err(Text::default());
            let rows = done.iter().flat_map(|done| {
                let folder = Path::new("");
                let contents = list::contents(done.manifest.as_bytes(), folder, &none, now);
                let mut rows = contents.map(|contents| contents.rows).unwrap_or_default();
                for row in &mut rows {
                    row.source = done.path.display().to_string();
                }
                rows
            });
            Layout::Json.write(&rows.collect::<Vec<_>>())
        }
    }
}

fn summary(new: usize, all: usize, path: &Path, roster: &Stream) -> Text {
    let verify = Command::ours("verify").operand(path.file_name().unwrap_or_default());
    let verify = verify
        .option("--roster", roster.typed())
        .option("-o", "manifest");
    let create = verify.pipe(Command::new("kubectl").word("create").option("-f", "-"));
    text!(
        "\n{} made, {} there already; all requests are in {}.\n\
         Send that one to an administrator of the cluster, and the fingerprints another way (-o csv writes\n\
         them as a roster). The administrator creates those that are as agreed on:\n\n{}\n",
        count(new, "request", "requests"),
        all - new,
        quoted(path),
        create.folded(2)
    )
}
