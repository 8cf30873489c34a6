//! What a second request asks for: the same as the certificate of the first, unless somebody wants it
//! otherwise.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::certificate::{Certificate, Chain};
use crate::config::Settings;
use crate::csr::CertificationRequest;
use crate::error::Error;
use crate::inspect::{self, LEEWAY_SECONDS as LEEWAY, ReadFile, State, flattened, is_kubeconfig};
use crate::key::Algorithm;
use crate::kubeconfig::{AuthInfo, Kubeconfig};
use crate::lifetime::{Lifetime, MIN_SECONDS};
use crate::manifest::{self, CertificateSigningRequest};
use crate::name::{Identity, same_groups};
use crate::pem;
use crate::text;
use crate::text::{Label, Show, Text};
use crate::yaml;

/// A certificate that is to be followed by another.
#[derive(Debug, Clone)]
pub struct Renewable {
    /// The certificate, which may have ended.
    pub certificate: Certificate,
    /// Whom it is for.
    pub identity: Identity,
    /// What was asked for, where the request came along or was [found](Self::remember).
    asked: Option<Asked>,
    /// Where it stands in a kubeconfig.
    pub entry: Option<Entry>,
}

/// What only the request says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    signer: String,
    /// Without one, the cluster's signer decides.
    lifetime: Option<Lifetime>,
}

/// The lifetime to ask for, and how it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifetimeAsked {
    /// The one of the request, which was granted.
    Granted(Option<Lifetime>),
    /// The one of the request, of which less was granted.
    Cut {
        /// What was asked for.
        asked: Lifetime,
        /// What came of it.
        granted: Lifetime,
    },
    /// That of the certificate: what was asked for is not known.
    Unknown(Option<Lifetime>),
}

/// A user of a kubeconfig with its context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name of the context.
    pub context: String,
    /// The name of the cluster entry.
    pub cluster: String,
    /// The name of the user entry.
    pub user: String,
    /// The private key.
    pub key: Option<EntryKey>,
    /// Where something else made the entry, a free name for a context beside it.
    pub beside: Option<String>,
    /// The namespace of the context.
    pub namespace: Option<String>,
    /// Whether this program serves the key.
    pub is_exec: bool,
    /// For how long it keeps the key unlocked, as it was typed.
    pub unlock_for: Option<String>,
}

/// Where the private key of a kubeconfig is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKey {
    /// In the kubeconfig.
    Embedded,
    /// In a file.
    File(PathBuf),
}

/// Why there is nothing to renew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenewalError {
    /// Neither kubeconfig, certificate nor reply.
    Nothing,
    /// It is no YAML.
    NotYaml(Text),
    /// A certificate, kubeconfig or file that it names cannot be read.
    Unreadable(Text),
    /// There is no context of this name.
    NoContext(Label),
    /// The context, or none of them, has a certificate.
    NoCertificate(Option<Label>),
    /// There are several, of these names.
    Several(Vec<Label>),
    /// The certificate names nobody.
    Nobody,
    /// The certificate is an authority's, or not for clients.
    NotOfUser,
    /// The request has no certificate yet.
    NotIssued(Label),
}

impl Show for RenewalError {
    fn show(&self) -> Text {
        match self {
            Self::Nothing => text!("neither a kubeconfig, a certificate nor a reply"),
            Self::NotYaml(why) | Self::Unreadable(why) => why.clone(),
            Self::NoContext(name) => text!("there is no context {}", name),
            Self::NoCertificate(Some(name)) => text!("context {} has no client certificate", name),
            Self::NoCertificate(None) => text!("no user of it has a client certificate"),
            Self::Several(names) => {
                let names = names.iter().map(Label::show);
                text!("there are several: {}", Text::join(names, ", "))
            }
            Self::Nobody => text!("the certificate has no user (CN)"),
            Self::NotOfUser => {
                text!("the certificate is that of an authority or a server, and of no user")
            }
            Self::NotIssued(name) => text!("there is no certificate in {} yet", name),
        }
    }
}

