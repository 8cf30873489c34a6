//! `kube-enroll kubeconfig`: matches a reply to its key, checks everything, writes the kubeconfig.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::path::{Path, PathBuf};

use kube_enroll::certificate::Certificate;
use kube_enroll::key::AgreedFingerprint;
use kube_enroll::kubeconfig::{
    Authority, Cluster, Credential, Kubeconfig, MergeError, NewEntry, assemble, merge,
};
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::reply::Reply;
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::args::{namespace, not_empty, unlock_time};
use super::console::Console;
use super::failure::Failure;
use super::from::cluster;
use super::from::file::{self, DEFAULT_LIMIT, Filenames, Stream};
use super::from::keys::{self, FoundKey, KeyFiles};
use super::from::passphrase::KeyPassphraseArgs;
use super::from::program;
use super::from::requests::Requests;
use super::os::sandbox::Reach;
use super::to::files::{self, Access, NewFiles, folder_of};
use super::to::names;
use super::{Action, Verdict, outcome, report};

mod again;
mod check;

#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll kubeconfig alice.reply.yaml
  kube-enroll kubeconfig alice.reply.yaml --key alice.key --files --namespace dev
  kube-enroll kubeconfig alice.crt --server https://10.0.0.1:6443 --certificate-authority ca.crt")]
pub struct Args {
    /// A reply, an issued CertificateSigningRequest, or a certificate; - is standard input
    #[arg(value_name = "REPLY")]
    pub replies: Vec<Stream>,
    #[command(flatten)]
    pub filenames: Filenames,
    /// The private key, or a folder of keys [default: the .key files beside the reply and here]
    #[arg(long, value_name = "FILE|DIR")]
    pub key: Option<Stream>,
    /// Take the cluster from this kubeconfig
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    pub cluster: Option<Stream>,
    /// The cluster's address, https://..., in place of that in the reply
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// The cluster's certificate authority
    #[arg(long, value_name = "FILE", requires = "server")]
    pub certificate_authority: Option<Stream>,
    /// Demand that the certificate was issued by this client certificate authority
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<Stream>,
    #[command(flatten)]
    pub style: CredentialStyle,
    /// With --exec, keep the key unlocked in the kernel's memory for so long after each time that
    /// the passphrase was asked: 15m, at most 24h
    #[arg(long, value_name = "TIME", value_parser = unlock_time, conflicts_with_all = ["embed", "files"])]
    pub unlock_for: Option<u32>,
    /// The context of --cluster FILE whose cluster it is [default: the current one]
    #[arg(long, value_name = "CONTEXT", value_parser = not_empty, requires = "cluster")]
    pub cluster_context: Option<String>,
    /// The fingerprint of the cluster's certificate authority, as the administrator told it
    #[arg(long, value_name = "SHA256:...")]
    pub ca_fingerprint: Option<AgreedFingerprint>,
    /// The name of the context [default: USER@CLUSTER]
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    pub context: Option<String>,
    /// The namespace of the context
    #[arg(short, long, value_parser = namespace)]
    pub namespace: Option<String>,
    /// The name of the cluster entry [default: as in the reply]
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    pub cluster_name: Option<String>,
    /// Write to this file [default: USER.kubeconfig beside the key]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output_dir", "merge"])]
    pub out: Option<Stream>,
    /// Write USER.kubeconfig into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "merge")]
    pub output_dir: Option<PathBuf>,
    /// Add the entries to this kubeconfig
    #[arg(long, value_name = "FILE")]
    pub merge: Option<Stream>,
    #[command(flatten)]
    pub passphrase: KeyPassphraseArgs,
}

/// How the kubeconfig carries certificate and key.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(multiple = false)]
pub struct CredentialStyle {
    /// Put certificate and key, unencrypted, into the kubeconfig (default for a plain key)
    #[arg(long)]
    pub embed: bool,
    /// Refer to certificate and key by absolute path
    #[arg(long)]
    pub files: bool,
    /// Let kubectl ask this program for the key, which stays encrypted (default for an encrypted
    /// key)
    #[arg(long)]
    pub exec: bool,
}

/// A reply with thousands of certificates, in bytes.
const LIMIT: u64 = 256 << 20;

/// One certificate on its way into a kubeconfig.
struct Issued {
    /// The object that it came in.
    request: Option<CertificateSigningRequest>,
    /// The certificate, and what follows it.
    chain: Vec<Certificate>,
    certificate: Certificate,
    key: FoundKey,
    user: String,
}

