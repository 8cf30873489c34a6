//! What became of a request, explained with the API's own words and the next step.

use kube_enroll::certificate::{Chain, NoPath};
use kube_enroll::inspect::{State, state};
use kube_enroll::looks::{Look, Want, look, unfilled};
use kube_enroll::manifest::{CLIENT_SIGNER, CertificateSigningRequest, ProblemKind};
use kube_enroll::pem;
use kube_enroll::reply::{Reply, ReplyError};
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Label, Show, Text};

use super::console::Console;
use super::failure::Failure;
use super::from::file::Stream;

/// API servers take certificates of one signer from users, whatever another one signs.
pub fn warn_of_signer(request: &CertificateSigningRequest, console: &Console) {
    if request.signer_name != CLIENT_SIGNER && !request.signer_name.is_empty() {
        console.warn(text!(
            "{} is of the signer {}, not of {}: an API server takes its certificates from users only \
             where it trusts the authority of that signer",
            Label::from(request.metadata.name.as_str()),
            Label::from(request.signer_name.as_str()),
            CLIENT_SIGNER
        ));
    }
}

/// Fails, with an explanation, unless there is a certificate.
pub fn require_issued(request: &CertificateSigningRequest) -> Result<(), Failure> {
    if let Some(failure) = unreadable_certificate(request) {
        return Err(failure);
    }
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
                .say_if(
                    !request.metadata.is_from_server,
                    text!(
                        "nothing in the file is from the cluster; what is there is printed by: {}",
                        kubectl(request, ["get", "csr"]).option("-o", "yaml")
                    ),
                )
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
    let said = condition.map_or(["", ""], |it| [it.reason.as_str(), it.message.as_str()]);
    let said = said.into_iter().filter(|text| !text.is_empty());
    let said = Text::join(said.map(|text| Label::from(text).show()), ": ");
    if said.is_empty() {
        "no reason is given".into()
    } else {
        said
    }
}

