//! `kube_enroll::manifest`: an object reads the same once `kube_enroll::yaml` has written it anew.

use kube_enroll::inspect::signing_requests;
use kube_enroll::yaml;

/// Takes any bytes for a file of objects, YAML or JSON.
pub fn check(data: &[u8]) {
    for document in yaml::documents(data) {
        let Ok(value) = &document.content else {
            continue;
        };
        let written = yaml::documents(yaml::to_string(value).as_bytes());
        let read = signing_requests(&[document]);
        assert_eq!(signing_requests(&written), read);
    }
}
