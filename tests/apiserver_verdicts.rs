//! The prediction agrees with what an API server (1.36.2) did with each recorded manifest.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use kube_enroll::inspect::{Context, inspect};
use kube_enroll::policy::Agreed;
use serde_json::Value;
use time::OffsetDateTime;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");

fn verdicts(folder: &str) -> serde_json::Map<String, Value> {
    let verdicts = std::fs::read(format!("{VECTORS}/{folder}/verdicts.json")).unwrap();
    serde_json::from_slice(&verdicts).unwrap()
}

fn predicted(case: &str, input: &[u8]) -> Vec<Value> {
    let context = Context {
        now: OffsetDateTime::UNIX_EPOCH,
        agreed: Agreed::default(),
        passphrase: None,
    };
    let objects = inspect(case, input, &context);
    objects
        .iter()
        .map(|object| serde_json::to_value(object).unwrap())
        .collect()
}

/// The identity as recorded, without what the server adds to everyone.
fn recorded_identity(recorded: &Value) -> Value {
    if recorded["unauthenticated"] == true {
        return Value::Null;
    }
    let mut identity = recorded.clone();
    let groups = identity["groups"].as_array_mut().unwrap();
    groups.retain(|group| group != "system:authenticated");
    identity
}

/// Compares one case with its record; says what differs.
fn differences(case: &str, verdict: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, found: &Value, expected: &Value| {
        if found != expected {
            differences.push(format!("{case}: {what} is {found}, recorded {expected}"));
        }
    };
    let path = format!("{VECTORS}/apiserver/cases/{case}.yaml");
    let objects = predicted(case, &std::fs::read(path).unwrap());
    if verdict["accepted"] == false {
        for object in &objects {
            compare(
                "accepted",
                &object["prediction"]["accepted"],
                &Value::Bool(false),
            );
            compare("identity", &object["identity"], &Value::Null);
        }
        return differences;
    }
    let recorded = verdict["final"].as_array().unwrap();
    compare("count", &objects.len().into(), &recorded.len().into());
    for (object, recorded) in objects.iter().zip(recorded) {
        let prediction = &object["prediction"];
        compare("accepted", &prediction["accepted"], &Value::Bool(true));
        // Null stands for another signer, which the recorded cluster does not have.
        if !prediction["issued"].is_null() {
            compare("issued", &prediction["issued"], &recorded["issued"]);
        }
        if let Some(identity) = recorded.get("identity") {
            let identity = recorded_identity(identity);
            compare("identity", &object["identity"], &identity);
            let authenticates = Value::Bool(!identity.is_null());
            compare(
                "authenticates",
                &prediction["authenticates"],
                &authenticates,
            );
        }
    }
    differences
}

#[test]
fn every_recorded_manifest_is_predicted() {
    let verdicts = verdicts("apiserver");
    assert!(verdicts.len() > 100);
    let differences: Vec<String> = verdicts
        .iter()
        .flat_map(|(case, verdict)| differences(case, verdict))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn whether_a_manifest_can_be_created_is_predicted() {
    let verdicts = verdicts("created");
    assert_eq!(verdicts.len(), 350);
    for (case, verdict) in &verdicts {
        let manifest = verdict["manifest"].as_str().unwrap();
        let objects = predicted(case, manifest.as_bytes());
        let accepted = objects
            .iter()
            .all(|object| object["prediction"]["accepted"] == true);
        assert_eq!(
            Value::Bool(accepted),
            verdict["accepted"],
            "{case}: {verdict}"
        );
        let told = objects.iter().any(|object| {
            let findings = object["findings"].as_array().unwrap();
            findings.iter().any(|finding| finding["level"] == "error")
        });
        assert!(accepted || told, "{case}: refused without a word");
    }
}
