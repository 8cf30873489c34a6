//! `kube-enroll rbac`: role bindings, and how to take access away.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kube_enroll::certificate::{Certificate, Chain};
use kube_enroll::inspect::signing_requests;
use kube_enroll::kubeconfig;
use kube_enroll::list::{Keys, Row, contents};
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::manifest::CLIENT_SIGNER;
use kube_enroll::rbac::{
    AccessRemoval, Approver, AuthorizationConfiguration, CredentialId, DeniedCertificates,
    DenyError, Grant, RbacError, ServerFile, Subject, SystemNames, binding,
    is_beyond_authorization, webhook_kubeconfig,
};
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text};
use kube_enroll::yaml;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::args::not_empty;
use super::console::Console;
use super::failure::Failure;
use super::from::cluster::{self, default_kubeconfigs};
use super::from::credentials::NamedFiles;
use super::from::file::{self, DEFAULT_LIMIT, Filenames, Stream};
use super::os::privacy;
use super::os::sandbox::Reach;
use super::to::Destination;
use super::to::files::{self, Access, NewFiles, Turn};
use super::{Action, Verdict};

/// A file as it was read.
type Contents = Zeroizing<Vec<u8>>;

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
  kube-enroll rbac --revoke lost.crt --keep new.reply.yaml
  kube-enroll rbac --keep new.reply.yaml --authorization-config authorization-config.yaml")]
#[command(mut_arg("output_dir", |arg| arg.help(
    "Write into this folder: a file for each binding, or the script that takes access away and the \
     files that API servers read"
)))]
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
    /// Print what takes the access away from users, with their certificates, and from groups
    #[arg(long, conflicts_with_all = ["role", "cluster_role"])]
    pub revoke: bool,
    /// Let this certificate in, though all others of its user are refused: a certificate, reply or
    /// kubeconfig (repeat for more)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "cluster_role", "approver"])]
    pub keep: Vec<Stream>,
    /// Refuse certificates in this AuthorizationConfiguration, which API servers have already
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "cluster_role", "approver"])]
    pub authorization_config: Option<Stream>,
    /// Refuse nobody whose certificate was not issued by this client certificate authority
    #[arg(long, value_name = "FILE", requires = "revoke")]
    pub client_ca: Option<Stream>,
    #[command(flatten)]
    pub to: Destination,
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

impl Action for Args {
    fn reach(&self) -> Reach {
        let in_use = self.in_use();
        Reach::default()
            .read(&self.files)
            .read(&self.configuration_there())
            .read(&self.keep)
            .read(&self.client_ca)
            .read(&in_use)
            .credentials_of(self.people().chain(&in_use).filter_map(Stream::path))
            .with_work(self.people().count(), DEFAULT_LIMIT)
            .write_to(&self.to)
    }

