//! Adding a person's entries to a kubeconfig that holds others. Nothing is lost that was not named: an
//! entry of something else stays, and so does a certificate that says more than the new one.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::assemble::{EXTENSION, wipe, write_and_wipe};
use super::auth_info::AuthInfo;
use super::cluster::{Authority, same_server, without_secrets};
use super::{Cluster, Kubeconfig, NewEntry, exec_entry, text};
use crate::certificate::{Certificate, Chain, show_time};
use crate::key::{Fingerprint, PublicKey};
use crate::name::Identity;
use crate::secret::Secret;

/// The certificates that a kubeconfig names by their files.
#[derive(Clone, Copy)]
pub struct NamedBy<'a> {
    /// The folder of the kubeconfig.
    pub folder: &'a Path,
    /// Reads one; nothing where it cannot be read.
    pub read: &'a dyn Fn(&Path) -> Option<Zeroizing<Vec<u8>>>,
}

impl NamedBy<'_> {
    /// No file is read.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            folder: Path::new(""),
            read: &|_| None,
        }
    }
}

/// What the person named, and so decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decided {
    /// The context: what it has of ours is replaced, whatever it says.
    pub context: bool,
    /// The authority of the cluster: it takes the place of another one.
    pub authority: bool,
}

/// Whom a certificate is for, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    identity: Identity,
    until: OffsetDateTime,
}

impl Holder {
    fn of(certificate: &Certificate) -> Option<Self> {
        Some(Self {
            identity: certificate.subject().identity()?,
            until: certificate.not_after(),
        })
    }

    /// Whether both are the same user.
    #[must_use]
    pub fn is_same_user(&self, other: &Self) -> bool {
        self.identity.username == other.identity.username
    }

    /// Whether this one does all that the other does.
    fn covers(&self, other: &Self) -> bool {
        let groups = |holder: &Self| -> BTreeSet<String> {
            holder.identity.groups.iter().cloned().collect()
        };
        self.is_same_user(other) && groups(self) == groups(other) && self.until >= other.until
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity {
            username, groups, ..
        } = &self.identity;
        match groups.as_slice() {
            [] => write!(f, "\"{username}\" without groups")?,
            groups => write!(f, "\"{username}\" in \"{}\"", groups.join("\", \""))?,
        }
        write!(f, " until {}", show_time(self.until))
    }
}

impl MergeError {
    /// Whether what is there is of somebody else than what is to be added.
    #[must_use]
    pub fn is_of_another_user(&self) -> bool {
        matches!(self, Self::Credential { found, given, .. } if !given.is_same_user(found))
    }
}

/// Why the entries cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The user entry of this name is not ours.
    #[error(
        "user \"{user}\" is there already, made by something else: it has {has}; to be added is a certificate of {given}"
    )]
    Foreign {
        /// The name of the entry.
        user: String,
        /// The fields that it has, as they are named.
        has: String,
        /// Whom the new one is of.
        given: String,
    },
    /// The certificate that is there says something that the new one does not say.
    #[error(
        "user \"{user}\" is there already: its certificate is of {found}; to be added is one of {given}"
    )]
    Credential {
        /// The name of the entry.
        user: String,
        /// Whom the one that is there is of.
        found: Box<Holder>,
        /// Whom the new one is of.
        given: Box<Holder>,
    },
    /// The certificate that is there cannot be read, and its key is another one.
    #[error(
        "user \"{user}\" is there already, with another key and a certificate that cannot be read; to be added is one of {given}"
    )]
    Unread {
        /// The name of the entry.
        user: String,
        /// Whom the new one is of.
        given: String,
    },
    /// The context of this name is of another cluster or user.
    #[error("context \"{context}\" is there already, of {found}; to be added is one of {given}")]
    Context {
        /// The name of the context.
        context: String,
        /// What it joins.
        found: Joined,
        /// What the new one joins.
        given: Joined,
    },
    /// The cluster entry of this name leads to another server.
    #[error("cluster \"{cluster}\" is there already, at {found}; to be added is one at {given}")]
    Server {
        /// The name of the entry.
        cluster: String,
        /// Its address, without a password.
        found: String,
        /// The address of the new one.
        given: String,
    },
    /// It leads to the same server, which is to be known by another authority.
    #[error(
        "cluster \"{cluster}\" is there already, with the certificate authority {found}; to be added is {given}"
    )]
    Authority {
        /// The name of the entry.
        cluster: String,
        /// The fingerprints of what is there.
        found: Fingerprints,
        /// Those of the new one.
        given: Fingerprints,
    },
    /// It leads to the same server another way.
    #[error("{field} of cluster \"{cluster}\": there is \"{found}\", to be added is \"{given}\"")]
    Way {
        /// The name of the entry.
        cluster: String,
        /// `proxy-url` or `tls-server-name`.
        field: &'static str,
        /// What the file has, without a password.
        found: String,
        /// What the new entry has.
        given: String,
    },
}