impl Renewable {
    /// Finds the certificate in a kubeconfig, a certificate's file (PEM or DER) or a reply. `context`
    /// chooses in a kubeconfig, else the current one, else there has to be but one. Files that a
    /// kubeconfig names are read by `read_file`; those without an absolute path lie in or below
    /// `folder`.
    ///
    /// # Errors
    /// [`RenewalError`].
    pub fn find(
        input: &[u8],
        folder: &Path,
        context: Option<&str>,
        read_file: ReadFile<'_>,
    ) -> Result<Self, RenewalError> {
        if let Ok(certificate) = Certificate::from_der(input) {
            return Self::new(certificate, None, None);
        }
        if pem::first(input).is_some() {
            let chain = Chain::from_pem(input).map_err(|error| match error {
                Error::NoCertificate => RenewalError::Nothing,
                error => RenewalError::Unreadable(error.show()),
            })?;
            return Self::new(chain.holder().clone(), None, None);
        }
        let documents = yaml::documents(input);
        let objects = flattened(&documents);
        let kubeconfig = objects.iter().find(|object| is_kubeconfig(object));
        let requests: Vec<_> = objects
            .iter()
            .filter(|object| inspect::kind(object) == Some(manifest::KIND))
            .map(|object| CertificateSigningRequest::read(object))
            .collect();
        match (requests.as_slice(), kubeconfig) {
            ([request], _) => Self::of_request(request),
            ([], Some(kubeconfig)) => {
                let kubeconfig = Kubeconfig::from_object(kubeconfig.clone().into_owned());
                let kubeconfig =
                    kubeconfig.map_err(|error| RenewalError::Unreadable(error.show()))?;
                Self::of_kubeconfig(&kubeconfig, folder, context, read_file)
            }
            ([], None) => {
                let mut broken = documents.iter();
                let broken = broken.find_map(|document| document.content.as_ref().err());
                Err(broken.map_or(RenewalError::Nothing, |error| {
                    RenewalError::NotYaml(error.show())
                }))
            }
            (several, _) => {
                let names = several.iter().map(|it| it.metadata.name.as_str().into());
                Err(RenewalError::Several(names.collect()))
            }
        }
    }

    fn new(
        certificate: Certificate,
        asked: Option<Asked>,
        entry: Option<Entry>,
    ) -> Result<Self, RenewalError> {
        let identity = certificate.subject().identity();
        if certificate.is_ca() || !certificate.client_auth() {
            return Err(RenewalError::NotOfUser);
        }
        Ok(Self {
            identity: identity.ok_or(RenewalError::Nobody)?,
            certificate,
            asked,
            entry,
        })
    }

    fn of_request(request: &CertificateSigningRequest) -> Result<Self, RenewalError> {
        let status = request.status.as_ref();
        let Some(pem) = status.and_then(|status| status.certificate.as_deref()) else {
            let name = request.metadata.name.as_str();
            return Err(RenewalError::NotIssued(name.into()));
        };
        let chain = Chain::from_pem(pem)
            .map_err(|error| RenewalError::Unreadable(text!("status.certificate: {}", error)))?;
        Self::new(chain.holder().clone(), Some(Asked::by(request)), None)
    }

    /// Looks for what was asked for among requests and replies that are at hand; the position of the one
    /// that says it. A reply that holds this very certificate knows best; of requests by the same key for
    /// the same user and groups, the one whose lifetime comes nearest to what was granted, and is no
    /// shorter.
    pub fn remember(&mut self, objects: &[CertificateSigningRequest]) -> Option<usize> {
        if self.asked.is_some() {
            return None;
        }
        let holds_it = objects.iter().position(|object| self.is_in(object));
        let position = holds_it.or_else(|| {
            let all = objects.iter().enumerate();
            let same = all.filter(|(_, object)| self.is_asked_by(object));
            let granted = self.certificate.granted_seconds();
            // Where no lifetime is asked for, any may have come of it.
            let distance = |object: &CertificateSigningRequest| match Asked::by(object).lifetime {
                Some(asked) if i64::from(asked.seconds()) + LEEWAY < granted => None,
                Some(asked) => Some(i64::from(asked.seconds()) - granted),
                None => Some(i64::MAX),
            };
            let fitting = same.filter_map(|(position, object)| Some((distance(object)?, position)));
            fitting.min().map(|(_, position)| position)
        })?;
        self.asked = objects.get(position).map(Asked::by);
        Some(position)
    }

    /// The positions of requests for the same by other keys, to which no answer is among these.
    #[must_use]
    pub fn pending(&self, wanted: &Settings, objects: &[CertificateSigningRequest]) -> Vec<usize> {
        let requests: Vec<_> = objects
            .iter()
            .map(CertificateSigningRequest::asked)
            .collect();
        let key = |position: usize| Some(requests.get(position)?.as_ref()?.public_key());
        let is_open = |object: &CertificateSigningRequest| {
            matches!(
                inspect::state(object.status.as_ref()),
                State::Pending | State::Approved
            )
        };
        let answered: Vec<_> = (0..objects.len())
            .filter(|it| objects.get(*it).is_some_and(|object| !is_open(object)))
            .filter_map(key)
            .chain([self.certificate.public_key()])
            .collect();
        let asks_for_it = |position: &usize| {
            let Some(object) = objects.get(*position) else {
                return false;
            };
            let request = requests.get(*position).and_then(Option::as_ref);
            object.signer_name == wanted.signer.as_deref().unwrap_or(manifest::CLIENT_SIGNER)
                && Asked::by(object).lifetime == wanted.expires_in
                && request.is_some_and(|request| {
                    asks_for(request, &self.identity.username, &wanted.groups)
                        && !answered.contains(&request.public_key())
                })
        };
        (0..objects.len()).filter(asks_for_it).collect()
    }

