//! `CertificateSigningRequest` of certificates.k8s.io/v1: written as a manifest, and read, strictly
//! typed, with what is wrong in it (k8s.io/api/certificates/v1 `CertificateSigningRequest`).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::certificate::Certificate;
use crate::csr::CertificationRequest;
use crate::key::PublicKey;
use crate::lifetime::Lifetime;
use crate::pem;
use crate::text::hex;
use crate::yaml;

mod fields;
mod list;

use fields::Fields;
pub use fields::{FieldProblem, ProblemKind};
pub use list::{ListProblem, has_more, items};

/// The API version of the manifests.
pub const API_VERSION: &str = "certificates.k8s.io/v1";

/// The kind of the manifests.
pub const KIND: &str = "CertificateSigningRequest";

/// The signer of client certificates for the API server
/// (k8s.io/api/certificates/v1 `KubeAPIServerClientSignerName`).
pub const CLIENT_SIGNER: &str = "kubernetes.io/kube-apiserver-client";

/// How many hexadecimal digits of [`contents_hash`] an object's name carries. They can be ground, so
/// a name tells requests apart and proves nothing.
const HASH_DIGITS: usize = 8;

/// What a manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// `metadata.name`.
    pub name: String,
    /// `spec.request`: PEM.
    pub request: String,
    /// `spec.signerName`.
    pub signer: String,
    /// `spec.usages`.
    pub usages: Vec<String>,
    /// `spec.expirationSeconds`.
    pub expiration: Option<Lifetime>,
}

impl Manifest {
    /// A manifest for `request`: named by [`object_name`], for [`CLIENT_SIGNER`], with the usages
    /// that fit the kind of key, and without a lifetime, which leaves it to the cluster.
    #[must_use]
    pub fn new(user: &str, request: &CertificationRequest) -> Self {
        Self::asking(user, request, CLIENT_SIGNER, None)
    }

    /// The same for another signer and with a lifetime.
    #[must_use]
    pub fn asking(
        user: &str,
        request: &CertificationRequest,
        signer: &str,
        expiration: Option<Lifetime>,
    ) -> Self {
        let usages = usages(request.public_key());
        let seconds = expiration.map(Lifetime::seconds);
        Self {
            name: object_name(user, request, signer, &usages, seconds),
            request: request.to_pem(),
            signer: signer.to_owned(),
            usages,
            expiration,
        }
    }

    /// The same with another name where the key and all else may be what it was the first time: the
    /// cluster may still have the first request. The digits behind the name are the first of the
    /// [credential id](Certificate::credential_id) of what is renewed.
    #[must_use]
    pub fn to_follow(mut self, renewed: &Certificate) -> Self {
        let id = renewed.credential_id();
        let (_, digits) = id.split_once('=').unwrap_or_default();
        let digits: String = digits.chars().take(HASH_DIGITS).collect();
        self.name = format!("{}-{digits}", self.name);
        self
    }

    /// The manifest as YAML.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut spec = json!({
            "request": BASE64_STANDARD.encode(&self.request),
            "signerName": self.signer,
            "usages": self.usages,
        });
        if let (Some(expiration), Some(spec)) = (self.expiration, spec.as_object_mut()) {
            spec.insert("expirationSeconds".to_owned(), expiration.seconds().into());
        }
        yaml::to_string(&json!({
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": self.name},
            "spec": spec,
        }))
    }
}

/// The first digits of SHA-256 over all that is asked for: the request in DER, the signer, each usage
/// in its order, and `expirationSeconds` in decimal digits, empty where it is not asked for; each with
/// its length in bytes before it, as eight bytes, big-endian.
#[must_use]
pub fn contents_hash(
    request: &CertificationRequest,
    signer: &str,
    usages: &[String],
    expiration: Option<i32>,
) -> String {
    let seconds = expiration.map(|seconds| seconds.to_string());
    let head = [request.der(), signer.as_bytes()];
    let usages = usages.iter().map(String::as_bytes);
    let parts = head
        .into_iter()
        .chain(usages)
        .chain([seconds.as_deref().unwrap_or_default().as_bytes()]);
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut digits = hex(&hash.finalize());
    digits.truncate(HASH_DIGITS);
    digits
}

