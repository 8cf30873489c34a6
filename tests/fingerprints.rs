//! Fingerprints that people can say: the same digits on every page for people, and once; all of the
//! hash for programs; and any form where one is given.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use common::Folder;
use kube_enroll::certificate::Certificate;
use kube_enroll::key::{Fingerprint, PublicKey};
use kube_enroll::pem;
use regex::Regex;

/// A folder with a key, its request, the issued object and an admin's kubeconfig; what `request` said; and
/// the fingerprints of the key and of the cluster's authority.
fn journey() -> (Folder, String, Fingerprint, Fingerprint) {
    let folder = Folder::new();
    let (asked, authority) = folder.issue_to_alice();
    let public = folder.peer("openssl", &["pkey", "-in", "alice.key", "-pubout"]);
    let public = pem::first(public.as_bytes()).unwrap();
    let key = PublicKey::from_spki_der(&public.contents).unwrap();
    let ca = Certificate::from_der(authority.certificate().der()).unwrap();
    let (key, ca) = (key.fingerprint(), ca.public_key().fingerprint());
    (folder, asked.stdout, key, ca)
}

const AGREED: [&str; 4] = ["--user", "alice", "-g", "dev"];

/// What a page shows of fingerprints: digits for people, and hashes, which are for commands alone.
fn on_page(page: &str) -> (Vec<String>, Vec<String>) {
    let found = |pattern: &str| {
        let pattern = Regex::new(pattern).unwrap();
        let found = pattern.find_iter(page);
        found
            .map(|it| it.as_str().split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    };
    (
        found(r"\b\d{5}(\s+\d{5}){7}\b"),
        found("SHA256:[A-Za-z0-9+/=]{10,}"),
    )
}

#[test]
fn every_page_has_the_same_digits_once() {
    let (folder, asked, key, ca) = journey();
    let (key_digits, ca_digits) = (key.spoken(), ca.spoken());
    let reply = [
        "reply",
        "issued.yaml",
        "--kubeconfig",
        "admin",
        "--out",
        "alice.reply.yaml",
    ];
    let page = |words: &[&str]| {
        let ended = folder.run(words).good();
        format!("{}{}", ended.stdout, ended.stderr)
    };
    let nothing: [&str; 0] = [];
    let (digits, hashes) = on_page(&asked);
    assert_eq!(digits, [&*key_digits], "{asked}");
    // Not in the command that the administrator runs, which may be sent with the file.
    assert_eq!(hashes, nothing);
    for (words, digits) in [
        (
            &[&["verify", "alice.csr.yaml"][..], &AGREED].concat()[..],
            &key_digits,
        ),
        (&["inspect", "alice.csr"], &key_digits),
        (&["inspect", "alice.key"], &key_digits),
        (&["list", "-o", "wide", "alice.csr"], &key_digits),
        (&reply, &ca_digits),
        (&["kubeconfig", "alice.reply.yaml"], &ca_digits),
        (&["inspect", "alice.kubeconfig"], &key_digits),
        (&["inspect", "issued.yaml"], &key_digits),
    ] {
        let page = page(words);
        let (found, hashes) = on_page(&page);
        assert_eq!(found, [&**digits], "{words:?}: {page}");
        assert_eq!(hashes, nothing, "{words:?}: {page}");
    }
    let table = page(&["list", "alice.csr"]);
    assert!(
        table.contains(&format!("  {}  ", &key_digits[..11])),
        "{table}"
    );
    let renewed = page(&["renew", "alice.kubeconfig", "--no-passphrase"]);
    assert_eq!(on_page(&renewed).0.len(), 1, "{renewed}");
    let wrong = [
        &["verify", "alice.csr.yaml"][..],
        &AGREED,
        &["--fingerprint", &ca_digits],
    ];
    let wrong = folder.run(&wrong.concat());
    let found = format!("found key {key_digits}, agreed on {ca_digits}");
    let said = wrong
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert_eq!(wrong.status, 1);
    assert!(said.contains(&found), "{said}");
}

#[test]
fn programs_get_all_of_the_hash() {
    let (folder, _, key, _) = journey();
    let json = folder.typed("inspect -o json alice.csr").json();
    assert_eq!(
        json["objects"][0]["publicKey"]["fingerprint"],
        key.to_string()
    );
    for format in ["json", "csv", "yaml"] {
        let list = folder
            .run(&["list", "-o", format, "alice.csr"])
            .good()
            .stdout;
        assert!(list.contains(&key.to_string()), "{list}");
    }
}

#[test]
fn a_fingerprint_is_taken_in_every_form_wherever_one_is_given() {
    let (folder, _, key, ca) = journey();
    let forms = |fingerprint: &Fingerprint| {
        let hash = fingerprint.to_string();
        let base64 = hash.strip_prefix("SHA256:").unwrap().to_owned();
        let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, &base64).unwrap();
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let spoken = fingerprint.spoken();
        [
            hash,
            base64.trim_end_matches('=').to_owned(),
            hex.join(":"),
            hex.concat().to_lowercase(),
            format!("sha256:{}", hex.concat()),
            spoken.replace(' ', "-"),
            spoken.replace(' ', ""),
            spoken.replace(' ', "  \n"),
            spoken,
        ]
    };
    let reply = [
        "reply",
        "issued.yaml",
        "--kubeconfig",
        "admin",
        "--fingerprint",
    ];
    for form in forms(&key) {
        let verify = [
            &["verify", "alice.csr.yaml"][..],
            &AGREED,
            &["--fingerprint", &form],
        ];
        let ended = folder.run(&verify.concat()).good();
        let said = ended
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(said.contains("fingerprint agreed"), "{form}: {said}");
        // What is printed to be typed is one word.
        let typed = ended.stdout.split("--fingerprint ").nth(1).unwrap();
        let typed = typed.split_whitespace().next().unwrap();
        let again = [
            &["verify", "alice.csr.yaml"][..],
            &AGREED,
            &["--fingerprint", typed],
        ];
        folder.run(&again.concat()).good();
        folder.run(&[&reply[..], &[&form], &AGREED].concat()).good();
        // A row is a line.
        let form = form.replace('\n', " ");
        folder.write(
            "roster.csv",
            format!("user,groups,fingerprint\nalice,dev,\"{form}\"\n"),
        );
        folder
            .typed("verify alice.csr.yaml --roster roster.csv")
            .good();
    }
    let out = ["--out", "alice.reply.yaml"];
    folder
        .run(&[&reply[..], &[&key.spoken()], &AGREED, &out].concat())
        .good();
    for form in forms(&ca) {
        let out = [
            "kubeconfig",
            "alice.reply.yaml",
            "--out",
            "-",
            "--ca-fingerprint",
        ];
        let ended = folder.run(&[&out[..], &[&form]].concat()).good();
        assert!(
            !ended.stderr.contains("certificate authority"),
            "{}",
            ended.stderr
        );
    }
    for (form, words) in [
        (
            "12345 67890",
            "10 digits, expected 40: eight groups of five",
        ),
        ("SHA256:abc", "expected SHA256: and 44 characters of base64"),
        ("", "expected SHA256:"),
    ] {
        let verify = [
            &["verify", "alice.csr.yaml"][..],
            &AGREED,
            &["--fingerprint", form],
        ];
        folder
            .run(&verify.concat())
            .fails(2, &["--fingerprint", words]);
        folder
            .run(&["kubeconfig", "alice.reply.yaml", "--ca-fingerprint", form])
            .fails(2, &["--ca-fingerprint", words]);
    }
}
