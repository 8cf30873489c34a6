//! What `inspect`, `verify` and `list` write as JSON is what `docs/report.schema.json` says.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};

use common::{Folder, admin_kubeconfig, authority, issue};
use serde_json::{Value, json};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");

/// The schema, once as it is, and once with no room for fields that it does not name.
fn validators() -> [jsonschema::Validator; 2] {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut closed = schema.clone();
    close(&mut closed);
    [schema, closed].map(|schema| jsonschema::validator_for(&schema).unwrap())
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("properties").is_some_and(Value::is_object) {
                map.insert("additionalProperties".to_owned(), json!(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn check(report: &Value, about: &str) -> usize {
    for validator in validators() {
        let errors = validator.iter_errors(report);
        let errors: Vec<_> = errors.take(3).map(|error| error.to_string()).collect();
        assert_eq!(errors, [] as [String; 0], "{about}");
    }
    report["objects"].as_array().unwrap().len()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn reports_on_every_vector_fit_the_schema() {
    let folder = Folder::new();
    let files = files_below(Path::new(VECTORS));
    let files: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
    assert!(files.len() > 800, "{}", files.len());
    let agreed = [
        "--user",
        "alice",
        "-g",
        "developers",
        "--max-lifetime",
        "90d",
    ];
    let mut objects = [0; 3];
    for part in files.chunks(200) {
        for (number, args) in [
            &["inspect", "-o", "json"][..],
            &[&["verify", "-o", "json"][..], &agreed].concat(),
            &["list", "-o", "json"],
        ]
        .into_iter()
        .enumerate()
        {
            let ended = folder.run(&[args, part].concat());
            objects[number] += check(&ended.json(), args[0]);
        }
    }
    assert!(objects.iter().all(|count| *count > 300), "{objects:?}");
}

#[test]
fn reports_on_every_file_of_the_journey_fit_the_schema() {
    let folder = Folder::new();
    folder.write("pass", "correct horse\n");
    let authority = authority();
    folder.write("admin.kubeconfig", admin_kubeconfig(&authority));
    for (user, secret, style) in [
        ("alice", &["--no-passphrase"][..], "--embed"),
        ("bob", &["--no-passphrase"], "--files"),
        ("carol", &["--passphrase-file", "pass"], "--exec"),
    ] {
        let request = [
            "request",
            user,
            "-g",
            "developers",
            "--algorithm",
            "ecdsa-p256",
        ];
        folder.run(&[&request[..], secret].concat()).good();
        let object = issue(&folder.read(&format!("{user}.csr.yaml")), &authority);
        let out = format!("{user}.reply.yaml");
        let reply = ["reply", "--kubeconfig", "admin.kubeconfig", "--out", &out];
        folder.run_with(&reply, object.as_bytes()).good();
        let opening = if secret.len() == 2 { secret } else { &[] };
        folder
            .run(&[&["kubeconfig", &out, style][..], opening].concat())
            .good();
    }
    let names = folder.names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let inspected = folder
        .run(&[&["inspect", "-o", "json"][..], &names].concat())
        .json();
    assert!(check(&inspected, "inspect") > 15);
    let contexts = inspected["objects"].as_array().unwrap().iter();
    let contexts: usize = contexts
        .filter_map(|object| object["kubeconfig"]["contexts"].as_array())
        .map(Vec::len)
        .sum();
    assert_eq!(contexts, 4);
    let listed = folder.run(&["list", ".", "-o", "json"]).good().json();
    // A request, a manifest, a reply and a context for each, and two certificates in files.
    assert_eq!(check(&listed, "list"), 14);
    let agreed = ["--user", "alice", "-g", "developers"];
    let verify = ["verify", "-o", "json", "alice.csr.yaml", "bob.csr.yaml"];
    let verified = folder.run(&[&verify[..], &agreed].concat()).json();
    assert_eq!(check(&verified, "verify"), 2);
    assert_eq!(verified["objects"][0]["verdict"], "good");
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let [validator, _] = validators();
    for (other, fits) in [
        (
            json!({"apiVersion": "kube-enroll/v1", "kind": "Report", "objects": []}),
            true,
        ),
        (
            json!({"apiVersion": "v1", "kind": "Report", "objects": []}),
            false,
        ),
        (
            json!({"apiVersion": "kube-enroll/v1", "kind": "Report"}),
            false,
        ),
        (
            json!({"apiVersion": "kube-enroll/v1", "kind": "Report", "objects": [{}]}),
            false,
        ),
    ] {
        assert_eq!(validator.is_valid(&other), fits, "{other}");
    }
}
