//! `kube-enroll renew`: a request to follow a certificate, for the same user and groups.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kube_enroll::carrier;
use kube_enroll::certificate::{Certificate, Chain, show_days_ago};
use kube_enroll::config::Settings;
use kube_enroll::key::{EncodedKey, PublicKey};
use kube_enroll::kubeconfig::Kubeconfig;
use kube_enroll::lifetime::Lifetime;
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::renewal::{
    Entry, EntryKey, LifetimeAsked, Renewable, RenewalError, contexts_with_certificates,
};
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Label, count};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::args::not_empty;
use super::console::Console;
use super::failure::Failure;
use super::from::cluster::default_kubeconfigs;
use super::from::credentials::NamedFiles;
use super::from::file::{self, DEFAULT_LIMIT, Filename, Stream};
use super::from::keys::{self, KeyFiles};
use super::from::passphrase::{self, NewPassphraseArgs};
use super::from::requests;
use super::os::sandbox::Reach;
use super::request::{self, Key};
use super::to::files::{Access, folder_of};
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll renew alice.kubeconfig
  kube-enroll renew ~/.kube/config --context alice@prod
  kube-enroll renew alice@prod.crt --keep-key --expires-in 90d
  kube-enroll renew alice.reply.yaml -g developers -g oncall")]
pub struct Args {
    /// A kubeconfig, a certificate or a reply; a certificate that has ended will do
    #[arg(value_name = "CREDENTIAL", required_unless_present = "filename")]
    pub credential: Option<Stream>,
    #[command(flatten)]
    pub filename: Filename,
    /// The context of the kubeconfig whose user it is [default: the current one]
    #[arg(long, value_name = "CONTEXT", value_parser = not_empty)]
    pub context: Option<String>,
    /// Use the same private key instead of making a new one
    #[arg(long)]
    pub keep_key: bool,
    /// The lifetime to ask for [default: that of its request, else of the certificate]
    #[arg(long, value_name = "LIFETIME")]
    pub expires_in: Option<Lifetime>,
    /// A group in place of those of the certificate (repeat for more)
    #[arg(
        short,
        long = "group",
        value_name = "GROUP",
        allow_hyphen_values = true
    )]
    pub groups: Vec<String>,
    /// The signer to ask [default: that of its request, else kubernetes.io/kube-apiserver-client]
    #[arg(long, value_name = "NAME")]
    pub signer: Option<String>,
    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub output_dir: PathBuf,
    #[command(flatten)]
    pub passphrase: NewPassphraseArgs,
}

/// How the reply comes to take the place of what is renewed.
pub struct Renewal {
    /// The kubeconfig.
    merge: Stream,
    entry: Entry,
    /// Whether clients can read the new key from its file.
    is_plain: bool,
}

