//! What each context of a kubeconfig is good for: who uses it, where, until when, with which key. Files
//! that it names are read by the caller, who may have reasons not to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::status;
use crate::certificate::{Certificate, show_time};
use crate::key::{Fingerprint, PublicKey};
use crate::kubeconfig::{AuthInfo, Authority, Cluster, ExecEntry, Held, Kubeconfig};
use crate::policy::{Code, Effect, Finding};
use crate::shell::Command;
use crate::text;
use crate::text::{Label, Show as _, Text, visible};

/// A context of a kubeconfig. Names are raw.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ContextReport {
    /// The name of the context.
    pub name: String,
    /// The name of the cluster entry.
    pub cluster: String,
    /// The address of the API server, without a password.
    pub server: Option<String>,
    /// Whether clients take any server for it (`insecure-skip-tls-verify`).
    pub insecure: bool,
    /// The proxy by which clients reach it, without a password.
    pub proxy_url: Option<String>,
    /// The name that the server's certificate has to be for, where that is not its address.
    pub tls_server_name: Option<String>,
    /// The namespace in which commands run that name none.
    pub namespace: Option<String>,
    /// The program that clients run for the credential; its arguments may be secret.
    pub runs: Option<String>,
    /// Who the API server takes the holder of the certificate for.
    pub user: Option<String>,
    /// With which groups.
    pub groups: Vec<String>,
    /// The last second in which the certificate is valid (RFC 3339, UTC).
    pub not_after: Option<String>,
    /// Whole days until then, negative when it is over.
    pub days_left: Option<i64>,
    /// The fingerprint of the key that the certificate is for.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub key: Option<Fingerprint>,
    /// `X509SHA256=...`, as API servers log it.
    pub credential_id: Option<String>,
    /// Whether this program made the user entry.
    pub ours: bool,
    /// The name of the user entry.
    pub user_entry: String,
    /// The file of the private key; nothing where it is in the kubeconfig, or there is none.
    pub key_file: Option<String>,
    /// Whether kubectl can use it here; nothing where certificate or key were not looked at.
    pub usable: Option<bool>,
    /// Why it can be used, or what it has in place of a certificate.
    #[serde(skip)]
    pub(super) means: Means,
}

/// How a user proves who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Means {
    /// By something else than a certificate.
    #[default]
    Other,
    /// The key is in the kubeconfig.
    Embedded,
    /// Clients read the key from a file.
    File,
    /// This program serves the key.
    Exec,
    /// Another command is run, which leads to it.
    Through,
}

/// A user entry, as far as it is known.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    certificate: Part<Certificate>,
    key: Part<Key>,
    /// What kubectl runs for the key, where that is this program.
    pub(super) command: Option<String>,
    /// The same where it is another command, which leads to this program.
    way: Option<String>,
    is_ours: bool,
    key_file: Option<String>,
    /// The positions of its contexts.
    pub(super) contexts: Vec<usize>,
}

/// A certificate or a key.
#[derive(Debug, Clone)]
enum Part<T> {
    None,
    /// In a file that nobody has looked at.
    Unseen(OwnedHeld),
    Seen(T),
    Broken(Text),
}

/// A [`Held`] that names a file.
#[derive(Debug, Clone)]
enum OwnedHeld {
    File(String),
    Argument(String),
}

impl OwnedHeld {
    fn held(&self) -> Held<'_> {
        match self {
            Self::File(path) => Held::File(path),
            Self::Argument(path) => Held::Argument(path),
        }
    }
}

