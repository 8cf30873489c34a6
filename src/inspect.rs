//! What any file of the journey is and says: one report, shown as text or as JSON.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::agreement::{Comparison, Point};
use crate::key::Fingerprint;
use crate::looks::holds_private_key;
use crate::manifest::CertificateSigningRequest;
use crate::name::{Identity, Name};
use crate::policy::{Agreed, Code, Finding, Level, Prediction, worst_first};
use crate::secret::Passphrase;
use crate::verdict::{Checked, Requested};

mod artefact;
mod contexts;
mod object;
mod preferences;
mod public;
#[cfg(test)]
mod schema;
mod status;
mod style;
mod text;
mod together;

pub(crate) use artefact::{flattened, is_kubeconfig, kind};
pub(crate) use contexts::key_of_another;
pub use contexts::{ContextReport, ReadFile, named_files};
pub use object::{
    CertificateReport, CsrReport, KubeconfigReport, PrivateKeyReport, PublicKeyReport,
};
pub use preferences::KubercReport;
pub use public::{MaybeSecret, demand_public};
pub(crate) use status::LEEWAY_SECONDS;
pub use status::{State, StatusReport, check_chain, check_issued, state};
pub use style::Style;
pub use text::Look;
pub use together::{Claims, KeysSeen, find_shared_factors, leave_out_doubles, refuse_same_names};

/// `apiVersion` of reports; their JSON form is stable.
const API_VERSION: &str = "kube-enroll/v1";
/// `kind` of reports.
const KIND: &str = "Report";

/// One key, request, certificate, object or kubeconfig.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// Who the API server takes the holder of the certificate for; `None` where it takes them for
    /// nobody.
    pub identity: Option<Identity>,
    /// The request itself.
    pub csr: Option<CsrReport>,
    /// The key that it is about.
    pub public_key: Option<PublicKeyReport>,
    /// What the cluster will do with it.
    pub prediction: Option<Prediction>,
    /// What the cluster did with it.
    pub status: Option<Box<StatusReport>>,
    /// A certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Box<CertificateReport>>,
    /// A private key, its public side only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<PrivateKeyReport>,
    /// A kubeconfig.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<Box<KubeconfigReport>>,
    /// Preferences of kubectl.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kuberc: Option<Box<KubercReport>>,
    /// `good` or `not-good`, where it was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("enum" = ["good", "not-good"])))]
    pub verdict: Option<&'static str>,
    /// How it compares with what was agreed on, where it was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Comparison>,
    /// What there is to say about it, the worst first.
    pub findings: Vec<Finding>,
    /// Whether it was fetched from a cluster.
    #[serde(skip)]
    pub(crate) is_from_server: bool,
    /// Whether a private key stands in its file that is no object of its own.
    #[serde(skip)]
    pub(crate) lies_beside_a_key: bool,
    /// What a request asks for.
    #[serde(skip)]
    pub(crate) requested: Option<Arc<Requested>>,
    /// The same, once it was judged good.
    #[serde(skip)]
    pub(crate) checked: Option<Checked>,
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

/// A report over these objects.
#[must_use]
pub fn report(objects: &[Object], style: Style) -> String {
    let objects_in_style: Vec<String> = objects.iter().map(|object| style.object(object)).collect();
    [
        style.head(objects.is_empty()),
        objects_in_style.join(style.between()),
        style.tail(objects.is_empty()).to_owned(),
    ]
    .concat()
}

impl Object {
    /// The object as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        // Strings, numbers and lists of them: nothing here can fail to be JSON.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Whether it is a private key.
    #[must_use]
    pub fn is_private_key(&self) -> bool {
        self.private_key.is_some()
    }

    /// Whether it is about an RSA key.
    #[must_use]
    pub fn has_rsa_key(&self) -> bool {
        self.rsa_modulus().is_some()
    }

    fn rsa_modulus(&self) -> Option<&[u8]> {
        self.public_key.as_ref()?.rsa_modulus.as_deref()
    }

