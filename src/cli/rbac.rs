//! `kube-enroll rbac`: role bindings, and how to take access away.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kube_enroll::kubeconfig;
use kube_enroll::list::{Row, contents};
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::manifest::CLIENT_SIGNER;
use kube_enroll::rbac::{
    AccessRemoval, Approver, AuthorizationConfiguration, CredentialId, DeniedCertificate,
    DenyError, Grant, Note, RbacError, ServerFile, Subject, SystemNames, binding,
    webhook_kubeconfig,
};
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text, count};
use kube_enroll::yaml;
use time::OffsetDateTime;

use super::args::{Refused, not_empty};
use super::console::Console;
use super::failure::Failure;
use super::from::credentials::NamedFiles;
use super::from::file::{self, DEFAULT_LIMIT, Filenames, Stream};
use super::os::sandbox::Reach;
use super::to::files::{self, Access, NewFiles};
use super::{Action, Verdict};

const SCRIPT: &str = "revoke.sh";
const CONFIGURATION: &str = "authorization-config.yaml";
const KUBECONFIG: &str = "denied-certificates.kubeconfig";
/// Contexts that are named to choose from.
const LISTED: usize = 20;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll rbac --user alice --cluster-role view --namespace dev
  kube-enroll rbac alice.csr.yaml --role edit --namespace dev
  kube-enroll rbac --approver=create --user alice
  kube-enroll rbac --user alice --revoke
  kube-enroll rbac --revoke alice.reply.yaml --output-dir revoked
  kube-enroll rbac --revoke stolen.crt --authorization-config authorization-config.yaml")]
pub struct Args {
    /// Take users and groups from these requests, issued objects, replies, certificates and
    /// kubeconfigs; - is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["users", "groups"])]
    pub files: Vec<Stream>,
    #[command(flatten)]
    pub filenames: Filenames,
    /// Bind this user (repeat for more)
    #[arg(long = "user", value_name = "USER", conflicts_with = "filename")]
    pub users: Vec<String>,
    /// Bind this group (repeat for more)
    #[arg(
        short,
        long = "group",
        value_name = "GROUP",
        allow_hyphen_values = true,
        conflicts_with = "filename"
    )]
    pub groups: Vec<String>,
    /// What to bind of those in FILE
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub bind: Bind,
    /// Take this context of a kubeconfig
    #[arg(long, value_name = "CONTEXT", value_parser = not_empty)]
    pub context: Option<String>,
    /// Bind to this Role of the namespace
    #[arg(
        long,
        value_name = "NAME",
        requires = "namespace",
        conflicts_with = "cluster_role"
    )]
    pub role: Option<String>,
    /// Bind to this ClusterRole
    #[arg(long, visible_alias = "clusterrole", value_name = "NAME")]
    pub cluster_role: Option<String>,
    /// Bind in this namespace only
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Write the ClusterRole that approving requests needs, bound to who is named
    #[arg(
        long,
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "both",
        value_name = "WHAT",
        conflicts_with_all = ["role", "cluster_role", "revoke"]
    )]
    pub approver: Option<What>,
    /// Allow users and groups that start with system:
    #[arg(long)]
    pub allow_system: bool,
    /// Print what takes the access away: of users, of groups, and of the certificates in FILE
    #[arg(long, conflicts_with_all = ["role", "cluster_role"])]
    pub revoke: bool,
    /// Deny the certificate that API servers log so (repeat for more)
    #[arg(
        long = "credential-id",
        value_name = "X509SHA256=...",
        value_parser = credential_id,
        requires = "revoke"
    )]
    pub credential_ids: Vec<CredentialId>,
    /// Deny certificates in this AuthorizationConfiguration, which API servers have already
    #[arg(long, value_name = "FILE", requires = "revoke")]
    pub authorization_config: Option<Stream>,
    /// Write to this file instead of standard output
    #[arg(
        long,
        value_name = "FILE",
        default_value = "-",
        conflicts_with = "output_dir"
    )]
    pub out: Stream,
    /// Write into this folder: a file for each binding, or the script that takes access away and the
    /// files that deny certificates
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
}

/// What is bound of a person in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Bind {
    /// The groups, or the user where there is none
    #[default]
    Groups,
    /// The user
    User,
    /// User and groups
    Both,
}

/// What an approver may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// Create and approve requests, and so let in anybody under any name
    Both,
    /// Approve what somebody else created
    Approve,
    /// Create what somebody else has to approve
    Create,
}

impl From<What> for Approver {
    fn from(what: What) -> Self {
        match what {
            What::Both => Self::Both,
            What::Approve => Self::Approve,
            What::Create => Self::Create,
        }
    }
}