/// Reads what a kubeconfig holds or names.
type ReadHeld<T> = fn(Held<'_>, &[u8]) -> Result<T, Text>;

/// What can be seen of a private key without its passphrase.
#[derive(Debug, Clone)]
enum Key {
    Encrypted,
    Plain(PublicKey),
}

/// Reads a file that a kubeconfig names, or says why not.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> Result<Zeroizing<Vec<u8>>, Text>;

/// Every context, and every user entry with the contexts that it is in.
pub(super) fn read(kubeconfig: &Kubeconfig) -> (Vec<ContextReport>, Vec<Entry>) {
    let mut entries: Vec<Entry> = kubeconfig.auth_infos().map(Entry::new).collect();
    let mut positions = HashMap::new();
    for (position, entry) in entries.iter().enumerate() {
        positions.entry(entry.name.clone()).or_insert(position);
    }
    let clusters: HashMap<String, Cluster> = kubeconfig
        .clusters()
        .map(|cluster| (cluster.name.clone(), cluster.without_secrets()))
        .collect();
    let commands: HashMap<&str, &str> = kubeconfig.commands().collect();
    let mut namespaces = kubeconfig.namespaces();
    let mut reports = Vec::new();
    for (position, (name, cluster, user)) in kubeconfig.contexts().enumerate() {
        let named = clusters.get(cluster);
        let namespace = namespaces.next().filter(|it| !it.is_empty());
        let mut report = ContextReport {
            name: name.to_owned(),
            cluster: cluster.to_owned(),
            server: named.map(|it| it.server.clone()),
            insecure: named.is_some_and(|it| it.insecure),
            proxy_url: named.and_then(|it| it.proxy_url.clone()),
            tls_server_name: named.and_then(|it| it.tls_server_name.clone()),
            namespace: namespace.map(str::to_owned),
            runs: commands.get(user).map(|command| (*command).to_owned()),
            user_entry: user.to_owned(),
            ..ContextReport::default()
        };
        let entry = positions
            .get(user)
            .and_then(|found| entries.get_mut(*found));
        if let Some(entry) = entry {
            report.ours = entry.is_ours;
            report.means = entry.means();
            report.key_file.clone_from(&entry.key_file);
            entry.contexts.push(position);
        }
        reports.push(report);
    }
    (reports, entries)
}

/// What may be shown of a cluster's address.
pub(super) fn server(cluster: &Cluster) -> String {
    cluster.without_secrets().server
}

impl Entry {
    fn new(user: AuthInfo<'_>) -> Self {
        let certificate = match user.certificate {
            None => Part::None,
            Some(held) => Part::new(held, certificate),
        };
        let key = match user.key {
            None => Part::None,
            Some(held) => Part::new(held, key),
        };
        let key_file = match user.key {
            Some(Held::File(path) | Held::Argument(path)) => Some(path.to_owned()),
            _ => None,
        };
        Self {
            name: user.name.to_owned(),
            certificate,
            key,
            way: user.exec.as_ref().and_then(ExecEntry::way),
            command: user.exec.map(|exec| exec.command.to_owned()),
            is_ours: user.is_ours,
            key_file,
            contexts: Vec::new(),
        }
    }

    fn means(&self) -> Means {
        match (&self.certificate, &self.key_file) {
            _ if self.way.is_some() => Means::Through,
            _ if self.command.is_some() => Means::Exec,
            (Part::None, _) => Means::Other,
            (_, Some(_)) => Means::File,
            (_, None) => Means::Embedded,
        }
    }

    /// Whether there is a file to look at.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.certificate, Part::Unseen(_)) || matches!(self.key, Part::Unseen(_))
    }

    /// Looks at the files.
    pub(super) fn look_up(&mut self, folder: &Path, read: ReadFile<'_>) {
        self.certificate.look_up(folder, read, certificate);
        self.key.look_up(folder, read, key);
    }

    /// What is known by now goes into the reports of its contexts; what is wrong with it.
    pub(super) fn settle(
        &self,
        reports: &mut [ContextReport],
        now: OffsetDateTime,
    ) -> Vec<Finding> {
        let findings = self.findings(now);
        let is_credential =
            !matches!(self.certificate, Part::None) || !matches!(self.key, Part::None);
        let usable = (is_credential && !self.is_open()).then_some(findings.is_empty());
        for position in &self.contexts {
            let Some(report) = reports.get_mut(*position) else {
                continue;
            };
            report.usable = usable;
            if let Part::Seen(certificate) = &self.certificate {
                let identity = certificate.subject().identity();
                report.groups = identity.iter().flat_map(|it| it.groups.clone()).collect();
                report.user = identity.map(|identity| identity.username);
                report.not_after = Some(show_time(certificate.not_after()));
                report.days_left = Some(certificate.days_left(now));
                report.key = Some(certificate.public_key().fingerprint());
                report.credential_id = Some(certificate.credential_id());
            }
        }
        findings
    }

    fn findings(&self, now: OffsetDateTime) -> Vec<Finding> {
        let field = format!("users[{}]", visible(&self.name));
        let finding = |effect, code, message: Text| {
            Finding::new(effect, code, field.as_str(), message.as_str())
        };
        let bad = |message| finding(Effect::NotAuthenticated, Code::BadKubeconfig, message);
        let mut findings = Vec::new();
        match &self.certificate {
            Part::Seen(certificate) => {
                let dates = status::dates(certificate, now);
                findings.extend(dates.map(|found| Finding {
                    field: field.clone(),
                    ..found
                }));
                if !certificate.client_auth() {
                    let message = text!("the certificate is not for client authentication");
                    findings.push(finding(
                        Effect::NotAuthenticated,
                        Code::NoClientAuth,
                        message,
                    ));
                }
            }
            Part::Broken(why) => findings.push(bad(text!("the certificate: {}", why))),
            Part::None if !matches!(self.key, Part::None) => {
                findings.push(bad("there is a key and no certificate".into()));
            }
            Part::None | Part::Unseen(_) => {}
        }
        if let Some(way) = &self.way {
            findings.push(finding(
                Effect::Warns,
                Code::BadKubeconfig,
                text!(
                    "kubectl runs another command for the key, which may do anything: {}",
                    Label::from(way.as_str())
                ),
            ));
        }
        match (&self.key, &self.certificate) {
            (Part::Seen(Key::Plain(key)), Part::Seen(certificate))
                if key != certificate.public_key() =>
            {
                findings.push(finding(
                    Effect::NotAuthenticated,
                    Code::CertificateMismatch,
                    not_its_key(key, certificate),
                ));
            }
            (Part::Seen(Key::Encrypted), _) if self.command.is_none() => findings.push(bad(
                "the key is encrypted, and no client of Kubernetes reads it so; write the \
                 kubeconfig anew with kube-enroll kubeconfig REPLY --exec"
                    .into(),
            )),
            (Part::Broken(why), _) if self.is_ours && self.key_file.is_some() => {
                findings.push(bad(text!(
                    "the key: {}; if it was moved, write the entry anew: {}",
                    why,
                    Command::ours("kubeconfig")
                        .operand("REPLY")
                        .option("--key", "KEY")
                        .option("--merge", "KUBECONFIG")
                )));
            }
            (Part::Broken(why), _) => findings.push(bad(text!("the key: {}", why))),
            (Part::None, Part::Seen(_) | Part::Broken(_)) => {
                findings.push(bad("there is a certificate and no key".into()));
            }
            _ => {}
        }
        findings
    }
}

