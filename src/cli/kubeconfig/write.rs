//! Where kubeconfigs are written: all that goes into one file at once, and nothing lost of what it has.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use kube_enroll::kubeconfig::{
    Cluster, Credential, Decided, Held, Kubeconfig, MergeError, NamedBy, NewEntry,
};
use kube_enroll::kuberc;
use kube_enroll::parallel;
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text, count};
use serde_json::Value;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::super::args::unlock_time;
use super::super::console::Console;
use super::super::failure::{Failure, Failures};
use super::super::from::cluster;
use super::super::from::credentials::NamedFiles;
use super::super::from::file::{self, Stream};
use super::super::os::{kernel_keyring, privacy};
use super::super::to::files::{self, Access, NewFiles, Turn, folder_of};
use super::super::to::names;
use super::super::{Verdict, report};
use super::{Args, Issued, Run, Style, absolute};

/// A kubeconfig with tens of thousands of contexts, in bytes.
const LIMIT: u64 = 64 << 20;

/// What is to be written, by the kubeconfig that it goes to.
#[derive(Default)]
pub(super) struct Plans {
    targets: Vec<(Target, Vec<Planned>)>,
    positions: HashMap<Target, usize>,
    /// The certificates that lie beside kubeconfigs, by their files.
    certificates: HashMap<PathBuf, String>,
    /// What was there before, each looked at once.
    there: HashMap<Target, There>,
}

/// The entries of this program in a kubeconfig, as far as they may stay as they are.
#[derive(Default)]
struct There {
    users: HashMap<String, Carried>,
    /// The user of each context.
    contexts: HashMap<String, String>,
}

/// The options of `credential` that a kubeconfig is written with.
const DECIDED: &[&str] = &["--certificate", "--key", "--unlock-for"];

/// How an entry carries its certificate and key.
#[derive(Clone)]
pub(super) struct Carried {
    pub(super) style: Style,
    /// For so many seconds.
    pub(super) unlock_for: Option<u32>,
    /// What kubectl runs.
    pub(super) command: Option<String>,
    /// What it is run with, without what is decided anew.
    pub(super) arguments: Vec<String>,
}

/// The arguments without these options and their values.
fn without(options: &[&str], arguments: &[Value]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = arguments.iter().filter_map(Value::as_str);
    while let Some(word) = words.next() {
        match options.iter().find_map(|option| word.strip_prefix(option)) {
            // The value is the next word.
            Some("") => drop(words.next()),
            Some(rest) if rest.starts_with('=') => {}
            _ => kept.push(word.to_owned()),
        }
    }
    kept
}

impl There {
    fn of(kubeconfig: &Kubeconfig) -> Self {
        let ours = kubeconfig.auth_infos().filter(|user| user.is_ours);
        let users = ours.filter_map(|user| {
            let style = match (user.command, user.key?) {
                (Some(_), _) => Style::Exec,
                (None, Held::Data(_)) => Style::Embed,
                (None, Held::File(_) | Held::Argument(_)) => Style::Files,
            };
            let carried = Carried {
                style,
                unlock_for: user.unlock_for.and_then(|typed| unlock_time(typed).ok()),
                command: user.command.map(str::to_owned),
                arguments: without(DECIDED, user.arguments.unwrap_or_default()),
            };
            Some((user.name.to_owned(), carried))
        });
        let contexts = kubeconfig.contexts();
        Self {
            users: users.collect(),
            contexts: contexts
                .map(|(name, _, user)| (name.to_owned(), user.to_owned()))
                .collect(),
        }
    }

    /// The entry that a new one takes the place of.
    fn carried(&self, context: &str, user: &str) -> Option<&Carried> {
        self.users
            .get(self.contexts.get(context).map_or(user, String::as_str))
    }
}

/// A kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// One that is there, or is made.
    Any(Stream),
    /// One that must not be there.
    New(Stream),
}

/// An entry that was checked.
struct Planned {
    entry: NewEntry,
    decided: Decided,
    certificate_file: Option<(PathBuf, String)>,
    input: Stream,
    until: OffsetDateTime,
}

/// What became of a kubeconfig.
struct Written<'p, 'a> {
    verdict: Verdict,
    added: Vec<&'p Planned>,
    /// What is to be kept with the files of the others.
    new_files: NewFiles<'a>,
}

