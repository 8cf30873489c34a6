//! What the benchmarks share: things to work on, and the peers to be compared with.

#![allow(dead_code, clippy::print_stderr, clippy::unwrap_used)]

pub mod peer;

use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, Mutex};

use getrandom::SysRng;
use kube_enroll::certificate::Certificate;
use kube_enroll::csr::CertificationRequest;
use kube_enroll::inspect::signing_requests;
use kube_enroll::key::{Algorithm, PrivateKey};
use kube_enroll::manifest::{CertificateSigningRequest, Condition, Manifest, Status};
use kube_enroll::name::Subject;
use kube_enroll::rehearsal::Authority;
use kube_enroll::yaml;
use time::OffsetDateTime;

/// One key of each kind for the whole run.
pub fn key(algorithm: Algorithm) -> &'static PrivateKey {
    static KEYS: LazyLock<Mutex<HashMap<Algorithm, &'static PrivateKey>>> =
        LazyLock::new(Mutex::default);
    let mut keys = KEYS.lock().unwrap();
    keys.entry(algorithm).or_insert_with(|| {
        let key = PrivateKey::generate(algorithm, &mut SysRng).unwrap();
        Box::leak(Box::new(key))
    })
}

/// Names of so many groups, as long as people choose them.
pub fn groups(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("developers-{n:04}")).collect()
}

/// A user in so many groups.
pub fn subject(groups: usize) -> Subject {
    Subject::new("alice", &self::groups(groups), false).unwrap()
}

/// A request for a user in so many groups.
pub fn request(algorithm: Algorithm, groups: usize) -> CertificationRequest {
    CertificationRequest::build(&subject(groups), &[], key(algorithm), &mut SysRng).unwrap()
}

/// The manifest around a request.
pub fn manifest(request: &CertificationRequest) -> String {
    Manifest::new("alice", request).to_yaml()
}

/// The one object of a manifest.
pub fn object(manifest: &str) -> CertificateSigningRequest {
    signing_requests(&yaml::documents(manifest.as_bytes())).remove(0)
}

/// A kind of key and a number of groups.
#[derive(Clone, Copy)]
pub struct Case {
    pub algorithm: Algorithm,
    pub groups: usize,
}

impl Case {
    /// What is asked for where nothing else is said.
    pub fn usual() -> Self {
        Self {
            algorithm: Algorithm::default(),
            groups: 1,
        }
    }

    /// Each kind of key with one group, and one kind of key with each number of groups.
    pub fn all() -> impl Iterator<Item = Self> {
        let kinds = [Algorithm::Rsa4096, Algorithm::EcdsaP256, Algorithm::Ed25519];
        let kinds = kinds.map(|algorithm| Self {
            algorithm,
            groups: 1,
        });
        kinds.into_iter().chain(Self::by_groups())
    }

    /// The quickest kind of key, with more and more groups.
    pub fn by_groups() -> impl Iterator<Item = Self> {
        [0, 10, 100, 1000].into_iter().map(|groups| Self {
            algorithm: Algorithm::Ed25519,
            groups,
        })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.groups == 1 { "" } else { "s" };
        write!(f, "{}, {} group{plural}", self.algorithm, self.groups)
    }
}

/// A certificate with everything that it is checked against.
pub struct Issued {
    pub key: &'static PrivateKey,
    pub request: CertificationRequest,
    /// As the cluster gives it back.
    pub object: CertificateSigningRequest,
    pub certificate: Certificate,
    pub authority: Authority,
    pub now: OffsetDateTime,
}

/// Has a request signed.
pub fn issue(case: Case) -> Issued {
    let now = OffsetDateTime::now_utc();
    let authority = Authority::new(now, &mut SysRng).unwrap();
    let request = request(case.algorithm, case.groups);
    let mut object = object(&manifest(&request));
    let certificate = authority.sign(&request, &object, now, &mut SysRng).unwrap();
    object.status = Some(Status {
        conditions: vec![Condition {
            kind: "Approved".to_owned(),
            status: "True".to_owned(),
            reason: "KubectlApprove".to_owned(),
            message: "This CSR was approved by kubectl certificate approve.".to_owned(),
            last_update_time: String::new(),
        }],
        certificate: Some(certificate.to_pem().into_bytes()),
    });
    Issued {
        key: key(case.algorithm),
        request,
        object,
        certificate,
        authority,
        now,
    }
}