fn credential_id(typed: &str) -> Result<CredentialId, Refused> {
    typed
        .parse()
        .map_err(|error: DenyError| Refused(error.show()))
}

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default()
            .read(&self.files)
            .read(&self.authorization_config)
            .credentials_of(self.files.iter().filter_map(Stream::path))
            .of_strangers(self.files.len(), DEFAULT_LIMIT)
            .write([&self.out])
            .read_in(self.output_dir.as_deref())
            .write_in(self.output_dir.as_deref())
    }

    /// Prints YAML for `kubectl apply -f -`, or a script that takes access away.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        if self.revoke {
            self.take_away(console)?;
        } else {
            self.give(console)?;
        }
        Ok(Verdict::Good)
    }
}

/// Giving.
impl Args {
    fn give(&self, console: &Console) -> Result<(), Failure> {
        let mut documents = Vec::new();
        let grant = match self.approver {
            Some(what) => {
                let approver = Approver::from(what);
                documents.push(approver.role(CLIENT_SIGNER));
                if approver == Approver::Both {
                    console.warn(
                        "whoever gets this role can alone let in anybody under any name; \
                         --approver=create and --approver=approve part it among two people",
                    );
                }
                Grant::approver(approver)
            }
            None => self.grant()?,
        };
        let subjects = self.subjects(console)?;
        if subjects.is_empty() && self.approver.is_none() {
            return Err(nobody());
        }
        for subject in &subjects {
            console.note(text!("binds {} to {}", grant, subject));
        }
        documents.extend(subjects.iter().map(|subject| binding(subject, &grant)));
        let Some(folder) = &self.output_dir else {
            let texts: Vec<_> = documents.iter().map(yaml::to_string).collect();
            return files::put(&self.out, &texts.join("---\n"), console);
        };
        let files = documents.iter().map(|document| {
            let metadata = |path| document.pointer(path).and_then(serde_json::Value::as_str);
            let name = metadata("/metadata/name").unwrap_or_default();
            // A namespace has no dot.
            let name = match metadata("/metadata/namespace") {
                Some(namespace) => format!("{namespace}.{name}.yaml"),
                None => format!("{name}.yaml"),
            };
            (name, yaml::to_string(document))
        });
        write_each(folder, &files.collect::<Vec<_>>(), console)?;
        let apply = Command::new("kubectl").word("apply").option("-f", folder);
        console.note(text!("to bind: {}", apply));
        Ok(())
    }

    fn grant(&self) -> Result<Grant, Failure> {
        let namespace = self.namespace.as_deref();
        let grant = match (&self.role, &self.cluster_role) {
            (Some(name), _) => Grant::role(name, namespace),
            (None, Some(name)) => Grant::cluster_role(name, namespace),
            (None, None) => {
                return Err(Failure::could_not_run("no role is given").say(
                    "give --cluster-role NAME (view, edit, admin, ...) or --role NAME with \
                     --namespace",
                ));
            }
        };
        grant.map_err(|error| refused(&error))
    }

    /// Whom to bind: those named, or who is in the files, users first.
    fn subjects(&self, console: &Console) -> Result<BTreeSet<Subject>, Failure> {
        let system = if self.allow_system {
            SystemNames::Allow
        } else {
            SystemNames::Refuse
        };
        let mut names = vec![(self.users.clone(), self.groups.clone())];
        for source in &self.files {
            for row in self.rows(source)? {
                let Some(user) = row.user else { continue };
                let by_groups = self.bind == Bind::Groups && !row.groups.is_empty();
                if by_groups {
                    console.note(text!(
                        "{}: binds by group, so everybody in it, and not user {}; --bind user or \
                         --bind both for that",
                        source,
                        Label::from(user.as_str())
                    ));
                }
                let user = Some(user).filter(|_| !by_groups);
                let groups = Some(row.groups).filter(|_| self.bind != Bind::User);
                names.push((user.into_iter().collect(), groups.unwrap_or_default()));
            }
        }
        let mut subjects = BTreeSet::new();
        for (users, groups) in names {
            let users = users.iter().map(|name| Subject::user(name, system));
            let groups = groups.iter().map(|name| Subject::group(name, system));
            for subject in users.chain(groups) {
                subjects.insert(subject.map_err(|error| refused(&error))?);
            }
        }
        Ok(subjects)
    }