/// The cluster, and the context that is there already.
pub(super) struct Place {
    pub(super) cluster: Cluster,
    context: Option<String>,
}

impl Target {
    fn stream(&self) -> &Stream {
        match self {
            Self::Any(stream) | Self::New(stream) => stream,
        }
    }
}

impl Plans {
    fn add(&mut self, target: Target, planned: Planned) {
        let next = self.targets.len();
        let position = *self.positions.entry(target.clone()).or_insert(next);
        match self.targets.get_mut(position) {
            Some((_, entries)) => entries.push(planned),
            None => self.targets.push((target, vec![planned])),
        }
    }

    /// A name for the certificate after user and cluster, which nothing else has: the same one again,
    /// or one with its serial number.
    fn certificate_path(
        &mut self,
        folder: &Path,
        issued: &Issued,
        cluster: &str,
        pem: &str,
    ) -> PathBuf {
        let folder = if folder == Path::new(".") {
            Path::new("")
        } else {
            folder
        };
        let user = names::stem(&issued.user, "");
        let stem = format!("{user}@{}", names::stem(cluster, cluster));
        let serial = issued.chain.leaf().serial();
        let names = [format!("{stem}.crt"), format!("{stem}-{serial}.crt")].into_iter();
        let more = (2..).map(|number| format!("{stem}-{serial}-{number}.crt"));
        let mut paths = names.chain(more).map(|name| folder.join(name));
        let is_free = |path: &PathBuf| match self.certificates.get(path) {
            Some(planned) => planned == pem,
            None => files::refuse_existing(path).is_ok() || files::holds(path, pem),
        };
        let path = paths.find(is_free).unwrap_or_default();
        self.certificates.insert(path.clone(), pem.to_owned());
        path
    }
}

/// The ending of kubeconfigs that have no other name.
const ENDING: &str = ".kubeconfig";
/// More entries than this are not told one by one.
const SHOWN: usize = 10;

