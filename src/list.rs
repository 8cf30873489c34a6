//! Credentials, certificates and requests in one line each: who, where, until when. No encrypted key is
//! opened, and no signature checked.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::budget::Limits;
use crate::certificate::{self, Certificate, Chain, show_time};
use crate::csr::{self, CertificationRequest};
use crate::inspect::{self, ReadFile, State, flattened, is_kubeconfig};
use crate::key::{Fingerprint, PublicKey};
use crate::kubeconfig::{AuthInfo, Held, Kubeconfig};
use crate::manifest::{self, CertificateSigningRequest};
use crate::name::Name;
use crate::pem;
use crate::text;
use crate::text::{Show as _, Text};
use crate::yaml;

mod answers;
mod layout;

pub use answers::settle;
pub use layout::Layout;

use answers::Asked;

/// Where something stands: a request as [`State`] has it, a certificate by its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Standing {
    /// Nobody has decided yet.
    Pending,
    /// Refused by a person.
    Denied,
    /// Refused by the signer.
    Failed,
    /// Approved, and no certificate came yet.
    Approved,
    /// There is a certificate, and it is valid.
    Issued,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is not valid any more.
    Expired,
}

impl Standing {
    /// As it stands in lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Denied => "Denied",
            Self::Failed => "Failed",
            Self::Approved => "Approved",
            Self::Issued => "Issued",
            Self::NotYetValid => "NotYetValid",
            Self::Expired => "Expired",
        }
    }

    /// Of the states of one request in several files, the one that came last.
    fn further(self, other: Self) -> Self {
        let rank = |state| match state {
            Self::Pending => 0,
            Self::Approved => 1,
            _ => 2,
        };
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }

    fn of_certificate(certificate: &Certificate, now: OffsetDateTime) -> Self {
        if now > certificate.not_after() {
            Self::Expired
        } else if now < certificate.not_before() {
            Self::NotYetValid
        } else {
            Self::Issued
        }
    }
}

impl From<State> for Standing {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Denied => Self::Denied,
            State::Failed => Self::Failed,
            State::Approved => Self::Approved,
            State::Issued => Self::Issued,
        }
    }
}

/// One credential, certificate or request. Names are raw.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// `Certificate`, `CertificationRequest`, `CertificateSigningRequest`, or `Config` for a user of a
    /// kubeconfig.
    pub kind: &'static str,
    /// The file.
    pub source: String,
    /// `metadata.name`, or the name of the context.
    pub name: Option<String>,
    /// Who the API server takes the holder for.
    pub user: Option<String>,
    /// With which groups.
    pub groups: Vec<String>,
    /// The name of the cluster, where it is known.
    pub cluster: Option<String>,
    /// The address of its API server, without a password.
    pub server: Option<String>,
    /// `spec.signerName`.
    pub signer_name: Option<String>,
    /// Where it stands; a request whose certificate is listed as well, as that.
    pub state: Standing,
    /// The last second in which the certificate is valid (RFC 3339, UTC).
    pub not_after: Option<String>,
    /// Whole days until then, negative when it is over.
    pub days_left: Option<i64>,
    /// The fingerprint of the key.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub key: Option<Fingerprint>,
    /// The kind of key: `RSA 4096`, `ECDSA 256`, ...
    pub algorithm: Option<String>,
    /// `X509SHA256=...`, as API servers log it.
    pub credential_id: Option<String>,
    /// Whether it is the certificate of an authority, with which nobody is let in.
    #[serde(skip)]
    pub is_authority: bool,
    /// The same as `not_after`, to be counted with.
    #[serde(skip)]
    pub end: Option<OffsetDateTime>,
    /// For how many seconds the certificate was granted.
    #[serde(skip)]
    granted: Option<i64>,
    /// What the request asks for.
    #[serde(skip)]
    asked: Option<Asked>,
    /// What all rows of one certificate or request have in common.
    #[serde(skip)]
    mark: Option<String>,
}

