//! Whether a certificate is the one that was asked for, and is of use now.

use std::collections::BTreeSet;
use std::path::Path;

use kube_enroll::csr::CertificationRequest;
use kube_enroll::error::Error;
use kube_enroll::inspect::check_issued;
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::pem;
use kube_enroll::policy::Level;
use kube_enroll::shell::Command;
use kube_enroll::text;
use time::OffsetDateTime;

use super::super::console::Console;
use super::super::failure::Failure;
use super::super::from::file::Stream;
use super::super::from::keys::folder_of_link;
use super::super::from::requests::{FoundRequest, Requests};
use super::super::to::files::folder_of;
use super::Issued;

/// Checks everything; the first thing that is wrong is told with what was found and expected.
pub(super) fn check(
    issued: &Issued,
    source: &Stream,
    requests: &Requests<'_>,
    now: OffsetDateTime,
    console: &Console,
) -> Result<(), Failure> {
    let theirs = issued
        .request
        .as_ref()
        .map(|object| read_request(object, source))
        .transpose()?;
    let ours = our_requests(issued, source, requests);
    if let Some(theirs) = &theirs
        && !ours.iter().any(|ours| is_ours(&ours.request, theirs))
    {
        match ours.first() {
            Some(ours) => return Err(swapped(source, ours, theirs)),
            None => console.note(text!(
                "{}: no request of this key is at hand, so what was asked for is taken from the reply",
                source
            )),
        }
    }
    let asked = theirs.or_else(|| ours.into_iter().next().map(|ours| ours.request));
    let object = issued.request.clone().unwrap_or_default();
    if let Some(asked) = &asked {
        for finding in check_issued(issued.chain.leaf(), asked, &object) {
            let message = text!("{}: {}", source, finding);
            if finding.level == Level::Error {
                return Err(Failure::not_good(message)
                    .say("do not use it; ask the administrator what was signed"));
            }
            console.warn(message);
        }
    }
    check_use(issued, source)?;
    issued.chain.leaf().check_dates(now).map_err(|error| {
        let failure = Failure::not_good(text!("{}: {}", source, error));
        match error {
            Error::Expired { .. } => failure
                .say("if the clock of this machine is right, ask for a new one:")
                .run(Command::ours("renew").operand(source.path().unwrap_or(Path::new("REPLY")))),
            _ => failure.say(
                "if the clock of this machine is right, it is of use from then on: wait, or ask the \
                 administrator why",
            ),
        }
    })
}

/// What holds whatever was asked for.
fn check_use(issued: &Issued, source: &Stream) -> Result<(), Failure> {
    if issued.chain.leaf().subject().identity().is_none() {
        return Err(Failure::not_good(text!(
            "{}: the certificate has no user (CN): {}",
            source,
            issued.chain.leaf().subject()
        )));
    }
    if !issued.chain.leaf().client_auth() {
        return Err(Failure::not_good(text!(
            "{}: the certificate is not for client authentication",
            source
        ))
        .say("ask for the usage client auth"));
    }
    Ok(())
}

/// Every request of this key that is at hand: beside the key, beside the reply and here.
fn our_requests(issued: &Issued, source: &Stream, requests: &Requests<'_>) -> Vec<FoundRequest> {
    let key = issued.key.source.path();
    let linked = key.and_then(folder_of_link);
    let folders: BTreeSet<&Path> = [key, source.path()]
        .into_iter()
        .flatten()
        .map(folder_of)
        .chain(linked.as_deref())
        .chain([Path::new(".")])
        .collect();
    requests.of(issued.key.key.public_key(), &folders)
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

/// Whether it is our request. In which order the groups stand says nothing, here as where one is made.
fn is_ours(ours: &CertificationRequest, theirs: &CertificationRequest) -> bool {
    ours.info() == theirs.info() || ours.asks_for_the_same(theirs)
}

/// The same key, and another request: an earlier one, or one that was exchanged.
fn swapped(source: &Stream, ours: &FoundRequest, theirs: &CertificationRequest) -> Failure {
    Failure::not_good(text!(
        "{}: another request than ours was signed: found {} for key {}, expected {} for key {} as in {}",
        source,
        theirs.subject(),
        theirs.public_key().fingerprint(),
        ours.request.subject(),
        ours.request.public_key().fingerprint(),
        ours.path,
    ))
    .say("if it is for another request of yours, put its .csr or .csr.yaml file beside the reply; else ask the administrator")
}