impl Args {
    fn credential(&self) -> &Stream {
        self.credential.as_ref().unwrap_or(&Stream::Stdio)
    }
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let credential = std::slice::from_ref(self.credential());
        let (reach, _) = keys::reach(Reach::default(), None, credential);
        let mut reach = reach
            .read(credential)
            .read(self.passphrase.passphrase_file.as_ref())
            .read(&default_kubeconfigs().unwrap_or_default())
            .credentials_of(self.credential().path())
            .make([self.output_dir.as_path()], Access::Owner);
        // Requests and replies lie beside the credential or here.
        let beside = self
            .credential()
            .path()
            .map(|path| folder_of(path).to_owned());
        let here = [PathBuf::from("."), self.output_dir.clone()];
        for folder in beside.into_iter().chain(here) {
            reach = reach.list(&folder).read_in([folder.as_path()]);
        }
        reach
    }

    /// Asks for the same once more.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        request::check_place("renew", &self.output_dir)?;
        let contents = file::read(self.credential(), DEFAULT_LIMIT)?;
        let (mut found, contents) = self.find(contents, console)?;
        tell(&found, console);
        let (files, objects) = self.at_hand(&found);
        let source = found.remember(&objects).and_then(|it| files.get(it));
        if self.expires_in.is_none() {
            tell_lifetime(&found, source.map(PathBuf::as_path), console);
        }
        let key = if self.keep_key {
            self.old_key(&found, &contents, console)?
        } else {
            Key::AsTyped
        };
        let is_plain = match &key {
            Key::File(found) => !found.was_encrypted,
            _ => self.passphrase.no_passphrase,
        };
        let settings = Settings {
            groups: self.groups.clone(),
            expires_in: self.expires_in,
            signer: self.signer.clone(),
            ..Settings::default()
        };
        let settings = settings.or(found.settings());
        if !self.keep_key {
            self.tell_pending(&found, &settings, &files, &objects, console);
        }
        // With a key of its own the request has a name of its own.
        let follows = self.keep_key.then(|| found.certificate.clone());
        let request = request::Args {
            output_dir: self.output_dir.clone(),
            passphrase: self.passphrase.clone(),
            // It was granted before.
            allow_system: true,
            ..request::Args::default()
        };
        let in_use = self.in_use(&found);
        let entry = found.entry.map(|entry| (self.credential().clone(), entry));
        let renewals = entry
            .into_iter()
            .chain(in_use)
            .map(|(file, entry)| Renewal {
                merge: resolved(file),
                entry,
                is_plain,
            });
        let renewals: Vec<_> = renewals.collect();
        for renewal in &renewals {
            renewal.tell_place(console);
        }
        let config = settings.into();
        request.make(config, key, follows.as_ref(), &renewals, console)
    }
}

impl Args {
    /// What is to be renewed, whatever the way did to the file; with its contents as they were read.
    fn find(
        &self,
        contents: Zeroizing<Vec<u8>>,
        console: &Console,
    ) -> Result<(Renewable, Zeroizing<Vec<u8>>), Failure> {
        let named = NamedFiles::of(self.credential());
        let read_file = |path: &Path| named.read(path);
        let read = |contents: &[u8]| {
            let context = self.context.as_deref();
            Renewable::find(contents, &self.folder(), context, &read_file)
        };
        let error = match read(&contents) {
            Ok(found) => return Ok((found, contents)),
            Err(error) => error,
        };
        let undone = carrier::undo(&contents);
        match read(&undone.bytes) {
            Ok(mut found) if !undone.steps.is_empty() => {
                console.note(text!("{}: {}", self.credential(), undone.note()));
                // kubectl does not read such a kubeconfig, and nothing is merged into it.
                found.entry = None;
                Ok((found, undone.bytes))
            }
            _ => Err(self.nothing(&contents, error)),
        }
    }

    /// The folder of the credential.
    fn folder(&self) -> PathBuf {
        let parent = self.credential().path().and_then(Path::parent);
        parent.unwrap_or(Path::new("")).to_owned()
    }