impl<T> Part<T> {
    fn new(held: Held<'_>, read: ReadHeld<T>) -> Self {
        match held {
            Held::File(path) => Self::Unseen(OwnedHeld::File(path.to_owned())),
            Held::Argument(path) => Self::Unseen(OwnedHeld::Argument(path.to_owned())),
            Held::Data(_) => Self::of(
                held.data()
                    .map_or_else(|| Err("not base64".into()), |data| read(held, &data)),
            ),
        }
    }

    fn of(read: Result<T, Text>) -> Self {
        read.map_or_else(Self::Broken, Self::Seen)
    }

    fn look_up(&mut self, folder: &Path, read_file: ReadFile<'_>, read: ReadHeld<T>) {
        let Self::Unseen(held) = &*self else { return };
        let held = held.held();
        let path = held.path(folder).unwrap_or_default();
        let contents = read_file(&path)
            .and_then(|contents| read(held, &contents).map_err(|why| text!("{}: {}", path, why)));
        *self = Self::of(contents);
    }
}

fn certificate(held: Held<'_>, contents: &[u8]) -> Result<Certificate, Text> {
    Ok(held.chain(contents)?.leaf().clone())
}

fn key(held: Held<'_>, contents: &[u8]) -> Result<Key, Text> {
    let encoded = held.key(contents)?;
    if encoded.is_encrypted() {
        return Ok(Key::Encrypted);
    }
    let key = encoded.open(None).map_err(|error| error.show())?;
    Ok(Key::Plain(key.public_key().clone()))
}

