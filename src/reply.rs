//! The one file that comes back: issued requests, and the address of the cluster.

use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::carrier;
use crate::certificate::{Certificate, Chain};
use crate::csr::CertificationRequest;
use crate::error::Error;
use crate::kubeconfig::{Cluster, ClusterProblem, Kubeconfig, KubeconfigError};
use crate::manifest::{API_VERSION, CertificateSigningRequest, KIND};
use crate::pem;
use crate::text;
use crate::text::Text;
use crate::yaml::{self, Document, YamlError};
use crate::{inspect, kubeconfig};

/// What came back.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The requests, whatever became of them.
    pub requests: Vec<CertificateSigningRequest>,
    /// A certificate that came alone, with what follows it.
    pub chain: Option<Chain>,
    /// The cluster, where it came along.
    pub cluster: Option<Cluster>,
    /// Whether it is one that [`write`](fn@write) wrote, and ends before the certificate authority, which is
    /// the last in it.
    pub lacks_its_end: bool,
}

/// Why a file is no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The file holds nothing.
    #[error("there is nothing in it")]
    Empty,
    /// The file holds neither request nor certificate.
    #[error("there is neither a CertificateSigningRequest nor a certificate in it")]
    NothingIssued,
    /// A document cannot be read.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The kubeconfig in it cannot be used.
    #[error(transparent)]
    Kubeconfig(#[from] KubeconfigError),
    /// The certificate in it cannot be read.
    #[error(transparent)]
    Certificate(#[from] Error),
}

impl Reply {
    /// The same of a file to which the way did something, with a note of what was undone. The
    /// certificate is bound to its key, so that nothing rests on how it came.
    ///
    /// # Errors
    /// Those of [`Reply::read`].
    pub fn read_forgiving(input: &[u8]) -> Result<(Self, Option<Text>), ReplyError> {
        // To some readers a carriage return alone ends no line.
        let strict = if input.contains(&b'\r') && !input.contains(&b'\n') {
            Err(ReplyError::NothingIssued)
        } else {
            Self::read(input)
        };
        if strict.as_ref().is_ok_and(Self::is_whole) {
            return strict.map(|reply| (reply, None));
        }
        let undone = carrier::undo(input);
        let note = (!undone.steps.is_empty()).then(|| undone.note());
        if note.is_some()
            && let Ok(reply) = Self::read(&undone.bytes)
            && reply.is_whole()
        {
            return Ok((reply, note));
        }
        match Self::read_values(&undone.bytes, true) {
            Ok(reply) if reply.is_whole() => {
                let values = "certificates and requests are written in it in another way than the \
                              cluster does, and read all the same";
                let note = note.map_or(Text::from(values), |note| text!("{}; {}", note, values));
                Ok((reply, Some(note)))
            }
            _ => strict.map(|reply| (reply, None)),
        }
    }

    /// Whether everything in it that is encoded can be decoded.
    fn is_whole(&self) -> bool {
        let holds_pem = |value: Option<&[u8]>| value.is_none_or(|it| pem::first(it).is_some());
        let is_authority_good = self.cluster.as_ref().is_none_or(|cluster| {
            !matches!(cluster.check(), Err(ClusterProblem::BadAuthority(..)))
        });
        is_authority_good
            && self.requests.iter().all(|request| {
                let status = request.status.as_ref();
                request.problems.is_empty()
                    && holds_pem(request.request.as_deref())
                    && holds_pem(status.and_then(|it| it.certificate.as_deref()))
            })
    }

    /// Reads a reply, an object or a list of them as `kubectl get csr -o yaml` prints it, or a
    /// certificate in PEM or DER. Whether anything was issued, and to whom, is not looked at.
    ///
    /// # Errors
    /// [`ReplyError`] for the first document that cannot be read, and where there is none to use.
    pub fn read(input: &[u8]) -> Result<Self, ReplyError> {
        Self::read_values(input, false)
    }

    /// The same, where values that are not encoded as the API does may be `mended`.
    fn read_values(input: &[u8], mended: bool) -> Result<Self, ReplyError> {
        if input.trim_ascii().is_empty() {
            return Err(ReplyError::Empty);
        }
        if let Ok(certificate) = Certificate::from_der(input) {
            return Ok(Self {
                chain: Some(certificate.into()),
                ..Self::default()
            });
        }
        if pem::first(input).is_some() {
            return Ok(Self {
                chain: Some(Chain::from_pem(input)?),
                ..Self::default()
            });
        }
        let mut documents = yaml::documents(input);
        if mended {
            let values = documents
                .iter_mut()
                .filter_map(|it| it.content.as_mut().ok());
            values.for_each(mend);
        }
        let broken = documents
            .iter()
            .find_map(|document| document.content.as_ref().err());
        if let Some(error) = broken {
            return Err((*error).into());
        }
        let mut requests = inspect::signing_requests(&documents);
        // What was pasted twice is there once.
        let mut seen = HashSet::new();
        requests.retain(|it| {
            let certificate = it.status.as_ref().and_then(|it| it.certificate.clone());
            seen.insert((it.metadata.name.clone(), it.request.clone(), certificate))
        });
        if requests.is_empty() {
            return Err(ReplyError::NothingIssued);
        }
        let kubeconfig = kubeconfig_of(documents);
        let is_fetched = requests.iter().any(|it| it.metadata.is_from_server);
        let lacks_its_end = !is_fetched && kubeconfig.as_ref().is_some_and(ends_early);
        let kubeconfig = kubeconfig.map(Kubeconfig::from_object).transpose()?;
        let cluster = kubeconfig.map(|it| it.cluster(None)).transpose()?;
        Ok(Self {
            requests,
            chain: None,
            cluster,
            lacks_its_end,
        })
    }
}

/// Encodes the certificates and requests in an object as the API does, whatever they are in.
fn mend(value: &mut Value) {
    const FIELDS: [&str; 3] = ["certificate", "request", AUTHORITY];
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(text) if FIELDS.contains(&name.as_str()) => {
                        if let Some(mended) = encoded(text) {
                            *text = mended;
                        }
                    }
                    other => mend(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mend),
        _ => {}
    }
}

