//! What kubectl and exec credential plugins tell each other
//! (k8s.io/client-go/pkg/apis/clientauthentication/v1 and plugin/pkg/client/auth/exec).

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::certificate::{Certificate, show_time};
use crate::secret::Secret;

/// The version of the protocol.
pub const API_VERSION: &str = "client.authentication.k8s.io/v1";

/// The environment variable in which kubectl tells what it wants.
pub const EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";

/// What a kubeconfig says of asking: only where there is a terminal.
pub const INTERACTIVE_MODE: &str = "IfAvailable";

/// What kubectl wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecInfo {
    /// Whether standard input is a terminal on which a person may be asked.
    pub interactive: bool,
}

/// Why kubectl cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecInfoError {
    /// Not an `ExecCredential` in JSON.
    #[error("not an ExecCredential: {0}")]
    Malformed(String),
    /// Another version of the protocol.
    #[error("apiVersion is \"{0}\", expected \"{API_VERSION}\"")]
    Version(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    api_version: String,
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    interactive: bool,
}

impl ExecInfo {
    /// Reads the value of [`EXEC_INFO`]; a cluster in it is passed over.
    ///
    /// # Errors
    /// [`ExecInfoError`] for anything but an `ExecCredential` of [`API_VERSION`].
    pub fn read(json: &str) -> Result<Self, ExecInfoError> {
        let request: Request = serde_json::from_str(json)
            .map_err(|error| ExecInfoError::Malformed(error.to_string()))?;
        if request.api_version != API_VERSION {
            return Err(ExecInfoError::Version(request.api_version));
        }
        Ok(Self {
            interactive: request.spec.interactive,
        })
    }
}

/// The answer: an `ExecCredential` in JSON with the certificate and, as PEM that is not encrypted,
/// the key; good until the first certificate of the chain ends.
#[must_use]
pub fn answer(chain: &[Certificate], key_pem: &Secret<String>) -> Secret<String> {
    let pem: String = chain.iter().map(Certificate::to_pem).collect();
    let end = chain
        .iter()
        .map(Certificate::not_after)
        .min()
        .map(show_time);
    let mut json = Zeroizing::new(String::with_capacity(
        2 * (pem.len() + key_pem.expose().len()),
    ));
    json.push_str("{\"kind\":\"ExecCredential\",\"apiVersion\":\"");
    json.push_str(API_VERSION);
    json.push_str("\",\"status\":{\"expirationTimestamp\":\"");
    json.push_str(&end.unwrap_or_default());
    json.push_str("\",\"clientCertificateData\":\"");
    push_lines(&pem, &mut json);
    json.push_str("\",\"clientKeyData\":\"");
    push_lines(key_pem.expose(), &mut json);
    json.push_str("\"}}\n");
    json.into()
}

/// PEM holds nothing but line breaks that JSON escapes.
fn push_lines(pem: &str, json: &mut String) {
    for line in pem.lines() {
        json.push_str(line);
        json.push_str("\\n");
    }
}

crate::text::show_raw!(ExecInfoError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubectl_sends_is_read() {
        let sent = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{"server":"https://a","config":null},"interactive":true}}"#;
        assert_eq!(ExecInfo::read(sent), Ok(ExecInfo { interactive: true }));
        let silent = sent.replace(",\"interactive\":true", "");
        assert_eq!(ExecInfo::read(&silent), Ok(ExecInfo { interactive: false }));
    }

    #[test]
    fn another_version_is_told_from_nonsense() {
        let old = r#"{"apiVersion":"client.authentication.k8s.io/v1beta1","spec":{}}"#;
        assert!(matches!(
            ExecInfo::read(old),
            Err(ExecInfoError::Version(_))
        ));
        assert!(matches!(
            ExecInfo::read("{}"),
            Err(ExecInfoError::Malformed(_))
        ));
    }
}
