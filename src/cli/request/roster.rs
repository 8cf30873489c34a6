//! `request --roster`: keys and requests for the robots, classes and labs of a roster, on all cores. A run
//! that was stopped goes on where it was: what is there stays, and no key is made twice.

use std::collections::HashMap;
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
use crate::cli::from::{keys, passphrase, roster};
use crate::cli::to::files::{self, Access, NewFiles};
use crate::cli::to::names;

/// All requests in one file.
const ALL: &str = "requests.csr.yaml";

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

    let people = name(roster.people());
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

    let all = args.output_dir.join(ALL);
    let manifests: Vec<&str> = done.iter().map(|done| done.manifest.as_str()).collect();
    put_all(&all, &manifests.join("---\n"), console)?;
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

/// Names of files that are the same in every run: the user's, with a hash where it is no file name or,
/// in either case, that of another person.
fn name(people: &[Person]) -> Vec<Named<'_>> {
    let plain = |person: &Person| names::stem(person.user(), person.user());
    let mut stems: HashMap<String, usize> = HashMap::new();
    for person in people {
        *stems.entry(plain(person).to_lowercase()).or_default() += 1;
    }
    let named = people.iter().map(|person| {
        let stem = plain(person);
        let is_shared = stems
            .get(&stem.to_lowercase())
            .is_some_and(|count| *count > 1);
        let needs_hash = is_shared || names::safe(person.user()).is_none();
        let hash = Sha256::digest(person.user());
        let hash = hex(hash.get(..4).unwrap_or_default());
        let stem = if needs_hash {
            format!("{}-{hash}", slug(&stem))
        } else {
            stem
        };
        Named { person, stem }
    });
    named.collect()
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

/// The file of all requests may be there from an earlier run.
fn put_all(path: &Path, text: &str, console: &Console) -> Result<(), Failure> {
    if path.is_file() && !files::holds(path, text) {
        return files::replace(path, text.as_bytes(), console);
    }
    files::put(&Stream::from(path), text, console)
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