fn kubectl(request: &CertificateSigningRequest, words: [&'static str; 2]) -> Command {
    let command = Command::new("kubectl").word(words[0]).word(words[1]);
    command.operand(name(request))
}

/// The name for a command. What cannot be one is not typed.
pub fn name(request: &CertificateSigningRequest) -> &str {
    const LONGEST: usize = 253;
    let name = request.metadata.name.as_str();
    if name.len() <= LONGEST { name } else { "NAME" }
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

/// Reads what came back, with a note of what the way did to it; what it is where it is no reply.
pub fn read_reply(
    input: &Stream,
    contents: &[u8],
    want: Want,
    console: &Console,
) -> Result<Reply, Failure> {
    match Reply::read_forgiving(contents) {
        Ok((reply, note)) => {
            let last_field = last_field(contents);
            let half = reply
                .requests
                .last()
                .is_some_and(|it| is_half(it, &last_field));
            if half && let look @ Look::Damaged(_) = look(contents) {
                return Err(Failure::wrong_file(input, look, want).judged());
            }
            let place = std::str::from_utf8(contents).ok().and_then(unfilled);
            if let Some(line) = place.filter(|_| {
                reply.chain.is_none() && reply.requests.iter().all(|it| it.status.is_none())
            }) {
                return Err(Failure::wrong_file(input, Look::Template(line), want).judged());
            }
            if let Some(line) = cut_off(contents).filter(|_| half) {
                let what = text!("{} is cut off in line {}, its last one", input, line);
                return Err(Failure::not_good(what).say("ask for it once more, whole"));
            }
            if reply.lacks_its_end {
                let what = text!(
                    "{} is cut off: the certificate authority of the cluster, which is the last in a \
                     reply, is missing",
                    input
                );
                return Err(Failure::not_good(what).say("ask for it once more, whole"));
            }
            if let Some(note) = note {
                console.note(text!("{}: {}", input, note));
            }
            Ok(reply)
        }
        Err(error) => Err(no_reply(input, contents, want, &error)),
    }
}

/// What a file is that is no reply, and what to do.
fn no_reply(input: &Stream, contents: &[u8], want: Want, error: &ReplyError) -> Failure {
    let look = look(contents);
    let is_yaml = matches!(
        look,
        Look::Object | Look::Kubeconfig | Look::Text | Look::Binary
    );
    let has_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    let is_binary = look == Look::Binary && contents.iter().any(has_control);
    match error {
        // Its place is worth more than what it looks like.
        ReplyError::Yaml(_) | ReplyError::Kubeconfig(_) if is_yaml && !is_binary => {
            let failure = Failure::about(input, error);
            let stopped = match error {
                ReplyError::Yaml(error) => error.line,
                _ => None,
            };
            match cut_off(contents).filter(|last| stopped >= Some(*last)) {
                Some(line) => failure.say(text!(
                    "it seems to be cut off in line {}, the last one: ask for it once more, whole",
                    line
                )),
                None => failure
                    .say("if it was changed on its way, ask for it once more, as an attachment"),
            }
        }
        _ => Failure::wrong_file(input, look, want).judged(),
    }
}

/// An object that ends within its request or certificate, or before what is asked for: nothing can be
/// said of what became of it.
fn is_half(request: &CertificateSigningRequest, last_field: &str) -> bool {
    let has_request = request.request.as_deref().and_then(pem::first).is_some();
    let is_asked_for = !request.signer_name.is_empty() && !request.usages.is_empty();
    let certificate = request
        .status
        .as_ref()
        .and_then(|it| it.certificate.as_deref());
    let is_broken = certificate.is_some_and(|pem| pem::first(pem).is_none());
    let ends_in = |field: &str| field.rsplit('.').next() == Some(last_field);
    !has_request
        || is_broken && last_field == "certificate"
        || request.problems.iter().any(|it| ends_in(&it.field))
        || request.status.is_none() && !is_asked_for
}

/// The field that the last line is of.
fn last_field(contents: &[u8]) -> String {
    let text = String::from_utf8_lossy(contents);
    let last = text.lines().last().unwrap_or_default();
    let name = last.split(':').next().unwrap_or_default();
    name.trim().trim_matches(['-', '"', ' ']).to_owned()
}

/// The certificate in an object, else what is there in its place.
pub fn certificate(
    request: &CertificateSigningRequest,
    source: impl Show,
) -> Result<Chain, Failure> {
    let status = request.status.as_ref();
    let pem = status.and_then(|status| status.certificate.as_deref());
    let pem = pem.unwrap_or_default();
    Chain::from_pem(pem).map_err(|_| {
        let look = look(pem);
        let what = if look.is_damaged() {
            text!("{}: in status.certificate is {}", source, look)
        } else {
            text!(
                "{}: in status.certificate is {}, not a certificate",
                source,
                look
            )
        };
        fetch_again(request, Failure::not_good(what))
    })
}

/// A certificate that is not what the authority that it names signed.
pub fn changed(why: &NoPath) -> Failure {
    Failure::not_good(text!("the certificate is not as it was issued: {}", why))
        .say("do not use it; it has to come once more from the cluster, whole:")
        .say("  kubectl get csr NAME -o yaml")
}

/// A certificate that is there and cannot be read: nothing is said of what the cluster did.
fn unreadable_certificate(request: &CertificateSigningRequest) -> Option<Failure> {
    const FIELD: &str = "status.certificate";
    let problem = request.problems.iter().find(|it| it.field == FIELD)?;
    let name = Label::from(request.metadata.name.as_str());
    let what = match problem.kind {
        ProblemKind::Type { found, .. } => {
            text!(
                "{}: status.certificate is {}, and no certificate",
                name,
                found
            )
        }
        ProblemKind::Template => text!(
            "{}: status.certificate is a place that nobody filled in, and no certificate",
            name
        ),
        ProblemKind::Base64(_) | ProblemKind::Unknown(_) => text!(
            "{}: status.certificate is damaged: it is neither base64 nor PEM",
            name
        ),
    };
    Some(fetch_again(request, Failure::not_good(what)))
}

fn fetch_again(request: &CertificateSigningRequest, failure: Failure) -> Failure {
    let get = kubectl(request, ["get", "csr"]).option("-o", "yaml");
    failure.say(text!("as it is in the cluster it is printed by: {}", get))
}

/// The last line, where a file ends in the middle of something.
fn cut_off(contents: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(contents).ok()?;
    // JSON that was read has its end.
    if text.trim_start().starts_with('{') {
        return None;
    }
    let last = text.lines().last()?;
    let is_open = !text.ends_with('\n') || last.matches('"').count() % 2 == 1;
    is_open.then(|| text.lines().count())
}

/// There is no certificate where one should be.
pub fn no_request(source: impl Show) -> Failure {
    Failure::not_good(text!("{}: there is no certificate in it", source))
}
