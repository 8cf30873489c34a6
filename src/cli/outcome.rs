//! What became of a request, explained with the API's own words and the next step.

use kube_enroll::inspect::{State, state};
use kube_enroll::manifest::{CLIENT_SIGNER, CertificateSigningRequest};
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Label, Show, Text};

use super::failure::Failure;

/// Fails, with an explanation, unless there is a certificate.
pub fn require_issued(request: &CertificateSigningRequest) -> Result<(), Failure> {
    let name = Label::from(request.metadata.name.as_str());
    let failure = match state(request.status.as_ref()) {
        State::Issued => return Ok(()),
        State::Pending => {
            Failure::not_good(text!("{} is Pending: nobody has approved it yet", name))
                .say(text!(
                    "the administrator runs: {}",
                    kubectl(request, ["certificate", "approve"])
                ))
                .say("(within 24 hours of its creation; then it is deleted)")
        }
        State::Denied => Failure::not_good(text!(
            "{} was Denied ({})",
            name,
            condition(request, "Denied")
        ))
        .say("that is final: settle it with the administrator, then make a new request"),
        State::Failed => Failure::not_good(text!(
            "{} is Failed ({})",
            name,
            condition(request, "Failed")
        ))
        .say("the signer's refusal is final: make a new request without what it names"),
        State::Approved => approved_without_certificate(request, &name),
    };
    Err(failure)
}

/// What was said about a decision.
fn condition(request: &CertificateSigningRequest, kind: &str) -> Text {
    let status = request.status.as_ref();
    let condition = status.and_then(|status| status.condition(kind));
    condition.map_or(Text::default(), |condition| {
        let label = |text: &str| Label::from(text);
        text!(
            "{}: {}",
            label(&condition.reason),
            label(&condition.message)
        )
    })
}

fn kubectl(request: &CertificateSigningRequest, words: [&'static str; 2]) -> Command {
    let command = Command::new("kubectl").word(words[0]).word(words[1]);
    command.operand(&request.metadata.name)
}

fn approved_without_certificate(request: &CertificateSigningRequest, name: &impl Show) -> Failure {
    let again = kubectl(request, ["get", "csr"]).option("-o", "yaml");
    let mut failure = Failure::not_good(text!(
        "{} is Approved, and there is no certificate in it",
        name
    ))
    .say("the usual causes:")
    .say(text!(
        "- just approved: wait a moment and run {} again",
        again
    ))
    .say("- kube-controller-manager runs without --cluster-signing-cert-file and key");
    if request.signer_name != CLIENT_SIGNER {
        let signer = Label::from(request.signer_name.as_str());
        failure = failure.say(text!("- nothing in the cluster signs for {}", signer));
    }
    if request.metadata.name.starts_with("csr-") {
        failure = failure.say("- Amazon EKS does not sign names that start with csr-");
    }
    failure
        .say("- a managed service that does not sign for kube-apiserver-client, such as Amazon EKS")
}

/// There is no request at all.
pub fn no_request(source: impl Show) -> Failure {
    let what = text!("{}: there is no CertificateSigningRequest in it", source);
    Failure::not_good(what).say(
        "if kubectl says NotFound, it was deleted: one hour after it was issued, denied or failed, \
         24 hours after it was created if nobody approved it; create and approve it again",
    )
}
