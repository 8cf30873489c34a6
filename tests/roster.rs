//! Many people: requests, certificates and keys by a roster, as a team lead has it.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{Folder, admin_kubeconfig, authority, issue};
use serde_json::Value;

const TEAM: &str = "user,groups\nalice,dev\nbob,dev;ops\ncarol,\n";

/// Requests of these people in `requests`.
fn requests(folder: &Folder, people: &[(&str, &[&str])]) {
    std::fs::create_dir_all(folder.file("requests")).unwrap();
    for (user, groups) in people {
        let mut words = vec![
            "request",
            *user,
            "--algorithm",
            "ecdsa-p256",
            "--no-passphrase",
        ];
        words.extend(groups.iter().flat_map(|group| ["-g", *group]));
        folder
            .run(&[&words[..], &["--output-dir", "made"]].concat())
            .good();
    }
    for entry in std::fs::read_dir(folder.file("made")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".csr.yaml") {
            let from = folder.file("made").join(&name);
            std::fs::copy(from, folder.file("requests").join(&name)).unwrap();
        }
    }
}

fn verify(folder: &Folder, words: &[&str]) -> common::Ended {
    let words = [&["verify", "requests", "--roster", "team.csv"][..], words].concat();
    folder.run(&words)
}

#[test]
fn each_request_is_judged_by_the_row_of_its_person() {
    let folder = Folder::new();
    folder.write("team.csv", TEAM);
    requests(
        &folder,
        &[
            ("alice", &["dev"]),
            ("bob", &["dev"]),
            ("mallory", &["dev"]),
        ],
    );
    let report = verify(&folder, &[]);
    assert_eq!(report.status, 1, "{}", report.stderr);
    for line in [
        "NOT GOOD  bob",
        "NOT GOOD  mallory",
        "good      alice",
        "1 good, 2 NOT GOOD, 1 without a request",
        "1 NOT GOOD, group-mismatch: bob",
        "1 NOT GOOD, not-in-roster: mallory",
        "1 of the roster without a request: carol",
    ] {
        assert!(report.stdout.contains(line), "{line}: {}", report.stdout);
    }
    // Problems come first.
    let place = |text: &str| report.stdout.find(text).unwrap();
    assert!(place("NOT GOOD  mallory") < place("good      alice"));

    let names = verify(&folder, &["-o", "name"]);
    assert_eq!(names.status, 1);
    assert_eq!(names.stdout.lines().count(), 1);
    assert!(names.stdout.contains(".k8s.io/alice-"), "{}", names.stdout);
    let manifests = verify(&folder, &["-o", "manifest"]).stdout;
    assert_eq!(manifests.matches("\"kind\"").count(), 1);

    let json: Value = serde_json::from_str(&verify(&folder, &["-o", "json"]).stdout).unwrap();
    let verdicts: Vec<_> = json["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["verdict"])
        .collect();
    assert_eq!(verdicts, ["good", "not-good", "not-good"]);
    assert_eq!(json["missing"], serde_json::json!(["carol"]));
}

#[test]
fn of_two_requests_for_a_person_none_is_good_unless_the_key_was_agreed_on() {
    let folder = Folder::new();
    folder.write("team.csv", TEAM);
    requests(
        &folder,
        &[("alice", &["dev"]), ("alice", &["dev"]), ("carol", &[])],
    );
    let report = verify(&folder, &["-o", "manifest"]);
    assert_eq!(report.status, 1);
    assert_eq!(
        report.stdout.matches("\"kind\"").count(),
        1,
        "{}",
        report.stdout
    );
    assert!(
        report.stderr.contains("2 NOT GOOD, second-request: alice"),
        "{}",
        report.stderr
    );

    let inspected = folder
        .run(&["inspect", "made/alice.csr.yaml", "-o", "json"])
        .good();
    let json: Value = serde_json::from_str(&inspected.stdout).unwrap();
    let fingerprint = json["objects"][0]["publicKey"]["fingerprint"]
        .as_str()
        .unwrap();
    folder.write(
        "team.csv",
        format!("user;groups;fingerprint\nalice;dev;{fingerprint}\ncarol;;\n"),
    );
    let report = verify(&folder, &["-o", "name"]);
    assert_eq!(report.stdout.lines().count(), 2, "{}", report.stderr);
    assert!(
        report.stderr.contains("fingerprint-mismatch"),
        "{}",
        report.stderr
    );
}

#[test]
fn the_same_request_in_two_files_is_one_request() {
    let folder = Folder::new();
    folder.write("team.csv", TEAM);
    requests(&folder, &[("alice", &["dev"]), ("carol", &[])]);
    let all = ["alice", "carol"].map(|user| folder.read(&format!("requests/{user}.csr.yaml")));
    folder.write("requests/all.csr.yaml", all.join("---\n"));
    let report = verify(&folder, &["-o", "manifest"]).good();
    assert_eq!(report.stdout.matches("\"kind\"").count(), 2);
    assert!(
        report.stderr.contains("left out: 2 there twice"),
        "{}",
        report.stderr
    );
}

#[test]
fn what_is_decided_in_the_cluster_or_of_other_signers_is_counted_and_not_judged() {
    let folder = Folder::new();
    folder.write("team.csv", TEAM);
    requests(
        &folder,
        &[
            ("alice", &["dev"]),
            ("bob", &["dev", "ops"]),
            ("carol", &[]),
        ],
    );
    let manifest = |user: &str| {
        let sent = folder.read(&format!("requests/{user}.csr.yaml"));
        let filled_in = "metadata:\n  uid: \"u\"\n  creationTimestamp: \"2030-01-01T00:00:00Z\"\n";
        sent.replace("metadata:\n", filled_in)
    };
    let pending = manifest("alice") + "\nstatus: {}\n";
    let issued = issue(&manifest("bob"), &authority());
    let denied = manifest("carol")
        + "\nstatus: {conditions: [{type: Denied, status: 'True', reason: a, message: b}]}\n";
    let other =
        manifest("carol").replace("kube-apiserver-client", "kubelet-serving") + "\nstatus: {}\n";
    folder.write(
        "cluster.yaml",
        [pending, issued, denied, other].join("\n---\n"),
    );
    let words = [
        "verify",
        "cluster.yaml",
        "--roster",
        "team.csv",
        "-o",
        "name",
    ];
    let report = folder.run(&words);
    assert_eq!(report.status, 0, "{}", report.stderr);
    assert_eq!(report.stdout.lines().count(), 1, "{}", report.stdout);
    for line in [
        "1 denied",
        "1 issued",
        "1 of other signers",
        "1 of the roster without a request: carol",
    ] {
        assert!(report.stderr.contains(line), "{line}: {}", report.stderr);
    }
}

#[test]
fn a_roster_is_right_or_nothing_is_done() {
    let folder = Folder::new();
    folder.write(
        "team.csv",
        "user,groups\nalice,dev\nalice,ops\n,ops\nbob,system:masters\n",
    );
    requests(&folder, &[("alice", &["dev"])]);
    for command in [
        &["verify", "requests", "-o", "manifest"][..],
        &["reply", "requests/alice.csr.yaml"],
    ] {
        let words = [command, &["--roster", "team.csv"]].concat();
        let ended = folder.run(&words);
        ended.fails(2, &["3 rows are wrong", "line 3", "line 4", "line 5"]);
    }
    let both = [
        "verify", "requests", "--roster", "team.csv", "--user", "alice",
    ];
    folder.run(&both).fails(2, &["--roster", "--user"]);
}

#[test]
fn certificates_are_sent_back_to_those_in_the_roster_as_agreed() {
    let folder = Folder::new();
    let authority = authority();
    requests(
        &folder,
        &[("alice", &["dev"]), ("bob", &["dev"]), ("mallory", &[])],
    );
    let issued = ["alice", "bob", "mallory"].map(|user| {
        issue(
            &folder.read(&format!("requests/{user}.csr.yaml")),
            &authority,
        )
    });
    folder.write("issued.yaml", issued.join("\n---\n"));
    folder.write("team.csv", TEAM);
    folder.write("admin.kubeconfig", admin_kubeconfig(&authority));
    let ended = folder.run(&[
        "reply",
        "issued.yaml",
        "--kubeconfig",
        "admin.kubeconfig",
        "--roster",
        "team.csv",
        "--output-dir",
        "replies",
    ]);
    assert_eq!(ended.status, 1, "{}", ended.stderr);
    let replies: Vec<_> = std::fs::read_dir(folder.file("replies")).unwrap().collect();
    assert_eq!(replies.len(), 1);
    assert!(Path::new(&folder.file("replies/alice.reply.yaml")).exists());
    for words in [
        "nobody in the roster is called \"mallory\"",
        "agreed on \"dev\", \"ops\"",
    ] {
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
}