/// Whether the keys in kubeconfigs that are not encrypted are compared with their certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keys {
    /// No key is opened.
    #[default]
    Unopened,
    /// What cannot be used with its certificate is a problem, and no row.
    Compared,
}

/// What is in a file.
#[derive(Debug, Default)]
pub struct Contents {
    keys: Keys,
    /// What can be listed.
    pub rows: Vec<Row>,
    /// What should be there and cannot be read.
    pub problems: Vec<Text>,
}

impl Row {
    fn new(kind: &'static str, state: Standing) -> Self {
        Self {
            kind,
            source: String::new(),
            name: None,
            user: None,
            groups: Vec::new(),
            cluster: None,
            server: None,
            signer_name: None,
            state,
            not_after: None,
            days_left: None,
            key: None,
            algorithm: None,
            credential_id: None,
            is_authority: false,
            end: None,
            granted: None,
            asked: None,
            mark: None,
        }
    }

    fn held_by(mut self, subject: &Name, key: &PublicKey) -> Self {
        if let Some(identity) = subject.identity() {
            self.user = Some(identity.username);
            self.groups = identity.groups;
        }
        let bits = key.bits().map_or(String::new(), |bits| format!(" {bits}"));
        self.algorithm = Some(format!("{}{bits}", key.algorithm()));
        self.key = Some(key.fingerprint());
        self
    }

    fn of_certificate(kind: &'static str, certificate: &Certificate, now: OffsetDateTime) -> Self {
        let state = Standing::of_certificate(certificate, now);
        Self {
            not_after: Some(show_time(certificate.not_after())),
            days_left: Some(certificate.days_left(now)),
            credential_id: Some(certificate.credential_id()),
            is_authority: certificate.is_ca(),
            end: Some(certificate.not_after()),
            granted: Some(certificate.granted_seconds()),
            ..Self::new(kind, state)
        }
        .held_by(certificate.subject(), certificate.public_key())
    }

    fn of_request(request: &CertificationRequest) -> Self {
        Self {
            asked: Some(Asked::by(request.der())),
            ..Self::new("CertificationRequest", Standing::Pending)
        }
        .held_by(request.subject(), request.public_key())
    }

    /// Whether the certificate ends by then, or has ended.
    #[must_use]
    pub fn ends_by(&self, then: OffsetDateTime) -> bool {
        self.end.is_some_and(|end| end <= then)
    }
}

/// What to list of a file; nothing where it is nothing of this program's. Files that a kubeconfig
/// names are read by `read_file`; those without an absolute path lie in or below `folder`.
#[must_use]
pub fn contents(
    input: &[u8],
    keys: Keys,
    folder: &Path,
    read_file: ReadFile<'_>,
    now: OffsetDateTime,
) -> Option<Contents> {
    let mut contents = Contents {
        keys,
        ..Contents::default()
    };
    if input.first() == Some(&0x30) && contents.add_der(input, now) {
        return Some(contents);
    }
    if pem::first(input).is_some() {
        contents.add_pem(input, now);
    } else if may_hold_objects(input) {
        contents.add_documents(input, folder, read_file, now);
    }
    let is_ours = !contents.rows.is_empty() || !contents.problems.is_empty();
    is_ours.then_some(contents)
}

/// Whether there may be something to list in a file that begins so, which is cheaper to know than to
/// read it all.
#[must_use]
pub fn may_be_listed(head: &[u8]) -> bool {
    pem::first(head).is_some() || may_hold_objects(head) && begins_like_an_object(head)
}

/// Other encodings than UTF-8 have NUL bytes.
fn may_hold_objects(input: &[u8]) -> bool {
    is_utf16(input)
        || [manifest::KIND, crate::kubeconfig::KIND, "clusters"]
            .iter()
            .any(|word| memchr::memmem::find(input, word.as_bytes()).is_some())
}

fn is_utf16(input: &[u8]) -> bool {
    input.starts_with(&[0xFF, 0xFE]) || input.starts_with(&[0xFE, 0xFF])
}

