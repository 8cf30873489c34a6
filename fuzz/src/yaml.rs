//! `kube_enroll::yaml`: what is read stays within its limits, and what is written is read back as it
//! was, without an oddity, by us and by `serde_yaml`.

use kube_enroll::budget::Limits;
use kube_enroll::yaml;
use serde_json::Value;

/// Takes any bytes for documents, YAML or JSON; what they mean is then written.
pub fn check(data: &[u8]) {
    let limits = Limits {
        bytes: 1 << 16,
        nodes: 10_000,
        depth: 100,
    };
    let _ = yaml::first_document(data);
    let stream = yaml::read(data, &limits);
    assert!(stream.nodes <= limits.nodes);
    assert!(stream.rest.is_none_or(|rest| rest.end == data.len()));
    let failed = stream
        .documents
        .iter()
        .filter(|document| document.content.is_err());
    assert!(failed.count() <= 1);
    for document in stream.documents {
        assert!(document.line >= 1);
        let Ok(value) = document.content else {
            continue;
        };
        let text = yaml::to_string(&value);
        let again = yaml::read(text.as_bytes(), &Limits::default());
        assert_eq!(again.oddities, []);
        assert_eq!(again.documents[0].content.as_ref().unwrap(), &value);
        assert_eq!(yaml::first_document(text.as_bytes()).unwrap(), value);
        assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), value);
    }
}
