//! What the cluster will do with a request, and what in it would mislead the person who approves.
//!
//! Each rule is one small function that cites the code it speaks for. A rule answers with
//! findings; what a finding leads to is its effect, and the prediction follows from those.

use std::collections::HashMap;

use serde::Serialize;

use crate::csr::CertificationRequest;
use crate::manifest::{CLIENT_SIGNER, CertificateSigningRequest};
use crate::name::Identity;
use crate::text::bounded;
use crate::yaml::{Oddity, OddityKind};

mod catalogue;
mod identity;
mod key;
mod object;
mod qualified;
mod request;
mod shared;
mod signer;
mod size;

pub use catalogue::{CODES, Code, Entry, entries, explain, markdown};
pub(crate) use identity::check_names;
pub(crate) use qualified::is_dns1123_subdomain;
use request::Contents;
pub(crate) use shared::shared_factors;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Worth changing, though it works.
    Warning,
    /// The cluster refuses it, or it would mislead the person who approves it.
    Error,
}

/// What a finding leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// `kubectl create` fails.
    NotAccepted,
    /// The signer does not issue a certificate.
    NotIssued,
    /// The API server does not take the certificate for a user.
    NotAuthenticated,
    /// A person may take it for something else.
    Misleads,
    /// It works, and could be better.
    Warns,
    /// It works.
    Notes,
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// What it is, for programs: kebab-case, and never renamed.
    pub code: &'static str,
    /// The field it is about: `spec.usages`.
    pub field: String,
    /// What will happen and what to do. Safe to show in a terminal.
    pub message: String,
    #[serde(skip)]
    pub(crate) effect: Effect,
}

impl Finding {
    /// What was given to be verified is no request.
    #[must_use]
    pub fn not_a_request(kind: &str) -> Self {
        let message = match kind {
            "PrivateKey" => {
                "a private key is no certificate signing request: it stays with its owner; \
                             delete it, and have a new one made there"
                    .to_owned()
            }
            _ => format!("{kind} is no certificate signing request"),
        };
        Self::new(Effect::NotAccepted, Code::WrongKind, "kind", message)
    }

    /// Where a request should be, a private key came along.
    #[must_use]
    pub(crate) fn private_key_inside() -> Self {
        Self::new(
            Effect::NotAccepted,
            Code::WrongKind,
            "",
            "there is a private key in the file, which stays with its owner: delete it, and have a \
             new one made there, with a new request",
        )
    }

    /// Nobody agreed on a signer of whom it cannot be told what it makes of the request.
    pub(crate) fn signer_not_agreed() -> Self {
        let message = format!(
            "the request is for another signer than {CLIENT_SIGNER}: that its certificate lets in this \
             person, and nobody else, cannot be told; ask for one without --signer"
        );
        Self::new(
            Effect::Misleads,
            Code::OtherSigner,
            "spec.signerName",
            message,
        )
    }

    /// The request was written with another encoder than any that people use.
    pub(crate) fn unusual_encoding() -> Self {
        Self::new(
            Effect::Misleads,
            Code::UnusualEncoding,
            "spec.request",
            "the request is not encoded as DER demands, so that two readers may read it in two \
             ways; make a new one",
        )
    }

    /// It is taken by the server, and is no name that is safe to handle.
    pub(crate) fn name_is_no_subdomain() -> Self {
        Self::new(
            Effect::Misleads,
            Code::BadName,
            "metadata.name",
            "the name is no DNS-1123 subdomain (lower-case letters, digits, - and .), so that \
             commands with it may do something else; ask for a request under another name",
        )
    }

    /// Something in the file that readers take in different ways.
    pub(crate) fn second_meaning(oddity: Oddity) -> Self {
        let effect = match oddity.kind {
            OddityKind::Utf16 => Effect::Notes,
            _ => Effect::Misleads,
        };
        let message = format!(
            "line {}: {}; programs may read the file in different ways",
            oddity.line, oddity.kind
        );
        Self::new(effect, Code::SecondMeaning, "", message)
    }

    /// Who creates the file creates all that is in it.
    pub(crate) fn not_alone() -> Self {
        Self::new(
            Effect::Misleads,
            Code::NotAlone,
            "",
            "the file holds other things than requests; who creates it creates them all",
        )
    }

