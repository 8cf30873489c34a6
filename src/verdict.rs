//! The verdict on a request: only a good one yields what may be created, written anew from the values
//! that were checked. Not a byte of the file that was judged gets there.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use der::{Decode as _, Encode as _};
use serde_json::json;

use crate::agreement::{Agreement, Found};
use crate::csr::CertificationRequest;
use crate::inspect::Object;
use crate::manifest::{API_VERSION, KIND, Manifest};
use crate::policy::{Code, Finding, is_dns1123_subdomain, worst_first};
use crate::roster::Roster;
use crate::text::visible;

/// What a request asks for, as values.
#[derive(Debug, Clone)]
pub(crate) struct Requested {
    /// `metadata.name`.
    pub(crate) name: String,
    /// `spec.signerName`.
    pub(crate) signer: String,
    /// `spec.usages`.
    pub(crate) usages: Vec<String>,
    /// `spec.expirationSeconds`.
    pub(crate) expiration: Option<i32>,
    /// What is in `spec.request`.
    pub(crate) request: CertificationRequest,
}

impl Requested {
    /// What `kube-enroll request` would ask for in its place.
    pub(crate) fn of_request(request: CertificationRequest) -> Self {
        let user = request
            .subject()
            .identity_when_issued()
            .map(|identity| identity.username);
        let manifest = Manifest::new(user.as_deref().unwrap_or_default(), &request);
        Self {
            name: manifest.name,
            signer: manifest.signer,
            usages: manifest.usages,
            expiration: None,
            request,
        }
    }
}

/// A request that was judged good. Only [`judge`] makes one.
#[derive(Debug, Clone)]
pub struct Checked(Arc<Requested>);

impl Checked {
    /// `metadata.name`: a DNS-1123 subdomain.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The manifest, in JSON that is YAML as well: where it is cut off, no reader takes what there is
    /// of it for a smaller request.
    #[must_use]
    pub fn manifest(&self) -> String {
        let Requested {
            name,
            signer,
            usages,
            expiration,
            request,
        } = &*self.0;
        let mut spec = json!({
            "request": BASE64_STANDARD.encode(request.to_pem()),
            "signerName": signer,
            "usages": usages,
        });
        if let (Some(seconds), Some(spec)) = (expiration, spec.as_object_mut()) {
            spec.insert("expirationSeconds".to_owned(), (*seconds).into());
        }
        let object = json!({
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": name},
            "spec": spec,
        });
        format!("---\n{object:#}\n")
    }
}

/// Judges a request, with a comparison and findings added to its report. Good is what has no error,
/// is what was agreed on, has a name that is safe to handle and is encoded as DER demands.
///
/// Of a bare request, which names none, the report then shows name, signer and usages that the manifest
/// will have.
pub fn judge(object: &mut Object, agreement: &Agreement) {
    settle(object, |_| (agreement, None));
}

/// The same by the row of the person whose name is asked for. What nobody in the roster asks for is not
/// good.
pub fn judge_by_roster(object: &mut Object, roster: &Roster) {
    settle(object, |user| {
        match user.and_then(|user| roster.person(user)) {
            Some(person) => (person.agreement(), None),
            None => (&NOTHING, user.map(|user| stranger(user, roster))),
        }
    });
}

/// Where nothing was agreed on.
const NOTHING: Agreement = Agreement {
    user: None,
    groups: None,
    fingerprint: None,
    max_lifetime: None,
};

fn stranger(user: &str, roster: &Roster) -> Finding {
    let shown = visible(user);
    Finding::not_in_roster(match roster.look_alike(user) {
        Some(person) => format!(
            "nobody in the roster is called \"{shown}\", which only looks like \"{}\" in line {}",
            visible(person.user()),
            person.line()
        ),
        None => format!("nobody in the roster is called \"{shown}\""),
    })
}

/// `agreed` tells by the user name what was agreed on, and what is wrong where that is nothing.
fn settle<'a>(
    object: &mut Object,
    agreed: impl FnOnce(Option<&str>) -> (&'a Agreement, Option<Finding>),
) {
    if let Some(requested) = object.requested.as_deref()
        && object.signer_name.is_none()
        && object.usages.is_none()
        && object.name.is_none()
    {
        object.name = Some(requested.name.clone());
        object.signer_name = Some(requested.signer.clone());
        object.usages = Some(requested.usages.clone());
    }
    let fingerprint = object
        .requested()
        .map(|it| it.request.public_key().fingerprint());
    // Also of a request that would not be accepted: it is not the names that are wrong then.
    let asked_for = object
        .requested()
        .and_then(|it| it.request.subject().identity_when_issued());
    let found = Found {
        identity: asked_for.as_ref().or(object.identity.as_ref()),
        fingerprint,
        seconds: object.expiration_seconds.map(i64::from),
    };
    let user = found.identity.map(|identity| identity.username.as_str());
    let (agreement, stranger) = agreed(user);
    let (comparison, mut findings) = agreement.compare(&found);
    findings.extend(stranger);
    if object.requested().is_none() {
        // That it is no request says enough.
        findings.clear();
    }
    if object.lies_beside_a_key {
        findings.push(Finding::private_key_inside());
    }
    object.agreement = object.requested().map(|_| comparison);
    match object.requested() {
        Some(requested) => {
            if !is_dns1123_subdomain(&requested.name) {
                findings.push(Finding::name_is_no_subdomain());
            }
            if !is_canonical(&requested.request) {
                findings.push(Finding::unusual_encoding());
            }
        }
        None if object.has_errors() => {}
        None => {
            let kind = object.kind.as_deref().unwrap_or("nothing");
            findings.push(Finding::not_a_request(kind));
        }
    }
    // Whom the certificate of another signer lets in, and as whom, is for that signer to say.
    let lets_nobody_in = object.prediction.is_some_and(|it| !it.authenticates);
    let own = std::mem::take(&mut object.findings);
    findings.extend(own.into_iter().map(|finding| {
        if finding.code == Code::WeakKey.name() {
            finding.made_an_error()
        } else if finding.code == Code::OtherSigner.name() && lets_nobody_in {
            Finding::signer_not_agreed()
        } else {
            finding
        }
    }));
    worst_first(&mut findings);
    object.findings = findings;
    let is_good = comparison.is_agreed() && !object.has_errors();
    object.checked = object.requested.clone().filter(|_| is_good).map(Checked);
}

/// Whether another encoder writes what it read of the request to the very same bytes: then nothing
/// rests on our reader and the cluster's agreeing about others. Keys and signatures are whole bytes: with
/// unused bits, of which crypto/x509 knows what to make, one key would have several fingerprints.
fn is_canonical(request: &CertificationRequest) -> bool {
    let Ok(read) = x509_cert::request::CertReq::from_der(request.der()) else {
        return false;
    };
    let key = &read.info.public_key.subject_public_key;
    let is_whole = !key.has_unused_bits() && !read.signature.has_unused_bits();
    is_whole && read.to_der().is_ok_and(|encoded| encoded == request.der())
}
