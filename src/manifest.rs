//! `CertificateSigningRequest` of certificates.k8s.io/v1: written as a manifest, and read, strictly
//! typed, with what is wrong in it (k8s.io/api/certificates/v1 `CertificateSigningRequest`).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::csr::CertificationRequest;
use crate::key::{Fingerprint, PublicKey};
use crate::lifetime::Lifetime;
use crate::yaml;

mod fields;

use fields::Fields;
pub use fields::{FieldProblem, ProblemKind};

/// The API version of the manifests.
pub const API_VERSION: &str = "certificates.k8s.io/v1";

/// The kind of the manifests.
pub const KIND: &str = "CertificateSigningRequest";

/// The signer of client certificates for the API server
/// (k8s.io/api/certificates/v1 `KubeAPIServerClientSignerName`).
pub const CLIENT_SIGNER: &str = "kubernetes.io/kube-apiserver-client";

/// How many hexadecimal digits of the key's SHA-256 a default name carries.
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
    pub usages: Vec<&'static str>,
    /// `spec.expirationSeconds`.
    pub expiration: Option<Lifetime>,
}

impl Manifest {
    /// A manifest for `request`: named by [`default_name`], for [`CLIENT_SIGNER`], with the usages
    /// that fit the kind of key, and without a lifetime, which leaves it to the cluster.
    #[must_use]
    pub fn new(user: &str, request: &CertificationRequest) -> Self {
        Self {
            name: default_name(user, &request.public_key().fingerprint()),
            request: request.to_pem(),
            signer: CLIENT_SIGNER.to_owned(),
            usages: usages(request.public_key()),
            expiration: None,
        }
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

/// A DNS-1123 slug of the user and the first digits of the key's hash, so that a later request of
/// the same user never takes the place of an earlier one.
#[must_use]
pub fn default_name(user: &str, fingerprint: &Fingerprint) -> String {
    let hash = fingerprint.short_hex(HASH_DIGITS);
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
fn usages(key: &PublicKey) -> Vec<&'static str> {
    if key.only_signs() {
        vec!["digital signature", "client auth"]
    } else {
        vec!["digital signature", "key encipherment", "client auth"]
    }
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
        let read = Self {
            name: fields.string("name"),
            generate_name: fields.string("generateName"),
            namespace: fields.string("namespace"),
            generation: fields.int64("generation"),
            labels: fields.string_map("labels"),
            annotations: fields.string_map("annotations"),
            finalizers: fields.strings("finalizers"),
            owner_problem: fields.owner_references("ownerReferences"),
        };
        fields.string("selfLink");
        fields.string("uid");
        // kubectl takes it away before it sends the object.
        fields.string("resourceVersion");
        fields.int64("deletionGracePeriodSeconds");
        fields.time("creationTimestamp");
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