    /// What stands around the objects is checked by nobody.
    pub(crate) fn list_with_more() -> Self {
        Self::new(
            Effect::Misleads,
            Code::NotAlone,
            "",
            "the list that it stands in has fields besides its items, which kubectl passes over",
        )
    }

    pub(crate) fn not_in_roster(message: String) -> Self {
        Self::new(
            Effect::Misleads,
            Code::NotInRoster,
            "identity.username",
            message,
        )
    }

    pub(crate) fn second_request(count: usize, user: &str, is_key_agreed: bool) -> Self {
        let user = crate::text::visible(user);
        let without = if is_key_agreed {
            ""
        } else {
            " without the fingerprint"
        };
        let message = format!(
            "there are {count} requests for \"{user}\" that are as agreed on; which is meant cannot be \
             told{without}"
        );
        Self::new(
            Effect::Misleads,
            Code::SecondRequest,
            "identity.username",
            message,
        )
    }

    /// `what` tells which other request is for the same user, with another key; it is escaped already.
    pub(crate) fn second_to(what: &str, user: &str) -> Self {
        let user = crate::text::visible(user);
        let message = format!(
            "{what} \"{user}\" too, with another key; which is meant cannot be told without the fingerprint"
        );
        Self::new(
            Effect::Misleads,
            Code::SecondRequest,
            "identity.username",
            message,
        )
    }

    /// What a file says of the cluster's decision.
    pub(crate) fn claimed_status() -> Self {
        Self::new(
            Effect::Misleads,
            Code::ClaimedStatus,
            "status",
            "the file says what the cluster decided, which anybody can write into it; only what kubectl \
             prints into standard input is taken from the cluster (kubectl get csr -o yaml | kube-enroll \
             verify - ...)",
        )
    }

    /// `place` is where the other one is.
    pub(crate) fn same_name(effect: Effect, place: &str) -> Self {
        let message = format!(
            "another request of this name is in {place}: kubectl create fails for the second one"
        );
        Self::new(effect, Code::SameName, "metadata.name", message)
    }

    /// A key that is too weak is worth a warning to its owner and no signature.
    pub(crate) fn made_an_error(mut self) -> Self {
        self.effect = Effect::Misleads;
        self.level = Level::Error;
        self
    }

    pub(crate) fn same_key(place: &str) -> Self {
        let message = format!(
            "the same key is in {place} under another subject: whoever holds it is both; every \
             person needs a key of their own"
        );
        Self::new(Effect::Warns, Code::SameKey, key::FIELD, message)
    }

    /// The holder of the key asks to be somebody else as well. `is_agreed` where the key was agreed on
    /// with this person.
    pub(crate) fn key_of_another(place: &str, user: &str, is_agreed: bool) -> Self {
        let effect = if is_agreed {
            Effect::Warns
        } else {
            Effect::Misleads
        };
        let user = crate::text::visible(user);
        let message = format!(
            "the same key asks for \"{user}\" in {place}: whoever holds it would be both; every person \
             needs a key of their own"
        );
        Self::new(effect, Code::SameKey, key::FIELD, message)
    }

    /// `place` is where the other key is.
    pub(crate) fn shared_factor(place: Option<&str>) -> Self {
        let message = format!(
            "the modulus shares a prime with that of {}: anyone can have both private keys; make \
             new ones, on a machine with a good source of randomness",
            place.unwrap_or("another key of this run")
        );
        Self::new(Effect::Misleads, Code::SharedFactor, key::FIELD, message)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn new(
        effect: Effect,
        code: Code,
        field: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let level = match effect {
            Effect::NotAccepted
            | Effect::NotIssued
            | Effect::NotAuthenticated
            | Effect::Misleads => Level::Error,
            Effect::Warns => Level::Warning,
            Effect::Notes => Level::Note,
        };
        Self {
            level,
            code: code.name(),
            field: bounded(field.into()),
            message: bounded(message.into()),
            effect,
        }
    }
}

/// What will become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Prediction {
    /// `kubectl create -f` succeeds; of a bare request, which kubectl does not read, with the manifest
    /// that is made of it.
    pub accepted: bool,
    /// Once approved, kube-controller-manager fills `status.certificate`; `None` where another
    /// signer decides.
    pub issued: Option<bool>,
    /// The API server takes the certificate for a user.
    pub authenticates: bool,
}

