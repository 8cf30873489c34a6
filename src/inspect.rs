//! What any file of the journey is and says: one report, shown as text or as JSON.

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::manifest::CertificateSigningRequest;
use crate::name::Identity;
use crate::policy::{Agreed, Finding, Level, Prediction};
use crate::secret::Passphrase;
use crate::text::is_deceptive;

mod artefact;
mod expect;
mod object;
mod status;
mod text;

pub use expect::Expected;
pub use object::{
    CertificateReport, CsrReport, KubeconfigReport, PrivateKeyReport, PublicKeyReport,
};
pub use status::{State, StatusReport, check_issued, state};
pub use text::{Look, render};

/// The report over one or more files. Its JSON form is stable.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    api_version: &'static str,
    kind: &'static str,
    /// What was found, file by file and document by document.
    pub objects: Vec<Object>,
}

/// One key, request, certificate, object or kubeconfig.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// What it is; `None` where it cannot be read at all.
    pub kind: Option<String>,
    /// The file that it came from.
    pub source: String,
    /// `metadata.name`.
    pub name: Option<String>,
    /// `spec.signerName`.
    pub signer_name: Option<String>,
    /// `spec.usages`.
    pub usages: Option<Vec<String>>,
    /// `spec.expirationSeconds`.
    pub expiration_seconds: Option<i32>,
    /// Who the API server takes the holder of the certificate for.
    pub identity: Option<Identity>,
    /// The request itself.
    pub csr: Option<CsrReport>,
    /// The key that it is about.
    pub public_key: Option<PublicKeyReport>,
    /// What the cluster will do with it.
    pub prediction: Option<Prediction>,
    /// What the cluster did with it.
    pub status: Option<StatusReport>,
    /// A certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateReport>,
    /// A private key, its public side only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<PrivateKeyReport>,
    /// A kubeconfig.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<KubeconfigReport>,
    /// What there is to say about it.
    pub findings: Vec<Finding>,
}

/// What a report depends on besides the bytes.
pub struct Context<'a> {
    /// The time to judge certificates by.
    pub now: OffsetDateTime,
    /// What was agreed on.
    pub agreed: Agreed<'a>,
    /// The passphrase of encrypted keys.
    pub passphrase: Option<&'a Passphrase>,
}

impl Report {
    /// A report over these objects.
    #[must_use]
    pub fn new(objects: Vec<Object>) -> Self {
        Self {
            api_version: "kube-enroll/v1",
            kind: "Report",
            objects,
        }
    }

    /// The report as JSON text, in which nothing moves or fools a terminal either.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        for character in format!("{:#}\n", self.to_value()).chars() {
            let is_plain = character.is_ascii() && character != '\u{7f}';
            if is_plain || !is_deceptive(character) {
                text.push(character);
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.extend([format!("\\u{unit:04x}")]);
            }
        }
        text
    }

    /// The report as a JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        // Strings, numbers and lists of them: nothing here can fail to be JSON.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Object {
    /// Whether anything was found that makes it no good.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.level == Level::Error)
    }
}

/// Reports on everything in one file. `source` is how the file is called in the report.
#[must_use]
pub fn inspect(source: &str, input: &[u8], context: &Context<'_>) -> Vec<Object> {
    let mut objects = artefact::objects(input, context);
    for object in &mut objects {
        source.clone_into(&mut object.source);
    }
    objects
}

/// Every `CertificateSigningRequest` among the documents of a file, those in lists included.
#[must_use]
pub fn signing_requests(documents: &[crate::yaml::Document]) -> Vec<CertificateSigningRequest> {
    artefact::flattened(documents)
        .into_iter()
        .filter(|object| artefact::kind(object) == Some(crate::manifest::KIND))
        .map(CertificateSigningRequest::read)
        .collect()
}
