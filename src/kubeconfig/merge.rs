//! Adding a person's entries to a kubeconfig that holds others. Nothing is lost that was not named: an
//! entry of something else stays, and so does a certificate that says more than the new one.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::assemble::{EXTENSION, wipe, write_and_wipe};
use super::auth_info::AuthInfo;
use super::cluster::{Authority, same_server, without_secrets};
use super::{Cluster, Kubeconfig, NewEntry, exec_entry, text};
use crate::certificate::{Certificate, Chain};
use crate::key::{Fingerprint, PublicKey};
use crate::secret::Secret;

mod told;

#[cfg(test)]
mod tests;

pub use told::{Change, Fingerprints, Holder, Joined, MergeError};

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

/// An entry beside what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// There was none of its name.
    New,
    /// It says what was there.
    Same,
    /// It takes the place of another one.
    Replaced,
}

/// What the person named, and so decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decided {
    /// The context: what it has of ours is replaced, whatever it says.
    pub context: bool,
    /// The authority of the cluster: it takes the place of another one.
    pub authority: bool,
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

    /// How an entry of one of the lists stands beside the one of its name in the kubeconfig as it was.
    #[must_use]
    pub fn compared(&self, before: &Self, list: &str, name: &str) -> Compared {
        let of = |kubeconfig: &Self| {
            let entries = kubeconfig.value.get(list).and_then(Value::as_array);
            let mut entries = entries.into_iter().flatten().filter_map(Value::as_object);
            entries.find(|it| text(it, "name") == name).cloned()
        };
        match of(before) {
            None => Compared::New,
            there if there == of(self) => Compared::Same,
            Some(_) => Compared::Replaced,
        }
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
            Err(error)
                if context.is_some()
                    && (error.is_of_another_user()
                        || matches!(error, MergeError::Unread { .. })
                            && !is_name_of(user, &entry.user)) =>
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

    /// A user entry of ours may be renewed: by the certificate of the same user and groups that was issued
    /// and ends no earlier, or where the old one had ended before this one began.
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
    #[must_use]
    pub fn certificate(&self, user: &AuthInfo<'_>) -> Option<Certificate> {
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

/// Whether a user entry is called as this program calls those of a user, or with what tells several apart.
fn is_name_of(there: &str, usual: &str) -> bool {
    let rest = there.strip_prefix(usual);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn extensions_of(body: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let extensions = body.get("extensions").and_then(Value::as_array);
    extensions.into_iter().flatten()
}

fn is_ours(extension: &Value) -> bool {
    extension.get("name") == Some(&EXTENSION.into())
}