/// A request after review.
#[derive(Debug, Clone)]
pub struct Review {
    /// The certification request inside, where it can be read.
    pub csr: Option<CertificationRequest>,
    /// Whether its signature verifies.
    pub signature_valid: bool,
    /// What will become of it.
    pub prediction: Prediction,
    /// Who the holder of the certificate will be; `None` where it does not authenticate.
    pub identity: Option<Identity>,
    /// Everything found, the worst first.
    pub findings: Vec<Finding>,
}

/// What was agreed on outside of the request, against which look-alikes are told.
#[derive(Debug, Clone, Default)]
pub struct Agreed<'a> {
    /// The user name.
    pub user: Option<&'a str>,
    /// The groups.
    pub groups: &'a [String],
}

/// Reviews a manifest by the rules of kube-apiserver and kube-controller-manager, and for what would
/// mislead; `comments` are those that stand around it.
#[must_use]
pub fn review(
    object: &CertificateSigningRequest,
    comments: &[String],
    agreed: &Agreed<'_>,
) -> Review {
    let contents = Contents::of_manifest(object.request.as_deref());
    let mut findings = object::check(object);
    findings.extend(signer::check(object, contents.csr()));
    findings.extend(identity::check_comments(comments, contents.csr()));
    let signer = Some(object.signer_name.as_str());
    finish(findings, contents, signer, agreed)
}

/// Reviews a request without a manifest, as if `kube-enroll request` had wrapped it.
#[must_use]
pub fn review_csr(input: &[u8], agreed: &Agreed<'_>) -> Review {
    let contents = Contents::of_file(input);
    finish(Vec::new(), contents, Some(CLIENT_SIGNER), agreed)
}

fn finish(
    mut findings: Vec<Finding>,
    contents: Contents,
    signer: Option<&str>,
    agreed: &Agreed<'_>,
) -> Review {
    findings.extend(contents.check());
    if let Some(csr) = contents.csr() {
        findings.extend(identity::check(csr, signer == Some(CLIENT_SIGNER), agreed));
        findings.extend(key::check(csr));
    }
    worst_first(&mut findings);
    let prediction = predict(&findings, signer);
    cut(&mut findings);
    let identity = contents
        .csr()
        .filter(|_| prediction.authenticates)
        .and_then(|csr| csr.subject().identity_when_issued());
    Review {
        signature_valid: contents.signature_valid(),
        csr: contents.into_csr(),
        prediction,
        identity,
        findings,
    }
}

/// Warnings about what changes nothing of who gets in, with what and for how long.
const HARMLESS: [Code; 5] = [
    Code::SubmitterFields,
    Code::SubjectAltNames,
    Code::LongName,
    Code::NameSyntax,
    Code::BadName,
];

/// Brings findings into the order of how much they matter, those that matter as much in the order in
/// which they were found.
pub(crate) fn worst_first(findings: &mut [Finding]) {
    let is_harmless = |finding: &Finding| HARMLESS.iter().any(|code| code.name() == finding.code);
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.level), is_harmless(finding)));
}

/// More findings of one code than this help nobody. They are cut by code and level, so that no number
/// of harmless ones hides another.
fn cut(findings: &mut Vec<Finding>) {
    const ENOUGH: usize = 10;
    let mut count = HashMap::new();
    findings.retain(|finding| {
        let seen = count.entry((finding.code, finding.level)).or_insert(0);
        *seen += 1;
        *seen <= ENOUGH
    });
}

fn predict(findings: &[Finding], signer: Option<&str>) -> Prediction {
    let has = |effect| findings.iter().any(|finding| finding.effect == effect);
    let accepted = !has(Effect::NotAccepted);
    let issued = if accepted && signer.is_some_and(|signer| !signer::is_in_tree(signer)) {
        None
    } else {
        Some(accepted && !has(Effect::NotIssued))
    };
    Prediction {
        accepted,
        issued,
        authenticates: issued == Some(true) && !has(Effect::NotAuthenticated),
    }
}

/// The message alone, whose names are escaped already.
impl crate::text::Show for Finding {
    fn show(&self) -> crate::text::Text {
        crate::text::Text::of_escaped(&self.message)
    }
}
