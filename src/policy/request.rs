//! What lies in `spec.request`: the PEM block, the request in it, its signature.

use super::{Code, Effect, Finding};
use crate::csr::{self, CertificationRequest, PEM_LABEL};
use crate::error::Error;
use crate::key::{Hash, SignatureError};
use crate::looks::{look, under_its_coats};
use crate::pem;
use crate::shell;
use crate::text::{Show as _, visible};

const FIELD: &str = "spec.request";

/// The request, and what was found on the way to it.
pub(super) struct Contents {
    request: Result<CertificationRequest, Finding>,
    /// Bytes in `spec.request`, without its base64.
    size: usize,
    signature: Result<(), SignatureError>,
    findings: Vec<Finding>,
}

impl Contents {
    /// Decodes `spec.request` (k8s.io/kubernetes/pkg/apis/certificates `ParseCSR`).
    pub(super) fn of_manifest(request: Option<&[u8]>) -> Self {
        match request {
            Some(bytes) if !bytes.is_empty() => Self::of_pem(bytes),
            // A field that is not base64 has its own finding.
            _ => Self::new(
                Err(refused(Code::NoRequest, "there is no request in it")),
                0,
            ),
        }
    }

    /// Decodes a file that is no manifest: PEM, or else DER.
    pub(super) fn of_file(input: &[u8]) -> Self {
        if pem::first(input).is_some() {
            return Self::of_pem(input);
        }
        Self::new(read(input), super::size::of_pem(input.len()))
    }

    fn of_pem(input: &[u8]) -> Self {
        let Some(first) = pem::first(input) else {
            return Self::new(Err(no_block(input)), input.len());
        };
        let refused = (first.label != PEM_LABEL).then(|| wrong_label(&first.label));
        let request = match &refused {
            // What is in it is the same, so it can be shown.
            Some(finding) if first.label != csr::LEGACY_PEM_LABEL => Err(finding.clone()),
            _ => read(&first.contents),
        };
        let mut contents = Self::new(request, input.len());
        if contents.request.is_ok() {
            contents.findings.extend(refused);
        }
        contents.findings.extend(headers(&first));
        contents.findings.extend(around(input, first.span));
        contents
    }

    fn new(request: Result<CertificationRequest, Finding>, size: usize) -> Self {
        let signature = match &request {
            Ok(csr) => csr.verify(),
            Err(_) => Err(SignatureError::DoesNotVerify),
        };
        Self {
            request,
            size,
            signature,
            findings: Vec::new(),
        }
    }

    pub(super) fn csr(&self) -> Option<&CertificationRequest> {
        self.request.as_ref().ok()
    }

    pub(super) fn into_csr(self) -> Option<CertificationRequest> {
        self.request.ok()
    }

    pub(super) fn signature_valid(&self) -> bool {
        self.signature.is_ok()
    }

    pub(super) fn check(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        match &self.request {
            Ok(csr) => {
                findings.extend(signature(csr, &self.signature));
                findings.extend(super::size::check(csr, self.size));
            }
            Err(finding) => findings.push(finding.clone()),
        }
        findings
    }
}

fn refused(code: Code, message: impl Into<String>) -> Finding {
    Finding::new(Effect::NotAccepted, code, FIELD, message)
}

fn read(der: &[u8]) -> Result<CertificationRequest, Finding> {
    CertificationRequest::from_der(der).map_err(|error| {
        let detail = match error {
            Error::Malformed { detail, .. } => detail.to_string(),
            other => other.to_string(),
        };
        let message = format!("the API server cannot read the request: {detail}; make a new one");
        refused(Code::BadRequest, message)
    })
}

/// What the bytes are if they are not PEM.
fn no_block(input: &[u8]) -> Finding {
    let trimmed = input.trim_ascii();
    if trimmed.starts_with(b"LS0t") {
        return refused(
            Code::BadBase64,
            "base64 was applied twice; encode the PEM once",
        );
    }
    if trimmed.first() == Some(&0x30) {
        return refused(Code::NoRequest, "DER where PEM is needed; encode the PEM");
    }
    let found = look(input);
    if found.is_key() {
        return refused(
            Code::NoRequest,
            "a private key in place of the request: it is not secret any more, and a new one is needed",
        );
    }
    let why = match under_its_coats(input) {
        Some((_, coats)) => format!("; it was spoiled on its way ({coats})"),
        None if found.is_telling() => format!("; what is there: {}", found.show()),
        None => String::new(),
    };
    refused(
        Code::NoRequest,
        format!("no PEM block {PEM_LABEL} that can be decoded{why}"),
    )
}

fn wrong_label(label: &str) -> Finding {
    let hint = if label == csr::LEGACY_PEM_LABEL {
        shell::in_our_name("; kube-enroll request --csr FILE writes a manifest with the right one")
    } else {
        "".into()
    };
    let message = format!(
        "the first PEM block is {}, and the API server takes {PEM_LABEL} only{hint}",
        visible(label)
    );
    refused(Code::PemLabel, message)
}

fn headers(block: &pem::Block) -> Option<Finding> {
    (!block.headers.is_empty()).then(|| {
        let message = "the PEM block has headers, which the API server skips; take them out";
        Finding::new(Effect::Misleads, Code::TextAroundBlock, FIELD, message)
    })
}

/// A person may read what the API server skips.
fn around(input: &[u8], span: std::ops::Range<usize>) -> Vec<Finding> {
    let before = input.get(..span.start).unwrap_or_default();
    let after = input.get(span.end..).unwrap_or_default();
    let mut findings = Vec::new();
    let is_blank = |text: &[u8]| text.trim_ascii().is_empty();
    let second = pem::first(after);
    if let Some(second) = &second {
        let message = format!(
            "a second PEM block ({}) follows; the API server reads the first one only",
            visible(&second.label)
        );
        findings.push(Finding::new(
            Effect::Misleads,
            Code::SecondBlock,
            FIELD,
            message,
        ));
    }
    if !is_blank(before) || (second.is_none() && !is_blank(after)) {
        let message =
            "text stands around the PEM block, which the API server skips; do not go by it";
        findings.push(Finding::new(
            Effect::Misleads,
            Code::TextAroundBlock,
            FIELD,
            message,
        ));
    }
    findings
}

/// k8s.io/kubernetes/pkg/apis/certificates/validation `validateCSR`.
fn signature(csr: &CertificationRequest, verified: &Result<(), SignatureError>) -> Option<Finding> {
    match verified {
        Err(error) => {
            let message = format!(
                "{error}: the API server refuses the request; it was changed, or signed by another key"
            );
            Some(refused(Code::BadSignature, message))
        }
        Ok(()) if csr.signature_algorithm().hash() == Some(Hash::Sha1) => {
            let message = "signed with SHA-1, which is weak; make a new request with SHA-256";
            Some(Finding::new(
                Effect::Warns,
                Code::WeakSignature,
                FIELD,
                message,
            ))
        }
        Ok(()) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_of_old_tools_is_told_with_what_to_change() {
        let says_how = |label| {
            let message = wrong_label(label).message;
            assert!(message.contains(&format!("first PEM block is {label},")));
            message.contains("request --csr")
        };
        assert!(says_how("NEW CERTIFICATE REQUEST"));
        assert!(!says_how("CERTIFICATE"));
    }
}