    /// Where requests and replies are looked for.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let folders = [self.folder(), self.output_dir.clone(), PathBuf::new()];
        let folders = folders.into_iter().map(|folder| match folder {
            here if here == Path::new(".") => PathBuf::new(),
            folder => folder,
        });
        folders.collect()
    }

    /// Says so where a request for the same is on its way: one that was made since, whose key is here, and
    /// for whose key there is no certificate here.
    fn tell_pending(
        &self,
        found: &Renewable,
        wanted: &Settings,
        files: &[PathBuf],
        objects: &[CertificateSigningRequest],
        console: &Console,
    ) {
        let pending = found.pending(wanted, objects).into_iter();
        let pending = pending.filter_map(|it| Some((files.get(it)?, objects.get(it)?.asked()?)));
        let mut pending = pending
            .filter(|(file, _)| is_after(file, &found.certificate))
            .peekable();
        if pending.peek().is_none() {
            return;
        }
        let answered = requests::keys_of_certificates(&self.folders());
        let keys = KeyFiles::new(None, None, console);
        let is_open = |file: &Path, key: &PublicKey| {
            let is_here = keys.knows(key, &Stream::from(file));
            is_here.unwrap_or(false) && !answered.contains(&key.fingerprint())
        };
        if let Some((file, _)) = pending.find(|(file, it)| is_open(file, it.public_key())) {
            console.note(text!(
                "{} asks for the same with a key of its own, and no reply to it is here: one of both is \
                 enough, so send that one, or go on with the new one",
                file
            ));
        }
    }

    /// The requests and replies beside the certificate, beside its key and here, each with its file.
    fn at_hand(&self, found: &Renewable) -> (Vec<PathBuf>, Vec<CertificateSigningRequest>) {
        let folders = self.folders();
        let key = match found.entry.as_ref().and_then(|entry| entry.key.as_ref()) {
            Some(EntryKey::File(path)) => Some(path.as_path()),
            _ => None,
        };
        requests::objects(&folders, key).into_iter().unzip()
    }

    /// The kubeconfigs besides this file that have the certificate, each with the entry: of those in
    /// the same folder, as where `kubeconfig` writes it, and those that kubectl uses.
    fn in_use(&self, found: &Renewable) -> Vec<(Stream, Entry)> {
        const OTHERS: [&str; 5] = ["key", "crt", "csr", "csr.yaml", "reply.yaml"];
        let Some(path) = self.credential().path() else {
            return Vec::new();
        };
        let is_other = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let has_ending = |ending| name.ends_with(&format!(".{ending}"));
            !path.is_file() || name.starts_with('.') || OTHERS.into_iter().any(has_ending)
        };
        let beside = file::files_in(&self.folder()).unwrap_or_default();
        let defaults = default_kubeconfigs().unwrap_or_default().into_iter();
        let defaults = defaults.filter_map(|file| file.path().map(Path::to_owned));
        let mut seen: Vec<_> = path.canonicalize().into_iter().collect();
        let mut in_use = Vec::new();
        for path in beside
            .into_iter()
            .chain(defaults)
            .filter(|path| !is_other(path))
        {
            let real = path.canonicalize().unwrap_or_default();
            if seen.contains(&real) {
                continue;
            }
            seen.push(real);
            let file = Stream::from(path);
            let entries = entries_of(&file, &found.certificate).unwrap_or_default();
            in_use.extend(entries.into_iter().map(|entry| (file.clone(), entry)));
        }
        in_use
    }

    fn nothing(&self, contents: &[u8], error: RenewalError) -> Failure {
        let input = self.credential();
        let look = look(contents);
        let is_known = matches!(look, Look::Kubeconfig | Look::Certificate | Look::Object);
        let is_other = match &error {
            RenewalError::Nothing => !is_known,
            RenewalError::NotYaml(_) => !is_known && look.is_telling(),
            _ => look.is_damaged(),
        };
        let failure = if is_other {
            Failure::wrong_file(input, look, Want::Credential)
        } else {
            Failure::about(input, &error)
        };
        let again = Command::ours("renew").operand(input.typed());
        match error {
            RenewalError::NoContext(_) | RenewalError::NoCertificate(Some(_))
                if self.has_certificates(contents) =>
            {
                failure
                    .say("name a context with --context; this shows them all:")
                    .run(Command::ours("inspect").operand(input.typed()))
            }
            RenewalError::NoContext(_) | RenewalError::NoCertificate(_) => failure
                .say("no context of it has a client certificate: name a certificate, a reply or another kubeconfig; this shows those that are here:")
                .run(Command::ours("list")),
            RenewalError::Several(names) if self.is_kubeconfig(contents) => {
                let name = names.first().map_or("NAME", |name| name.raw());
                failure
                    .say("say which:")
                    .run(again.option("--context", name))
            }
            RenewalError::Several(_) => failure.say("renew each from its own certificate"),
            RenewalError::NotIssued(_) => failure.say("it can be renewed once it was issued"),
            RenewalError::NotOfUser => {
                failure.say("name the kubeconfig, certificate or reply of a user")
            }
            RenewalError::Unreadable(_) if self.is_kubeconfig(contents) => {
                let point = Command::ours("kubeconfig");
                let (failure, point) = match self.moved(contents) {
                    Some(certificate) => (
                        failure.say(
                            "if its files were moved, point it to where they are now, and run this command again:",
                        ),
                        point.operand(certificate),
                    ),
                    None => (
                        failure.say(
                            "if its files were moved, point it to where they are now, in place of the words in \
                             capitals, and run this command again:",
                        ),
                        point.operand("CERTIFICATE").option("--key", "KEY"),
                    ),
                };
                failure
                    .run(point.option("--merge", input.typed()))
                    .say("or name another file that has the certificate; this shows those that are here:")
                    .run(Command::ours("list"))
            }
            RenewalError::Unreadable(_) => failure
                .say("name another file that has the certificate; this shows those that are here:")
                .run(Command::ours("list")),
            RenewalError::NotYaml(_) if !is_other => failure
                .say("take it from where it came once more, whole; or name another file that has the certificate"),
            RenewalError::Nothing | RenewalError::NotYaml(_) | RenewalError::Nobody => failure,
        }
    }

    /// A certificate beside the kubeconfig or here for a key that one of its entries is marked with.
    fn moved(&self, contents: &[u8]) -> Option<PathBuf> {
        let marked = Kubeconfig::read(contents).ok()?.fingerprints();
        let folders = self.folders().into_iter();
        let files = folders.flat_map(|it| file::files_in(&it).unwrap_or_default());
        let is_certificate = |path: &PathBuf| path.extension() == Some("crt".as_ref());
        files.filter(is_certificate).find(|path| {
            let contents = file::read(&Stream::from(path.as_path()), DEFAULT_LIMIT).ok();
            let chain = contents.and_then(|it| Chain::read(&it).ok());
            chain.is_some_and(|it| marked.contains(&it.holder().public_key().fingerprint()))
        })
    }

    /// Whether there is a context that can be renewed.
    fn has_certificates(&self, contents: &[u8]) -> bool {
        let kubeconfig = Kubeconfig::read(contents);
        kubeconfig.is_ok_and(|it| !contexts_with_certificates(&it).is_empty())
    }

    fn is_kubeconfig(&self, contents: &[u8]) -> bool {
        Kubeconfig::read(contents).is_ok()
    }

    /// The key of the certificate: where the kubeconfig says, else beside the credential or here.
    fn old_key(
        &self,
        found: &Renewable,
        contents: &[u8],
        console: &Console,
    ) -> Result<Key, Failure> {
        let wanted = found.certificate.public_key();
        let given = self.passphrase.passphrase_file.as_ref();
        let given = given.map(passphrase::from_file).transpose()?;
        let named = match found.entry.as_ref().and_then(|entry| entry.key.as_ref()) {
            Some(EntryKey::File(path)) => Some(Stream::from(path.as_path())),
            _ => None,
        };
        let keys = KeyFiles::new(named.as_ref(), given.as_ref(), console);
        match keys.find(wanted, self.credential()) {
            Ok(key) => Ok(Key::File(key)),
            Err(failure) if failure.is_interrupted() => Err(failure),
            Err(failure) => embedded(found, contents, wanted)
                .map(Key::Loose)
                .ok_or_else(|| failure.say("without --keep-key a new key is made")),
        }
    }
}

