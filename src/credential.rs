//! What kubectl and exec credential plugins tell each other
//! (k8s.io/client-go/pkg/apis/clientauthentication/v1 and plugin/pkg/client/auth/exec).

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::certificate::{Chain, show_time};
use crate::secret::Secret;

/// The version of the protocol in the kubeconfigs that are written here.
pub const API_VERSION: &str = "client.authentication.k8s.io/v1";

/// The environment variable in which kubectl tells what it wants.
pub const EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";

/// What a kubeconfig says of asking: only where there is a terminal.
pub const INTERACTIVE_MODE: &str = "IfAvailable";

/// A version of the protocol: what is asked for in one is answered in the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ApiVersion {
    /// `client.authentication.k8s.io/v1`.
    #[default]
    V1,
    /// `client.authentication.k8s.io/v1beta1`, which kubeconfigs of earlier years name.
    V1Beta1,
}

/// Why kubectl cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecInfoError {
    /// Not an `ExecCredential` in JSON.
    #[error("not an ExecCredential in JSON")]
    Malformed,
    /// Another version of the protocol.
    #[error("apiVersion is \"{0}\", expected \"{API_VERSION}\" or \"{API_VERSION}beta1\"")]
    Version(String),
}

#[derive(Deserialize)]
struct Request {
    #[serde(default, rename = "apiVersion")]
    api_version: String,
}

impl ApiVersion {
    /// The version that the value of [`EXEC_INFO`] asks for. Whether it says `interactive` does not
    /// count: clients say so where there is no terminal, and deny it where only their standard input is
    /// taken.
    ///
    /// # Errors
    /// [`ExecInfoError`] for anything but an `ExecCredential` of a version known here.
    pub fn asked_for(json: &str) -> Result<Self, ExecInfoError> {
        let request: Request = serde_json::from_str(json).map_err(|_| ExecInfoError::Malformed)?;
        let known = [Self::V1, Self::V1Beta1];
        let asked = known
            .into_iter()
            .find(|it| it.name() == request.api_version);
        asked.ok_or(ExecInfoError::Version(request.api_version))
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => API_VERSION,
            Self::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }
}

/// The answer: an `ExecCredential` in JSON with the certificate and, as PEM that is not encrypted,
/// the key; good until the first certificate of the chain ends.
#[must_use]
pub fn answer(version: ApiVersion, chain: &Chain, key_pem: &Secret<String>) -> Secret<String> {
    let pem = chain.to_pem();
    let mut json = Zeroizing::new(String::with_capacity(
        2 * (pem.len() + key_pem.expose().len()),
    ));
    json.push_str("{\"kind\":\"ExecCredential\",\"apiVersion\":\"");
    json.push_str(version.name());
    json.push_str("\",\"status\":{\"expirationTimestamp\":\"");
    json.push_str(&show_time(chain.not_after()));
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
    fn what_is_asked_for_in_one_version_is_answered_in_it() {
        let sent = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{"server":"https://a","config":null},"interactive":true}}"#;
        assert_eq!(ApiVersion::asked_for(sent), Ok(ApiVersion::V1));
        let beta = sent.replace("io/v1", "io/v1beta1");
        assert_eq!(ApiVersion::asked_for(&beta), Ok(ApiVersion::V1Beta1));
        let bare = r#"{"apiVersion":"client.authentication.k8s.io/v1beta1"}"#;
        assert_eq!(ApiVersion::asked_for(bare), Ok(ApiVersion::V1Beta1));
    }

    #[test]
    fn another_version_is_told_from_nonsense() {
        let old = r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1","spec":{}}"#;
        for version in [old, "{}"] {
            let found = ApiVersion::asked_for(version);
            assert!(matches!(found, Err(ExecInfoError::Version(_))), "{found:?}");
        }
        let nonsense = ApiVersion::asked_for(r#"{"apiVersion": 12345}"#);
        assert_eq!(nonsense, Err(ExecInfoError::Malformed));
    }
}