    /// Whether it stands in a cluster: the server filled it in, or did something with it.
    #[must_use]
    pub fn is_in_cluster(&self) -> bool {
        self.is_from_server || self.status.is_some()
    }

    pub(crate) fn requested(&self) -> Option<&Requested> {
        self.requested.as_deref()
    }

    /// What may be created of it: of a request that was judged good and in which nothing was found
    /// since.
    #[must_use]
    pub fn checked(&self) -> Option<&Checked> {
        self.checked.as_ref().filter(|_| !self.has_errors())
    }

    /// The user name that a request asks for, whatever the cluster makes of it.
    #[must_use]
    pub fn asked_user(&self) -> Option<String> {
        let asked = self.requested().map(|it| it.request.subject());
        let asked = asked.and_then(Name::identity_when_issued);
        let identity = asked.as_ref().or(self.identity.as_ref());
        identity.map(|identity| identity.username.clone())
    }

    /// It is one of several that were judged good for one person.
    pub fn is_one_of_several(&mut self, count: usize, user: &str) {
        let is_key_agreed = self.is_key_agreed();
        self.add(Finding::second_request(count, user, is_key_agreed));
    }

    /// Another key asks for the same user: `what` tells which request that is.
    pub fn is_second_to(&mut self, what: &str, user: &str) {
        self.add(Finding::second_to(what, user));
    }

    /// The same key asks to be another user at `place`; the roster may have agreed on that.
    pub fn has_the_key_of(&mut self, user: &str, place: &str) {
        let is_agreed = self.is_key_agreed();
        self.add(Finding::key_of_another(place, user, is_agreed));
    }

    /// It says what the cluster decided, and is not from there.
    pub fn claims_a_decision(&mut self) {
        self.add(Finding::claimed_status());
    }

    /// Whether its key is the one that was agreed on.
    #[must_use]
    pub fn is_key_agreed(&self) -> bool {
        self.agreement
            .is_some_and(|agreement| agreement.fingerprint == Point::Agreed)
    }

    /// Whether the cluster decided on it, by its own word.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        let state = self.status.as_ref().map(|status| status.state);
        state.is_some_and(|state| state != State::Pending)
    }

    /// What of key and lifetime nobody agreed on, of a request.
    #[must_use]
    pub fn not_compared(&self) -> Vec<&'static str> {
        let agreement = self.agreement.into_iter();
        let points =
            agreement.flat_map(|it| [("fingerprint", it.fingerprint), ("lifetime", it.lifetime)]);
        let points = points.filter(|(_, point)| *point == Point::NotCompared);
        points.map(|(name, _)| name).collect()
    }

    /// The key of a request that its holder signed.
    #[must_use]
    pub fn signed_by(&self) -> Option<Fingerprint> {
        let csr = self.csr.as_ref();
        csr.filter(|csr| csr.signature_valid)?;
        Some(self.public_key.as_ref()?.fingerprint)
    }

    /// Where a person finds it.
    #[must_use]
    pub fn place(&self) -> String {
        let source = crate::text::visible(&self.source);
        match &self.name {
            Some(name) => format!("{name} ({source})"),
            None => source.to_string(),
        }
    }

    /// Writes the verdict down. Nothing is to be found in it any more.
    pub fn seal(&mut self) {
        self.verdict = Some(if self.checked().is_some() {
            "good"
        } else {
            "not-good"
        });
    }

    /// Whether it is as agreed on, and nothing is wrong with it but perhaps that another one in its file
    /// has its name.
    fn wants_its_name(&self) -> bool {
        let mut errors = self
            .findings
            .iter()
            .filter(|finding| finding.level == Level::Error);
        self.requested.is_some()
            && self
                .agreement
                .is_some_and(|agreement| agreement.is_agreed())
            && errors.all(|finding| finding.code == Code::SameName.name())
    }

    /// Adds what kubectl refuses it for.
    fn refuse(&mut self, finding: Finding) {
        self.add(finding);
        self.prediction = Some(object::REFUSED);
        self.identity = None;
    }

    /// Looks at the certificates and keys that a kubeconfig names; `read` says why where it does not
    /// read one. Files without an absolute path lie in or below `folder`.
    pub fn look_up(&mut self, folder: &Path, read: ReadFile<'_>, now: OffsetDateTime) {
        if let Some(kubeconfig) = &mut self.kubeconfig {
            let findings = kubeconfig.look_up(folder, read, now);
            self.add_all(findings);
        }
    }

    /// Adds a finding behind those that matter as much.
    fn add(&mut self, finding: Finding) {
        self.add_all([finding]);
    }

    fn add_all(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
        worst_first(&mut self.findings);
    }

    /// Whether anything was found that makes it no good.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.level == Level::Error)
    }
}

