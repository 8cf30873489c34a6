//! Where kubeconfigs are written: all that goes into one file at once, and nothing lost of what it has.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use kube_enroll::key::Fingerprint;
use kube_enroll::kubeconfig::{Change, Credential, Decided, Kubeconfig, MergeError, NamedBy};
use kube_enroll::kuberc;
use kube_enroll::parallel;
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text, count};
use zeroize::Zeroizing;

use super::super::console::Console;
use super::super::failure::{Failure, Failures};
use super::super::from::cluster;
use super::super::from::credentials::NamedFiles;
use super::super::from::file::{self, Stream};
use super::super::os::{kernel_keyring, privacy};
use super::super::to::files::{self, Access, NewFiles, Turn, folder_of};
use super::super::{Verdict, report};
use super::plan::{LIMIT, Planned, Plans, Target};
use super::{Args, again, again_for, show};

/// More entries than this are not told one by one.
const SHOWN: usize = 10;

/// A kubeconfig with what can be added to it, before it is written.
struct Judged<'p> {
    /// What is there.
    contents: Option<Zeroizing<Vec<u8>>>,
    kubeconfig: Kubeconfig,
    added: Vec<&'p Planned>,
    /// The files of certificates that are to be there before.
    certificates: Vec<&'p (PathBuf, String)>,
    changes: Vec<Change>,
    refused: Vec<Failure>,
    /// The keys that are in it no more.
    replaced_keys: HashSet<Fingerprint>,
}

/// What became of a kubeconfig.
struct Written<'p, 'a> {
    verdict: Verdict,
    /// What would be written, where nothing is.
    shown: Text,
    added: Vec<&'p Planned>,
    /// What is to be kept with the files of the others.
    new_files: NewFiles<'a>,
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
        let real = |folder: &Path| folder.canonicalize().unwrap_or(folder.to_owned());
        let folders: BTreeSet<PathBuf> = paths.map(folder_of).map(real).collect();
        let turns: Vec<Turn> = folders.iter().map(|folder| Turn::wait(folder)).collect();
        if !self.args.dry_run {
            self.clear_left_over(plans);
        }
        let written = if self.args.merge.len() > 1 {
            let judged = match self.judge_all(plans) {
                Ok(judged) => judged,
                Err(verdict) => return Ok(verdict),
            };
            let mut written = Vec::new();
            for (target, judged) in judged {
                let one = self.write(target, judged);
                let is_over = one.is_err();
                written.push((target, one));
                // What stopped this one, as a full disk, is not tried on the others.
                if is_over {
                    break;
                }
            }
            written
        } else {
            parallel::map_waiting(&plans.targets, |(target, planned)| {
                let judged = self.judge(target, planned);
                (target, judged.and_then(|it| self.write(target, it)))
            })
        };
        let (mut done, mut shown) = (Vec::new(), Vec::new());
        for (target, written) in written {
            match written {
                Ok(written) => {
                    verdict = verdict.max(written.verdict);
                    shown.push(written.shown);
                    new_files.absorb(written.new_files);
                    let added = written.added.into_iter();
                    done.extend(added.map(|planned| (target.stream(), planned)));
                }
                Err(failure) => failures.report(&failure),
            }
        }
        verdict = verdict.max(failures.end("more kubeconfig", "more kubeconfigs"));
        drop(turns);
        if self.args.dry_run {
            self.console.say(Text::join(shown, ""))?;
            self.console.note("nothing was written");
        }
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
                Credential::Exec(exec) => Some(&exec.command),
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

    /// What earlier runs have left over beside the files that are replaced.
    fn clear_left_over(&self, plans: &Plans) {
        let targets = plans.targets.iter();
        let mut by_folder: BTreeMap<&Path, Vec<&Path>> = BTreeMap::new();
        for path in targets.filter_map(|(target, _)| target.stream().path()) {
            by_folder.entry(folder_of(path)).or_default().push(path);
        }
        for (folder, files) in by_folder {
            files::clear_left_over(folder, &files, self.console);
        }
    }

