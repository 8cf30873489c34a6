//! What is to be written into which kubeconfig, and how it is carried there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use kube_enroll::key::Fingerprint;
use kube_enroll::kubeconfig::{
    AuthInfo, Cluster, Credential, Decided, ExecEntry, Held, Kubeconfig, NamedBy, NewEntry,
};
use kube_enroll::text;
use time::OffsetDateTime;

use super::super::failure::Failure;
use super::super::from::credentials::NamedFiles;
use super::super::from::file::{self, Stream};
use super::super::from::keys;
use super::super::from::program;
use super::super::to::files::{self, folder_of};
use super::super::to::names;
use super::{Issued, Run, Style, absolute, again_for};

/// A kubeconfig with tens of thousands of contexts, in bytes.
pub(super) const LIMIT: u64 = 64 << 20;

/// What is to be written, by the kubeconfig that it goes to.
#[derive(Default)]
pub(super) struct Plans {
    pub(super) targets: Vec<(Target, Vec<Planned>)>,
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
    /// The contexts of each certificate, by its credential id, with their clusters.
    holding: HashMap<String, Vec<(String, Cluster)>>,
}

/// How an entry carries its certificate and key.
#[derive(Clone)]
pub(super) enum Carried {
    /// In the kubeconfig; the key that it is marked with.
    Embedded(Option<Fingerprint>),
    Files,
    /// By this program; the key that it is marked with.
    Exec(ExecEntry, Option<Fingerprint>),
}

impl Carried {
    fn of(user: &AuthInfo<'_>) -> Option<Self> {
        let mark = user.mark.and_then(|mark| mark.parse().ok());
        Some(match (&user.exec, user.key?) {
            (Some(exec), _) => Self::Exec(exec.to_owned(), mark),
            (None, Held::Data(_)) => Self::Embedded(mark),
            (None, Held::File(_) | Held::Argument(_)) => Self::Files,
        })
    }
}