/// How a kubeconfig carries certificate and key.
#[derive(Clone, Copy)]
enum Style {
    Embed,
    Files,
    Exec,
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let (reach, keys) = keys::reach(Reach::default(), self.key.as_ref(), &self.replies);
        let files = [&self.certificate_authority, &self.client_ca];
        let mut reach = reach
            .read(&self.replies)
            .read(files.into_iter().flatten())
            .read(&self.passphrase.passphrase_file)
            .replace(&self.merge)
            .write(&self.out)
            .write_in(self.output_dir.as_deref());
        if let Some(cluster) = &self.cluster {
            reach = reach.cluster(
                std::slice::from_ref(cluster),
                self.cluster_context.as_deref(),
            );
        }
        let replies = self.replies.iter().filter_map(Stream::path).map(folder_of);
        reach = reach
            .read_in(replies)
            .read_in(keys.iter().map(PathBuf::as_path))
            .read_in([Path::new(".")])
            .read_in(self.output_dir.as_deref());
        let mut named = [&self.merge, &self.out].into_iter().flatten();
        if named.find_map(Stream::path).is_none() && self.output_dir.is_none() {
            reach = reach.write_in(keys.iter().map(PathBuf::as_path));
        }
        reach
    }

    /// Writes a kubeconfig for every certificate in every reply.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let passphrase = self.passphrase.read()?;
        let run = Run {
            args: self,
            console,
            keys: KeyFiles::new(self.key.as_ref(), passphrase.as_ref(), console),
            requests: Requests::new(console),
            now: OffsetDateTime::now_utc(),
        };
        let mut worst = Verdict::Good;
        for input in &self.replies {
            worst = worst.max(match run.reply(input) {
                Err(failure) if failure.is_interrupted() => return Err(failure),
                verdict => verdict.unwrap_or_else(|failure| report(&failure)),
            });
        }
        Ok(worst)
    }
}

/// What all replies of one run share.
struct Run<'a> {
    args: &'a Args,
    console: &'a Console,
    keys: KeyFiles<'a>,
    requests: Requests<'a>,
    now: OffsetDateTime,
}