    /// Who is in a file, with which certificates. What cannot be read in it is not passed over.
    fn rows(&self, source: &Stream) -> Result<Vec<Row>, Failure> {
        let input = file::read(source, DEFAULT_LIMIT)?;
        let folder = source.path().and_then(Path::parent);
        let named = NamedFiles::of(source);
        let found = contents(
            &input,
            folder.unwrap_or(Path::new("")),
            &|path| named.read(path),
            OffsetDateTime::now_utc(),
        );
        let inspect = || Command::ours("inspect").operand(source.typed());
        let Some(found) = found else {
            let look = look(&input);
            let names_somebody = matches!(
                look,
                Look::Certificate | Look::Request | Look::Object | Look::Kubeconfig
            );
            return Err(if look.is_telling() && !names_somebody {
                Failure::wrong_file(source, look, Want::Person).judged()
            } else {
                Failure::not_good(text!("{}: there is no user in it", source)).run(inspect())
            });
        };
        if let Some(problem) = found.problems.into_iter().next() {
            return Err(Failure::not_good(text!("{}: {}", source, problem)).run(inspect()));
        }
        let rows = self.of_one_cluster(source, found.rows)?;
        if rows.iter().any(|row| row.is_authority) {
            let what = text!(
                "{}: the certificate of an authority, with which nobody is let in",
                source
            );
            return Err(Failure::not_good(what));
        }
        if rows
            .iter()
            .all(|row| row.user.is_none() && row.credential_id.is_none())
        {
            return Err(
                Failure::not_good(text!("{}: there is no user in it", source)).run(inspect()),
            );
        }
        Ok(rows)
    }

    /// What is given or taken in one cluster is not in another, where the same name may be somebody
    /// else's.
    fn of_one_cluster(&self, source: &Stream, mut rows: Vec<Row>) -> Result<Vec<Row>, Failure> {
        let is_kubeconfig = |row: &Row| row.kind == kubeconfig::KIND;
        if !rows.iter().any(is_kubeconfig) {
            return Ok(rows);
        }
        let all: Vec<Label> = rows
            .iter()
            .filter_map(|row| row.name.as_deref().map(Label::from))
            .collect();
        let names = || Text::join(all.iter().take(LISTED).map(Label::show), ", ");
        if let Some(context) = &self.context {
            rows.retain(|row| !is_kubeconfig(row) || row.name.as_ref() == Some(context));
            if rows.is_empty() {
                let what = text!("{}: no context of that name has a certificate", source);
                return Err(Failure::not_good(what).say(text!("contexts with one: {}", names())));
            }
        }
        let servers: BTreeSet<_> = rows.iter().map(|row| &row.server).collect();
        let users: BTreeSet<_> = rows.iter().map(|row| &row.user).collect();
        if servers.len() > 1 || users.len() > 1 {
            let what = text!(
                "{} leads to more than one cluster, or as more than one user",
                source
            );
            return Err(Failure::could_not_run(what)
                .say(text!("choose one with --context NAME: {}", names())));
        }
        Ok(rows)
    }
}

/// Taking away.
impl Args {
    fn take_away(&self, console: &Console) -> Result<(), Failure> {
        let removal = self.removal(console)?;
        if removal.is_empty() {
            return Err(nobody());
        }
        let files = self.server_files(&removal, console)?;
        let Some(folder) = &self.output_dir else {
            return files::put(&self.out, &removal.script(&files, false), console);
        };
        let mut written = vec![(SCRIPT.to_owned(), removal.script(&files, true))];
        written.extend(
            files
                .into_iter()
                .map(|file| (file.name.to_owned(), file.text)),
        );
        write_each(folder, &written, console)?;
        let script = folder.join(SCRIPT);
        console.note(text!("read {} before you run it", script));
        Ok(())
    }

    /// Whose access ends: those named, or who is in the files, with their certificates.
    fn removal(&self, console: &Console) -> Result<AccessRemoval, Failure> {
        let now = OffsetDateTime::now_utc();
        let refused = |error: RbacError| refused(&error);
        let mut removal = AccessRemoval::default();
        for user in &self.users {
            removal.user(user, &[]).map_err(refused)?;
        }
        for group in &self.groups {
            removal.group(group).map_err(refused)?;
        }
        for id in &self.credential_ids {
            removal.certificate(DeniedCertificate {
                id: id.clone(),
                until: None,
                user: self.users.first().cloned().unwrap_or_default(),
                groups: Vec::new(),
            });
        }
        for source in &self.files {
            for row in self.rows(source)? {
                if let Some(user) = &row.user {
                    removal.user(user, &row.groups).map_err(refused)?;
                }
                match (row.credential_id.as_deref().map(str::parse), row.end) {
                    (Some(Ok(id)), Some(until)) if until >= now => {
                        let certificate = DeniedCertificate {
                            id,
                            until: Some(until),
                            user: row.user.unwrap_or_default(),
                            groups: row.groups,
                        };
                        tell(source, &certificate, console);
                        removal.certificate(certificate);
                    }
                    (Some(_), _) => console.note(text!(
                        "{}: the certificate has ended, and needs no denial",
                        source
                    )),
                    (None, _) => {
                        let deny = Command::new("kubectl").word("certificate").word("deny");
                        let deny = deny.operand(row.name.unwrap_or_default());
                        console.warn(text!(
                            "{}: a request without certificate; if it still waits in the cluster: {}",
                            source,
                            deny
                        ));
                    }
                }
            }
        }
        Ok(removal)
    }