    /// Prints YAML for `kubectl apply -f -`, or a script that takes access away.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        if self.revoke || !self.keep.is_empty() {
            self.take_away(console)?;
        } else if self.authorization_config.is_some() {
            return Err(Failure::could_not_run(
                "--authorization-config needs --revoke or --keep",
            ));
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
        let Some(folder) = &self.to.output_dir else {
            let texts: Vec<_> = documents.iter().map(yaml::to_string).collect();
            return files::put(&self.to.out, &texts.join("---\n"), console);
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
        let files: Vec<_> = files.collect();
        write_each(folder, &files, None, console)?;
        // kubectl would apply whatever else lies in the folder.
        let apply = Command::new("kubectl").word("apply");
        let apply = files.iter().fold(apply, |apply, (name, _)| {
            apply.option("-f", folder.join(name))
        });
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

    fn system(&self) -> SystemNames {
        if self.allow_system {
            SystemNames::Allow
        } else {
            SystemNames::Refuse
        }
    }

    /// Whom to bind: those named, or who is in the files, users first.
    fn subjects(&self, console: &Console) -> Result<BTreeSet<Subject>, Failure> {
        let system = self.system();
        let mut names = vec![(self.users.clone(), self.groups.clone())];
        for source in &self.files {
            for row in self.rows(source)?.1 {
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
    fn rows(&self, source: &Stream) -> Result<(Contents, Vec<Row>), Failure> {
        let input = file::read(source, DEFAULT_LIMIT)?;
        let folder = source.path().and_then(Path::parent);
        let named = NamedFiles::of(source);
        let found = contents(
            &input,
            Keys::Unopened,
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
            let look = look(&input);
            if look.is_damaged() {
                return Err(Failure::wrong_file(source, look, Want::Person).judged());
            }
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
        if rows.iter().any(|row| row.user.is_none()) || rows.is_empty() {
            return Err(
                Failure::not_good(text!("{}: there is no user in it", source)).run(inspect()),
            );
        }
        Ok((input, rows))
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
    /// The files that people are in.
    fn people(&self) -> impl Iterator<Item = &Stream> {
        self.files.iter().chain(&self.keep)
    }

    fn take_away(&self, console: &Console) -> Result<(), Failure> {
        let folder = self.to.output_dir.as_deref();
        let _turn = folder.map(Turn::wait);
        let authorities = self.client_ca.as_ref();
        let authorities = authorities
            .map(|input| authorities_in(input, console))
            .transpose()?;
        let mut not_compared = Vec::new();
        let mut people = Vec::new();
        for source in &self.files {
            let (input, rows) = self.rows(source)?;
            for row in rows {
                match (&self.client_ca, &authorities) {
                    (Some(file), Some(authorities)) => {
                        demand_issued(source, &input, &row, file, authorities)?;
                    }
                    _ if row.credential_id.is_some() => not_compared.push(source.show()),
                    _ => {}
                }
                people.push((source, row));
            }
        }
        if !not_compared.is_empty() && self.revoke {
            console.warn(text!(
                "not known whether the cluster issued it, and anybody can make one with any name: {}; \
                 --client-ca FILE compares",
                first_of(not_compared)
            ));
        }
        let mut kept = Vec::new();
        for source in &self.keep {
            let (_, rows) = self.rows(source)?;
            kept.extend(rows.into_iter().map(|row| (source, row)));
        }
        let removal = self.removal(&people, console)?;
        if removal.is_empty() && self.revoke {
            return Err(nobody());
        }
        let (files, extended) = if removal.users().next().is_none() && kept.is_empty() {
            (Vec::new(), None)
        } else {
            self.server_files(&removal, &people, &kept, console)?
        };
        self.warn_of_oneself(&removal, &kept, console);
        let mut named: Vec<_> = files
            .iter()
            .map(|file| (file.name.to_owned(), file.text.clone()))
            .collect();
        match (folder, self.revoke) {
            (None, true) => files::put(&self.to.out, &removal.script(&files, false), console),
            (None, false) => {
                let text = named.pop().map(|(_, text)| text);
                files::put(&self.to.out, &text.unwrap_or_default(), console)
            }
            (Some(folder), revoke) => {
                let script = revoke.then(|| removal.script(&files, true));
                let script = script.map(|text| (free_script(folder, &text), text));
                named.extend(script.clone());
                let extended = extended.as_ref().map(|it| it.as_slice());
                write_each(folder, &named, extended, console)?;
                if let Some((name, _)) = script {
                    console.note(text!("read {} before you run it", folder.join(name)));
                }
                Ok(())
            }
        }
    }

    /// The kubeconfigs that kubectl uses here, where access is taken from somebody.
    fn in_use(&self) -> Vec<Stream> {
        let files = default_kubeconfigs().unwrap_or_default().into_iter();
        let there = files.filter(|file| self.revoke && file.path().is_some_and(Path::is_file));
        there.collect()
    }

    /// Whoever takes access away may go by a name that loses it.
    fn warn_of_oneself(&self, removal: &AccessRemoval, kept: &[(&Stream, Row)], console: &Console) {
        let users: BTreeSet<&str> = removal.users().collect();
        for source in self.in_use() {
            let Ok(input) = file::read(&source, DEFAULT_LIMIT) else {
                continue;
            };
            let folder = source.path().and_then(Path::parent);
            let named = NamedFiles::of(&source);
            let found = contents(
                &input,
                Keys::Unopened,
                folder.unwrap_or(Path::new("")),
                &|path| named.read(path),
                OffsetDateTime::now_utc(),
            );
            let rows = found.map(|found| found.rows).unwrap_or_default();
            let own = rows.iter().find(|row| {
                let is_kept = |(_, other): &(_, Row)| other.credential_id == row.credential_id;
                row.user.as_deref().is_some_and(|user| users.contains(user))
                    && !kept.iter().any(is_kept)
            });
            if let Some(row) = own {
                console.warn(text!(
                    "{}: its context {} is user {}: in that cluster you lock yourself out; go by another \
                     name first, or keep its certificate: --keep {} --context {}",
                    source,
                    Label::from(row.name.as_deref().unwrap_or_default()),
                    Label::from(row.user.as_deref().unwrap_or_default()),
                    quoted(source.typed()),
                    quoted(row.name.as_deref().unwrap_or_default())
                ));
            }
        }
    }

    /// Whose access ends: those named, or who is in the files.
    fn removal(
        &self,
        people: &[(&Stream, Row)],
        console: &Console,
    ) -> Result<AccessRemoval, Failure> {
        let refused = |error: RbacError| refused(&error);
        let mut removal = AccessRemoval::default();
        for user in &self.users {
            Subject::user(user, self.system()).map_err(refused)?;
            removal.user(user, &[]).map_err(refused)?;
        }
        for group in &self.groups {
            removal.group(group).map_err(refused)?;
        }
        for (source, row) in people {
            let user = row.user.as_deref().unwrap_or_default();
            let shown = Label::from(user);
            Subject::user(user, self.system()).map_err(refused)?;
            removal.user(user, &row.groups).map_err(refused)?;
            if is_beyond_authorization(&row.groups) {
                console.warn(text!(
                    "{}: user {} is in system:masters, for whom no authorizer is asked: the \
                     certificate CANNOT be refused, and lets its holder do anything until it ends or \
                     the authority for client certificates is replaced",
                    source,
                    shown
                ));
            }
            if row.credential_id.is_none() {
                const LONGEST: usize = 253;
                let name = row.name.as_deref().filter(|name| name.len() <= LONGEST);
                let deny = Command::new("kubectl").word("certificate").word("deny");
                let deny = deny.operand(name.unwrap_or("NAME"));
                console.warn(text!(
                    "{}: a request without certificate, which lets in nobody and which anybody can make for \
                     user {}; if it still waits in the cluster: {}",
                    source,
                    shown,
                    deny
                ));
            }
            if row.ends_by(OffsetDateTime::now_utc()) {
                console.warn(text!(
                    "{}: the certificate has ended, and is refused as it is; others of user {} are refused \
                     as well",
                    source,
                    shown
                ));
            }
        }
        Ok(removal)
    }

    /// What API servers read to refuse the certificates of the users, but for those kept; and the file
    /// that it extends, where everything in that is in it as well.
    fn server_files(
        &self,
        removal: &AccessRemoval,
        people: &[(&Stream, Row)],
        kept: &[(&Stream, Row)],
        console: &Console,
    ) -> Result<(Vec<ServerFile>, Option<Contents>), Failure> {
        if !self.revoke && self.authorization_config.is_none() {
            return Err(
                Failure::could_not_run("it is not said what to keep the certificate in").say(
                    "give --authorization-config FILE, or --revoke with those that are refused",
                ),
            );
        }
        let (mut configuration, extended) = self.configuration(console)?;
        let denied = &mut configuration.denied;
        for user in removal.users() {
            denied.deny(user, None);
        }
        for user in &self.users {
            denied.refuse_all(user);
        }
        for (_, row) in people {
            let user = row.user.as_deref().unwrap_or_default();
            denied.deny(user, row.end);
            if let Some(id) = id_of(row) {
                denied.refuse(user, id);
            }
            if let Some(key) = row.key {
                denied.lose(user, key);
            }
        }
        for (source, row) in kept {
            let user = row.user.as_deref().unwrap_or_default();
            keepable(source, row, people, denied)?;
            if !denied.has(user) {
                let what = text!(
                    "{}: certificates of user {} are not refused, so that none has to be kept",
                    source,
                    Label::from(user)
                );
                return Err(Failure::not_good(what));
            }
            if let Some(id) = id_of(row) {
                denied.keep(user, id, row.end, row.key);
            }
        }
        denied.forget_ended(OffsetDateTime::now_utc());
        let touched: BTreeSet<&str> = removal
            .users()
            .chain(kept.iter().filter_map(|(_, row)| row.user.as_deref()))
            .collect();
        for user in touched {
            let number = denied.kept(user).count();
            let shown = Label::from(user);
            console.note(match number {
                0 => text!("refuses all certificates of user {}", shown),
                _ => text!(
                    "refuses the certificates of user {}, but for {} kept",
                    shown,
                    number
                ),
            });
        }
        let text = configuration.to_yaml().map_err(|error| {
            let failure = Failure::could_not_run(error.show());
            failure.say("take out names whose certificates have all ended")
        })?;
        let path = Path::new(configuration.kubeconfig_path());
        let files = vec![
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
        ];
        Ok((files, extended))
    }

    /// The configuration to extend: the one that was named, else what an earlier run has left where this
    /// one writes.
    fn configuration_there(&self) -> Option<Stream> {
        let there = self
            .to
            .output_dir
            .as_deref()
            .map(|it| it.join(CONFIGURATION));
        let there = there.filter(|it| self.revoke && it.is_file());
        let named = self.authorization_config.clone();
        named.or_else(|| there.map(Stream::from))
    }

    /// The configuration that API servers have, with its file where nothing in it gets lost, or one as for
    /// kubeadm's.
    fn configuration(
        &self,
        console: &Console,
    ) -> Result<(AuthorizationConfiguration, Option<Contents>), Failure> {
        let Some(source) = &self.configuration_there() else {
            console.warn(
                "the file is for API servers with --authorization-mode=Node,RBAC, which it takes the \
                 place of; where they have an --authorization-config already, name that file here",
            );
            return Ok((AuthorizationConfiguration::default(), None));
        };
        let input = file::read(source, DEFAULT_LIMIT)?;
        let read = AuthorizationConfiguration::read(&input).map_err(|error| {
            let look = look(&input);
            let can_be = matches!(
                look,
                Look::OtherObject(None | Some("AuthorizationConfiguration"))
            );
            if look.is_telling() && !can_be {
                return Failure::wrong_file(source, look, Want::Authorization);
            }
            let failure = Failure::about(source, &error);
            match error {
                DenyError::Changed => failure.say(
                    "write its lists as kube-enroll does, a line for each user or certificate: 'USER',",
                ),
                DenyError::Unreadable(_) => failure
                    .say("correct that place in an editor that saves UTF-8; API servers read the file too"),
                _ => failure.say("name the file of kube-apiserver --authorization-config"),
            }
        })?;
        if read.has_comments {
            console.warn(text!("{}: its comments are not written again", source));
            return Ok((read, None));
        }
        Ok((read, Some(input)))
    }
}

/// Names, or the first of many.
fn first_of(names: Vec<Text>) -> Text {
    let more = match names.len().saturating_sub(LISTED) {
        0 => Text::default(),
        more => text!(" and {} more", more),
    };
    let names = Text::join(names.into_iter().take(LISTED), ", ");
    text!("{}{}", names, more)
}

fn authorities_in(input: &Stream, console: &Console) -> Result<Vec<Certificate>, Failure> {
    let pem = cluster::authorities(input, console)?;
    Certificate::all_from_pem(&pem).map_err(|error| Failure::in_file(input, &error))
}

/// Fails unless one of these authorities issued the certificate, whether or not it has ended since.
fn demand_issued(
    source: &Stream,
    input: &[u8],
    row: &Row,
    file: &Stream,
    authorities: &[Certificate],
) -> Result<(), Failure> {
    let user = Label::from(row.user.as_deref().unwrap_or_default());
    let chain = chains_in(input)
        .into_iter()
        .find(|chain| row.credential_id.as_deref() == Some(chain.leaf().credential_id().as_str()));
    let now = OffsetDateTime::now_utc();
    let then = row.end.map_or(now, |end| end.min(now));
    let why = match chain.map(|chain| chain.verify_client(authorities, then)) {
        Some(Ok(())) => return Ok(()),
        Some(Err(why)) => why.show(),
        None if row.credential_id.is_none() => "it is a request, which nobody issued".into(),
        None => "the certificate is in another file: name that one".into(),
    };
    let what = text!(
        "{}: user {} was not let in by {}: {}",
        source,
        user,
        file,
        why
    );
    let by_name = Command::ours("rbac").word("--revoke");
    let by_name = by_name.option("--user", row.user.as_deref().unwrap_or_default());
    Err(Failure::not_good(what)
        .say("if the name is to be refused whoever has it:")
        .run(by_name))
}

/// Every certificate in a file, each with those that came along.
fn chains_in(input: &[u8]) -> Vec<Chain> {
    if let Ok(chain) = Chain::read(input) {
        return chain.iter().map(|leaf| chain.led_by(leaf)).collect();
    }
    let documents = yaml::documents(input);
    let issued = signing_requests(&documents).into_iter();
    let issued = issued.filter_map(|object| object.status?.certificate);
    let embedded = documents.iter().filter_map(|it| it.content.as_ref().ok());
    let embedded = embedded.filter_map(|it| it.get("users")?.as_array());
    let embedded = embedded.flatten().filter_map(|user| {
        let data = user.pointer("/user/client-certificate-data")?.as_str()?;
        BASE64_STANDARD.decode(data).ok()
    });
    let chains = issued.chain(embedded);
    chains
        .filter_map(|pem| Chain::from_pem(&pem).ok())
        .collect()
}

fn id_of(row: &Row) -> Option<CredentialId> {
    row.credential_id.as_deref()?.parse().ok()
}

/// A certificate for a key that is lost is not another one.
fn keepable(
    source: &Stream,
    row: &Row,
    refused: &[(&Stream, Row)],
    denied: &DeniedCertificates,
) -> Result<(), Failure> {
    if row.credential_id.is_none() {
        return Err(Failure::not_good(text!(
            "{}: there is no certificate in it to be kept",
            source
        )));
    }
    let given = refused.iter().find(|(_, other)| other.key == row.key);
    let earlier = row.key.and_then(|key| Some((key, denied.loser_of(&key)?)));
    let other = match (given, earlier) {
        (Some((other, _)), _) => text!("{}, which is refused", other),
        (None, Some((key, user))) => text!(
            "a certificate of user {} that was refused before ({})",
            Label::from(user),
            Label::from(key.to_string())
        ),
        (None, None) => return Ok(()),
    };
    let failure = Failure::not_good(text!("{} is for the same key as {}", source, other));
    Err(failure
        .say("a new certificate needs a new key: kube-enroll request, or renew without --keep-key"))
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

/// The name that a script gets in a folder: scripts that are there stay.
fn free_script(folder: &Path, text: &str) -> String {
    let later = (2_u32..).map(|number| format!("revoke-{number}.sh"));
    let mut names = std::iter::once(SCRIPT.to_owned()).chain(later);
    let is_free = |name: &String| {
        let path = folder.join(name);
        path.symlink_metadata().is_err() || files::holds(&path, text)
    };
    names.find(is_free).unwrap_or_default()
}

/// Writes these files into a folder, all or none. What is there already stays, but for the
/// configuration that was `extended`.
fn write_each(
    folder: &Path,
    named: &[(String, String)],
    extended: Option<&[u8]>,
    console: &Console,
) -> Result<(), Failure> {
    privacy::warn_of_folder(folder, console);
    let mut files = NewFiles::new(console);
    let mut replaced = None;
    for (name, text) in named {
        let path = folder.join(name);
        let is_extended = || extended.is_some_and(|extended| files::holds(&path, extended));
        if files::holds(&path, text) {
            console.note(text!("{} is there already", path));
        } else if name == CONFIGURATION && is_extended() {
            replaced = Some((path, text));
        } else {
            files.create(&path, text.as_bytes(), Access::Everyone)?;
            console.note(text!("wrote {}", path));
        }
    }
    files.sync()?;
    if let Some((path, text)) = replaced {
        files::replace(&path, text.as_bytes(), console)?;
        console.note(text!("extended {}", path));
    }
    files.keep()
}
