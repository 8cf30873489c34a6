//! `kube_enroll::config`: what is said about a configuration can be shown, and what it asks for can
//! be requested.

use der::oid::db::rfc5280::ID_CE_SUBJECT_ALT_NAME;
use kube_enroll::config::{self, RequestConfig};
use kube_enroll::csr::{CertificationRequest, RequestedExtension};
use kube_enroll::name::Subject;

use super::keys::{KEYS, rng};
use super::plain::assert_plain;

/// Takes any bytes for a configuration, OpenSSL's or a team's.
pub fn check(data: &[u8]) {
    match config::read(data) {
        Ok(config) => can_be_requested(&config),
        Err(error) => assert_plain(&error.to_string()),
    }
}

fn can_be_requested(config: &RequestConfig) {
    for note in &config.notes {
        assert_plain(&note.to_string());
    }
    let user = config.settings.user.as_deref().unwrap_or("alice");
    let Ok(subject) = Subject::new(user, &config.settings.groups, true) else {
        return;
    };
    let extensions = &config.extensions;
    match CertificationRequest::build(&subject, extensions, &KEYS[0], &mut rng()) {
        Ok(request) => assert_asked_for(&request, extensions),
        // Alternative names may be such that the cluster cannot read them.
        Err(error) => assert!(
            extensions.iter().any(|it| it.oid == ID_CE_SUBJECT_ALT_NAME),
            "{error}"
        ),
    }
}

fn assert_asked_for(request: &CertificationRequest, extensions: &[RequestedExtension]) {
    let asked = extensions.iter();
    let asked = asked.map(|it| (it.oid.to_string(), it.critical, &it.value));
    let built = request.extensions().iter();
    let built = built.map(|it| (it.oid.to_string(), it.critical, &it.value));
    assert!(asked.eq(built));
}