/// The entries of a kubeconfig that have this certificate.
fn entries_of(file: &Stream, certificate: &Certificate) -> Option<Vec<Entry>> {
    let contents = file::read(file, DEFAULT_LIMIT).ok()?;
    let kubeconfig = Kubeconfig::read(&contents).ok()?;
    let folder = file.path().map_or(Path::new(""), folder_of);
    let named = NamedFiles::of(file);
    let read_file = |path: &Path| named.read(path);
    Some(Entry::all_with(
        certificate,
        &kubeconfig,
        folder,
        &read_file,
    ))
}

/// Whether a file was written after a certificate was issued.
fn is_after(file: &Path, certificate: &Certificate) -> bool {
    let written = file.metadata().and_then(|it| it.modified());
    written.is_ok_and(|written| OffsetDateTime::from(written) > certificate.not_before())
}

/// A file is put in the place of another, and never in that of a link.
fn resolved(file: Stream) -> Stream {
    let Some(path) = file.path().filter(|path| path.is_symlink()) else {
        return file;
    };
    match path.canonicalize() {
        Ok(real) => real.into(),
        Err(_) => file,
    }
}

/// The key in the kubeconfig itself.
fn embedded(
    found: &Renewable,
    contents: &[u8],
    wanted: &PublicKey,
) -> Option<kube_enroll::key::PrivateKey> {
    let entry = found.entry.as_ref()?;
    if entry.key != Some(EntryKey::Embedded) {
        return None;
    }
    let kubeconfig = Kubeconfig::read(contents).ok()?;
    let user = kubeconfig.auth_infos().find(|it| it.name == entry.user)?;
    let key = EncodedKey::find(&user.key?.data()?).ok()?.open(None).ok()?;
    (key.public_key() == wanted).then_some(key)
}