impl Run<'_> {
    /// Everything in one file. What is not issued, or does not fit, does not stop the others.
    fn reply(&self, input: &Stream) -> Result<Verdict, Failure> {
        let contents = file::read(input, LIMIT)?;
        let reply = outcome::read_reply(input, &contents, Want::Reply, self.console)?;
        let one_of_many = reply.requests.len() > 1 || self.args.replies.len() > 1;
        if one_of_many && self.args.out.is_some() {
            return Err(Failure::could_not_run(
                "--out is for one kubeconfig, and here are several",
            )
            .say("give --output-dir DIR instead"));
        }
        let (issued, others): (Vec<_>, Vec<_>) = reply
            .requests
            .iter()
            .map(|request| outcome::require_issued(request).map(|()| request))
            .partition(Result::is_ok);
        let others = others.iter().filter_map(|other| other.as_ref().err());
        let worst = others.map(report).max().unwrap_or(Verdict::Good);
        if issued.is_empty() && reply.certificates.is_empty() {
            return Ok(worst);
        }
        let cluster = self.cluster(&reply, input)?;
        let mut verdict = worst;
        let mut command = None;
        if !reply.certificates.is_empty() {
            command = Some(self.issued(None, reply.certificates.clone(), &cluster, input)?);
        }
        for request in issued.into_iter().flatten() {
            match self.request(request, &cluster, input) {
                Ok(to_try) => command = Some(to_try),
                Err(failure) if failure.is_interrupted() => return Err(failure),
                Err(failure) => verdict = verdict.max(report(&failure)),
            }
        }
        if let Some(command) = command {
            self.tell(text!("\nTry it:\n\n{}\n", command.folded(2)))?;
        }
        Ok(verdict)
    }

    /// One issued object; the command to try its kubeconfig with.
    fn request(
        &self,
        request: &CertificateSigningRequest,
        cluster: &Cluster,
        input: &Stream,
    ) -> Result<Command, Failure> {
        let status = request.status.as_ref();
        let pem = status.and_then(|status| status.certificate.as_deref());
        let chain = Certificate::chain_from_pem(pem.unwrap_or_default())
            .map_err(|error| Failure::in_file(input, &error))?;
        self.issued(Some(request.clone()), chain, cluster, input)
    }

    /// The cluster from the command line, else from the reply.
    fn cluster(&self, reply: &Reply, input: &Stream) -> Result<Cluster, Failure> {
        let mut cluster = if let Some(kubeconfig) = &self.args.cluster {
            cluster::read(
                std::slice::from_ref(kubeconfig),
                self.args.cluster_context.as_deref(),
                "--cluster-context",
                self.args.server.as_deref(),
                self.console,
            )?
        } else if let Some(server) = &self.args.server {
            let mut cluster = match &reply.cluster {
                // The rest of the way there is what the administrator knows.
                Some(cluster) => Cluster {
                    server: server.clone(),
                    ..cluster.clone()
                },
                None => Cluster {
                    authority: Authority::None,
                    ..Cluster::new("kubernetes", server, &[])
                },
            };
            if let Some(file) = &self.args.certificate_authority {
                cluster.authority = Authority::from_pem(&cluster::authorities(file, self.console)?);
            }
            cluster
        } else {
            reply.cluster.clone().ok_or_else(|| {
                Failure::about(input, "there is no cluster in it").say(
                    "give --cluster FILE (any kubeconfig of it), or --server URL and \
                     --certificate-authority FILE",
                )
            })?
        };
        if let Some(name) = &self.args.cluster_name {
            cluster.name.clone_from(name);
        } else if cluster.name.is_empty() {
            "kubernetes".clone_into(&mut cluster.name);
        }
        cluster::check(&cluster, input, self.console)?;
        if cluster.is_local() {
            self.console.warn(text!(
                "{}: {} is an address of the machine that it was written on; if the cluster is on another \
                 one, ask the administrator for its address and give it with --server URL",
                input,
                Label::from(cluster.server.as_str())
            ));
        }
        self.check_authority(&cluster)?;
        Ok(cluster)
    }

    /// The authority against the fingerprint that came another way.
    fn check_authority(&self, cluster: &Cluster) -> Result<(), Failure> {
        let Some(agreed) = &self.args.ca_fingerprint else {
            return Ok(());
        };
        let authorities = match &cluster.authority {
            Authority::Data(pem) => Certificate::chain_from_pem(pem).unwrap_or_default(),
            _ => Vec::new(),
        };
        let found: Vec<_> = authorities
            .iter()
            .map(|authority| authority.public_key().fingerprint())
            .collect();
        if !found.is_empty() && found.iter().all(|found| agreed.matches(found)) {
            return Ok(());
        }
        let shown = found
            .iter()
            .map(|found| Label::from(agreed.same_form(found)).show());
        let shown = if found.is_empty() {
            Text::from("none")
        } else {
            Text::join(shown, ", ")
        };
        Err(Failure::not_good(text!(
            "the cluster's certificate authority is not the one agreed on: found {}, agreed on {}",
            shown,
            Label::from(agreed.to_string())
        ))
        .say("do not use this reply: it may lead to a server of somebody else; ask the administrator"))
    }

    fn issued(
        &self,
        request: Option<CertificateSigningRequest>,
        chain: Vec<Certificate>,
        cluster: &Cluster,
        input: &Stream,
    ) -> Result<Command, Failure> {
        let (chain, key) = self.leaf_first(chain, input)?;
        let Some(certificate) = chain.first().cloned() else {
            return Err(outcome::no_request(input));
        };
        let user = certificate
            .subject()
            .identity()
            .map(|identity| identity.username)
            .unwrap_or_default();
        let issued = Issued {
            request,
            chain,
            certificate,
            key,
            user,
        };
        check::check(&issued, input, &self.requests, self.now, self.console)?;
        self.check_client_authority(&issued, cluster)?;
        self.write(&issued, cluster)
    }

    /// The certificate that fits a key, wherever it stands, and the others behind it.
    fn leaf_first(
        &self,
        mut chain: Vec<Certificate>,
        input: &Stream,
    ) -> Result<(Vec<Certificate>, FoundKey), Failure> {
        // Whoever is no authority comes first, else in their order.
        chain.sort_by_key(Certificate::is_ca);
        let mut first = None;
        for position in 0..chain.len() {
            let Some(certificate) = chain.get(position) else {
                break;
            };
            match self.keys.find(certificate.public_key(), input) {
                Ok(key) => {
                    let leaf = chain.remove(position);
                    chain.insert(0, leaf);
                    return Ok((chain, key));
                }
                Err(failure) if failure.is_interrupted() => return Err(failure),
                Err(failure) => first = first.or(Some(failure)),
            }
        }
        Err(first.unwrap_or_else(|| outcome::no_request(input)))
    }

    /// A chain to the cluster's own authority is a note, to `--client-ca` a condition.
    fn check_client_authority(&self, issued: &Issued, cluster: &Cluster) -> Result<(), Failure> {
        if let Some(input) = &self.args.client_ca {
            let pem = cluster::authorities(input, self.console)?;
            let authorities = Certificate::chain_from_pem(&pem)
                .map_err(|error| Failure::in_file(input, &error))?;
            if !check::is_issued_by(issued, &authorities) {
                let issuer = issued.certificate.issuer();
                return Err(Failure::not_good(text!(
                    "the certificate was not issued by {}: its issuer is {}",
                    input,
                    issuer
                ))
                .say("ask the administrator for the file behind --client-ca-file"));
            }
            return Ok(());
        }
        if let Authority::Data(pem) = &cluster.authority {
            let authorities = Certificate::chain_from_pem(pem).unwrap_or_default();
            // Where it is none at all, that was said.
            let is_authority = authorities.iter().any(Certificate::is_ca);
            if is_authority && !check::is_issued_by(issued, &authorities) {
                self.console.warn(
                    "the certificate was not issued by the authority of the API server; many \
                     clusters have another one for clients, so this may be as it should",
                );
            }
        }
        Ok(())
    }

    /// Writes the kubeconfig and says so; the command to try it with.
    fn write(&self, issued: &Issued, cluster: &Cluster) -> Result<Command, Failure> {
        let certificate = certificates_pem(&issued.chain);
        let context = self
            .args
            .context
            .clone()
            .unwrap_or_else(|| format!("{}@{}", issued.user, cluster.name));
        let path = self.target(issued);
        let mut files = NewFiles::new(self.console);
        if let Some(folder) = &self.args.output_dir {
            files.create_folder(folder)?;
        }
        let fingerprint = issued.certificate.public_key().fingerprint();
        let credential = match self.style(issued) {
            Style::Embed => Credential::Embedded {
                certificate,
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
                let beside = self.args.merge.as_ref().and_then(Stream::path);
                let folder = folder_of(beside.unwrap_or(&path));
                let certificate_path = certificate_path(folder, issued, cluster, &certificate);
                if !certificate_path.exists() {
                    files.create(&certificate_path, certificate.as_bytes(), Access::Everyone)?;
                }
                let certificate = absolute(&certificate_path)?;
                match style {
                    Style::Exec => self.exec(certificate, key),
                    _ => Credential::Files { certificate, key },
                }
            }
        };
        let entry = NewEntry {
            cluster: cluster.clone(),
            user: format!("{}@{}", issued.user, cluster.name),
            context,
            namespace: self.args.namespace.clone(),
            credential,
            fingerprint,
        };
        let out = match (&self.args.merge, &self.args.out) {
            (Some(existing), _) => {
                merge_into(existing, &entry, self.console)?;
                existing.clone()
            }
            (None, Some(Stream::Stdio)) => {
                files::put_secret(&assemble(&entry))?;
                Stream::Stdio
            }
            (None, None) if path.exists() => {
                // One file grows to all of a person's clusters.
                let existing = Stream::from(path);
                merge_into(&existing, &entry, self.console)?;
                existing
            }
            (None, out) => {
                let text = assemble(&entry);
                let created = files.create(&path, text.expose().as_bytes(), Access::Owner);
                created.map_err(|failure| match out {
                    Some(_) if path.exists() => {
                        failure.say("to add to it: --merge FILE in place of --out FILE")
                    }
                    _ => failure,
                })?;
                path.into()
            }
        };
        files.keep()?;
        let shown = match out.path() {
            Some(path) => quoted(path),
            None => "standard output".into(),
        };
        self.tell(text!(
            "  {}  context {}, {}, valid until {}\n",
            shown,
            quoted(&entry.context),
            Label::from(cluster.server.as_str()),
            issued.certificate.not_after()
        ))?;
        let kubectl = Command::new("kubectl");
        let kubectl = match out.path() {
            Some(path) => kubectl.option("--kubeconfig", path),
            None => kubectl.option("--kubeconfig", "FILE"),
        };
        let kubectl = kubectl.option("--context", &entry.context);
        Ok(kubectl.word("auth").word("whoami"))
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

    /// What was asked for; else a key stays as protected as it is.
    fn style(&self, issued: &Issued) -> Style {
        let asked = &self.args.style;
        match (asked.embed, asked.files) {
            (true, _) => Style::Embed,
            (_, true) => Style::Files,
            _ if asked.exec || self.args.unlock_for.is_some() => Style::Exec,
            _ if issued.key.was_encrypted => Style::Exec,
            _ => Style::Embed,
        }
    }

    /// Clients read the file as it is.
    fn check_readable(&self, key: &FoundKey) -> Result<(), Failure> {
        let why = if key.was_encrypted {
            text!(
                "{} is encrypted, and no client of Kubernetes reads an encrypted key from a file",
                key.source
            )
        } else if key.is_pem {
            return Ok(());
        } else {
            text!(
                "{} is no PEM, which is all that clients of Kubernetes read from a file",
                key.source
            )
        };
        let remove = Command::ours("passphrase").operand(key.source.typed());
        Err(Failure::could_not_run(why)
            .say("let kubectl ask kube-enroll for the key, which stays as it is:")
            .run(self.args.with_style(Style::Exec).command())
            .say("or rewrite the key as PEM that is not encrypted, and run this command again:")
            .run(remove.word("--remove")))
    }

    fn exec(&self, certificate: String, key: String) -> Credential {
        let mut arguments = vec![
            "credential".to_owned(),
            "--certificate".to_owned(),
            certificate,
            "--key".to_owned(),
            key,
        ];
        if let Some(seconds) = self.args.unlock_for {
            arguments.extend(["--unlock-for".to_owned(), format!("{seconds}s")]);
        }
        Credential::Exec {
            command: program::own_command(),
            arguments,
        }
    }

    /// `USER.kubeconfig` beside the key, unless it is to be elsewhere.
    fn target(&self, issued: &Issued) -> PathBuf {
        if let Some(Stream::File(path)) = &self.args.out {
            return path.clone();
        }
        let key = issued.key.source.path();
        let beside = key.and_then(Path::parent).unwrap_or(Path::new(""));
        let folder = self.args.output_dir.as_deref().unwrap_or(beside);
        let key = key.and_then(Path::file_stem).unwrap_or_default();
        let stem = names::stem(&issued.user, &key.to_string_lossy());
        folder.join(format!("{stem}.kubeconfig"))
    }
}