/// Reports on everything in one file: one object for each key, request, certificate or document, in
/// order, and one without a kind for what cannot be read. `source` is how the file is called in the
/// report. All of `input` is read, so the caller sets the bound; where it is owned, it is let go of as soon
/// as it was read.
#[must_use]
pub fn inspect<'i>(
    source: &str,
    input: impl Into<Cow<'i, [u8]>>,
    context: &Context<'_>,
) -> Vec<Object> {
    let input = input.into();
    let holds_key = holds_private_key(&input);
    let mut objects = artefact::objects(source, input, context);
    // One that is an object of its own says so itself.
    let is_apart = objects.iter().any(Object::is_private_key);
    if let [first, ..] = &mut objects[..] {
        first.lies_beside_a_key = !is_apart && holds_key;
    }
    for object in &mut objects {
        source.clone_into(&mut object.source);
    }
    objects
}

/// Whether it is a list with nothing in it, as `kubectl get` prints where there is nothing.
#[must_use]
pub fn is_empty_list(input: &[u8]) -> bool {
    let documents = crate::yaml::documents(input);
    let [document] = &documents[..] else {
        return false;
    };
    let list = document.content.as_ref().ok().and_then(Value::as_object);
    list.is_some_and(|list| crate::manifest::items(list).is_ok_and(|items| items.is_empty()))
}