    /// Whether the certificate came with this object.
    fn is_in(&self, object: &CertificateSigningRequest) -> bool {
        let status = object.status.as_ref();
        let pem = status.and_then(|status| status.certificate.as_deref());
        let chain = pem.and_then(|pem| Chain::from_pem(pem).ok());
        chain.is_some_and(|chain| chain.iter().any(|it| it.der() == self.certificate.der()))
    }

    /// Whether the object asks for this user and these groups with the key of the certificate.
    fn is_asked_by(&self, object: &CertificateSigningRequest) -> bool {
        let Identity {
            username, groups, ..
        } = &self.identity;
        object.asked().is_some_and(|request| {
            request.public_key() == self.certificate.public_key()
                && asks_for(&request, username, groups)
        })
    }

    fn of_kubeconfig(
        kubeconfig: &Kubeconfig,
        folder: &Path,
        context: Option<&str>,
        read_file: ReadFile<'_>,
    ) -> Result<Self, RenewalError> {
        let (context, cluster, user) = choose(kubeconfig, context)?;
        let user = kubeconfig.auth_infos().find(|it| it.name == user);
        let no_certificate = || RenewalError::NoCertificate(Some(context.into()));
        let user = user.ok_or_else(no_certificate)?;
        let held = user.certificate.ok_or_else(no_certificate)?;
        let contents = match held.path(folder) {
            Some(path) => read_file(&path).map_err(RenewalError::Unreadable)?,
            None => held.data().unwrap_or_default(),
        };
        let chain = Chain::read(&contents).map_err(|error| {
            let name = Label::from(user.name);
            RenewalError::Unreadable(match held.path(folder) {
                Some(path) => text!("the certificate of user {}, {}: {}", name, path, error),
                None => text!("the certificate of user {}: {}", name, error),
            })
        })?;
        let entry = Entry::of(context, cluster, &user, folder);
        let entry = entry.in_place(&user, chain.holder(), kubeconfig);
        Self::new(chain.holder().clone(), None, Some(entry))
    }

    /// What to ask for: the same once more. A certificate does not name its signer.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let signer = self.asked.as_ref().map(|asked| &asked.signer);
        Settings {
            user: Some(self.identity.username.clone()),
            groups: self.identity.groups.clone(),
            algorithm: Algorithm::of(self.certificate.public_key()),
            expires_in: self.lifetime().lifetime(),
            signer: signer.filter(|signer| !signer.is_empty()).cloned(),
            name: None,
        }
    }

    /// The lifetime that was asked for; else that of the certificate.
    #[must_use]
    pub fn lifetime(&self) -> LifetimeAsked {
        let most = i64::from(i32::MAX);
        let granted = self
            .certificate
            .granted_seconds()
            .clamp(i64::from(MIN_SECONDS), most);
        let granted = Lifetime::try_from(granted).ok().map(Lifetime::rounded);
        match (self.asked.as_ref().map(|asked| asked.lifetime), granted) {
            (None, granted) => LifetimeAsked::Unknown(granted),
            (Some(Some(asked)), Some(granted))
                if self.certificate.granted_seconds() + LEEWAY < i64::from(asked.seconds()) =>
            {
                LifetimeAsked::Cut { asked, granted }
            }
            (Some(asked), _) => LifetimeAsked::Granted(asked),
        }
    }

    /// Whole days until it ends.
    #[must_use]
    pub fn days_left(&self, now: OffsetDateTime) -> i64 {
        self.certificate.days_left(now)
    }
}

/// Whether a request is for this user and these groups, in whatever order.
fn asks_for(request: &CertificationRequest, user: &str, groups: &[String]) -> bool {
    let asked = request.subject().identity_when_issued();
    asked.is_some_and(|it| it.username == user && same_groups(&it.groups, groups))
}

impl Asked {
    fn by(request: &CertificateSigningRequest) -> Self {
        let seconds = request.expiration_seconds.map(i64::from);
        Self {
            signer: request.signer_name.clone(),
            lifetime: seconds.and_then(|seconds| Lifetime::try_from(seconds).ok()),
        }
    }
}

impl LifetimeAsked {
    /// The lifetime to ask for; without one, the cluster's signer decides.
    #[must_use]
    pub fn lifetime(self) -> Option<Lifetime> {
        match self {
            Self::Granted(lifetime) | Self::Unknown(lifetime) => lifetime,
            Self::Cut { asked, .. } => Some(asked),
        }
    }
}

