//! `kube-enroll kubeconfig`: matches a reply to its key, checks everything, writes the kubeconfig.

use std::path::{Path, PathBuf};

use kube_enroll::certificate::{Certificate, show_time};
use kube_enroll::kubeconfig::{
    Cluster, Credential, Kubeconfig, MergeError, NewEntry, assemble, merge,
};
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::reply::{Reply, ReplyError};
use kube_enroll::shell::quote;
use time::OffsetDateTime;

use super::args::KubeconfigArgs;
use super::console::Console;
use super::file::{Access, DEFAULT_LIMIT, NewFiles};
use super::input::Input;
use super::message::Failure;
use super::request::file_stem;
use super::{Verdict, file, keyring, outcome, passphrase, reply, report};

mod check;

use keyring::{FoundKey, Keyring};

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

/// Writes a kubeconfig for every certificate in every reply.
pub fn run(args: &KubeconfigArgs, console: &Console) -> Result<Verdict, Failure> {
    let inputs = if args.replies.is_empty() {
        vec![Input::Stdio]
    } else {
        args.replies.clone()
    };
    let passphrase = args
        .passphrase_file
        .as_deref()
        .map(passphrase::from_file)
        .transpose()?;
    let run = Run {
        args,
        console,
        keyring: Keyring::new(args.key.as_deref(), passphrase.as_ref(), console),
        now: OffsetDateTime::now_utc(),
    };
    let verdicts = inputs
        .iter()
        .map(|input| run.reply(input).unwrap_or_else(|failure| report(&failure)));
    Ok(verdicts.max().unwrap_or(Verdict::Good))
}

/// What all replies of one run share.
struct Run<'a> {
    args: &'a KubeconfigArgs,
    console: &'a Console,
    keyring: Keyring<'a>,
    now: OffsetDateTime,
}