impl Run<'_> {
    /// `USER.kubeconfig` beside the key, unless it is to be elsewhere.
    fn target(&self, issued: &Issued) -> Target {
        if let Some(merge) = &self.args.merge {
            return Target::Any(merge.clone());
        }
        if let Some(out) = &self.args.out {
            return Target::New(out.clone());
        }
        // One file grows to all of a person's clusters.
        Target::Any(self.usual_path(issued).into())
    }

    fn usual_path(&self, issued: &Issued) -> PathBuf {
        let key = issued.key.source.path();
        let beside = key.and_then(Path::parent).unwrap_or(Path::new(""));
        let folder = self.args.output_dir.as_deref().unwrap_or(beside);
        let key = key.and_then(Path::file_stem).unwrap_or_default();
        let stem = names::stem(&issued.user, &key.to_string_lossy());
        folder.join(format!("{stem}{ENDING}"))
    }

    /// The cluster that was given. Where it was given apart from the reply, it is the one that the
    /// certificate is used for already, under the name that it has there; and that one, where none was
    /// given.
    pub(super) fn place(
        &self,
        issued: &Issued,
        given: Option<&Cluster>,
        input: &Stream,
    ) -> Result<Place, Failure> {
        let is_apart = self.args.cluster.is_some() || self.args.server.is_some();
        let there = if given.is_none() || is_apart {
            self.context_there(issued, given)
        } else {
            None
        };
        match (given, there) {
            (given, Some((context, there))) => Ok(Place {
                cluster: Cluster {
                    name: there.name.clone(),
                    ..given.unwrap_or(&there).clone()
                },
                context: Some(context),
            }),
            (Some(given), None) => Ok(Place {
                cluster: given.clone(),
                context: None,
            }),
            (None, None) => Err(Failure::about(input, "there is no cluster in it").say(
                "give --cluster FILE (any kubeconfig of it), or --server URL and \
                 --certificate-authority FILE",
            )),
        }
    }

    /// The context that has this key and leads to the cluster that was given, as the kubeconfig that
    /// is written to names both.
    fn context_there(&self, issued: &Issued, given: Option<&Cluster>) -> Option<(String, Cluster)> {
        let target = self.target(issued);
        let Target::Any(Stream::File(path)) = &target else {
            return None;
        };
        if !path.exists() {
            return None;
        }
        let contents = file::read(target.stream(), LIMIT).ok()?;
        let kubeconfig = Kubeconfig::read(&contents).ok()?;
        let files = NamedFiles::of(target.stream());
        let read = |path: &Path| files.read(path).ok();
        let named = NamedBy {
            folder: path.parent().unwrap_or(Path::new("")),
            read: &read,
        };
        let contexts = kubeconfig.contexts_of(issued.chain.leaf().public_key(), named);
        let is_named = |name: &str, wanted: &Option<String>| {
            wanted.as_deref().is_none_or(|wanted| wanted == name)
        };
        let mut fitting = contexts.into_iter().filter_map(|(context, cluster)| {
            let cluster = kubeconfig.clusters().find(|it| it.name == cluster)?;
            let fits = given.is_none_or(|given| given.is_same_server(&cluster))
                && is_named(context, &self.args.context)
                && is_named(&cluster.name, &self.args.cluster_name);
            fits.then(|| (context.to_owned(), cluster))
        });
        fitting.next()
    }

    /// Looks at what is there already.
    fn look_there<'p>(&self, target: &Target, plans: &'p mut Plans) -> &'p There {
        plans.there.entry(target.clone()).or_insert_with(|| {
            let Target::Any(Stream::File(path)) = target else {
                return There::default();
            };
            // Where it cannot be read, that is said when it is written.
            let contents = path.exists().then(|| file::read(target.stream(), LIMIT));
            let contents = contents.and_then(Result::ok);
            let kubeconfig = contents.and_then(|it| Kubeconfig::read(&it).ok());
            kubeconfig.map_or_else(There::default, |it| There::of(&it))
        })
    }

    /// Makes the entry of a certificate.
    pub(super) fn plan(
        &self,
        issued: &Issued,
        place: Place,
        input: &Stream,
        plans: &mut Plans,
    ) -> Result<(), Failure> {
        let target = self.target(issued);
        let Place { cluster, context } = place;
        let pem = issued.chain.to_pem();
        let args = self.args;
        let user = format!("{}@{}", issued.user, cluster.name);
        let context = args.context.clone().or(context);
        let context = context.unwrap_or_else(|| user.clone());
        let there = self.look_there(&target, plans).carried(&context, &user);
        let there = there.cloned();
        let mut certificate_file = None;
        let credential = match self.style(issued, there.as_ref()) {
            Style::Embed => Credential::Embedded {
                certificate: pem,
                key: issued.key.key.to_pkcs8_pem()?,
            },
            style => {
                let key = issued.key.source.path().ok_or_else(|| {
                    Failure::could_not_run("a kubeconfig cannot name the key on standard input")
                        .say("put it into the kubeconfig with --embed, or write it to a file")
                })?;
                let key = absolute(key)?;
                if matches!(style, Style::Files) {
                    self.check_readable(&issued.key)?;
                }
                let usual = self.usual_path(issued);
                let folder = folder_of(target.stream().path().unwrap_or(&usual));
                let path = plans.certificate_path(folder, issued, &cluster.name, &pem);
                let certificate = absolute(&path)?;
                certificate_file = Some((path, pem));
                match style {
                    Style::Exec => self.exec(certificate, key, there.as_ref()),
                    _ => Credential::Files { certificate, key },
                }
            }
        };
        let entry = NewEntry {
            context,
            user,
            cluster,
            namespace: args.namespace.clone(),
            credential,
            certificate: issued.chain.leaf().clone(),
        };
        let planned = Planned {
            entry,
            decided: Decided {
                context: args.context.is_some(),
                authority: args.cluster.is_some()
                    || args.certificate_authority.is_some()
                    || args.ca_fingerprint.is_some(),
            },
            certificate_file,
            input: input.clone(),
            until: issued.chain.leaf().not_after(),
        };
        plans.add(target, planned);
        Ok(())
    }
}

/// Writes what was planned.
pub(super) struct Writer<'a> {
    pub(super) args: &'a Args,
    pub(super) console: &'a Console,
}