/// The two names in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The cluster.
    pub cluster: String,
    /// The user entry.
    pub user: String,
}

impl fmt::Display for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cluster \"{}\" and user \"{}\"", self.cluster, self.user)
    }
}

/// The keys of authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprints(Vec<Fingerprint>);

impl fmt::Display for Fingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("of the system (none is named)");
        }
        let spoken: Vec<_> = self.0.iter().map(Fingerprint::spoken).collect();
        f.write_str(&spoken.join(" and "))
    }
}

impl Fingerprints {
    fn of(certificates: &[Certificate]) -> Self {
        let keys = certificates.iter().map(Certificate::public_key);
        Self(keys.map(PublicKey::fingerprint).collect())
    }

    /// The only one.
    #[must_use]
    pub fn only(&self) -> Option<Fingerprint> {
        match self.0.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }
}

/// What took the place of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The authority of a cluster.
    Authority {
        /// The name of the entry.
        cluster: String,
        /// The fingerprints of what was there.
        old: Fingerprints,
        /// Those of the new one.
        new: Fingerprints,
    },
    /// A certificate by one of another holder, or one that ends sooner.
    Credential {
        /// The name of the entry.
        user: String,
        /// Whom the old one is of.
        old: Box<Holder>,
        /// Whom the new one is of.
        new: Box<Holder>,
    },
    /// A certificate that could not be read.
    Unread {
        /// The name of the entry.
        user: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authority { cluster, old, new } => write!(
                f,
                "the certificate authority of cluster \"{cluster}\", {old}, is replaced by {new}"
            ),
            Self::Credential { user, old, new } => write!(
                f,
                "the certificate of user \"{user}\", of {old}, is replaced by one of {new}"
            ),
            Self::Unread { user } => write!(
                f,
                "the certificate of user \"{user}\" is replaced; whom it was of cannot be read"
            ),
        }
    }
}

/// Adds the entries to `kubeconfig` and keeps everything else in it, unknown fields included.
///
/// # Errors
/// Those of [`Kubeconfig::add`].
pub fn merge(mut kubeconfig: Kubeconfig, entry: &NewEntry) -> Result<Secret<String>, MergeError> {
    let added = kubeconfig.add(entry, Decided::default(), NamedBy::nothing());
    let text = kubeconfig.into_text();
    added.map(|_| text)
}

impl Kubeconfig {
    /// Adds the entries and keeps everything else, unknown fields included; tells what they replaced.
    /// The current context stays, unless there is none. Where it fails nothing is changed.
    ///
    /// # Errors
    /// [`MergeError`] rather than losing what is there.
    pub fn add(
        &mut self,
        entry: &NewEntry,
        decided: Decided,
        named: NamedBy<'_>,
    ) -> Result<Vec<Change>, MergeError> {
        let new_authority = self.compare_cluster(entry, decided, named)?;
        let (user, new_credential) = self.choose_user(entry, decided, named)?;
        let top = &mut self.value;
        top.entry("apiVersion").or_insert_with(|| "v1".into());
        top.entry("kind").or_insert_with(|| super::KIND.into());
        let [_, users, contexts] = entry.values(&user);
        self.put_cluster(entry, new_authority.is_some());
        self.put("users", "user", &CREDENTIAL, users);
        self.put("contexts", "context", &[], contexts);
        let top = &mut self.value;
        if text(top, "current-context").is_empty() {
            let context = entry.context.as_str();
            top.insert("current-context".to_owned(), context.into());
        }
        Ok(new_authority.into_iter().chain(new_credential).collect())
    }
}

impl Kubeconfig {
    /// The kubeconfig in YAML.
    #[must_use]
    pub fn into_text(self) -> Secret<String> {
        write_and_wipe(Value::Object(self.value))
    }