impl Run<'_> {
    /// Everything in one file. What is not issued, or does not fit, does not stop the others.
    fn reply(&self, input: &Input) -> Result<Verdict, Failure> {
        let contents = file::read(input, LIMIT)?;
        let reply = Reply::read(&contents).map_err(|error| match error {
            ReplyError::Empty | ReplyError::NothingIssued => outcome::gone(&input.to_string()),
            other => Failure::could_not_run(format!("{input}: {other}")),
        })?;
        let one_of_many = reply.requests.len() > 1 || self.args.replies.len() > 1;
        if one_of_many && self.args.out.is_some() {
            return Err(Failure::could_not_run(
                "--out is for one kubeconfig, and here are several",
            )
            .next("give --output-dir DIR instead"));
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
                Err(failure) => verdict = verdict.max(report(&failure)),
            }
        }
        if let Some(command) = command {
            self.console.say(&format!("\nTry it:\n\n  {command}\n"))?;
        }
        Ok(verdict)
    }

    /// One issued object; the command to try its kubeconfig with.
    fn request(
        &self,
        request: &CertificateSigningRequest,
        cluster: &Cluster,
        input: &Input,
    ) -> Result<String, Failure> {
        let status = request.status.as_ref();
        let pem = status.and_then(|status| status.certificate.as_deref());
        let chain = Certificate::chain_from_pem(pem.unwrap_or_default())
            .map_err(|error| Failure::in_file(input, &error))?;
        self.issued(Some(request.clone()), chain, cluster, input)
    }

    /// The cluster from the command line, else from the reply.
    fn cluster(&self, reply: &Reply, input: &Input) -> Result<Cluster, Failure> {
        let mut cluster = if let Some(path) = &self.args.cluster {
            reply::read_cluster(path, None, self.console)?
        } else if let (Some(server), Some(authority)) =
            (&self.args.server, &self.args.certificate_authority)
        {
            let pem = file::read(&Input::from(authority.clone()), DEFAULT_LIMIT)?;
            Cluster::new("kubernetes", server, &pem)
        } else {
            reply.cluster.clone().ok_or_else(|| {
                Failure::could_not_run(format!("{input}: there is no cluster in it")).next(
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
        reply::check_cluster(&cluster, &input.to_string())?;
        Ok(cluster)
    }

    fn issued(
        &self,
        request: Option<CertificateSigningRequest>,
        chain: Vec<Certificate>,
        cluster: &Cluster,
        input: &Input,
    ) -> Result<String, Failure> {
        let source = input.to_string();
        let Some(certificate) = chain.first().cloned() else {
            return Err(outcome::gone(&source));
        };
        let key = self.keyring.find(certificate.public_key(), input)?;
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
        check::check(&issued, &source, self.now, self.console)?;
        self.check_client_authority(&issued, cluster)?;
        self.write(&issued, cluster)
    }

    /// A chain to the cluster's own authority is a note, to `--client-ca` a condition.
    fn check_client_authority(&self, issued: &Issued, cluster: &Cluster) -> Result<(), Failure> {
        if let Some(path) = &self.args.client_ca {
            let input = Input::from(path.clone());
            let pem = file::read(&input, DEFAULT_LIMIT)?;
            let authorities = Certificate::chain_from_pem(&pem)
                .map_err(|error| Failure::in_file(&input, &error))?;
            if !check::is_issued_by(issued, &authorities) {
                let issuer = issued.certificate.issuer();
                return Err(Failure::not_good(format!(
                    "the certificate was not issued by {input}: its issuer is {issuer}"
                ))
                .next("ask the administrator for the file behind --client-ca-file"));
            }
            return Ok(());
        }
        if let kube_enroll::kubeconfig::Authority::Data(pem) = &cluster.authority {
            let authorities = Certificate::chain_from_pem(pem).unwrap_or_default();
            if !check::is_issued_by(issued, &authorities) {
                self.console.warn(
                    "the certificate was not issued by the authority of the API server; many \
                     clusters have another one for clients, so this may be as it should",
                );
            }
        }
        Ok(())
    }

    /// Writes the kubeconfig and says so; the command to try it with.
    fn write(&self, issued: &Issued, cluster: &Cluster) -> Result<String, Failure> {
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
                let certificate_path = path.with_extension("crt");
                files.create(&certificate_path, certificate.as_bytes(), Access::Everyone)?;
                let (certificate, key) =
                    (absolute(&certificate_path)?, absolute(&issued.key.path)?);
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
        match &self.args.merge {
            Some(existing) => merge_into(existing, &entry, self.console)?,
            None => files.create(&path, assemble(&entry).expose().as_bytes(), Access::Owner)?,
        }
        files.keep()?;
        let path = self.args.merge.as_deref().unwrap_or(&path);
        let path = quote(&path.display().to_string());
        let context = quote(&entry.context);
        self.console.say(&format!(
            "  {path}  context {context}, {}, valid until {}\n",
            cluster.server,
            show_time(issued.certificate.not_after())
        ))?;
        Ok(format!(
            "kubectl --kubeconfig {path} --context {context} auth whoami"
        ))
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
            command: own_command(),
            arguments,
        }
    }

    /// `USER.kubeconfig` beside the key, unless it is to be elsewhere.
    fn target(&self, issued: &Issued) -> PathBuf {
        if let Some(path) = &self.args.out {
            return path.clone();
        }
        let beside = issued.key.path.parent().unwrap_or(Path::new(""));
        let folder = self.args.output_dir.as_deref().unwrap_or(beside);
        let key = issued.key.path.file_stem().unwrap_or_default();
        let stem = file_stem(&issued.user, &key.to_string_lossy());
        folder.join(format!("{stem}.kubeconfig"))
    }
}

/// By name where that finds this very program, as after an upgrade; else by its path.
fn own_command() -> String {
    const NAME: &str = env!("CARGO_PKG_NAME");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(NAME))
        .find(|candidate| candidate.is_file());
    let same =
        |own: &PathBuf| found.and_then(|path| path.canonicalize().ok()).as_ref() == Some(own);
    match std::env::current_exe() {
        Ok(own) if !same(&own) => own.display().to_string(),
        _ => NAME.to_owned(),
    }
}

fn certificates_pem(chain: &[Certificate]) -> String {
    chain.iter().map(Certificate::to_pem).collect()
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let absolute =
        std::path::absolute(path).map_err(|error| Failure::io("find", path.display(), &error))?;
    match absolute.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(Failure::could_not_run(format!(
            "{} is not UTF-8, and a kubeconfig is",
            absolute.display()
        ))),
    }
}

fn merge_into(path: &Path, entry: &NewEntry, console: &Console) -> Result<(), Failure> {
    let input = Input::from(path.to_owned());
    let contents = file::read(&input, DEFAULT_LIMIT)?;
    let kubeconfig = Kubeconfig::read(&contents)
        .map_err(|error| Failure::could_not_run(format!("{input}: {error}")))?;
    let merged = merge(kubeconfig, entry).map_err(|error| {
        let failure = Failure::could_not_run(format!("{input}: {error}"));
        match error {
            MergeError::Foreign { .. } => {
                failure.next("choose other names with --context and --cluster-name")
            }
            MergeError::NotAList(_) => failure,
        }
    })?;
    if matches!(entry.credential, Credential::Embedded { .. }) {
        file::warn_exposed(path, console);
    }
    file::replace(path, merged.expose().as_bytes(), console)
}