impl<'a> Writer<'a> {
    /// Writes every kubeconfig; one that cannot be written does not stop the others.
    pub(super) fn write_all(&self, plans: &Plans) -> Result<Verdict, Failure> {
        let mut verdict = Verdict::Good;
        let mut failures = Failures::default();
        let mut new_files = NewFiles::new(self.console);
        let paths = plans.targets.iter();
        let paths = paths.filter_map(|(target, _)| target.stream().path());
        // In one order, or two runs would wait for each other.
        let folders: BTreeSet<&Path> = paths.map(folder_of).collect();
        let mut turns = Vec::new();
        for folder in folders {
            // As kubectl does for ~/.kube.
            new_files.create_folder(folder)?;
            turns.push(Turn::wait(folder));
        }
        let written = parallel::map_waiting(&plans.targets, |(target, planned)| {
            self.write(target, planned)
        });
        let mut done = Vec::new();
        for ((target, _), written) in plans.targets.iter().zip(written) {
            match written {
                Ok(written) => {
                    verdict = verdict.max(written.verdict);
                    new_files.absorb(written.new_files);
                    let added = written.added.into_iter();
                    done.extend(added.map(|planned| (target.stream(), planned)));
                }
                Err(failure) => failures.report(&failure),
            }
        }
        verdict = verdict.max(failures.end("more kubeconfig", "more kubeconfigs"));
        drop(turns);
        if done.is_empty() {
            return Ok(verdict);
        }
        // Thousands of names in a folder are made lasting at once.
        new_files.keep()?;
        if done.len() > SHOWN {
            self.tell(lines_of_many(&done))?;
        } else {
            for (stream, planned) in &done {
                self.tell(line(stream, planned))?;
            }
        }
        if let Some((stream, last)) = done.last() {
            let command = to_try(stream, &last.entry.context);
            self.tell(text!("\nTry it:\n\n{}\n", command.folded(2)))?;
        }
        let run_by_kubectl = done
            .iter()
            .find_map(|(_, planned)| match &planned.entry.credential {
                Credential::Exec { command, .. } => Some(command),
                _ => None,
            });
        if let Some(own) = run_by_kubectl {
            self.tell(text!(
                "\nIt runs {} for the key. Where ~/.kube/kuberc restricts what kubectl (1.35 and later) may run, \
                 name it there, with the others that you use; kubectl 1.36 and later has a command for it:\n\n{}\n",
                quoted(own),
                kuberc::allowing([own.as_str()]).folded(2)
            ))?;
        }
        Ok(verdict)
    }

