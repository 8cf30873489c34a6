//! `request --roster`: keys and requests for the robots, classes and labs of a roster, on all cores. A run
//! that was stopped goes on where it was: what is there stays, and no key is made twice.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use getrandom::SysRng;
use kube_enroll::agreement::{Found, Point};
use kube_enroll::csr::CertificationRequest;
use kube_enroll::error::Error;
use kube_enroll::key::{Algorithm, Fingerprint, PrivateKey, PublicKey};
use kube_enroll::list::{self, Layout};
use kube_enroll::manifest::slug;
use kube_enroll::parallel;
use kube_enroll::policy::{Finding, Level};
use kube_enroll::roster::{Person, to_csv};
use kube_enroll::secret::Passphrase;
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text, count, hex};
use kube_enroll::verdict::judge;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::{Args, Paths, Wanted, is_there, manifest, read_back};
use crate::cli::Verdict;
use crate::cli::console::{Console, report_failure};
use crate::cli::failure::{Failure, Failures};
use crate::cli::from::file::{self, DEFAULT_LIMIT, Stream};
use crate::cli::from::{keys, passphrase, requests, roster};
use crate::cli::hint;
use crate::cli::os::privacy;
use crate::cli::to::files::{self, Access, NewFiles, Turn};
use crate::cli::to::names;

/// The code of findings about names that Kubernetes keeps for itself.
const SYSTEM: &str = "system-identity";
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
    /// Whether the key that is there is encrypted.
    is_encrypted: Option<bool>,
}

/// What there is for a person now.
struct Done<'a> {
    person: &'a Person,
    key: PublicKey,
    files: [PathBuf; 3],
    manifest: String,
    is: Is,
}

/// How it came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    New,
    /// For a key that had another request.
    NewForKey,
    There,
    /// Without its key, which somebody took to where it is used.
    WithoutKey,
}

/// Why there is nothing for a person.
enum Stop {
    /// For this one alone.
    One(Failure),
    /// So it would be with all others.
    All(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::One(failure)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::All(error.into())
    }
}

/// Makes what is not there yet.
pub fn make(args: &Args, file: &Stream, console: &Console) -> Result<Verdict, Failure> {
    let folder = &args.output_dir;
    let roster = roster::read(file, args.allow_system, console)?;
    let named = |person| {
        let stem = stem(Person::user(person));
        let key = Paths::with_stem(&stem, folder).key;
        Named {
            person,
            stem,
            is_encrypted: keys::is_encrypted(&key),
        }
    };
    refuse_planted(roster.people(), folder)?;
    let people = parallel::map(roster.people(), named);
    args.same_encryption(&people, args.encryption_typed())?;
    let passphrase = args.passphrase.get(&[])?;
    args.same_encryption(&people, Some(passphrase.is_some()))?;
    args.try_passphrase(&people, passphrase.as_ref(), console)?;
    let _turn = Turn::wait(folder);

    let progress = console.progress(people.len(), "keys and requests");
    let is_over = AtomicBool::new(false);
    let results = parallel::map_waiting(&people, |named| {
        if is_over.load(Ordering::Relaxed) {
            return None;
        }
        let done = args.make_for(named, passphrase.as_ref(), console);
        let is_for_all = matches!(done, Err(Stop::All(_)));
        is_over.fetch_or(is_for_all, Ordering::Relaxed);
        progress.advance();
        Some(done)
    });
    drop(progress);
    let mut files = NewFiles::new(console);
    let mut done = Vec::new();
    let mut stops = Vec::new();
    for result in results.into_iter().flatten() {
        match result {
            Ok((one, new)) => {
                files.absorb(new);
                done.push(one);
            }
            Err(stop) => stops.push(stop),
        }
    }
    // Encrypted ones are known only now, where no request lies beside them.
    let mut first_with: HashMap<Fingerprint, &Done<'_>> = HashMap::new();
    for one in &done {
        if let Some(other) = first_with.insert(one.key.fingerprint(), one) {
            let ([place, ..], [path, ..]) = (&other.files, &one.files);
            return Err(same_key(other.person, place, one.person, path));
        }
    }
    // Thousands of names in a folder are made lasting at once.
    files.keep()?;
    if done.len() < people.len() {
        return Err(not_all(stops, done.len(), people.len()));
    }

    let all = put_all(folder, &done, console)?;
    tell_what_changed(folder, &done, &all, console)?;
    let format = args.output.unwrap_or_default();
    if format != Format::Text || !console.is_quiet() {
        console.data(&table(&done, format))?;
    }
    let summary = summary(&done, &all, file);
    match format {
        Format::Text => console.say(text!("\n{}\n", summary))?,
        Format::Csv | Format::Json => console.note(summary),
    }
    Ok(Verdict::Good)
}