/// Every `CertificateSigningRequest` among the documents of a file, those in lists included.
#[must_use]
pub fn signing_requests(documents: &[crate::yaml::Document]) -> Vec<CertificateSigningRequest> {
    flattened(documents)
        .into_iter()
        .filter(|object| kind(object) == Some(crate::manifest::KIND))
        .map(|object| CertificateSigningRequest::read(&object))
        .collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;
    use crate::csr::CertificationRequest;
    use crate::key::{Algorithm, PrivateKey};
    use crate::manifest::Manifest;
    use crate::name::Subject;
    use crate::rehearsal::Authority;
    use crate::yaml;

    fn named(name: &str) -> Object {
        Object {
            name: Some(name.to_owned()),
            ..Object::default()
        }
    }

    #[test]
    fn a_report_of_any_length_is_one_document() {
        let text = "a\n\u{202e}\u{e0041}\u{7f}\"é";
        let objects = [named("a"), named(text)];
        for count in 0..=2 {
            let objects = &objects[..count];
            let json = report(objects, Style::Json);
            let yaml = report(objects, Style::Yaml);
            let from_json: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(from_json, yaml::first_document(yaml.as_bytes()).unwrap());
            assert_eq!(from_json["kind"], "Report");
            let names: Vec<_> = from_json["objects"].as_array().unwrap().iter().collect();
            let expected: Vec<Value> = objects.iter().map(Object::to_value).collect();
            assert_eq!(names, expected.iter().collect::<Vec<_>>());
            let deceives = |c: char| c != '\n' && crate::text::is_deceptive(c);
            assert!(!json.contains(deceives) && !yaml.contains(deceives));
            assert!(json.ends_with("]\n}\n"));
        }
    }

    const NOW: OffsetDateTime = time::macros::datetime!(2030-01-02 03:04:05 UTC);

    fn seen(input: &[u8]) -> Object {
        let context = Context {
            now: NOW,
            agreed: Agreed::default(),
            passphrase: None,
        };
        inspect("file", input, &context).remove(0)
    }

    #[test]
    fn a_certificate_stands_for_its_holder_unless_it_is_an_authoritys() {
        let rng = &mut getrandom::SysRng;
        let authority = Authority::new(NOW, rng).unwrap();
        let key = PrivateKey::generate(Algorithm::Ed25519, rng).unwrap();
        let subject = Subject::new("alice", &["dev".to_owned()], false).unwrap();
        let csr = CertificationRequest::build(&subject, &[], &key, rng).unwrap();
        let asked = CertificateSigningRequest::default();
        let issued = authority.sign(&csr, &asked, NOW, rng).unwrap();

        let holder = seen(issued.to_pem().as_bytes());
        assert_eq!(holder.source, "file");
        assert_eq!(holder.kind.as_deref(), Some("Certificate"));
        assert_eq!(holder.identity.unwrap().username, "alice");
        assert_eq!(holder.findings, []);
        let issuer = seen(authority.certificate().der());
        assert_eq!(issuer.identity, None);
        assert!(issuer.certificate.unwrap().is_ca);
    }

    fn request() -> CertificationRequest {
        let rng = &mut getrandom::SysRng;
        let key = PrivateKey::generate(Algorithm::Ed25519, rng).unwrap();
        let subject = Subject::new("alice", &[], false).unwrap();
        CertificationRequest::build(&subject, &[], &key, rng).unwrap()
    }

    #[test]
    fn a_manifest_is_told_with_its_usages_and_that_its_request_is_signed() {
        let manifest = seen(Manifest::new("alice", &request()).to_yaml().as_bytes());
        let usages = ["digital signature", "client auth"];
        assert_eq!(manifest.usages.unwrap(), usages);
        assert!(manifest.csr.unwrap().signature_valid);
    }

    #[test]
    fn the_base64_of_a_request_is_the_request() {
        let request = request();
        let pem = request.to_pem();
        for bytes in [request.der(), pem.as_bytes()] {
            let object = seen(BASE64_STANDARD.encode(bytes).as_bytes());
            assert_eq!(object.kind.as_deref(), Some("CertificationRequest"));
        }
    }

    #[test]
    fn a_private_key_is_told_from_a_public_one() {
        let key = PrivateKey::generate(Algorithm::Ed25519, &mut getrandom::SysRng).unwrap();
        let private = seen(key.to_pkcs8_pem().unwrap().expose().as_bytes());
        let public = seen(key.public_key().spki_der());
        assert_eq!(private.kind.as_deref(), Some("PrivateKey"));
        assert_eq!(public.kind.as_deref(), Some("PublicKey"));
        assert!(private.is_private_key() && !public.is_private_key());
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (input, said) in [
            (&b""[..], "there is nothing in it"),
            (
                b"apiVersion: v1\nkind: List\nitems: []",
                "a list with nothing in it",
            ),
            (
                b"\na: 1",
                "line 2: an object without kind, which kubectl refuses",
            ),
            (
                b"a",
                "line 1: not a Kubernetes object, nor PEM, DER or base64",
            ),
            (b"a\n---\n\x80", "neither PEM, DER, base64, YAML nor JSON"),
        ] {
            let object = seen(input);
            assert_eq!(object.kind, None);
            assert_eq!(object.findings[0].message, said);
        }
    }

    #[test]
    fn errors_alone_make_an_object_no_good_and_stand_first() {
        let mut object = named("a");
        object.add(Finding::same_key("b"));
        assert!(!object.has_errors());
        object.add(Finding::shared_factor(None));
        object.add(Finding::same_key("c"));
        assert!(object.has_errors());
        let codes: Vec<_> = object.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["shared-factor", "same-key", "same-key"]);
        assert!(object.findings[1].message.contains("in b"));
    }
}