    /// The contexts whose user has a certificate for this key, each with its cluster.
    #[must_use]
    pub fn contexts_of(&self, key: &PublicKey, named: NamedBy<'_>) -> Vec<(&str, &str)> {
        let fingerprint = key.fingerprint().to_string();
        let is_of_key = |name: &str| {
            let Some(user) = self.auth_infos().find(|user| user.name == name) else {
                return false;
            };
            match user.mark {
                Some(marked) => marked == fingerprint,
                None => {
                    let certificate = named.certificate(&user);
                    certificate.is_some_and(|it| it.public_key() == key)
                }
            }
        };
        let contexts = self.contexts();
        let of_key = contexts.filter(|(_, _, user)| is_of_key(user));
        of_key.map(|(name, cluster, _)| (name, cluster)).collect()
    }

    /// A cluster of this name has to lead to the same place the same way. Whether its authority is
    /// another one, and may be.
    fn compare_cluster(
        &self,
        entry: &NewEntry,
        decided: Decided,
        named: NamedBy<'_>,
    ) -> Result<Option<Change>, MergeError> {
        let given = &entry.cluster;
        let Some(found) = self.clusters().find(|found| found.name == given.name) else {
            return Ok(None);
        };
        let cluster = given.name.clone();
        if !same_server(&found.server, &given.server) {
            return Err(MergeError::Server {
                cluster,
                found: without_secrets(&found.server),
                given: without_secrets(&given.server),
            });
        }
        for (field, found, given) in [
            ("proxy-url", &found.proxy_url, &given.proxy_url),
            (
                "tls-server-name",
                &found.tls_server_name,
                &given.tls_server_name,
            ),
        ] {
            if given.is_some() && found != given {
                let shown =
                    |text: &Option<String>| without_secrets(text.as_deref().unwrap_or_default());
                return Err(MergeError::Way {
                    cluster,
                    field,
                    found: shown(found),
                    given: shown(given),
                });
            }
        }
        let (old, new) = (named.authorities(&found), named.authorities(given));
        let certificates = |chain: &[Certificate]| -> BTreeSet<Vec<u8>> {
            chain.iter().map(|it| it.der().to_vec()).collect()
        };
        // Where none is named now, the one that is there does no harm.
        if found.authority == given.authority
            || new.is_empty()
            || certificates(&old) == certificates(&new)
        {
            return Ok(None);
        }
        let (old, new) = (Fingerprints::of(&old), Fingerprints::of(&new));
        if decided.authority {
            return Ok(Some(Change::Authority { cluster, old, new }));
        }
        Err(MergeError::Authority {
            cluster,
            found: old,
            given: new,
        })
    }

    /// The name of the user entry: that of the context that is there, or the usual one; one of its own
    /// where the context was named and the usual one says something else.
    fn choose_user(
        &self,
        entry: &NewEntry,
        decided: Decided,
        named: NamedBy<'_>,
    ) -> Result<(String, Option<Change>), MergeError> {
        let context = self.contexts().find(|(name, _, _)| *name == entry.context);
        let user = context.map_or(entry.user.as_str(), |(_, _, user)| user);
        let is_ours = self.auth_infos().any(|it| it.name == user && it.is_ours);
        if let Some((_, cluster, _)) = context
            && (cluster != entry.cluster.name || !is_ours && user != entry.user)
        {
            let joined = |cluster: &str, user: &str| Joined {
                cluster: cluster.to_owned(),
                user: user.to_owned(),
            };
            return Err(MergeError::Context {
                context: entry.context.clone(),
                found: joined(cluster, user),
                given: joined(&entry.cluster.name, &entry.user),
            });
        }
        let is_shared = self
            .contexts()
            .any(|(name, _, it)| it == user && name != entry.context);
        let may_be_named_anew = decided.context && (context.is_none() || is_ours);
        match self.compare_user(user, entry, named) {
            Ok(change) => return Ok((user.to_owned(), change)),
            // A name may be one that several people use.
            Err(error @ MergeError::Credential { .. })
                if error.is_of_another_user() && context.is_some() =>
            {
                return Err(error);
            }
            Err(MergeError::Credential { user, found, given })
                if decided.context && context.is_some() && !is_shared =>
            {
                let change = Change::Credential {
                    user: user.clone(),
                    old: found,
                    new: given,
                };
                return Ok((user, Some(change)));
            }
            Err(_) if may_be_named_anew => {}
            Err(error) => return Err(error),
        }
        let hash = entry.certificate.credential_id();
        let hash = hash.rsplit('=').next().and_then(|hash| hash.get(..8));
        let user = format!("{}-{}", entry.user, hash.unwrap_or_default());
        let change = self.compare_user(&user, entry, named)?;
        Ok((user, change))
    }

