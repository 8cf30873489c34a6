//! `kube_enroll::yaml`: what is written is read back as it was, by us and by `serde_yaml`.

use kube_enroll::yaml;
use serde_json::Value;

/// Takes any bytes for documents, YAML or JSON; what they mean is then written.
pub fn check(data: &[u8]) {
    for document in yaml::documents(data) {
        let Ok(value) = document.content else {
            continue;
        };
        let text = yaml::to_string(&value);
        assert_eq!(yaml::first_document(text.as_bytes()).unwrap(), value);
        assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), value);
    }
}