/// A DNS-1123 slug of the user and [`contents_hash`]: two requests that differ in anything have
/// different names, so that a later one never takes the place of an earlier one.
#[must_use]
pub fn object_name(
    user: &str,
    request: &CertificationRequest,
    signer: &str,
    usages: &[String],
    expiration: Option<i32>,
) -> String {
    let hash = contents_hash(request, signer, usages, expiration);
    match slug(user) {
        // EKS never signs names that start with csr-.
        slug if slug.is_empty() => format!("user-{hash}"),
        slug if slug == "csr" || slug.starts_with("csr-") => format!("user-{slug}-{hash}"),
        slug => format!("{slug}-{hash}"),
    }
}

/// Lower-case letters, digits and single dashes between them, at most 50 characters.
#[must_use]
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(50);
    slug.trim_end_matches('-').to_owned()
}

/// Keys that only sign have no use for key encipherment; for RSA, both fit.
fn usages(key: &PublicKey) -> Vec<String> {
    let usages: &[&str] = if key.only_signs() {
        &["digital signature", "client auth"]
    } else {
        &["digital signature", "key encipherment", "client auth"]
    };
    usages.iter().map(|usage| (*usage).to_owned()).collect()
}

/// An object as read. Fields of the wrong type are left empty and listed in `problems`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateSigningRequest {
    /// `apiVersion`.
    pub api_version: String,
    /// `metadata`.
    pub metadata: Metadata,
    /// `spec.request`, decoded; `None` where it is missing or not base64.
    pub request: Option<Vec<u8>>,
    /// `spec.signerName`.
    pub signer_name: String,
    /// `spec.usages`.
    pub usages: Vec<String>,
    /// `spec.expirationSeconds`.
    pub expiration_seconds: Option<i32>,
    /// Whether `spec.username`, `uid`, `groups` or `extra` are given, which the server replaces.
    pub claims_submitter: bool,
    /// `status`, where there is anything in it.
    pub status: Option<Status>,
    /// What is wrong with the fields.
    pub problems: Vec<FieldProblem>,
}

/// The parts of `ObjectMeta` that decide whether the object is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `name`.
    pub name: String,
    /// `generateName`.
    pub generate_name: String,
    /// `namespace`.
    pub namespace: String,
    /// `generation`.
    pub generation: Option<i64>,
    /// `labels`, in order.
    pub labels: Vec<(String, String)>,
    /// `annotations`, in order.
    pub annotations: Vec<(String, String)>,
    /// `finalizers`.
    pub finalizers: Vec<String>,
    /// What is wrong with `ownerReferences`.
    pub owner_problem: Option<&'static str>,
    /// Whether the server filled in `uid` and `creationTimestamp`, as in what was fetched from it.
    pub is_from_server: bool,
}

/// `status`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// `conditions`.
    pub conditions: Vec<Condition>,
    /// `certificate`: PEM.
    pub certificate: Option<Vec<u8>>,
}

/// A condition of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// `Approved`, `Denied` or `Failed`.
    pub kind: String,
    /// `True`, and nothing else for these kinds.
    pub status: String,
    /// A word for programs.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// When the condition was last written (RFC 3339).
    pub last_update_time: String,
}

impl CertificateSigningRequest {
    /// What is asked for; nothing where `spec.request` holds none that can be read.
    #[must_use]
    pub fn asked(&self) -> Option<CertificationRequest> {
        let block = pem::first(self.request.as_deref()?)?;
        CertificationRequest::from_der(&block.contents).ok()
    }