/// Base64 of the PEM that a value holds in another form.
fn encoded(value: &str) -> Option<String> {
    let bytes = carrier::undo(value.as_bytes()).bytes;
    let pem = if pem::first(&bytes).is_some() {
        bytes.to_vec()
    } else if let Ok(certificate) = Certificate::from_der(&bytes) {
        certificate.to_pem().into_bytes()
    } else {
        CertificationRequest::from_der(&bytes)
            .ok()?
            .to_pem()
            .into_bytes()
    };
    Some(BASE64_STANDARD.encode(pem))
}

/// The kubeconfig in a reply, which has its cluster and nothing else.
#[must_use]
pub fn kubeconfig(input: &[u8]) -> Option<Kubeconfig> {
    Kubeconfig::from_object(kubeconfig_of(yaml::documents(input))?).ok()
}

fn kubeconfig_of(documents: Vec<Document>) -> Option<Map<String, Value>> {
    let mut documents = documents.into_iter();
    documents.find_map(|document| match document.content {
        Ok(Value::Object(map)) if map.get("kind") == Some(&kubeconfig::KIND.into()) => Some(map),
        _ => None,
    })
}

/// The last field of a reply.
const AUTHORITY: &str = "certificate-authority-data";

/// Whether a kubeconfig is the one of a reply, with a cluster and nothing else, and ends before its last
/// field.
fn ends_early(kubeconfig: &Map<String, Value>) -> bool {
    let is_ours = kubeconfig
        .keys()
        .all(|key| ["apiVersion", "kind", "clusters"].contains(&key.as_str()));
    let clusters = kubeconfig.get("clusters").and_then(Value::as_array);
    let [cluster] = clusters.map_or(&[][..], Vec::as_slice) else {
        return false;
    };
    let cluster = cluster.get("cluster").and_then(Value::as_object);
    let has_end = cluster.is_some_and(|cluster| {
        let ends = [
            AUTHORITY,
            "certificate-authority",
            "insecure-skip-tls-verify",
        ];
        ends.iter().any(|end| cluster.contains_key(*end))
    });
    is_ours && !has_end
}

/// Writes a reply in YAML: the requests, stripped to what their maker needs, and a kubeconfig with
/// the cluster and nothing else; not a password either that is part of its address.
#[must_use]
pub fn write(requests: &[&CertificateSigningRequest], cluster: &Cluster) -> String {
    let mut text = String::new();
    for request in requests {
        yaml::write(&stripped(request), &mut text);
        text.push_str("---\n");
    }
    let mut cluster = cluster.without_secrets().to_value();
    if let Some(fields) = cluster.get_mut("cluster").and_then(Value::as_object_mut) {
        // Last, and also where there is none: what is cut off before it is known to be.
        let authority = fields.remove(AUTHORITY).unwrap_or_else(|| "".into());
        fields.insert(AUTHORITY.to_owned(), authority);
    }
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": kubeconfig::KIND,
        "clusters": [cluster],
    });
    yaml::write(&kubeconfig, &mut text);
    text
}

/// The certificates, and nothing that may stand around them.
fn plain(pem: Vec<u8>) -> Vec<u8> {
    Chain::from_pem(&pem).map_or(pem, |chain| chain.to_pem().into_bytes())
}

/// Without the name of the admin, whom the server takes for the submitter.
fn stripped(request: &CertificateSigningRequest) -> Value {
    let mut spec = json!({
        "request": request.request.as_ref().map(|pem| BASE64_STANDARD.encode(pem)),
        "signerName": request.signer_name,
        "usages": request.usages,
    });
    if let (Some(seconds), Some(spec)) = (request.expiration_seconds, spec.as_object_mut()) {
        spec.insert("expirationSeconds".to_owned(), seconds.into());
    }
    let status = request.status.clone().unwrap_or_default();
    let conditions = status.conditions.iter().map(|condition| {
        json!({
            "type": condition.kind,
            "status": condition.status,
            "reason": condition.reason,
            "message": condition.message,
        })
    });
    json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": request.metadata.name},
        "spec": spec,
        "status": {
            "conditions": conditions.collect::<Vec<_>>(),
            "certificate": status.certificate.map(|pem| BASE64_STANDARD.encode(plain(pem))),
        },
    })
}

crate::text::show_raw!(ReplyError);