    /// What API servers read to deny the certificates, where there are any.
    fn server_files(
        &self,
        removal: &AccessRemoval,
        console: &Console,
    ) -> Result<Vec<ServerFile>, Failure> {
        if removal.certificates().next().is_none() {
            return match &self.authorization_config {
                None => Ok(Vec::new()),
                Some(_) => Err(
                    Failure::could_not_run("no certificate is named to be denied")
                        .say("give a certificate, a reply or a kubeconfig, or --credential-id"),
                ),
            };
        }
        let mut configuration = self.configuration(console)?;
        let ended = configuration.denied.forget_ended(OffsetDateTime::now_utc());
        for certificate in removal.certificates() {
            let note = certificate
                .until
                .map(|until| Note::new(until, &certificate.user));
            configuration.denied.insert(certificate.id.clone(), note);
        }
        let all = count(
            configuration.denied.len(),
            "certificate is",
            "certificates are",
        );
        console.note(text!("{} denied in {}", all, CONFIGURATION));
        if ended > 0 {
            let ended = count(ended, "certificate", "certificates");
            console.note(text!("{} that ended more than a week ago left out", ended));
        }
        let text = configuration.to_yaml().map_err(|error| {
            let failure = Failure::could_not_run(error.show());
            failure.say("take out lines of certificates that have ended")
        })?;
        let path = Path::new(configuration.kubeconfig_path());
        Ok(vec![
            ServerFile {
                name: KUBECONFIG,
                path: path.display().to_string(),
                text: webhook_kubeconfig(),
            },
            ServerFile {
                name: CONFIGURATION,
                path: path.with_file_name(CONFIGURATION).display().to_string(),
                text,
            },
        ])
    }

    /// The configuration that API servers have, or one as for kubeadm's.
    fn configuration(&self, console: &Console) -> Result<AuthorizationConfiguration, Failure> {
        let Some(source) = &self.authorization_config else {
            console.warn(
                "the file is for API servers with --authorization-mode=Node,RBAC, which it takes the \
                 place of; where they have an --authorization-config already, name that file here",
            );
            return Ok(AuthorizationConfiguration::default());
        };
        let input = file::read(source, DEFAULT_LIMIT)?;
        let read = AuthorizationConfiguration::read(&input).map_err(|error| {
            let look = look(&input);
            if look.is_telling() && look != Look::OtherObject {
                return Failure::wrong_file(source, look, Want::Authorization);
            }
            let failure = Failure::about(source, &error);
            match error {
                DenyError::Changed => failure.say(
                    "write its list as kube-enroll does, a line for each certificate: \
                     'X509SHA256=...',",
                ),
                _ => failure.say("name the file of kube-apiserver --authorization-config"),
            }
        })?;
        if read.has_comments {
            console.warn(text!("{}: its comments are not written again", source));
        }
        Ok(read)
    }
}

/// What is denied, and where that will be of no use.
fn tell(source: &Stream, certificate: &DeniedCertificate, console: &Console) {
    let user = Label::from(certificate.user.as_str());
    console.note(text!(
        "{}: denies {} of user {}",
        source,
        certificate.id,
        user
    ));
    if certificate.is_beyond_authorization() {
        console.warn(text!(
            "{}: user {} is in system:masters, for whom no authorizer is asked: the certificate CANNOT \
             be denied, and lets its holder do anything until it ends or the authority for client \
             certificates is replaced",
            source,
            user
        ));
    }
}

fn refused(error: &RbacError) -> Failure {
    let failure = Failure::could_not_run(error.show());
    match error {
        RbacError::System { .. } => failure.say("if that is really meant, add --allow-system"),
        _ => failure,
    }
}

fn nobody() -> Failure {
    Failure::could_not_run("nobody is named")
        .say("give --user NAME, --group NAME or a request or certificate")
}

/// Writes these files into a folder, all or none. What is there already stays.
fn write_each(folder: &Path, named: &[(String, String)], console: &Console) -> Result<(), Failure> {
    let mut files = NewFiles::new(console);
    files.create_folder(folder)?;
    for (name, text) in named {
        let path = folder.join(name);
        if files::holds(&path, text) {
            console.note(text!("{} is there already", path));
        } else {
            files.create(&path, text.as_bytes(), Access::Everyone)?;
            console.note(text!("wrote {}", path));
        }
    }
    files.keep()
}