    /// Reads an object whose kind was told already.
    #[must_use]
    pub fn read(object: &Map<String, Value>) -> Self {
        let mut read = Self::default();
        let mut problems = Vec::new();
        let mut fields = Fields::new(object, "", &mut problems);
        read.api_version = fields.string("apiVersion");
        fields.string("kind");
        if let Some(metadata) = fields.object("metadata") {
            read.metadata = Metadata::read(metadata, fields.problems());
        }
        if let Some(spec) = fields.object("spec") {
            read.read_spec(spec, fields.problems());
        }
        if let Some(status) = fields.object("status") {
            read.status = Status::read(status, fields.problems());
        }
        fields.refuse_others();
        read.problems = problems;
        read
    }

    fn read_spec(&mut self, spec: &Map<String, Value>, problems: &mut Vec<FieldProblem>) {
        let mut fields = Fields::new(spec, "spec", problems);
        self.request = fields.bytes("request");
        self.signer_name = fields.string("signerName");
        self.usages = fields.strings("usages");
        self.expiration_seconds = fields.int32("expirationSeconds");
        let username = fields.string("username");
        let uid = fields.string("uid");
        let groups = fields.strings("groups");
        let extra = fields.string_lists("extra");
        self.claims_submitter =
            !(username.is_empty() && uid.is_empty() && groups.is_empty() && extra.is_empty());
        fields.refuse_others();
    }
}

impl Metadata {
    /// k8s.io/apimachinery/pkg/apis/meta/v1 `ObjectMeta`.
    fn read(metadata: &Map<String, Value>, problems: &mut Vec<FieldProblem>) -> Self {
        let mut fields = Fields::new(metadata, "metadata", problems);
        let mut read = Self {
            name: fields.string("name"),
            generate_name: fields.string("generateName"),
            namespace: fields.string("namespace"),
            generation: fields.int64("generation"),
            labels: fields.string_map("labels"),
            annotations: fields.string_map("annotations"),
            finalizers: fields.strings("finalizers"),
            owner_problem: fields.owner_references("ownerReferences"),
            is_from_server: false,
        };
        fields.string("selfLink");
        let uid = fields.string("uid");
        // kubectl takes it away before it sends the object.
        fields.string("resourceVersion");
        fields.int64("deletionGracePeriodSeconds");
        let created = fields.time("creationTimestamp");
        read.is_from_server = !uid.is_empty() && !created.is_empty();
        fields.time("deletionTimestamp");
        fields.managed_fields("managedFields");
        fields.refuse_others();
        read
    }
}

impl Status {
    fn read(status: &Map<String, Value>, problems: &mut Vec<FieldProblem>) -> Option<Self> {
        let mut fields = Fields::new(status, "status", problems);
        let certificate = fields.bytes("certificate").filter(|pem| !pem.is_empty());
        let conditions = fields.objects("conditions", |condition, path, problems| {
            Condition::read(condition, path, problems)
        });
        fields.refuse_others();
        (certificate.is_some() || !conditions.is_empty()).then_some(Self {
            conditions,
            certificate,
        })
    }

    /// The condition of one kind, where there is one.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| condition.kind == kind)
    }
}

impl Condition {
    fn read(condition: &Map<String, Value>, path: &str, problems: &mut Vec<FieldProblem>) -> Self {
        let mut fields = Fields::new(condition, path, problems);
        let read = Self {
            kind: fields.string("type"),
            status: fields.string("status"),
            reason: fields.string("reason"),
            message: fields.string("message"),
            last_update_time: fields.time("lastUpdateTime"),
        };
        fields.time("lastTransitionTime");
        fields.refuse_others();
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Algorithm, PrivateKey};
    use crate::name::Subject;