/// A name for the certificate after user and cluster, which nothing else has: the same one again, or
/// one with its serial number.
fn certificate_path(folder: &Path, issued: &Issued, cluster: &Cluster, pem: &str) -> PathBuf {
    let folder = if folder == Path::new(".") {
        Path::new("")
    } else {
        folder
    };
    let user = names::stem(&issued.user, "");
    let stem = format!("{user}@{}", names::stem(&cluster.name, &cluster.name));
    let plain = folder.join(format!("{stem}.crt"));
    let there = file::read(&Stream::from(plain.as_path()), DEFAULT_LIMIT);
    if !plain.exists() || there.is_ok_and(|there| *there == pem.as_bytes()) {
        return plain;
    }
    folder.join(format!("{stem}-{}.crt", issued.certificate.serial()))
}

fn certificates_pem(chain: &[Certificate]) -> String {
    chain.iter().map(Certificate::to_pem).collect()
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let absolute = std::path::absolute(path).map_err(|error| Failure::io("find", path, &error))?;
    match absolute.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(Failure::could_not_run(text!(
            "{} is not UTF-8, and a kubeconfig is",
            absolute
        ))),
    }
}

/// Adds the entries to a kubeconfig; one that is not there or empty is created.
fn merge_into(input: &Stream, entry: &NewEntry, console: &Console) -> Result<(), Failure> {
    if let Some(path) = input.path().filter(|path| !path.exists()) {
        let mut files = NewFiles::new(console);
        files.create(path, assemble(entry).expose().as_bytes(), Access::Owner)?;
        return files.keep();
    }
    let contents = file::read(input, DEFAULT_LIMIT)?;
    let kubeconfig = Kubeconfig::read(&contents).map_err(|error| {
        let look = look(&contents);
        if look.is_telling() && look != Look::Kubeconfig {
            Failure::wrong_file(input, look, Want::Kubeconfig)
        } else {
            Failure::about(input, &error)
        }
    })?;
    let merged = merge(kubeconfig, entry).map_err(|error| {
        let failure = Failure::about(input, &error);
        match error {
            MergeError::Foreign { .. } | MergeError::Differs { .. } => {
                failure.say("choose other names with --context and --cluster-name")
            }
            MergeError::NotAList(_) => failure,
        }
    })?;
    let Some(path) = input.path() else {
        return files::put_secret(&merged);
    };
    let rest = behind_first_document(&contents);
    let first = merged.expose().as_bytes();
    let mut whole = Zeroizing::new(Vec::with_capacity(first.len() + rest.len()));
    whole.extend_from_slice(first);
    whole.extend_from_slice(rest);
    let holds_key = matches!(entry.credential, Credential::Embedded { .. });
    if *contents == *whole && !holds_key {
        return Ok(());
    }
    let is_comment = |line: &[u8]| line.trim_ascii_start().starts_with(b"#");
    if contents.split(|byte| *byte == b'\n').any(is_comment) {
        console.note(text!("{}: comments are not kept, as by kubectl", input));
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
