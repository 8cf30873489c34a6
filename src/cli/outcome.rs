//! What became of a request, explained with the API's own words and the next step.

use kube_enroll::inspect::{State, state};
use kube_enroll::manifest::{CLIENT_SIGNER, CertificateSigningRequest};
use kube_enroll::shell::quote;
use kube_enroll::text::visible;

use super::message::Failure;

/// Fails, with an explanation, unless there is a certificate.
pub fn require_issued(request: &CertificateSigningRequest) -> Result<(), Failure> {
    let shown = visible(&request.metadata.name);
    let name = quote(&request.metadata.name);
    let said = |kind: &str| {
        let condition = request
            .status
            .as_ref()
            .and_then(|status| status.condition(kind));
        condition.map_or(String::new(), |condition| {
            let (reason, message) = (visible(&condition.reason), visible(&condition.message));
            format!("{reason}: {message}")
        })
    };
    let failure = match state(request.status.as_ref()) {
        State::Issued => return Ok(()),
        State::Pending => Failure::not_good(format!(
            "{shown} is Pending: nobody has approved it yet"
        ))
        .next(format!(
            "the administrator runs: kubectl certificate approve {name}\n  \
                 (within 24 hours of its creation; then it is deleted)"
        )),
        State::Denied => Failure::not_good(format!("{shown} was Denied ({})", said("Denied")))
            .next("that is final: settle it with the administrator, then make a new request"),
        State::Failed => Failure::not_good(format!("{shown} is Failed ({})", said("Failed")))
            .next("the signer's refusal is final: make a new request without what it names"),
        State::Approved => Failure::not_good(format!(
            "{shown} is Approved, and there is no certificate in it"
        ))
        .next(approved_without_certificate(request, &name)),
    };
    Err(failure)
}

fn approved_without_certificate(request: &CertificateSigningRequest, name: &str) -> String {
    let mut causes = vec![
        format!("just approved: wait a moment and run kubectl get csr {name} -o yaml again"),
        "kube-controller-manager runs without --cluster-signing-cert-file and key".to_owned(),
    ];
    if request.signer_name != CLIENT_SIGNER {
        let signer = visible(&request.signer_name);
        causes.push(format!("nothing in the cluster signs for {signer}"));
    }
    if request.metadata.name.starts_with("csr-") {
        causes.push("Amazon EKS does not sign names that start with csr-".to_owned());
    }
    causes.push(
        "a managed service that does not sign for kube-apiserver-client, such as Amazon EKS"
            .to_owned(),
    );
    format!("the usual causes:\n  - {}", causes.join("\n  - "))
}

/// There is no request at all.
pub fn gone(source: &str) -> Failure {
    Failure::not_good(format!(
        "{source}: there is no CertificateSigningRequest in it"
    ))
    .next(
        "if kubectl says NotFound, it was deleted: one hour after it was issued, denied or failed, \
         24 hours after it was created if nobody approved it; apply and approve it again",
    )
}
