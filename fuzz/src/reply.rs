//! `kube_enroll::reply`: a reply that is written anew says the same.

use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::reply::{self, Reply};

/// Takes any bytes for what came back.
pub fn check(data: &[u8]) {
    let Ok(read) = Reply::read(data) else { return };
    let Some(cluster) = read.cluster else { return };
    let requests: Vec<_> = read.requests.iter().collect();
    let again = Reply::read(reply::write(&requests, &cluster).as_bytes()).unwrap();
    let written_cluster = again.cluster.unwrap();
    // Whose password stands in the address keeps it.
    assert!(!written_cluster.has_secrets());
    let without_password = cluster.without_secrets();
    assert_eq!(written_cluster.to_value(), without_password.to_value());
    assert_eq!(again.requests.len(), requests.len());
    for (again, read) in again.requests.iter().zip(requests) {
        assert_eq!(told(again), told(read));
    }
}

/// What a reply tells of a request.
fn told(request: &CertificateSigningRequest) -> String {
    let status = request.status.clone().unwrap_or_default();
    let conditions = status.conditions.into_iter();
    let conditions: Vec<_> = conditions
        .map(|it| (it.kind, it.status, it.reason, it.message))
        .collect();
    format!(
        "{:?}",
        (
            &request.metadata.name,
            &request.request,
            &request.signer_name,
            &request.usages,
            request.expiration_seconds,
            status.certificate,
            conditions,
        )
    )
}