/// Refuses keys that are there and are not the one key of one person, which nobody else has: whoever put
/// such a key there would be that person.
fn refuse_planted(people: &[Person], folder: &Path) -> Result<(), Failure> {
    let looked = parallel::map(people, |person| {
        let key = Paths::with_stem(&stem(person.user()), folder).key;
        let path = key.path().filter(|path| path.symlink_metadata().is_ok())?;
        let looked = privacy::refuse_not_own(path).map(|()| keys::fingerprint(path));
        Some((person, path.to_owned(), looked))
    });
    let mut first_with: HashMap<Fingerprint, (&Person, PathBuf)> = HashMap::new();
    let mut failures = Failures::default();
    for (person, path, looked) in looked.into_iter().flatten() {
        let user = Label::from(person.user());
        match looked {
            Err(failure) => {
                let whose = text!("it would be the key of \"{}\"", user);
                failures.report(&failure.say(whose));
            }
            Ok(None) => {}
            Ok(Some(key)) => match first_with.entry(key) {
                Entry::Vacant(entry) => drop(entry.insert((person, path))),
                Entry::Occupied(entry) => {
                    let (other, place) = entry.get();
                    failures.report(&same_key(other, place, person, &path));
                }
            },
        }
    }
    match failures.end("key", "keys") {
        Verdict::Good => Ok(()),
        _ => Err(Failure::could_not_run("nothing was made")),
    }
}

fn same_key(one: &Person, place: &Path, other: &Person, path: &Path) -> Failure {
    let what = text!(
        "{} holds the key of \"{}\" in {} once more, for \"{}\": whoever has it would be both",
        path,
        Label::from(one.user()),
        place,
        Label::from(other.user())
    );
    Failure::could_not_run(what).say("move it away for a new key")
}

/// Each failure, but no more than can be read.
fn not_all(stops: Vec<Stop>, done: usize, people: usize) -> Failure {
    const TOLD: usize = 20;
    let is_for_all = stops.iter().any(|stop| matches!(stop, Stop::All(_)));
    let count = stops.len();
    for stop in stops.into_iter().take(TOLD) {
        let (Stop::One(failure) | Stop::All(failure)) = stop;
        report_failure(&failure);
    }
    let more = match count.saturating_sub(TOLD) {
        0 => Text::default(),
        more => text!(" ({} more are not told)", more),
    };
    let failure = Failure::could_not_run(text!("{} of {} are done{}", done, people, more));
    failure.say(if is_for_all {
        "once that is mended, the same command goes on where this one stopped"
    } else {
        "once that is mended, the same command makes what is left"
    })
}

impl Args {
    /// Whether new keys will be encrypted, where that can be told without asking.
    fn encryption_typed(&self) -> Option<bool> {
        let asked = &self.passphrase;
        let is_given = asked.passphrase_file.is_some() || asked.generate_passphrase;
        (is_given || asked.no_passphrase).then_some(!asked.no_passphrase)
    }