    /// An object with every field that the API has.
    fn whole() -> Value {
        let time = "2030-01-02T03:04:05Z";
        json!({
            "apiVersion": API_VERSION, "kind": KIND,
            "metadata": {
                "name": "n", "generateName": "g", "namespace": "s", "generation": 7,
                "labels": {"l": "1", "m": null}, "annotations": {"a": "2"}, "finalizers": ["f", null],
                "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u",
                    "controller": true, "blockOwnerDeletion": false}],
                "selfLink": "", "uid": "", "resourceVersion": "", "deletionGracePeriodSeconds": 1,
                "creationTimestamp": time, "deletionTimestamp": time,
                "managedFields": [{"manager": "", "operation": "", "apiVersion": "", "time": time,
                    "fieldsType": "", "fieldsV1": {}, "subresource": ""}],
            },
            "spec": {
                "request": "YQ==", "signerName": "s", "usages": ["u"], "expirationSeconds": 600,
                "username": "", "uid": "", "groups": [], "extra": {},
            },
            "status": {
                "certificate": "Yg==",
                "conditions": [{"type": "Approved", "status": "True", "reason": "r", "message": "m",
                    "lastUpdateTime": time, "lastTransitionTime": time}],
            },
        })
    }

    fn read(object: &Value) -> CertificateSigningRequest {
        CertificateSigningRequest::read(object.as_object().unwrap())
    }

    #[test]
    fn every_field_of_the_api_is_known_and_read() {
        let object = read(&whole());
        assert_eq!(object.problems, []);
        assert_eq!(object.request.as_deref(), Some(&b"a"[..]));
        assert_eq!(
            (object.signer_name.as_str(), object.expiration_seconds),
            ("s", Some(600))
        );
        assert_eq!(
            (object.usages, object.claims_submitter),
            (vec!["u".to_owned()], false)
        );
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let expected = Metadata {
            is_from_server: false,
            name: "n".to_owned(),
            generate_name: "g".to_owned(),
            namespace: "s".to_owned(),
            generation: Some(7),
            labels: vec![pair("l", "1"), pair("m", "")],
            annotations: vec![pair("a", "2")],
            finalizers: vec!["f".to_owned(), String::new()],
            owner_problem: None,
        };
        assert_eq!(object.metadata, expected);
        let status = object.status.unwrap();
        assert_eq!(status.certificate.as_deref(), Some(&b"b"[..]));
        let approved = status.condition("Approved").unwrap();
        assert_eq!(
            (approved.reason.as_str(), approved.message.as_str()),
            ("r", "m")
        );
        assert_eq!(status.condition("Denied"), None);
    }

    /// Every field of the object, and what is in them.
    fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
        let below: Vec<(String, &Value)> = match value {
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), value))
                .collect(),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, item)| (index.to_string(), item))
                    .collect()
            }
            _ => Vec::new(),
        };
        for (name, value) in below {
            let pointer = format!("{at}/{name}");
            // Anything goes there.
            if name != "fieldsV1" {
                pointers(value, &pointer, found);
                found.push(pointer);
            }
        }
    }

    #[test]
    fn a_value_of_another_type_is_one_problem_in_its_place() {
        let mut all = Vec::new();
        pointers(&whole(), "", &mut all);
        assert!(all.len() > 40);
        for pointer in all {
            let mut object = whole();
            let value = object.pointer_mut(&pointer).unwrap();
            *value = if value.is_boolean() {
                json!("")
            } else {
                json!(true)
            };
            let [problem] = &*read(&object).problems else {
                panic!("{pointer}: {:?}", read(&object).problems)
            };
            let path = problem.field.replace(['.', '['], "/").replace(']', "");
            assert_eq!(format!("/{path}"), pointer);
            assert!(matches!(problem.kind, ProblemKind::Type { .. }));
        }
    }

    #[test]
    fn a_field_that_the_api_does_not_have_is_named_where_it_stands() {
        for place in ["", "/metadata", "/spec", "/status", "/status/conditions/0"] {
            let mut object = whole();
            object.pointer_mut(place).unwrap()["odd"] = json!(1);
            let problems = read(&object).problems;
            assert_eq!(problems.len(), 1, "{place}");
            assert!(problems[0].field.ends_with("odd"));
            assert_eq!(problems[0].kind, ProblemKind::Unknown(None));
        }
    }

    #[test]
    fn numbers_times_and_base64_are_in_their_ranges() {
        for (pointer, value) in [
            ("/spec/expirationSeconds", json!(1_i64 << 31)),
            ("/spec/expirationSeconds", json!(1.5)),
            ("/metadata/generation", json!(1.5)),
            ("/metadata/creationTimestamp", json!("2030-01-02")),
            ("/spec/request", json!("YQ")),
        ] {
            let mut object = whole();
            *object.pointer_mut(pointer).unwrap() = value;
            assert_eq!(read(&object).problems.len(), 1, "{pointer}");
        }
    }

    #[test]
    fn whoever_names_a_submitter_claims_one() {
        for (field, value) in [
            ("username", json!("u")),
            ("uid", json!("u")),
            ("groups", json!(["g"])),
            ("extra", json!({"e": ["x"]})),
        ] {
            let mut object = whole();
            object["spec"][field] = value;
            assert!(read(&object).claims_submitter, "{field}");
        }
    }

    #[test]
    fn owners_are_whole_and_one_of_them_controls() {
        let owner = |field: &str, value: Value| {
            let mut owner = whole()["metadata"]["ownerReferences"][0].clone();
            owner[field] = value;
            owner
        };
        let problem = |owners: &[Value]| {
            let mut object = whole();
            object["metadata"]["ownerReferences"] = owners.into();
            read(&object).metadata.owner_problem
        };
        for (field, good) in [("apiVersion", "a/v1"), ("kind", "Event")] {
            let elsewhere = owner("apiVersion", json!("a/v1"));
            assert_eq!(problem(&[elsewhere]), None);
            let mut both = owner("apiVersion", json!("a/v1"));
            both[field] = json!(good);
            assert_eq!(problem(&[both]), None);
        }
        for bad in [
            owner("kind", json!("")),
            owner("uid", json!("")),
            owner("apiVersion", json!("a/b/c")),
            owner("apiVersion", json!("a/")),
            owner("kind", json!("Event")),
        ] {
            assert!(problem(std::slice::from_ref(&bad)).is_some(), "{bad}");
        }
        let controls = |flag: bool| owner("controller", json!(flag));
        assert_eq!(problem(&[controls(true), controls(false)]), None);
        assert!(problem(&[controls(true), controls(true)]).is_some());
    }

    #[test]
    fn a_name_is_a_slug_and_the_hash_of_what_is_asked_for() {
        let request = request();
        let hash = contents_hash(&request, "s", &[], None);
        for (user, slug) in [
            ("Alice.Smith@x", "alice-smith-x"),
            ("--a--", "a"),
            ("李", "user"),
            ("csr", "user-csr"),
            ("csr-a", "user-csr-a"),
            ("csra", "csra"),
        ] {
            let name = object_name(user, &request, "s", &[], None);
            assert_eq!(name, format!("{slug}-{hash}"));
        }
        let long = format!("{} b", "a".repeat(49));
        assert_eq!(slug(&long), "a".repeat(49));
    }

    fn request() -> CertificationRequest {
        let rng = &mut getrandom::SysRng;
        let key = PrivateKey::generate(Algorithm::Ed25519, rng).unwrap();
        let subject = Subject::new("alice", &[], false).unwrap();
        CertificationRequest::build(&subject, &[], &key, rng).unwrap()
    }

    #[test]
    fn what_differs_in_anything_has_another_name() {
        let request = request();
        let usage = |usage: &str| vec![usage.to_owned()];
        let names = [
            contents_hash(&request, "s", &usage("client auth"), None),
            contents_hash(&request, "t", &usage("client auth"), None),
            contents_hash(&request, "s", &usage("server auth"), None),
            contents_hash(&request, "s", &[], None),
            contents_hash(&request, "s", &usage("client auth"), Some(600)),
            contents_hash(&request, "s", &usage("client auth"), Some(601)),
            contents_hash(&self::request(), "s", &usage("client auth"), None),
        ];
        let different: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        assert!(names.iter().all(|name| name.len() == 8));
    }
}