    /// Adds what can be added, writes the kubeconfig, and tells what was added.
    fn write<'p>(
        &self,
        target: &Target,
        planned: &'p [Planned],
    ) -> Result<Written<'p, 'a>, Failure> {
        let stream = target.stream();
        let mut new_files = NewFiles::new(self.console);
        if let Some(path) = stream.path() {
            files::wait_for_kubectl(path)?;
        }
        let contents = self.read(target, planned)?;
        let mut kubeconfig = match &contents {
            Some(contents) => read(stream, contents)?,
            None => read(stream, b"")?,
        };
        let files = NamedFiles::of(stream);
        let read = |path: &Path| files.read(path).ok();
        let named = NamedBy {
            folder: stream
                .path()
                .and_then(Path::parent)
                .unwrap_or(Path::new("")),
            read: &read,
        };
        let mut verdict = Verdict::Good;
        let mut added = Vec::new();
        let mut replaced_keys = kubeconfig.fingerprints();
        let mut contexts = HashSet::new();
        for one in planned {
            // What this very run has written is not to be replaced by its next entry.
            let is_new = contexts.insert(one.entry.context.as_str());
            let decided = Decided {
                context: one.decided.context && is_new,
                ..one.decided
            };
            match kubeconfig.add(&one.entry, decided, named) {
                Ok(changes) => {
                    for change in &changes {
                        self.console.warn(text!("{}: {}", stream, change));
                    }
                    added.push(one);
                }
                Err(error) => {
                    let failure = self.refused(target, one, &error, &kubeconfig);
                    verdict = verdict.max(report(&failure));
                }
            }
        }
        let written = |added, new_files| Written {
            verdict,
            added,
            new_files,
        };
        if added.is_empty() {
            return Ok(written(added, new_files));
        }
        for (path, pem) in added.iter().filter_map(|one| one.certificate_file.as_ref()) {
            if !files::holds(path, pem) {
                new_files.create(path, pem.as_bytes(), Access::Everyone)?;
            }
        }
        let holds_key = added
            .iter()
            .any(|one| matches!(one.entry.credential, Credential::Embedded { .. }));
        for kept in kubeconfig.fingerprints() {
            replaced_keys.remove(&kept);
        }
        let text = kubeconfig.into_text();
        match (stream.path(), &contents) {
            (None, _) => {
                files::put_secret(&text)?;
            }
            (Some(path), None) => {
                new_files.create(path, text.expose().as_bytes(), Access::Owner)?;
            }
            (Some(path), Some(contents)) => {
                new_files.sync()?;
                let first = text.expose().as_bytes();
                let replaced = replace(path, contents, first, holds_key, self.console);
                // Where it failed at last, the kubeconfig may name the certificates already.
                if replaced.is_ok() || !files::holds(path, contents.as_slice()) {
                    std::mem::replace(&mut new_files, NewFiles::new(self.console)).release();
                }
                replaced?;
                kernel_keyring::forget_keys(&replaced_keys);
            }
        }
        Ok(written(added, new_files))
    }

    /// What is in the kubeconfig; nothing where a new one is made.
    fn read(
        &self,
        target: &Target,
        planned: &[Planned],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        match target {
            Target::Any(Stream::File(path)) if !path.exists() => Ok(None),
            Target::Any(stream) => file::read(stream, LIMIT).map(Some),
            Target::New(Stream::Stdio) => Ok(None),
            Target::New(Stream::File(path)) => {
                let input = planned.first().map(|one| one.input.clone());
                let merge = Args {
                    out: None,
                    merge: Some(path.clone().into()),
                    replies: input.into_iter().collect(),
                    ..self.args.clone()
                };
                files::refuse_existing(path).map_err(|failure| {
                    let is_kubeconfig =
                        file::whole_head(path).is_some_and(|it| Kubeconfig::read(&it).is_ok());
                    if is_kubeconfig {
                        failure.say("to add to it:").run(merge.command())
                    } else {
                        failure
                    }
                })?;
                Ok(None)
            }
        }
    }

    /// Says how it went, beside a kubeconfig on standard output.
    fn tell(&self, text: Text) -> Result<(), Failure> {
        let streams = [&self.args.out, &self.args.merge];
        if streams
            .into_iter()
            .flatten()
            .any(|out| *out == Stream::Stdio)
        {
            self.console.note(text);
            return Ok(());
        }
        self.console.say(text)
    }

    /// Why an entry cannot be added, and both ways out: a place of its own, or to replace what is
    /// there.
    fn refused(
        &self,
        target: &Target,
        planned: &Planned,
        error: &MergeError,
        kubeconfig: &Kubeconfig,
    ) -> Failure {
        let again = |change: &dyn Fn(&mut Args)| {
            let mut args = Args {
                replies: vec![planned.input.clone()],
                ..self.args.clone()
            };
            change(&mut args);
            args.command()
        };
        let entry = &planned.entry;
        let free_context = free(&entry.context, |name| {
            kubeconfig.contexts().any(|(context, _, _)| context == name)
        });
        let with_context = |name: &str| again(&|args| args.context = Some(name.to_owned()));
        let with_cluster = || {
            let name = free(&entry.cluster.name, |name| {
                kubeconfig.clusters().any(|cluster| cluster.name == name)
            });
            again(&|args| {
                args.cluster_name = Some(name.clone());
                if args.context.is_some() {
                    args.context = Some(free_context.clone());
                }
            })
        };
        let failure = Failure::about(target.stream(), error);
        let failure = match error {
            MergeError::Foreign { .. } | MergeError::Context { .. } => failure
                .say("nothing of it was changed; to add a context of another name:")
                .run(with_context(&free_context)),
            MergeError::Credential { .. } => failure
                .say("nothing of it was changed; to have both:")
                .run(with_context(&free_context))
                .say("to replace the one that is there:")
                .run(with_context(&entry.context)),
            MergeError::Server { .. } | MergeError::Way { .. } => failure
                .say("nothing of it was changed; to have both clusters:")
                .run(with_cluster()),
            MergeError::Authority { given, .. } => {
                let failure = failure
                    .say("nothing of it was changed; to have both clusters:")
                    .run(with_cluster())
                    .say(
                        "if the administrator exchanged it, have them tell you its fingerprint another way, and \
                         give that in place of the word in capitals:",
                    );
                match given.only() {
                    // What came with the reply says nothing of the reply.
                    Some(_) => failure.say(text!(
                        "run: {} --ca-fingerprint FINGERPRINT",
                        again(&|args| args.ca_fingerprint = None)
                    )),
                    None => failure.say("give a kubeconfig of the cluster with --cluster FILE"),
                }
            }
        };
        failure.say_if(
            self.args.out.is_none(),
            "or write a kubeconfig of its own with --out FILE".into(),
        )
    }
}