fn not_its_key(found: &PublicKey, certificate: &Certificate) -> Text {
    text!(
        "the key is not the one of the certificate: found {}, expected {}",
        found.fingerprint(),
        certificate.public_key().fingerprint()
    )
}

/// Says so where the key of a user can be told without a passphrase, and is not that of its certificate.
pub(crate) fn key_of_another(
    user: &AuthInfo<'_>,
    certificate: &Certificate,
    folder: &Path,
    read_file: ReadFile<'_>,
) -> Option<Text> {
    let held = user.key?;
    let contents = match held.path(folder) {
        Some(path) => read_file(&path).ok()?,
        None => held.data()?,
    };
    match key(held, &contents).ok()? {
        Key::Plain(found) if found != *certificate.public_key() => {
            Some(not_its_key(&found, certificate))
        }
        Key::Plain(_) | Key::Encrypted => None,
    }
}

/// The files that kubeconfigs among these documents name as certificates and keys, and those of
/// passphrases. Those without an
/// absolute path lie in or below `folder`.
#[must_use]
pub fn named_files(input: &[u8], folder: &Path) -> Vec<PathBuf> {
    if !may_name_files(input) {
        return Vec::new();
    }
    let documents = crate::yaml::documents(input);
    let objects = super::artefact::flattened(&documents).into_iter();
    objects
        .filter(|object| super::artefact::is_kubeconfig(object))
        .filter_map(|object| Kubeconfig::from_object(object.into_owned()).ok())
        .flat_map(|kubeconfig| {
            let users = kubeconfig.auth_infos();
            let held = users.flat_map(|user| {
                let passphrase = user.exec.and_then(|exec| exec.passphrase_file);
                [user.certificate, user.key, passphrase.map(Held::Argument)]
            });
            let paths = held.flatten().filter_map(|held| held.path(folder));
            let authorities = kubeconfig.clusters().filter_map(|it| match it.authority {
                Authority::File(path) => Some(folder.join(path)),
                _ => None,
            });
            paths.chain(authorities).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether a field or option of [`AuthInfo`] that names a file is in there, which is cheaper to know
/// than to read it all.
fn may_name_files(input: &[u8]) -> bool {
    const WORDS: [&str; 5] = [
        "client-certificate",
        "client-key",
        "certificate-authority",
        "--certificate",
        "--key",
    ];
    WORDS.iter().any(|word| {
        memchr::memmem::find_iter(input, word).any(|at| {
            let rest = input.get(at + word.len()..).unwrap_or_default();
            !rest.starts_with(b"-data")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_kubeconfigs_name_are_told_and_no_others() {
        let folder = Path::new("/f");
        let named = |text: &str| named_files(text.as_bytes(), folder);
        let config =
            "kind: Config\nusers:\n- {name: a, user: {client-certificate: c, client-key: /k}}\n";
        let both = [PathBuf::from("/f/c"), PathBuf::from("/k")];
        assert_eq!(named(config), both);
        let cluster = "kind: Config\nclusters: [{name: a, cluster: {certificate-authority: a}}]\n";
        assert_eq!(named(cluster), [PathBuf::from("/f/a")]);
        assert_eq!(named(&format!("kind: Secret\n---\n{config}")), both);
        assert_eq!(
            named(&config.replace("Config", "Secret")),
            [] as [PathBuf; 0]
        );
        let data = "kind: Config\nusers:\n- {name: a, user: {client-certificate-data: c}}\n";
        assert!(!may_name_files(data.as_bytes()));
        assert_eq!(named(data), [] as [PathBuf; 0]);
    }
}