impl Entry {
    fn of(context: &str, cluster: &str, user: &AuthInfo<'_>, folder: &Path) -> Self {
        let unlock_for = user.exec.as_ref().and_then(|exec| exec.unlock_for);
        Self {
            context: context.to_owned(),
            cluster: cluster.to_owned(),
            user: user.name.to_owned(),
            key: user.key.map(|held| match held.path(folder) {
                Some(path) => EntryKey::File(path),
                None => EntryKey::Embedded,
            }),
            beside: None,
            namespace: None,
            is_exec: user.exec.is_some(),
            unlock_for: unlock_for.map(str::to_owned),
        }
    }

    /// The entry, with a name beside it where it is none of this program's.
    fn in_place(
        self,
        user: &AuthInfo<'_>,
        certificate: &Certificate,
        kubeconfig: &Kubeconfig,
    ) -> Self {
        let identity = certificate.subject().identity().filter(|_| !user.is_ours);
        let beside = identity.map(|identity| {
            let usual = format!("{}@{}", identity.username, self.cluster);
            let more = (2..).map(|number: u64| format!("{usual}-{number}"));
            let is_free = |name: &String| kubeconfig.contexts().all(|(it, ..)| it != name);
            let mut names = std::iter::once(usual.clone()).chain(more);
            names.find(is_free).unwrap_or_default()
        });
        let mut namespaces = kubeconfig.contexts().zip(kubeconfig.namespaces());
        let namespace = namespaces.find(|((name, ..), _)| *name == self.context);
        let namespace = namespace.map(|(_, namespace)| namespace.to_owned());
        let namespace = namespace.filter(|namespace| !namespace.is_empty());
        Self {
            beside,
            namespace,
            ..self
        }
    }

    /// The users of a kubeconfig that have this certificate, each with its first context. Where the file
    /// that one names is not there any more, the key that it is marked with tells.
    #[must_use]
    pub fn all_with(
        certificate: &Certificate,
        kubeconfig: &Kubeconfig,
        folder: &Path,
        read_file: ReadFile<'_>,
    ) -> Vec<Self> {
        let marked = certificate.public_key().fingerprint().to_string();
        let has_it = |user: &AuthInfo<'_>| {
            let Some(held) = user.certificate else {
                return false;
            };
            let contents = match held.path(folder) {
                Some(path) => read_file(&path).ok(),
                None => held.data(),
            };
            match contents.and_then(|it| Chain::read(&it).ok()) {
                Some(chain) => chain.holder().der() == certificate.der(),
                None => user.mark == Some(&marked),
            }
        };
        let mut contexts: HashMap<&str, (&str, &str)> = HashMap::new();
        for (context, cluster, user) in kubeconfig.contexts() {
            contexts.entry(user).or_insert((context, cluster));
        }
        let users = kubeconfig.auth_infos();
        let with_context = users.filter_map(|user| Some((*contexts.get(user.name)?, user)));
        with_context
            .filter(|(_, user)| has_it(user))
            .map(|((context, cluster), user)| {
                let entry = Self::of(context, cluster, &user, folder);
                entry.in_place(&user, certificate, kubeconfig)
            })
            .collect()
    }
}

/// The contexts whose users have a certificate, each with its cluster and user.
#[must_use]
pub fn contexts_with_certificates(kubeconfig: &Kubeconfig) -> Vec<(&str, &str, &str)> {
    let users = kubeconfig.auth_infos();
    let with_certificates: HashSet<&str> = users
        .filter(|user| user.certificate.is_some())
        .map(|user| user.name)
        .collect();
    let contexts = kubeconfig.contexts();
    contexts
        .filter(|(_, _, user)| with_certificates.contains(user))
        .collect()
}

/// The context that is meant.
fn choose<'a>(
    kubeconfig: &'a Kubeconfig,
    context: Option<&'a str>,
) -> Result<(&'a str, &'a str, &'a str), RenewalError> {
    let current = Some(kubeconfig.current_context()).filter(|name| !name.is_empty());
    if let Some(wanted) = context.or(current) {
        let mut contexts = kubeconfig.contexts();
        let found = contexts.find(|(name, _, _)| *name == wanted);
        return found.ok_or_else(|| RenewalError::NoContext(wanted.into()));
    }
    match contexts_with_certificates(kubeconfig).as_slice() {
        [] => Err(RenewalError::NoCertificate(None)),
        [only] => Ok(*only),
        several => {
            let names = several.iter().map(|(name, _, _)| Label::from(*name));
            Err(RenewalError::Several(names.collect()))
        }
    }
}
