//! What holds for every name, manifest, kubeconfig and lifetime, and not for the examples alone.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod kubeconfigs;
mod lifetimes;
mod manifests;
mod names;
mod replies;

use std::sync::LazyLock;

use kube_enroll::csr::CertificationRequest;
use kube_enroll::key::{Algorithm, PrivateKey};
use kube_enroll::name::Subject;
use proptest::prelude::*;

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(Algorithm::Ed25519, &mut getrandom::SysRng).unwrap());

/// A failure is seen in the output, and tells how to repeat it; nothing is written for it.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn request(subject: &Subject) -> CertificationRequest {
    CertificationRequest::build(subject, &[], &KEY, &mut getrandom::SysRng).unwrap()
}

/// Names as people have them, and as nobody should.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z0-9@._:/+=, \"<>;#\\\\-]{1,64}",
        2 => "\\PC{1,64}",
        1 => "(system:|csr-?|CSR-|user-)[a-z:-]{0,8}",
        1 => any::<String>(),
    ]
}

fn any_subject() -> impl Strategy<Value = Subject> {
    let groups = proptest::collection::vec(any_name(), 0..4);
    (any_name(), groups, any::<bool>()).prop_filter_map("refused", |(user, groups, system)| {
        Subject::new(&user, &groups, system).ok()
    })
}