/// The name with the first number behind it that is free.
fn free(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut names = (2..).map(|number: u64| format!("{name}-{number}"));
    names.find(|name| !is_taken(name)).unwrap_or_default()
}

/// How many went to which folder, and until when all are valid.
fn lines_of_many(done: &[(&Stream, &Planned)]) -> Text {
    let mut by_folder: BTreeMap<&Path, (HashSet<&Stream>, Vec<&Planned>)> = BTreeMap::new();
    for (stream, planned) in done {
        let folder = stream.path().map_or(Path::new(""), folder_of);
        let (files, entries) = by_folder.entry(folder).or_default();
        files.insert(stream);
        entries.push(planned);
    }
    let lines = by_folder.into_iter().map(|(folder, (files, entries))| {
        let until = entries.iter().map(|planned| planned.until).min();
        let until = until.map_or(Text::default(), |until| until.show());
        text!(
            "  {} with {} in {}, all valid until {}\n",
            count(files.len(), "kubeconfig", "kubeconfigs"),
            count(entries.len(), "context", "contexts"),
            quoted(folder),
            until
        )
    });
    Text::join(lines, "")
}

/// Where it went, for whom and until when.
fn line(stream: &Stream, planned: &Planned) -> Text {
    let shown = match stream.path() {
        Some(path) => quoted(path),
        None => "standard output".into(),
    };
    text!(
        "  {}  context {}, {}, valid until {}\n",
        shown,
        quoted(&planned.entry.context),
        Label::from(planned.entry.cluster.without_secrets().server),
        planned.until
    )
}

fn to_try(stream: &Stream, context: &str) -> Command {
    let file = stream.path().unwrap_or(Path::new("FILE"));
    Command::new("kubectl")
        .option("--kubeconfig", file)
        .option("--context", context)
        .word("auth")
        .word("whoami")
}

fn read(stream: &Stream, contents: &[u8]) -> Result<Kubeconfig, Failure> {
    Kubeconfig::read(contents).map_err(|error| {
        cluster::no_kubeconfig(stream, contents, &error)
            .unwrap_or_else(|| cluster::unusable(stream, None, &error, "--context"))
    })
}

/// Puts the first document in the place of the old one, which keeps its owner and mode; but a key is
/// its owner's alone.
fn replace(
    path: &Path,
    contents: &[u8],
    first: &[u8],
    holds_key: bool,
    console: &Console,
) -> Result<(), Failure> {
    let rest = behind_first_document(contents);
    let mut whole = Zeroizing::new(Vec::with_capacity(first.len() + rest.len()));
    whole.extend_from_slice(first);
    whole.extend_from_slice(rest);
    if *contents == **whole && (!holds_key || privacy::is_private(path)) {
        return Ok(());
    }
    let is_comment = |line: &[u8]| line.trim_ascii_start().starts_with(b"#");
    if contents.split(|byte| *byte == b'\n').any(is_comment) {
        console.note(text!("{}: comments are not kept, as by kubectl", path));
    }
    if holds_key {
        return files::replace_private(path, &whole, console);
    }
    files::replace(path, &whole, console)
}

/// Further documents, which kubectl does not read: from the line `---` behind the first one on.
fn behind_first_document(contents: &[u8]) -> &[u8] {
    let mut position = 0;
    let mut has_content = false;
    for line in contents.split_inclusive(|byte| *byte == b'\n') {
        let is_end = line.starts_with(b"---");
        if is_end && has_content {
            return contents.get(position..).unwrap_or_default();
        }
        let text = line.trim_ascii();
        has_content |= !is_end && !text.is_empty() && !text.starts_with(b"#");
        position += line.len();
    }
    &[]
}
