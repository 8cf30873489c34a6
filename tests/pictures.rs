//! The pictures of the README and the guides show what the program says today: `docs/record` draws them
//! anew.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::{Ended, Folder, have};
use regex::Regex;

/// A line with `#` for keys, dates and names, which differ in every run.
fn without_what_differs(line: &str) -> String {
    let patterns = [
        r"SHA256:[A-Za-z0-9+/]{43}=",
        r"\b\d{5}( \d{5})+\b",
        r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\dZ?)?",
        r"\b[0-9a-f]{8}\b",
        r"\b[0-9a-f]{16,}\b",
    ];
    let line = patterns.iter().fold(line.to_owned(), |line, pattern| {
        Regex::new(pattern)
            .unwrap()
            .replace_all(&line, "#")
            .into_owned()
    });
    // Blanks before a colour are not drawn.
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines of a picture, from the top; the title of its window is none of them.
fn lines_of(picture: &str) -> Vec<String> {
    let path = format!("{}/docs/{picture}.svg", env!("CARGO_MANIFEST_DIR"));
    let svg = std::fs::read_to_string(path).unwrap();
    let text = Regex::new(r#"(?s)<text [^>]*-line-(\d+)\)">(.*?)</text>"#);
    let mut lines: BTreeMap<usize, String> = BTreeMap::new();
    for found in text.unwrap().captures_iter(&svg) {
        let line = lines.entry(found[1].parse().unwrap()).or_default();
        line.push_str(&found[2]);
    }
    let entities = [
        ("&#160;", " "),
        ("&#x27;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    let unescaped = |line: &String| {
        let fold = |line: String, (from, to): &(&str, &str)| line.replace(from, to);
        entities.iter().fold(line.clone(), fold)
    };
    lines.values().map(unescaped).collect()
}

/// Everything in the picture but what was typed is in what the program said now.
fn check(picture: &str, typed: &str, ended: &Ended) {
    let said = format!("{}{}", ended.stdout, ended.stderr);
    let said: BTreeSet<String> = said.lines().map(without_what_differs).collect();
    let lines = lines_of(picture);
    assert_eq!(lines[0].trim_end(), format!("$ {typed}"));
    let mut compared = 0;
    for line in &lines[1..] {
        let prompts = ["Passphrase for ", "The same again:", "$ echo $?"];
        if prompts.iter().any(|prompt| line.starts_with(prompt)) {
            continue;
        }
        let line = without_what_differs(line);
        let is_status = line == ended.status.to_string();
        assert!(is_status || said.contains(&line), "{line}\n{said:#?}");
        compared += 1;
    }
    assert!(compared > 15, "{compared}");
}

#[test]
fn the_picture_of_a_request_is_true() {
    let folder = Folder::new();
    folder.write("pass", "correct horse battery staple\n");
    folder.set_mode("pass", 0o600);
    let typed = "kube-enroll request alice --group developers --expires-in 90d";
    let mut words: Vec<&str> = typed.split(' ').skip(1).collect();
    words.extend(["--passphrase-file", "pass"]);
    check("request", typed, &folder.run(&words).good());
}

#[test]
fn the_picture_of_a_rehearsal_is_true() {
    let folder = Folder::new();
    let typed = "kube-enroll rehearse --output-dir rehearsal";
    let words: Vec<&str> = typed.split(' ').skip(1).collect();
    check("rehearse", typed, &folder.run(&words).good());
}

/// Asks for another user and a group more than it shows to somebody who prints it, as `docs/record` has
/// it.
#[test]
fn the_picture_of_a_hostile_request_is_true() {
    if !have("openssl") {
        return;
    }
    let folder = Folder::new();
    let request = |subject: &str| {
        let words = "req -new -utf8 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout key";
        let words: Vec<&str> = words.split(' ').chain(["-subj", subject]).collect();
        folder.peer("openssl", &words)
    };
    let hostile = "/O=cluster-admins/O=\u{1b}[1A\u{1b}[2Kdevelopers/CN=alice/CN=admin\u{202e}ecila";
    let blocks = request(hostile) + &request("/O=developers/CN=alice");
    let manifest = format!(
        "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata:\n  name: alice\n\
         spec:\n  request: {}\n  signerName: kubernetes.io/kube-apiserver-client\n  \
         expirationSeconds: 7776000\n  usages: [digital signature, client auth]\n",
        BASE64_STANDARD.encode(blocks)
    );
    folder.write("alice.csr.yaml", manifest);
    let typed = "kube-enroll verify alice.csr.yaml --user alice --group developers";
    let words: Vec<&str> = typed.split(' ').skip(1).collect();
    let ended = folder.run(&words);
    assert_eq!(ended.status, 1);
    check("verify", typed, &ended);
}