    /// A user entry of ours may be renewed: by the certificate of the same user and groups that ends
    /// later, or where the old one had ended before this one began.
    fn compare_user(
        &self,
        user: &str,
        entry: &NewEntry,
        named: NamedBy<'_>,
    ) -> Result<Option<Change>, MergeError> {
        let Some(there) = self.auth_infos().find(|it| it.name == user) else {
            return Ok(None);
        };
        let new = Holder::of(&entry.certificate);
        let user = user.to_owned();
        if !there.is_ours {
            let fields = self.users().find(|(name, _)| *name == user);
            let has = fields
                .map(|(_, fields)| fields.join(", "))
                .unwrap_or_default();
            return Err(MergeError::Foreign {
                has: if has.is_empty() {
                    "nothing".to_owned()
                } else {
                    has
                },
                given: new.map(|new| new.to_string()).unwrap_or_default(),
                user,
            });
        }
        if there.certificate.is_none() {
            return Ok(None);
        }
        let old = named.certificate(&there);
        match (old.as_ref().and_then(Holder::of), new) {
            (Some(found), Some(given))
                if !given.covers(&found) && found.until > entry.certificate.not_before() =>
            {
                Err(MergeError::Credential {
                    user,
                    found: Box::new(found),
                    given: Box::new(given),
                })
            }
            (Some(_), _) => Ok(None),
            (None, given) => {
                let key = entry.certificate.public_key().fingerprint();
                let mark = there.mark.and_then(|mark| mark.parse::<Fingerprint>().ok());
                if mark.is_none_or(|mark| mark == key) {
                    return Ok(Some(Change::Unread { user }));
                }
                let given = given.map(|given| given.to_string()).unwrap_or_default();
                Err(MergeError::Unread { user, given })
            }
        }
    }

    fn put_cluster(&mut self, entry: &NewEntry, is_new_authority: bool) {
        const AUTHORITY: [&str; 3] = [
            "certificate-authority",
            "certificate-authority-data",
            "insecure-skip-tls-verify",
        ];
        let new = entry.cluster.to_value();
        let Some(old) = self.find("clusters", &entry.cluster.name) else {
            self.list("clusters").push(new);
            return;
        };
        // It leads to the same place, and what others wrote about the way there stays.
        if is_new_authority && let Some(old) = old.get_mut("cluster").and_then(Value::as_object_mut)
        {
            for field in AUTHORITY {
                old.shift_remove(field);
                if let Some(value) = new.pointer(&format!("/cluster/{field}")) {
                    old.insert(field.to_owned(), value.clone());
                }
            }
        }
    }

    /// Writes an entry of ours over one of its name. What others added to it stays.
    fn put(&mut self, list: &'static str, body: &str, decided: &[&str], mut new: Value) {
        let name = new.get("name").and_then(Value::as_str).unwrap_or_default();
        let Some(old) = self.find(list, name) else {
            self.list(list).push(new);
            return;
        };
        let new = new.get_mut(body).map(Value::take);
        let (Some(Value::Object(old)), Some(Value::Object(mut new))) = (old.get_mut(body), new)
        else {
            return;
        };
        if let Some(extensions) = new.get_mut("extensions").and_then(Value::as_array_mut) {
            extensions.extend(extensions_of(old).filter(|it| !is_ours(it)).cloned());
        }
        exec_entry::keep_others(&mut new, old);
        for field in decided {
            old.shift_remove(*field).iter_mut().for_each(wipe);
        }
        for (field, value) in new {
            old.insert(field, value).iter_mut().for_each(wipe);
        }
    }

    fn find(&mut self, list: &'static str, name: &str) -> Option<&mut Value> {
        // One without a name is called "", as everywhere else.
        let is_named = |entry: &Value| entry.as_object().is_some_and(|it| text(it, "name") == name);
        self.list(list).iter_mut().find(|entry| is_named(entry))
    }

