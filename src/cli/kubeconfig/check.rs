//! Whether a certificate is the one that was asked for, and is of use now.

use kube_enroll::certificate::Certificate;
use kube_enroll::csr::CertificationRequest;
use kube_enroll::inspect::check_issued;
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::pem;
use kube_enroll::policy::Level;
use kube_enroll::text;
use time::OffsetDateTime;

use super::super::console::Console;
use super::super::failure::Failure;
use super::super::from::file::{self, DEFAULT_LIMIT, Stream};
use super::Issued;

/// Checks everything; the first thing that is wrong is told with what was found and expected.
pub(super) fn check(
    issued: &Issued,
    source: &Stream,
    now: OffsetDateTime,
    console: &Console,
) -> Result<(), Failure> {
    let ours = our_request(issued)?;
    let theirs = issued
        .request
        .as_ref()
        .map(|object| read_request(object, source))
        .transpose()?;
    if let (Some(ours), Some(theirs)) = (&ours, &theirs)
        && ours.der() != theirs.der()
    {
        return Err(swapped(source, ours, theirs));
    }
    let asked = ours.or(theirs);
    let object = issued.request.clone().unwrap_or_default();
    if let Some(asked) = &asked {
        for finding in check_issued(&issued.certificate, asked, &object) {
            let message = text!("{}: {}", source, finding);
            if finding.level == Level::Error {
                return Err(Failure::not_good(message)
                    .say("do not use it; ask the administrator what was signed"));
            }
            console.warn(message);
        }
    }
    check_use(issued, source)?;
    issued.certificate.check_dates(now).map_err(|error| {
        Failure::not_good(text!("{}: {}", source, error))
            .say("if the clock of this machine is right, make a new request")
    })
}

/// What holds whatever was asked for.
fn check_use(issued: &Issued, source: &Stream) -> Result<(), Failure> {
    if issued.certificate.subject().identity().is_none() {
        return Err(Failure::not_good(text!(
            "{}: the certificate has no user (CN): {}",
            source,
            issued.certificate.subject()
        )));
    }
    if !issued.certificate.client_auth() {
        return Err(Failure::not_good(text!(
            "{}: the certificate is not for client authentication",
            source
        ))
        .say("ask for the usage client auth"));
    }
    Ok(())
}

/// `USER.csr` beside the key, where it is.
fn our_request(issued: &Issued) -> Result<Option<CertificationRequest>, Failure> {
    let path = issued.key.source.path();
    let path = path.map(|key| key.with_extension("csr"));
    let Some(path) = path.filter(|path| path.is_file()) else {
        return Ok(None);
    };
    let input = Stream::from(path);
    let contents = file::read(&input, DEFAULT_LIMIT)?;
    let der = pem::first(&contents).map(|block| block.contents);
    CertificationRequest::from_der(der.as_ref().unwrap_or(&contents))
        .map(Some)
        .map_err(|error| Failure::in_file(&input, &error))
}

fn read_request(
    object: &CertificateSigningRequest,
    source: &Stream,
) -> Result<CertificationRequest, Failure> {
    let request = object.request.as_deref().unwrap_or_default();
    let block = pem::first(request).ok_or_else(|| {
        Failure::not_good(text!("{}: there is no request in spec.request", source))
    })?;
    CertificationRequest::from_der(&block.contents)
        .map_err(|error| Failure::in_file(source, &error))
}

/// The same-name trap, or worse.
fn swapped(source: &Stream, ours: &CertificationRequest, theirs: &CertificationRequest) -> Failure {
    Failure::not_good(text!(
        "{}: another request than ours was signed: found {} for key {}, expected {} for key {}",
        source,
        theirs.subject(),
        theirs.public_key().fingerprint(),
        ours.subject(),
        ours.public_key().fingerprint(),
    ))
    .say("an older object of the same name may still be in the cluster; ask the administrator")
}

/// Whether one of `authorities` issued the certificate, or the one at the end of its chain.
pub(super) fn is_issued_by(issued: &Issued, authorities: &[Certificate]) -> bool {
    let mut last = &issued.certificate;
    for next in issued.chain.iter().skip(1) {
        if !last.is_issued_by(next) {
            break;
        }
        last = next;
    }
    authorities
        .iter()
        .any(|authority| last.is_issued_by(authority))
}