    /// One passphrase is for all keys of a folder, or none.
    fn same_encryption(&self, people: &[Named<'_>], wanted: Option<bool>) -> Result<(), Failure> {
        let there = |is_encrypted| {
            let is_so = move |named: &&Named<'_>| named.is_encrypted == Some(is_encrypted);
            people.iter().filter(is_so)
        };
        let key = |named: &Named<'_>| Paths::with_stem(&named.stem, &self.output_dir).key;
        let other = there(true).next().zip(there(false).next());
        if let Some((encrypted, plain)) = other {
            return Err(Failure::could_not_run(text!(
                "one passphrase is for all keys of a folder, or none: {} is encrypted, and {} is not",
                key(encrypted),
                key(plain)
            ))
            .say("make them alike, each with:")
            .run(Command::ours("passphrase").operand(key(plain).typed())));
        }
        let Some(wanted) = wanted else {
            return Ok(());
        };
        let Some(first) = there(!wanted).next() else {
            return match there(true).next().filter(|_| self.passphrase.generate_passphrase) {
                Some(first) => Err(Failure::could_not_run(text!(
                    "{} is there with its passphrase, and one passphrase is for all keys of a folder",
                    key(first)
                ))
                .say("give that one: --passphrase-file FILE")),
                None => Ok(()),
            };
        };
        let (is, advice) = if wanted {
            ("not encrypted", "to go on as it was begun: --no-passphrase")
        } else {
            (
                "encrypted",
                "to go on as it was begun: --passphrase-file FILE",
            )
        };
        Err(Failure::could_not_run(text!(
            "one passphrase is for all keys of a folder, or none: {} is there, and is {}",
            key(first),
            is
        ))
        .say(advice)
        .say("for keys of another kind name another folder: --output-dir"))
    }

    /// Opens one of the keys that are there.
    fn try_passphrase(
        &self,
        people: &[Named<'_>],
        passphrase: Option<&Passphrase>,
        console: &Console,
    ) -> Result<(), Failure> {
        let mut people = people.iter();
        let Some(first) = people.find(|named| named.is_encrypted == Some(true)) else {
            return Ok(());
        };
        let key = Paths::with_stem(&first.stem, &self.output_dir).key;
        keys::read(&key, passphrase, console).map(|_| ())
    }

    /// The key and the request of one person, those that are there or new ones, with the files that are
    /// new.
    fn make_for<'a, 'c>(
        &self,
        named: &Named<'a>,
        passphrase: Option<&Passphrase>,
        console: &'c Console,
    ) -> Result<(Done<'a>, NewFiles<'c>), Stop> {
        let person = named.person;
        let wanted = Wanted {
            subject: person.subject().clone(),
            settings: person
                .settings()
                .or(self.settings())
                .or(person.longest_settings()),
            extensions: Vec::new(),
        };
        let paths = Paths::with_stem(&named.stem, &self.output_dir);
        let key_path = paths.key.path().unwrap_or(Path::new("")).to_owned();
        let earlier = requests::read(&paths.request);
        let as_wanted = earlier.as_ref().filter(|it| asks_for(it, person));
        let (mut is, mut new_key) = (Is::There, None);
        let request = if key_path.symlink_metadata().is_err() {
            match (&earlier, as_wanted) {
                (_, Some(request)) => {
                    is = Is::WithoutKey;
                    request.clone()
                }
                (Some(earlier), None) if user_of(earlier).as_deref() == Some(person.user()) => {
                    return Err(without_its_key(&paths.request, &key_path).into());
                }
                _ => {
                    if person.agreement().fingerprint.is_some() {
                        return Err(agreed_and_not_there(person, &key_path).into());
                    }
                    let (key, request) = CertificationRequest::build_with_new_key(
                        &wanted.subject,
                        &[],
                        wanted.algorithm(),
                        &mut SysRng,
                    )?;
                    new_key = Some(passphrase::encode(&key, passphrase)?);
                    is = Is::New;
                    request
                }
            }
        } else if let Some(request) = as_wanted.filter(|request| {
            named.is_encrypted == Some(true) && is_whole(&paths, request, &wanted)
        }) {
            // Opening each would take as long as making it.
            request.clone()
        } else {
            let key = keys::read(&paths.key, passphrase, console)?.key;
            let in_manifest = requests::read(&paths.manifest);
            let both = [(&paths.request, &earlier), (&paths.manifest, &in_manifest)];
            for (path, request) in both {
                if let Some(request) = request
                    && request.public_key() != key.public_key()
                {
                    return Err(of_another_key(path, request, &key_path, &key).into());
                }
            }
            match as_wanted {
                Some(request) => request.clone(),
                None => CertificationRequest::build(&wanted.subject, &[], &key, &mut SysRng)?,
            }
        };
        let manifest = manifest(&wanted, &request);
        let yaml = manifest.to_yaml();
        self.judge(person, &paths.manifest, &yaml, &wanted)?;
        let was_there = earlier.is_some();
        let paths = paths.or_beside(&request, &yaml, &manifest.name, &self.output_dir);
        let mut files = NewFiles::new(console);
        if let Some(text) = &new_key {
            let text = text.expose().as_bytes();
            let created = files.create(&key_path, text, Access::Owner);
            created.map_err(Stop::All)?;
        }
        for (path, text) in [
            (&paths.request, request.to_pem()),
            (&paths.manifest, yaml.clone()),
        ] {
            if !files::holds(path, &text) {
                let created = files.create(path, text.as_bytes(), Access::Everyone);
                created.map_err(Stop::All)?;
                if is == Is::There {
                    is = if was_there && as_wanted.is_none() {
                        Is::NewForKey
                    } else {
                        Is::New
                    };
                }
            }
        }
        // The next run goes on behind it.
        files.let_signals_through();
        let done = Done {
            person,
            key: request.public_key().clone(),
            files: [key_path, paths.request, paths.manifest],
            manifest: yaml,
            is,
        };
        Ok((done, files))
    }

    /// What `verify` by the same roster would not call good is not made.
    fn judge(
        &self,
        person: &Person,
        path: &Path,
        yaml: &str,
        wanted: &Wanted,
    ) -> Result<(), Failure> {
        let is_allowed = |finding: &Finding| self.allow_system && finding.code == SYSTEM;
        for mut object in read_back(path, yaml, wanted)? {
            judge(&mut object, person.agreement());
            let mut wrong = object.findings.iter();
            let is_wrong =
                |finding: &&Finding| finding.level == Level::Error && !is_allowed(finding);
            if let Some(finding) = wrong.find(is_wrong) {
                return Err(Failure::could_not_run(text!(
                    "\"{}\", line {} of the roster: verify would not call this good: {}",
                    Label::from(person.user()),
                    person.line(),
                    finding
                )));
            }
        }
        Ok(())
    }
}

/// Whether all that there is to be of a request is there.
fn is_whole(paths: &Paths, request: &CertificationRequest, wanted: &Wanted) -> bool {
    is_there(paths, request, &manifest(wanted, request).to_yaml())
}

fn without_its_key(request: &Path, key: &Path) -> Failure {
    Failure::could_not_run(text!(
        "{} asks for something else than the roster says by now, and its key is not in {}",
        request,
        key
    ))
    .say("bring the key back, or move the request away for a new key")
}

fn agreed_and_not_there(person: &Person, key: &Path) -> Failure {
    Failure::could_not_run(text!(
        "line {} of the roster has the fingerprint of the key of \"{}\", and {} is not there: a new \
         key would have another",
        person.line(),
        Label::from(person.user()),
        key
    ))
    .say("name the folder that it is in, or take the fingerprint out of the roster")
}

fn of_another_key(
    path: &Path,
    request: &CertificationRequest,
    key_path: &Path,
    key: &PrivateKey,
) -> Failure {
    Failure::could_not_run(text!(
        "{} is not for the key in {}: found {}, expected {}",
        path,
        key_path,
        request.public_key().fingerprint(),
        key.public_key().fingerprint()
    ))
    .say("put back what was made together, or move away what does not belong there")
}

/// What the roster says by now and did not say when the rest was made.
fn tell_what_changed(
    folder: &Path,
    done: &[Done<'_>],
    all: &Path,
    console: &Console,
) -> Result<(), Failure> {
    let users = |is_so: &dyn Fn(&Done<'_>) -> bool| {
        let users = done.iter().filter(|done| is_so(done));
        names_of(users.map(|done| Label::from(done.person.user()).show()))
    };
    if let Some((count, users)) = users(&|done| done.is == Is::NewForKey) {
        console.note(text!(
            "{} changed: {}; there is a new request for the same key, and the earlier one stays as it is",
            text::count(count, "row has", "rows have"),
            users
        ));
    }
    let is_another = |done: &Done<'_>| {
        let algorithm = done.person.algorithm();
        algorithm.is_some_and(|wanted| Algorithm::of(&done.key) != Some(wanted))
    };
    if let Some((count, users)) = users(&is_another) {
        console.warn(text!(
            "{} of another algorithm than the roster says, and stay: {}; for a new key move the one that is \
             there away, with its request",
            text::count(count, "key is", "keys are"),
            users
        ));
    }
    if let Some((count, users)) = users(&|done| done.is == Is::WithoutKey) {
        console.note(text!(
            "{} not here, and no other was made: {}",
            text::count(count, "key is", "keys are"),
            users
        ));
    }
    let known = done.iter().flat_map(|done| &done.files);
    let known: HashSet<_> = known.filter_map(|path| path.file_name()).collect();
    let is_left = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        let shown = name.to_string_lossy();
        let is_ours = [".key", ".csr", ".csr.yaml"]
            .iter()
            .any(|end| shown.ends_with(end));
        is_ours && !known.contains(name) && !is_of_all(&shown) && path.is_file()
    };
    let left = file::in_folder(folder)?;
    let left = left.iter().filter(|path| is_left(path));
    let left = left.map(|path| text::Show::show(Path::new(path.file_name().unwrap_or_default())));
    if let Some((count, names)) = names_of(left) {
        console.note(text!(
            "{} of nobody in the roster as it is now: {}; they stay, and are not in {}",
            text::count(count, "file here is", "files here are"),
            names,
            all
        ));
    }
    Ok(())
}

/// How many, and the first of them.
fn names_of(names: impl Iterator<Item = Text>) -> Option<(usize, Text)> {
    const NAMED: usize = 8;
    let names: Vec<Text> = names.collect();
    let more = if names.len() > NAMED { ", ..." } else { "" };
    let count = names.len();
    let shown = Text::join(names.into_iter().take(NAMED), ", ");
    (count > 0).then(|| (count, text!("{}{}", shown, more)))
}

fn is_of_all(name: &str) -> bool {
    let number = name
        .strip_prefix(RESERVED)
        .and_then(|it| it.strip_suffix(".csr.yaml"));
    number.is_some_and(|number| number.is_empty() || number.starts_with('='))
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

/// Whether a request asks for this person as the roster says.
fn asks_for(request: &CertificationRequest, person: &Person) -> bool {
    let Some(identity) = request.subject().identity_when_issued() else {
        return false;
    };
    let found = Found {
        identity: Some(&identity),
        ..Found::default()
    };
    let (comparison, _) = person.agreement().compare(&found);
    let is_theirs = comparison.user == Point::Agreed && comparison.groups == Point::Agreed;
    is_theirs && request.verify().is_ok()
}

fn user_of(request: &CertificationRequest) -> Option<String> {
    let identity = request.subject().identity_when_issued()?;
    Some(identity.username)
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
        .filter(|path| path.to_string_lossy().ends_with(".csr.yaml") && path.is_file())
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
                (user, done.key.fingerprint().spoken())
            });
            let lines: Vec<_> = lines.collect();
            let width = lines.iter().map(|(user, _)| user.width()).max();
            let width = width.unwrap_or_default();
            let lines = lines
                .into_iter()
                .map(|(user, spoken)| text!("{}  {}\n", user.padded(width), Label::from(spoken)));
            Text::join(lines, "").to_string()
        }
        Format::Csv => to_csv(
            done.iter()
                .map(|done| (done.person, done.key.fingerprint())),
        ),
        Format::Json => {
            let now = OffsetDateTime::now_utc();
            let none = |_: &Path| Err(Text::default());
            let rows = done.iter().flat_map(|done| {
                let folder = Path::new("");
                let contents = list::contents(
                    done.manifest.as_bytes(),
                    list::Keys::Unopened,
                    folder,
                    &none,
                    now,
                );
                let mut rows = contents.map(|contents| contents.rows).unwrap_or_default();
                for row in &mut rows {
                    let [_, _, manifest] = &done.files;
                    row.source = manifest.display().to_string();
                }
                rows
            });
            Layout::Json.write(&rows.collect::<Vec<_>>())
        }
    }
}

fn summary(done: &[Done<'_>], path: &Path, file: &Stream) -> Text {
    let is_new = |done: &&Done<'_>| matches!(done.is, Is::New | Is::NewForKey);
    let new = done.iter().filter(is_new).count();
    let roster = roster::to_repeat(file);
    let verify = Command::ours("verify").operand(path);
    let verify = verify
        .option("--roster", &roster.name)
        .option("-o", "manifest");
    let create = verify.pipe(hint::create_and_approve());
    text!(
        "{} made, {} there already; all requests are in {}.\n\
         Send that one to an administrator of the cluster, and the fingerprints another way (-o csv writes\n\
         them as a roster). The administrator creates those that are as agreed on, as here:\n\n{}{}",
        count(new, "request", "requests"),
        done.len() - new,
        quoted(path),
        create.folded(2),
        roster.note
    )
}