    /// The entries, which are a list where there are any ([`Kubeconfig::from_object`]).
    fn list(&mut self, list: &'static str) -> &mut Vec<Value> {
        let entries = self.value.entry(list).or_insert(Value::Null);
        if !entries.is_array() {
            *entries = Value::Array(Vec::new());
        }
        match entries {
            Value::Array(entries) => entries,
            _ => unreachable!("made a list above"),
        }
    }
}

impl NamedBy<'_> {
    /// The certificate of a user, wherever it is; the holder's among those of authorities.
    fn certificate(&self, user: &AuthInfo<'_>) -> Option<Certificate> {
        let held = user.certificate?;
        let pem = match held.path(self.folder) {
            Some(path) => (self.read)(&path)?,
            None => held.data()?,
        };
        Some(Chain::from_pem(&pem).ok()?.holder().clone())
    }

    fn authorities(&self, cluster: &Cluster) -> Vec<Certificate> {
        let read = |pem: &[u8]| Certificate::all_from_pem(pem).unwrap_or_default();
        match &cluster.authority {
            Authority::Data(pem) => read(pem),
            Authority::File(path) => {
                let pem = (self.read)(&self.folder.join(path));
                pem.map(|pem| read(&pem)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}

/// The fields of a user that this tool writes.
const CREDENTIAL: [&str; 6] = [
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "exec",
    "extensions",
];

fn extensions_of(body: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let extensions = body.get("extensions").and_then(Value::as_array);
    extensions.into_iter().flatten()
}

fn is_ours(extension: &Value) -> bool {
    extension.get("name") == Some(&EXTENSION.into())
}

crate::text::show_raw!(MergeError, Change);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csr::CertificationRequest;
    use crate::kubeconfig::{Cluster, Credential};
    use crate::lifetime::Lifetime;
    use crate::manifest::CertificateSigningRequest;
    use crate::name::Subject;
    use crate::yaml;
    use crate::{key, rehearsal};
    use serde_json::json;
    use std::sync::LazyLock;
    use time::Duration;

    struct Signer {
        authority: rehearsal::Authority,
        key: key::PrivateKey,
        now: OffsetDateTime,
    }

    static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let random = &mut getrandom::SysRng;
        Signer {
            authority: rehearsal::Authority::new(now, random).unwrap(),
            key: key::PrivateKey::generate(key::Algorithm::EcdsaP256, random).unwrap(),
            now,
        }
    });

    /// A certificate for alice in these groups, for so many days from that day on.
    fn certificate(groups: &[&str], from: i64, days: i64) -> Certificate {
        certificate_of("alice", groups, from, days)
    }

    fn certificate_of(user: &str, groups: &[&str], from: i64, days: i64) -> Certificate {
        let random = &mut getrandom::SysRng;
        let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
        let subject = Subject::new(user, &groups, false).unwrap();
        let csr = CertificationRequest::build(&subject, &[], &SIGNER.key, random).unwrap();
        let lifetime = Lifetime::try_from(days * 86_400).unwrap();
        let object = CertificateSigningRequest {
            expiration_seconds: Some(lifetime.seconds()),
            ..CertificateSigningRequest::default()
        };
        let then = SIGNER.now + Duration::days(from);
        SIGNER.authority.sign(&csr, &object, then, random).unwrap()
    }

    fn authority() -> String {
        SIGNER.authority.certificate().to_pem()
    }

    fn other_authority() -> String {
        let authority = rehearsal::Authority::new(SIGNER.now, &mut getrandom::SysRng).unwrap();
        authority.certificate().to_pem()
    }

    /// What `kube-enroll kubeconfig` adds for alice.
    fn entry(certificate: Certificate) -> NewEntry {
        NewEntry {
            cluster: Cluster::new("prod", "https://a", authority().as_bytes()),
            user: "alice@prod".to_owned(),
            context: "alice".to_owned(),
            namespace: None,
            credential: Credential::Embedded {
                certificate: certificate.to_pem(),
                key: Secret::new("k".to_owned()),
            },
            certificate,
        }
    }

    fn alice() -> NewEntry {
        entry(certificate(&["dev"], 0, 100))
    }

    const CONTEXT: Decided = Decided {
        context: true,
        authority: false,
    };
    const AUTHORITY: Decided = Decided {
        context: false,
        authority: true,
    };

    type Added = Result<(Value, Vec<Change>), MergeError>;

    fn added(into: Value, entry: &NewEntry, decided: Decided) -> Added {
        let Value::Object(value) = into else {
            panic!("{into}")
        };
        let mut kubeconfig = Kubeconfig::from_object(value).unwrap();
        let before = kubeconfig.clone().into_text();
        let added = kubeconfig.add(entry, decided, NamedBy::nothing());
        let text = kubeconfig.into_text();
        match added {
            Ok(changes) => {
                let value = yaml::first_document(text.expose().as_bytes()).unwrap();
                Ok((value, changes))
            }
            Err(error) => {
                assert_eq!(text.expose(), before.expose());
                Err(error)
            }
        }
    }

    fn merged(into: Value, entry: &NewEntry) -> Value {
        added(into, entry, Decided::default()).unwrap().0
    }

    #[test]
    fn what_is_there_stays_and_the_entries_come_behind() {
        let there = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "mine", "unknown": [1],
            "clusters": [{"name": "other", "cluster": {"server": "https://o"}}], "users": null,
        });
        let result = merged(there.clone(), &alice());
        assert_eq!(result["unknown"], there["unknown"]);
        assert_eq!(result["current-context"], "mine");
        assert_eq!(result["clusters"][0], there["clusters"][0]);
        assert_eq!(result["clusters"][1], alice().cluster.to_value());
        assert_eq!(result["users"][0]["name"], "alice@prod");
        assert_eq!(
            result["contexts"][0]["context"],
            json!({"cluster": "prod", "user": "alice@prod"})
        );
    }

    #[test]
    fn an_empty_kubeconfig_becomes_a_whole_one() {
        let result = merged(json!({}), &alice());
        let head = ["apiVersion", "kind", "current-context"].map(|field| result[field].clone());
        assert_eq!(head, ["v1", "Config", "alice"]);
    }

    #[test]
    fn an_entry_without_a_name_is_replaced_and_not_doubled() {
        let mut first = merged(json!({}), &alice());
        first["contexts"][0]["context"]["user"].take();
        first["users"][0].as_object_mut().unwrap().remove("name");
        let renewed = entry(certificate(&["dev"], 50, 100));
        let result = merged(first, &renewed);
        assert_eq!(result["users"].as_array().unwrap().len(), 1);
        let expected = &merged(json!({}), &renewed)["users"][0]["user"];
        assert_eq!(result["users"][0]["user"], *expected);
    }

    #[test]
    fn a_certificate_of_the_same_holder_that_ends_later_is_taken_in_place() {
        let first = merged(json!({}), &alice());
        let renewed = entry(certificate(&["dev"], 50, 100));
        let (result, changes) = added(first, &renewed, Decided::default()).unwrap();
        assert_eq!(changes, []);
        assert_eq!(result, merged(json!({}), &renewed));
    }

    #[test]
    fn a_certificate_that_says_more_is_replaced_only_where_its_context_was_named() {
        let first = merged(json!({}), &entry(certificate(&["dev", "ops"], 0, 100)));
        for new in [
            certificate(&["dev"], 10, 100),
            certificate(&["ops", "dev"], 0, 50),
        ] {
            let new = entry(new);
            let refused = added(first.clone(), &new, Decided::default()).unwrap_err();
            assert!(
                matches!(refused, MergeError::Credential { .. }),
                "{refused}"
            );
            let (result, changes) = added(first.clone(), &new, CONTEXT).unwrap();
            assert_eq!(result, merged(json!({}), &new));
            assert!(
                matches!(&changes[..], [Change::Credential { .. }]),
                "{changes:?}"
            );
        }
        // What has ended before says nothing any more.
        let later = entry(certificate(&["dev"], 101, 10));
        assert_eq!(merged(first, &later), merged(json!({}), &later));
    }

    #[test]
    fn another_context_of_the_same_user_has_a_certificate_of_its_own_where_it_says_other_things() {
        let first = merged(json!({}), &alice());
        let mut second = entry(certificate(&["ops"], 0, 100));
        second.context = "alice-ops".to_owned();
        let (both, changes) = added(first.clone(), &second, CONTEXT).unwrap();
        assert_eq!(changes, []);
        assert_eq!(both["users"][0], first["users"][0]);
        assert_eq!(both["contexts"][0], first["contexts"][0]);
        let user = both["contexts"][1]["context"]["user"].as_str().unwrap();
        assert!(user.starts_with("alice@prod-"), "{user}");
        assert_eq!(both["users"][1]["name"], user);
        // Again, and renewed: in its place.
        assert_eq!(added(both.clone(), &second, CONTEXT).unwrap().0, both);
        let mut renewed = entry(certificate(&["ops"], 9, 100));
        renewed.context = "alice-ops".to_owned();
        let (result, _) = added(both.clone(), &renewed, CONTEXT).unwrap();
        assert_eq!(result["users"][0], both["users"][0]);
        assert_eq!(result["contexts"], both["contexts"]);
        assert_ne!(result["users"][1], both["users"][1]);

        // The same holder needs no second user; one that two contexts share is not taken from either.
        let mut same = alice();
        same.context = "alice-dev".to_owned();
        let (shared, _) = added(first, &same, CONTEXT).unwrap();
        assert_eq!(shared["users"].as_array().unwrap().len(), 1);
        second.context = "alice-dev".to_owned();
        let (apart, _) = added(shared, &second, CONTEXT).unwrap();
        assert_eq!(apart["contexts"][0]["context"]["user"], "alice@prod");
        assert_ne!(apart["contexts"][1]["context"]["user"], "alice@prod");
        assert_eq!(apart["users"].as_array().unwrap().len(), 2);
    }

    /// An entry whose certificate is in a file that is not there.
    fn without_its_certificate() -> Value {
        let mut there = merged(json!({}), &alice());
        let user = &mut there["users"][0]["user"];
        user["client-certificate"] = "moved.crt".into();
        let user = user.as_object_mut().unwrap();
        user.remove("client-certificate-data");
        there
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_replaced_with_a_word() {
        let there = without_its_certificate();
        let (result, changes) = added(there, &alice(), Decided::default()).unwrap();
        assert!(
            matches!(&changes[..], [Change::Unread { .. }]),
            "{changes:?}"
        );
        assert!(
            result["users"][0]["user"]
                .get("client-certificate")
                .is_none()
        );
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_not_replaced_by_one_for_another_key() {
        let mut there = without_its_certificate();
        let mark = there.pointer_mut("/users/0/user/extensions/0/extension/fingerprint");
        *mark.unwrap() = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
        let error = added(there, &alice(), Decided::default()).unwrap_err();
        assert!(matches!(error, MergeError::Unread { .. }), "{error:?}");
    }

    #[test]
    fn a_context_that_is_named_is_not_taken_from_another_user() {
        let there = merged(json!({}), &alice());
        let bob = entry(certificate_of("bob", &["dev"], 1, 100));
        let error = added(there, &bob, CONTEXT).unwrap_err();
        assert!(error.is_of_another_user(), "{error:?}");
    }

    #[test]
    fn what_was_made_to_run_another_program_is_not_ours_any_more() {
        let mut there = merged(json!({}), &alice());
        let user = there["users"][0]["user"].as_object_mut().unwrap();
        user.remove("client-certificate-data");
        user.remove("client-key-data");
        user.insert(
            "exec".to_owned(),
            json!({"command": "sh", "args": ["-c", "kube-enroll credential"]}),
        );
        let error = added(there, &alice(), Decided::default()).unwrap_err();
        assert!(matches!(error, MergeError::Foreign { .. }), "{error:?}");
    }

    #[test]
    fn the_way_to_a_cluster_stays_and_another_one_is_refused() {
        let mut there = merged(json!({}), &alice());
        let cluster = &mut there["clusters"][0]["cluster"];
        cluster["proxy-url"] = "http://me:secret@old".into();
        cluster["extensions"] = json!([{"name": "theirs"}]);
        let kept = there["clusters"][0].clone();
        assert_eq!(merged(there.clone(), &alice())["clusters"][0], kept);
        let mut moved = alice();
        moved.cluster.proxy_url = Some("http://new".to_owned());
        let error = added(there, &moved, Decided::default()).unwrap_err();
        assert!(matches!(
            error,
            MergeError::Way {
                field: "proxy-url",
                ..
            }
        ));
        let words = error.to_string();
        assert!(
            words.contains("http://old") && !words.contains("secret"),
            "{words}"
        );
    }

    #[test]
    fn another_authority_is_taken_only_where_that_was_decided() {
        let mut there = merged(json!({}), &alice());
        there["clusters"][0]["cluster"]["tls-server-name"] = "k".into();
        let mut rotated = alice();
        rotated.cluster = Cluster::new("prod", "https://A:443/", other_authority().as_bytes());
        let error = added(there.clone(), &rotated, CONTEXT).unwrap_err();
        assert!(matches!(error, MergeError::Authority { .. }), "{error}");
        let (result, changes) = added(there.clone(), &rotated, AUTHORITY).unwrap();
        assert!(
            matches!(&changes[..], [Change::Authority { .. }]),
            "{changes:?}"
        );
        let cluster = &result["clusters"][0]["cluster"];
        assert_eq!(cluster["tls-server-name"], "k");
        assert_eq!(cluster["server"], "https://a");
        let new = rotated.cluster.to_value();
        let field = "certificate-authority-data";
        assert_eq!(cluster[field], new["cluster"][field]);
        // Where none is given, the one that is there stays.
        rotated.cluster.authority = Authority::None;
        let kept = merged(there.clone(), &rotated);
        assert_eq!(kept["clusters"], there["clusters"]);
    }

    #[test]
    fn an_authority_in_a_file_is_the_same_as_its_contents() {
        let there = json!({"clusters": [{"name": "prod", "cluster": {
            "server": "https://a", "certificate-authority": "ca.crt",
        }}]});
        let kubeconfig = Kubeconfig::from_object(there.as_object().unwrap().clone());
        let read = |path: &Path| {
            (path == Path::new("/f/ca.crt")).then(|| Zeroizing::new(authority().into_bytes()))
        };
        let named = NamedBy {
            folder: Path::new("/f"),
            read: &read,
        };
        let added = kubeconfig.unwrap().add(&alice(), Decided::default(), named);
        assert_eq!(added, Ok(vec![]));
    }

    #[test]
    fn nothing_of_another_origin_is_replaced() {
        let user = |extension: &str| json!({"name": "alice@prod", "user": {"extensions": [{"name": extension}]}});
        let cluster =
            |server: &str, pem: &str| Cluster::new("prod", server, pem.as_bytes()).to_value();
        let context = |cluster: &str, user: &str| json!({"name": "alice", "context": {"cluster": cluster, "user": user}});
        for (list, entry, is_foreign) in [
            ("users", user("kube-enroll"), false),
            ("users", user("minikube"), true),
            ("users", json!({"name": "alice@prod"}), true),
            ("clusters", cluster("https://a", &authority()), false),
            ("clusters", cluster("https://b", &authority()), true),
            ("clusters", cluster("https://a", &other_authority()), true),
            ("clusters", json!({"name": "prod"}), true),
            ("contexts", context("prod", "alice@prod"), false),
            ("contexts", context("dev", "alice@prod"), true),
            ("contexts", context("prod", "bob"), true),
        ] {
            let there = json!({list: [entry.clone()]});
            let result = added(there.clone(), &alice(), Decided::default());
            assert_eq!(result.is_err(), is_foreign, "{entry}");
            // Naming the context does not make it ours.
            if let Ok((result, _)) = added(there, &alice(), CONTEXT) {
                assert!(!is_foreign || result["users"][0] == entry, "{result}");
            }
        }
    }

    #[test]
    fn contexts_are_found_by_the_key_of_their_certificates() {
        let there = merged(json!({}), &alice());
        let key = alice().certificate.public_key().clone();
        let of_key = |value: &Value| {
            let kubeconfig = Kubeconfig::from_object(value.as_object().unwrap().clone()).unwrap();
            let found = kubeconfig.contexts_of(&key, NamedBy::nothing());
            found
                .iter()
                .map(|(context, cluster)| format!("{context} {cluster}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(of_key(&there), ["alice prod"]);
        let mut unmarked = there.clone();
        unmarked["users"][0]["user"]
            .as_object_mut()
            .unwrap()
            .remove("extensions");
        assert_eq!(of_key(&unmarked), ["alice prod"]);
        let mut other = there;
        other["users"][0]["user"]["extensions"][0]["extension"]["fingerprint"] = "SHA256:x".into();
        assert_eq!(of_key(&other), [""; 0]);
    }
}