    /// Several that are to have the same. Where one of them cannot be written as a whole, none is: what is
    /// wrong, and what to run for the others.
    fn judge_all<'p>(&self, plans: &'p Plans) -> Result<Vec<(&'p Target, Judged<'p>)>, Verdict> {
        let mut failures = Failures::default();
        let mut good = Vec::new();
        for (target, planned) in &plans.targets {
            match self.judge(target, planned) {
                Err(failure) => failures.report(&failure),
                Ok(judged) if judged.refused.is_empty() => good.push((target, judged)),
                Ok(judged) => judged.refused.iter().for_each(|it| failures.report(it)),
            }
        }
        if good.len() == plans.targets.len() {
            // They may have the same certificate beside them, which stays with the first one that is replaced:
            // new ones may still be taken back.
            good.sort_by_key(|(target, judged)| {
                target.stream().path().is_none() || judged.contents.is_none()
            });
            let mut seen = HashSet::new();
            for (_, judged) in &mut good {
                judged.certificates.retain(|(path, _)| seen.insert(path));
            }
            return Ok(good);
        }
        let others: Vec<Stream> = good.iter().map(|(it, _)| it.stream().clone()).collect();
        if !others.is_empty() {
            let what = text!(
                "nothing was written, {} neither",
                Text::join(others.iter().map(Stream::show), ", ")
            );
            let command = again().with_all("merge", others.iter().map(Stream::typed));
            let failure = Failure::could_not_run(what).say("to write without the others:");
            failures.report(&failure.run(command.command()));
        }
        Err(failures.end("more kubeconfig", "more kubeconfigs"))
    }

    /// Adds what can be added; nothing is written.
    fn judge<'p>(&self, target: &Target, planned: &'p [Planned]) -> Result<Judged<'p>, Failure> {
        let stream = target.stream();
        if let Some(path) = stream.path() {
            self.refuse_link(path, planned)?;
            files::refuse_unwritable(folder_of(path)).map_err(|failure| {
                failure.say("a file is exchanged whole: name one in another folder")
            })?;
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
        let mut replaced_keys = kubeconfig.fingerprints();
        let (mut added, mut changes, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let mut contexts = HashSet::new();
        for one in planned {
            // What this very run has written is not to be replaced by its next entry.
            let is_new = contexts.insert(one.entry.context.as_str());
            let decided = Decided {
                context: one.decided.context && is_new,
                ..one.decided
            };
            match kubeconfig.add(&one.entry, decided, named) {
                Ok(more) => {
                    changes.extend(more);
                    added.push(one);
                }
                Err(error) => refused.push(self.refused(target, one, &error, &kubeconfig)),
            }
        }
        for kept in kubeconfig.fingerprints() {
            replaced_keys.remove(&kept);
        }
        let certificates = added.iter().filter_map(|one| one.certificate_file.as_ref());
        Ok(Judged {
            contents,
            kubeconfig,
            certificates: certificates.collect(),
            added,
            changes,
            refused,
            replaced_keys,
        })
    }

    /// A link would be replaced by a file; what to run for the file that it leads to.
    fn refuse_link(&self, path: &Path, planned: &[Planned]) -> Result<(), Failure> {
        let Some(real) = path.canonicalize().ok().filter(|_| path.is_symlink()) else {
            return Ok(());
        };
        let link = Stream::from(path);
        let real = Stream::from(real);
        let mut merge = self.args.merge.clone();
        match merge.iter_mut().find(|merge| **merge == link) {
            Some(merge) => *merge = real,
            None => merge.push(real),
        }
        let mut replies: Vec<&Stream> = planned.iter().map(|one| &one.input).collect();
        replies.dedup();
        let again = again_for(replies)
            .with_all("merge", merge.iter().map(Stream::typed))
            .without(&["output-dir"]);
        Err(files::symbolic_link(path)
            .with_no_hints()
            .say("name the file that it leads to:")
            .run(again.command()))
    }

    /// Writes the kubeconfig, and tells what was added.
    fn write<'p>(&self, target: &Target, judged: Judged<'p>) -> Result<Written<'p, 'a>, Failure> {
        let stream = target.stream();
        let mut new_files = NewFiles::new(self.console);
        let Judged {
            contents,
            kubeconfig,
            added,
            certificates,
            changes,
            refused,
            replaced_keys,
        } = judged;
        for change in &changes {
            self.console.warn(text!("{}: {}", stream, change));
        }
        let verdict = refused.iter().map(report).max().unwrap_or(Verdict::Good);
        let written = |added, new_files| Written {
            verdict,
            shown: Text::default(),
            added,
            new_files,
        };
        if added.is_empty() {
            return Ok(written(added, new_files));
        }
        if self.args.dry_run {
            self.check_place(stream)?;
            return Ok(Written {
                shown: show::plan(
                    stream,
                    contents.as_deref().map(Vec::as_slice),
                    &kubeconfig,
                    &added,
                ),
                ..written(Vec::new(), new_files)
            });
        }
        for (path, pem) in certificates {
            if !files::holds(path, pem) {
                new_files.create(path, pem.as_bytes(), Access::Everyone)?;
            }
        }
        let holds_key = added
            .iter()
            .any(|one| matches!(one.entry.credential, Credential::Embedded { .. }));
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

    /// Fails where a key would not be written into the folder; one that is not there would be made.
    fn check_place(&self, stream: &Stream) -> Result<(), Failure> {
        match stream
            .path()
            .map(folder_of)
            .filter(|folder| folder.exists())
        {
            Some(folder) => privacy::check_folder(folder, self.console),
            None => Ok(()),
        }
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
                let input = planned.first().map(|one| &one.input);
                let merge = again_for(input).without(&["out"]).with("merge", path);
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
        let mut streams = self.args.out.iter().chain(&self.args.merge);
        if streams.any(|out| *out == Stream::Stdio) {
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
        let again = || {
            let again = again_for([&planned.input]);
            match self.args.merge.len() {
                0 | 1 => again,
                _ => again.with("merge", target.stream().typed()),
            }
        };
        let entry = &planned.entry;
        let free_context = free(&entry.context, |name| {
            kubeconfig.contexts().any(|(context, _, _)| context == name)
        });
        let with_context = |name: &str| again().with("context", name).command();
        let with_cluster = || {
            let name = free(&entry.cluster.name, |name| {
                kubeconfig.clusters().any(|cluster| cluster.name == name)
            });
            let again = again().with("cluster-name", name);
            match self.args.context {
                Some(_) => again.with("context", &free_context).command(),
                None => again.command(),
            }
        };
        let failure = Failure::about(target.stream(), error);
        let failure = match error {
            MergeError::Foreign { .. } | MergeError::Context { .. } | MergeError::Unread { .. } => {
                failure
                    .say("nothing of it was changed; to add a context of another name:")
                    .run(with_context(&free_context))
            }
            MergeError::Credential { .. } if error.is_of_another_user() => failure
                .say("nothing of it was changed; to have both:")
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
                        again().without(&["ca-fingerprint"]).command()
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