/// Whether a file that is no YAML was meant to be an object: other texts may mention one.
fn begins_like_an_object(input: &[u8]) -> bool {
    const FIELDS: [&[u8]; 9] = [
        b"{",
        b"apiVersion:",
        b"kind:",
        b"metadata:",
        b"clusters:",
        b"contexts:",
        b"users:",
        b"current-context:",
        b"preferences:",
    ];
    let mut lines = input.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first =
        lines.find(|line| !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"---"));
    first.is_some_and(|line| FIELDS.iter().any(|field| line.starts_with(field)))
}

impl Contents {
    fn add_der(&mut self, der: &[u8], now: OffsetDateTime) -> bool {
        let row = match Certificate::from_der(der) {
            Ok(certificate) => Some(Row::of_certificate("Certificate", &certificate, now)),
            Err(_) => CertificationRequest::from_der(der)
                .ok()
                .map(|request| Row::of_request(&request)),
        };
        self.rows.extend(row);
        !self.rows.is_empty()
    }

    /// Requests, and certificates: authorities only where they do not stand behind somebody's.
    fn add_pem(&mut self, input: &[u8], now: OffsetDateTime) {
        let mut certificates = Vec::new();
        for block in pem::blocks(input) {
            let read = match block.label.as_str() {
                certificate::PEM_LABEL | certificate::OLD_PEM_LABEL => {
                    Certificate::from_der(&block.contents).map(|it| certificates.push(it))
                }
                csr::PEM_LABEL | csr::LEGACY_PEM_LABEL => {
                    CertificationRequest::from_der(&block.contents)
                        .map(|request| self.rows.push(Row::of_request(&request)))
                }
                _ => continue,
            };
            self.problems.extend(read.err().map(|error| error.show()));
        }
        let is_chain = certificates.iter().any(|certificate| !certificate.is_ca());
        let listed = certificates.iter().filter(|it| !is_chain || !it.is_ca());
        let rows = listed.map(|certificate| Row::of_certificate("Certificate", certificate, now));
        self.rows.extend(rows);
    }

    fn add_documents(
        &mut self,
        input: &[u8],
        folder: &Path,
        read_file: ReadFile<'_>,
        now: OffsetDateTime,
    ) {
        let stream = yaml::read(input, &Limits::for_input(input));
        let mut cluster = None;
        let first = self.rows.len();
        for object in flattened(&stream.documents) {
            if inspect::kind(&object) == Some(manifest::KIND) {
                self.add_object(&object, now);
            } else if is_kubeconfig(&object) {
                let found = self.add_kubeconfig(object, folder, read_file, now);
                cluster = cluster.or(found);
            }
        }
        if !self.rows.is_empty() || begins_like_an_object(input) {
            let errors = stream.documents.iter();
            let errors = errors.filter_map(|document| document.content.as_ref().err());
            self.problems.extend(errors.map(text::Show::show));
        }
        // A reply says where its certificates are for.
        let Some((name, server)) = cluster else {
            return;
        };
        for row in self.rows.iter_mut().skip(first) {
            if row.kind == manifest::KIND {
                row.cluster = Some(name.clone());
                row.server = Some(server.clone());
            }
        }
    }

    fn add_object(&mut self, object: &Map<String, Value>, now: OffsetDateTime) {
        let object = CertificateSigningRequest::read(object);
        let name = Some(object.metadata.name.clone()).filter(|name| !name.is_empty());
        let status = object.status.as_ref();
        let state = inspect::state(status);
        let pem = status.and_then(|status| status.certificate.as_deref());
        let mut row = match pem.map(Chain::from_pem) {
            Some(Ok(chain)) => Some(Row::of_certificate(manifest::KIND, chain.leaf(), now)),
            Some(Err(error)) => {
                self.problems.push(text!("status.certificate: {}", error));
                None
            }
            None => None,
        };
        let block = pem::first(object.request.as_deref().unwrap_or_default());
        let block = block.map_or_else(Default::default, |block| block.contents);
        if let Some(row) = &mut row {
            row.asked = Some(Asked::by(&block));
        } else {
            match CertificationRequest::from_der(&block) {
                Ok(request) => {
                    let read = Row::of_request(&request);
                    let asked = read.asked.map(|it| it.in_object(&object, &request));
                    row = Some(Row { asked, ..read });
                }
                Err(error) => self.problems.push(text!("spec.request: {}", error)),
            }
        }
        let Some(row) = row else { return };
        // What has no certificate is as far as its conditions say.
        let state = if row.end.is_some() {
            row.state
        } else {
            state.into()
        };
        self.rows.push(Row {
            kind: manifest::KIND,
            name,
            signer_name: Some(object.signer_name).filter(|name| !name.is_empty()),
            state,
            ..row
        });
    }