/// What is renewed, and how urgent it is.
fn tell(found: &Renewable, console: &Console) {
    let days = found.days_left(OffsetDateTime::now_utc());
    let left = match days {
        ..0 => text!("ended {}", show_days_ago(days)),
        0 => text!("ends within a day"),
        days => text!(
            "ends in {}",
            count(usize::try_from(days).unwrap_or_default(), "day", "days")
        ),
    };
    console.note(text!(
        "renewing the certificate of {}, which {} ({})",
        Label::from(found.identity.username.as_str()),
        left,
        found.certificate.not_after()
    ));
}

/// For how long is asked, where somebody might expect another time.
fn tell_lifetime(found: &Renewable, source: Option<&Path>, console: &Console) {
    match (found.lifetime(), source) {
        (LifetimeAsked::Cut { asked, granted }, Some(source)) => console.note(text!(
            "asking for {} again, as in {}, of which {} were granted",
            asked,
            source,
            granted
        )),
        (LifetimeAsked::Cut { asked, granted }, None) => console.note(text!(
            "asking for {} again, of which {} were granted",
            asked,
            granted
        )),
        (LifetimeAsked::Unknown(Some(granted)), _) => console.note(text!(
            "asking for {}, for which the certificate was valid: the request that would tell what was \
             asked for is not here; for another lifetime give --expires-in",
            granted
        )),
        (LifetimeAsked::Unknown(None) | LifetimeAsked::Granted(_), _) => {}
    }
}

impl Renewal {
    /// An entry of others is left alone, which is told: what is current stays so until its end.
    fn tell_place(&self, console: &Console) {
        let (Some(path), Some(beside)) = (self.merge.path(), &self.entry.beside) else {
            return;
        };
        let kubectl = Command::new("kubectl").option("--kubeconfig", path);
        let switch = kubectl.word("config").word("use-context").operand(beside);
        console.note(text!(
            "context {} of {} was made by something else and stays as it is; what the reply is good for comes \
             beside it as context {}, and this goes over to it then: {}",
            Label::from(self.entry.context.as_str()),
            path,
            Label::from(beside.as_str()),
            switch
        ));
    }

    /// `kubeconfig REPLY` with what makes it replace this very entry.
    pub fn add_to(&self, command: Command) -> Command {
        let Some(path) = self.merge.path() else {
            return command;
        };
        let mut command = command.option("--merge", path);
        let entry = &self.entry;
        let context = entry.beside.as_ref().unwrap_or(&entry.context);
        command = command
            .option("--context", context)
            .option("--cluster-name", &entry.cluster);
        // What is there keeps its own; the one beside it differs in its user alone.
        if let (Some(_), Some(namespace)) = (&entry.beside, &entry.namespace) {
            command = command.option("--namespace", namespace);
        }
        if entry.is_exec {
            command = command.word("--exec");
            if let Some(time) = &entry.unlock_for {
                command = command.option("--unlock-for", time);
            }
        } else if matches!(entry.key, Some(EntryKey::File(_))) && self.is_plain {
            command = command.word("--files");
        }
        command
    }
}
