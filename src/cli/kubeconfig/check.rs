//! Whether a certificate is the one that was asked for, and is of use now.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use kube_enroll::carrier;
use kube_enroll::certificate::Certificate;
use kube_enroll::csr::CertificationRequest;
use kube_enroll::inspect::check_issued;
use kube_enroll::looks::look;
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::pem;
use kube_enroll::policy::Level;
use kube_enroll::text;
use time::OffsetDateTime;

use super::super::console::Console;
use super::super::failure::Failure;
use super::super::from::file::{self, DEFAULT_LIMIT, Stream};
use super::super::to::files::folder_of;
use super::Issued;

/// Checks everything; the first thing that is wrong is told with what was found and expected.
pub(super) fn check(
    issued: &Issued,
    source: &Stream,
    now: OffsetDateTime,
    console: &Console,
) -> Result<(), Failure> {
    let theirs = issued
        .request
        .as_ref()
        .map(|object| read_request(object, source))
        .transpose()?;
    let ours = our_requests(issued, source, console);
    if let Some(theirs) = &theirs
        && !ours.iter().any(|(_, ours)| ours.info() == theirs.info())
    {
        match ours.first() {
            Some((path, ours)) => return Err(swapped(source, path, ours, theirs)),
            None => console.note(text!(
                "{}: no request of this key is at hand, so what was asked for is taken from the reply",
                source
            )),
        }
    }
    let asked = theirs.or_else(|| ours.into_iter().next().map(|(_, ours)| ours));
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

/// Every request of this key that is at hand: the `.csr` files beside the key, beside the reply and
/// here.
fn our_requests(
    issued: &Issued,
    source: &Stream,
    console: &Console,
) -> Vec<(PathBuf, CertificationRequest)> {
    let folders: BTreeSet<&Path> = [issued.key.source.path(), source.path()]
        .into_iter()
        .flatten()
        .map(folder_of)
        .chain([Path::new(".")])
        .collect();
    let mut paths = BTreeSet::new();
    for entry in folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
    {
        paths.extend(entry.filter_map(|entry| Some(entry.ok()?.path())));
    }
    let is_request = |path: &PathBuf| path.extension().is_some_and(|it| it == "csr");
    let read = |path: PathBuf| {
        let contents = file::read(&Stream::from(path.as_path()), DEFAULT_LIMIT).ok()?;
        let read = |bytes: &[u8]| {
            let block = pem::first(bytes).map(|block| block.contents);
            let der = block.as_ref().map_or(bytes, |block| block);
            CertificationRequest::from_der(der).ok()
        };
        let request = read(&contents).or_else(|| {
            let undone = carrier::undo(&contents);
            let request = read(&undone.bytes);
            match &request {
                Some(_) => console.note(text!("{}: {}", path, undone.note())),
                None => console.warn(text!(
                    "{} was passed over: it is no request ({}); move it away if it is not needed",
                    path,
                    look(&contents)
                )),
            }
            request
        })?;
        Some((path, request))
    };
    paths
        .into_iter()
        .filter(is_request)
        .filter_map(read)
        .filter(|(_, request)| request.public_key() == issued.key.key.public_key())
        .collect()
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

/// The same key, and another request: an earlier one, or one that was exchanged.
fn swapped(
    source: &Stream,
    path: &Path,
    ours: &CertificationRequest,
    theirs: &CertificationRequest,
) -> Failure {
    Failure::not_good(text!(
        "{}: another request than ours was signed: found {} for key {}, expected {} for key {} as in {}",
        source,
        theirs.subject(),
        theirs.public_key().fingerprint(),
        ours.subject(),
        ours.public_key().fingerprint(),
        path,
    ))
    .say("if it is for another request of yours, put that .csr file beside the reply; else ask the administrator")
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