    /// The users of a kubeconfig that have certificates, once for each cluster; its only cluster, where
    /// it has no users.
    fn add_kubeconfig(
        &mut self,
        object: Cow<'_, Map<String, Value>>,
        folder: &Path,
        read_file: ReadFile<'_>,
        now: OffsetDateTime,
    ) -> Option<(String, String)> {
        let kubeconfig = match Kubeconfig::from_object(object.into_owned()) {
            Ok(kubeconfig) => kubeconfig,
            Err(error) => {
                self.problems.push(error.show());
                return None;
            }
        };
        let servers: HashMap<String, String> = kubeconfig
            .clusters()
            .map(|cluster| (cluster.name.clone(), cluster.without_secrets().server))
            .collect();
        let mut contexts: HashMap<&str, Vec<(&str, &str)>> = HashMap::new();
        let mut seen = HashSet::new();
        for (name, cluster, user) in kubeconfig.contexts() {
            if seen.insert((cluster, user)) {
                contexts.entry(user).or_default().push((name, cluster));
            }
        }
        let mut has_users = false;
        for user in kubeconfig.auth_infos() {
            has_users = true;
            let certificate = match certificate_of(&user, folder, read_file) {
                None => continue,
                Some(Ok(certificate)) => certificate,
                Some(Err(why)) => {
                    let name = text::Label::from(user.name);
                    self.problems.push(text!("user {}: {}", name, why));
                    continue;
                }
            };
            if self.keys == Keys::Compared
                && let Some(why) = inspect::key_of_another(&user, &certificate, folder, read_file)
            {
                let name = text::Label::from(user.name);
                self.problems.push(text!("user {}: {}", name, why));
                continue;
            }
            let row = Row::of_certificate(crate::kubeconfig::KIND, &certificate, now);
            let joined = contexts.get(user.name).map_or(&[][..], Vec::as_slice);
            if joined.is_empty() {
                self.rows.push(row.clone());
            }
            self.rows
                .extend(joined.iter().map(|(context, cluster)| Row {
                    name: Some((*context).to_owned()),
                    cluster: Some((*cluster).to_owned()),
                    server: servers.get(*cluster).cloned(),
                    ..row.clone()
                }));
        }
        let only = servers.into_iter().next();
        only.filter(|_| !has_users && kubeconfig.contexts().next().is_none())
    }
}

fn certificate_of(
    user: &AuthInfo<'_>,
    folder: &Path,
    read_file: ReadFile<'_>,
) -> Option<Result<Certificate, Text>> {
    let held = user.certificate?;
    let read = |contents: &[u8]| Ok(held.chain(contents)?.leaf().clone());
    Some(match held {
        Held::Data(_) => match held.data() {
            Some(pem) => read(&pem),
            None => Err("client-certificate-data is not base64".into()),
        },
        Held::File(_) | Held::Argument(_) => {
            let path = held.path(folder).unwrap_or_default();
            read_file(&path).and_then(|pem| read(&pem).map_err(|why| text!("{}: {}", path, why)))
        }
    })
}

/// By their end, those without one last; else by user and file.
pub fn sort(rows: &mut [Row]) {
    rows.sort_by(|one, other| {
        let key = |row: &Row| (row.end.is_none(), row.end);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.user.cmp(&other.user))
            .then_with(|| one.source.cmp(&other.source))
    });
}