impl There {
    fn of(kubeconfig: &Kubeconfig, named: NamedBy<'_>) -> Self {
        let ours = || kubeconfig.auth_infos().filter(|user| user.is_ours);
        let certificates = ours().filter_map(|user| {
            let id = named.certificate(&user)?.credential_id();
            Some((user.name, id))
        });
        let certificates: HashMap<&str, String> = certificates.collect();
        let clusters: HashMap<String, Cluster> = kubeconfig
            .clusters()
            .map(|it| (it.name.clone(), it))
            .collect();
        let mut holding: HashMap<String, Vec<(String, Cluster)>> = HashMap::new();
        for (context, cluster, user) in kubeconfig.contexts() {
            if let (Some(id), Some(cluster)) = (certificates.get(user), clusters.get(cluster)) {
                let contexts = holding.entry(id.clone()).or_default();
                contexts.push((context.to_owned(), cluster.clone()));
            }
        }
        let users = ours().filter_map(|user| Some((user.name.to_owned(), Carried::of(&user)?)));
        let contexts = kubeconfig.contexts();
        Self {
            holding,
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
pub(super) struct Planned {
    pub(super) entry: NewEntry,
    pub(super) decided: Decided,
    pub(super) certificate_file: Option<(PathBuf, String)>,
    pub(super) input: Stream,
    pub(super) until: OffsetDateTime,
}

/// The cluster, and the context that is there already.
pub(super) struct Place {
    pub(super) cluster: Cluster,
    context: Option<String>,
}

impl Target {
    pub(super) fn stream(&self) -> &Stream {
        match self {
            Self::Any(stream) | Self::New(stream) => stream,
        }
    }
}

impl Plans {
    /// How many entries there are.
    pub(super) fn number(&self) -> usize {
        self.targets.iter().map(|(_, entries)| entries.len()).sum()
    }

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

impl Run<'_> {
    /// `USER.kubeconfig` beside the key, unless it is to be elsewhere.
    pub(super) fn targets(&self, issued: &Issued) -> Vec<Target> {
        if let Some(out) = &self.args.out {
            return vec![Target::New(out.clone())];
        }
        let mut targets = Vec::new();
        for merge in &self.args.merge {
            let target = Target::Any(merge.clone());
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        if targets.is_empty() {
            // One file grows to all of a person's clusters.
            targets.push(Target::Any(self.usual_path(issued).into()));
        }
        targets
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
        target: &Target,
        plans: &mut Plans,
    ) -> Result<Place, Failure> {
        let is_apart = self.args.cluster.is_some() || self.args.server.is_some();
        if let Some(given) = given.filter(|_| !is_apart) {
            let there = self.look_there(target, plans);
            return Ok(Place {
                cluster: given.clone(),
                context: self.holding_it(issued, given, there),
            });
        }
        match (given, self.context_there(issued, given, target)) {
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

    /// The context that has this very certificate already, under another name than the usual one.
    fn holding_it(&self, issued: &Issued, given: &Cluster, there: &There) -> Option<String> {
        if self.args.context.is_some() || self.args.cluster_name.is_some() {
            return None;
        }
        let holding = there.holding.get(&issued.chain.leaf().credential_id())?;
        let is_here =
            |cluster: &Cluster| cluster.name == given.name && given.is_same_server(cluster);
        let mut contexts = holding.iter().filter(|(_, cluster)| is_here(cluster));
        let usual = format!("{}@{}", issued.user, given.name);
        let is_usual = contexts.clone().any(|(context, _)| *context == usual);
        let first = contexts.next().filter(|_| !is_usual);
        first.map(|(context, _)| context.clone())
    }

    /// The context that has this key and leads to the cluster that was given, as the kubeconfig that
    /// is written to names both.
    fn context_there(
        &self,
        issued: &Issued,
        given: Option<&Cluster>,
        target: &Target,
    ) -> Option<(String, Cluster)> {
        let Target::Any(Stream::File(path)) = target else {
            return None;
        };
        if !path.is_file() {
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
            let contents = path.is_file().then(|| file::read(target.stream(), LIMIT));
            let contents = contents.and_then(Result::ok);
            let kubeconfig = contents.and_then(|it| Kubeconfig::read(&it).ok());
            let files = NamedFiles::of(target.stream());
            let read = |path: &Path| files.read(path).ok();
            let named = NamedBy {
                folder: path.parent().unwrap_or(Path::new("")),
                read: &read,
            };
            kubeconfig.map_or_else(There::default, |it| There::of(&it, named))
        })
    }

    /// Makes the entry of a certificate.
    pub(super) fn plan(
        &self,
        issued: &Issued,
        place: Place,
        input: &Stream,
        target: Target,
        plans: &mut Plans,
    ) -> Result<(), Failure> {
        let Place { cluster, context } = place;
        let pem = issued.chain.to_pem();
        let args = self.args;
        let user = format!("{}@{}", issued.user, cluster.name);
        let context = args.context.clone().or(context);
        let context = context.unwrap_or_else(|| user.clone());
        let there = self.look_there(&target, plans).carried(&context, &user);
        let there = there.cloned();
        let mut certificate_file = None;
        let style = self.style(issued, there.as_ref());
        self.tell_other_style(&target, there.as_ref(), style, issued, input);
        let credential = match style {
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
                    Style::Exec => {
                        let exec = self.exec(certificate, key, there.as_ref());
                        let exec =
                            self.with_its_passphrase(exec, there.as_ref(), issued, input, &target)?;
                        Credential::Exec(exec)
                    }
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

    /// What was asked for, else what is there; else a key stays as protected as it is.
    fn style(&self, issued: &Issued, there: Option<&Carried>) -> Style {
        let asked = &self.args.style;
        let key = &issued.key;
        if asked.embed {
            return Style::Embed;
        }
        if asked.files {
            return Style::Files;
        }
        if asked.exec || self.args.unlock_for.is_some() {
            return Style::Exec;
        }
        match there {
            Some(Carried::Exec(..)) => Style::Exec,
            Some(Carried::Files) if key.is_pem && !key.was_encrypted => Style::Files,
            // It is in there already, for clients that run nothing.
            Some(Carried::Embedded(Some(there)))
                if *there == key.key.public_key().fingerprint() =>
            {
                Style::Embed
            }
            _ if key.was_encrypted => Style::Exec,
            _ => Style::Embed,
        }
    }

    /// Says so where another key cannot be carried as the one before.
    fn tell_other_style(
        &self,
        target: &Target,
        there: Option<&Carried>,
        style: Style,
        issued: &Issued,
        input: &Stream,
    ) {
        let asked = &self.args.style;
        if asked.embed || asked.files || asked.exec || self.args.unlock_for.is_some() {
            return;
        }
        let file = target.stream();
        let key = &issued.key.source;
        let console = self.console;
        match (there, style) {
            (Some(Carried::Embedded(_)), Style::Exec) => {
                console.warn(text!(
                    "{}: the key of this context was in it, unencrypted; {} is encrypted, so kubectl asks kube-enroll \
                     for it from now on; for clients that cannot do that run: {}",
                    file,
                    key,
                    Style::Embed.of(again_for([input])).command()
                ));
            }
            (Some(Carried::Files), Style::Exec) => console.warn(text!(
                "{}: clients read the key of this context from its file; {} is encrypted, so kubectl asks \
                 kube-enroll for it from now on",
                file,
                key
            )),
            (Some(Carried::Files), Style::Embed) => console.warn(text!(
                "{}: clients read the key of this context from its file; {} is no PEM, so the key is in the \
                 kubeconfig from now on",
                file,
                key
            )),
            _ => {}
        }
    }

    /// As it is there, with other files.
    fn exec(&self, certificate: String, key: String, there: Option<&Carried>) -> ExecEntry {
        let mut exec = match there {
            Some(Carried::Exec(there, _)) => {
                let there = there.clone().with_files(certificate, key);
                // A path may be there because the program that runs it has another PATH.
                match program::look_path(&there.command) {
                    Some(_) => there,
                    None => there.run_by(program::own_command()),
                }
            }
            _ => ExecEntry::new(program::own_command(), certificate, key),
        };
        if let Some(seconds) = self.args.unlock_for {
            exec.unlock_for = Some(format!("{seconds}s"));
        }
        exec
    }

    /// Where the entry names the file of a passphrase, and the key is another one: that file, if it opens
    /// this key as well; else the one that opened it now; else a word.
    fn with_its_passphrase(
        &self,
        mut exec: ExecEntry,
        there: Option<&Carried>,
        issued: &Issued,
        input: &Stream,
        target: &Target,
    ) -> Result<ExecEntry, Failure> {
        let key = &issued.key;
        let is_same_key = matches!(
            there,
            Some(Carried::Exec(_, Some(there))) if *there == key.key.public_key().fingerprint()
        );
        let Some(old) = exec.passphrase_file.as_deref().map(Path::new) else {
            return Ok(exec);
        };
        if is_same_key || !key.was_encrypted || keys::is_opened_by(&key.source, &old.into()) {
            return Ok(exec);
        }
        let file = target.stream();
        let given = self.args.passphrase.passphrase_file.as_ref();
        let Some(given) = given.and_then(Stream::path) else {
            self.console.warn(text!(
                "{}: this context has the passphrase read from {}, which does not open {}: write the one of \
                 this key into it, or name another file: {}",
                file,
                old,
                key.source,
                again_for([input]).with("passphrase-file", "FILE").command()
            ));
            return Ok(exec);
        };
        self.console.warn(text!(
            "{}: this context has the passphrase read from {} from now on: {} does not open {}",
            file,
            given,
            old,
            key.source
        ));
        exec.passphrase_file = Some(absolute(given)?);
        Ok(exec)
    }
}
