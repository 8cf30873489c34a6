//! Many people: requests, certificates and keys by a roster, as a team lead has it.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::killed::{has_nameless_files, kill_and_go_on, names};
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
        report.stderr.contains("2 left out, there twice"),
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
    let cluster = [pending, issued, denied, other].join("\n---\n");
    let words = ["verify", "-", "--roster", "team.csv", "-o", "name"];
    let report = folder.run_with(&words, cluster.as_bytes());
    assert_eq!(report.status, 0, "{}", report.stderr);
    assert_eq!(report.stdout.lines().count(), 1, "{}", report.stdout);
    for line in [
        "1 left out, denied: carol",
        "1 left out, issued: bob",
        "1 left out, of other signers",
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
        "left out: 1 request of others than those in the roster",
        "agreed on \"dev\", \"ops\"",
    ] {
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
}

/// A cluster with a team, whose requests are issued as they are sent.
fn issued(folder: &Folder, people: &[(&str, &[&str])]) -> Vec<String> {
    let authority = authority();
    requests(folder, people);
    folder.write("team.csv", TEAM);
    folder.write("admin.kubeconfig", admin_kubeconfig(&authority));
    let mut names: Vec<_> = std::fs::read_dir(folder.file("requests"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let sent = names
        .iter()
        .map(|name| folder.read(&format!("requests/{name}")));
    sent.map(|manifest| issue(&manifest, &authority)).collect()
}

fn reply(folder: &Folder, objects: &[String]) -> common::Ended {
    let words = "reply --kubeconfig admin.kubeconfig --roster team.csv --output-dir replies";
    let words: Vec<_> = words.split(' ').collect();
    folder.run_with(&words, objects.join("\n---\n").as_bytes())
}

fn replies(folder: &Folder) -> Vec<String> {
    listed(folder, "replies")
}

#[test]
fn a_reply_that_is_there_stays_and_keeps_nobody_else_from_theirs() {
    let folder = Folder::new();
    let objects = issued(&folder, &[("alice", &["dev"]), ("bob", &["dev", "ops"])]);
    for _ in 0..2 {
        reply(&folder, &objects[..1]).good();
        assert_eq!(replies(&folder), ["alice.reply.yaml"]);
    }
    // Other files under her names.
    folder.write("replies/alice.reply.yaml", "another");
    reply(&folder, &objects).good();
    assert_eq!(folder.read("replies/alice.reply.yaml"), "another");
    assert_eq!(replies(&folder).len(), 3, "{:?}", replies(&folder));
    let said = reply(&folder, &objects).good().stdout;
    assert!(
        said.contains("0 replies written to replies, 2 there already"),
        "{said}"
    );
    for name in replies(&folder) {
        folder.write(&format!("replies/{name}"), "another");
    }
    std::fs::remove_file(folder.file("replies/bob.reply.yaml")).unwrap();
    reply(&folder, &objects).good();
    assert!(
        folder
            .read("replies/bob.reply.yaml")
            .contains("CertificateSigningRequest")
    );
}

#[test]
fn where_a_reply_is_named_otherwise_that_is_told_and_a_second_run_finds_it() {
    let folder = Folder::new();
    let objects = issued(&folder, &[("alice", &["dev"]), ("alice", &["dev"])]);
    let (earlier, later) = (&objects[..1], &objects[1..]);
    reply(&folder, earlier).good();
    let written = folder.read("replies/alice.reply.yaml");
    for run in 0..2 {
        let ended = reply(&folder, later).good();
        assert_eq!(replies(&folder).len(), 2, "{:?}", replies(&folder));
        let words = "replies/alice.reply.yaml is another reply, from earlier or for another cluster, and \
                     stays as it is; that for alice is in replies/alice-";
        assert!(ended.stderr.contains(words), "{run}: {}", ended.stderr);
    }
    // Both at once are where each was.
    let ended = reply(&folder, &objects);
    assert!(
        ended
            .stdout
            .contains("0 replies written to replies, 2 there already"),
        "{}",
        ended.stdout
    );
    assert_eq!(folder.read("replies/alice.reply.yaml"), written);
    assert_eq!(replies(&folder).len(), 2);
}

#[test]
fn a_folder_in_which_others_can_exchange_replies_is_told() {
    let folder = Folder::new();
    let objects = issued(&folder, &[("alice", &["dev"])]);
    let object = folder.file("alice.object.yaml");
    std::fs::write(&object, &objects[0]).unwrap();
    std::fs::create_dir(folder.file("replies")).unwrap();
    folder.set_mode("replies", 0o777);
    let words = "everyone can replace files in replies; run: chmod go-w replies";
    let ended = reply(&folder, &objects).good();
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    let one = "reply alice.object.yaml --kubeconfig admin.kubeconfig --out replies/one.yaml";
    let ended = folder.typed(one).good();
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
}

#[test]
fn of_two_certificates_for_a_person_both_are_named_and_neither_has_the_persons_name() {
    let folder = Folder::new();
    let objects = issued(&folder, &[("alice", &["dev"]), ("alice", &["dev"])]);
    let ended = reply(&folder, &objects);
    assert_eq!(ended.status, 1, "{}", ended.stderr);
    let words = "2 certificates with different keys were issued for \"alice\": alice-";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    let names = replies(&folder);
    assert_eq!(names.len(), 2);
    assert!(!names.contains(&"alice.reply.yaml".to_owned()), "{names:?}");
}

#[test]
fn in_a_shared_cluster_replies_are_about_those_in_the_roster() {
    let folder = Folder::new();
    let others = ["mallory", "x1", "x2", "x3"].map(|user| (user, &["dev"][..]));
    let ours: [(&str, &[&str]); 2] = [("alice", &["dev"]), ("bob", &["dev", "ops"])];
    let objects = issued(&folder, &[&ours[..], &others].concat());
    let mut cluster = objects.clone();
    cluster[1] = folder.read("requests/bob.csr.yaml") + "\nstatus: {}\n";
    let ended = reply(&folder, &cluster).good();
    assert_eq!(replies(&folder), ["alice.reply.yaml"]);
    for words in [
        "left out: 4 requests of others than those in the roster",
        "1 pending: bob-",
        "1 of the roster without a request there: carol",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("mallory"), "{}", ended.stderr);
}

#[test]
fn where_nobody_asked_for_anything_there_is_nothing_to_do() {
    let folder = Folder::new();
    let nothing = [
        "apiVersion: v1\nitems: []\nkind: List\n",
        "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[]}",
    ];
    let objects = issued(&folder, &[("alice", &["dev"])]);
    for list in nothing {
        let ended = reply(&folder, &[list.to_owned()]).good();
        assert!(ended.stderr.contains("no requests"), "{}", ended.stderr);
        let words = ["verify", "-", "--roster", "team.csv"];
        let ended = folder.run_with(&words, list.as_bytes()).good();
        assert!(
            ended.stdout.contains("3 without a request"),
            "{}",
            ended.stdout
        );
        // A file that somebody sent has a request in it.
        folder.write("list.yaml", list);
        let words = ["verify", "list.yaml", "--roster", "team.csv"];
        folder.run(&words).fails(1, &[]);
    }
    let pending = folder.read("requests/alice.csr.yaml") + "\nstatus: {}\n";
    reply(&folder, &[pending]).good();
    assert!(folder.has_nothing_in("replies") && !objects.is_empty());
}

#[test]
fn a_certificate_that_is_valid_for_longer_than_asked_is_told() {
    let folder = Folder::new();
    let objects = issued(&folder, &[("alice", &["dev"])]);
    let short = objects[0].replace("spec:\n", "spec:\n  expirationSeconds: 3600\n");
    let ended = reply(&folder, &[short]).good();
    let words = "granted, 1h asked for";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
}

const LAB: &str = "user,groups,algorithm,expires-in\n\
    robot-1,robots,ecdsa-p256,90d\nrobot 2,robots;lab,ed25519,\nrobot-3,,rsa-2048,1d\n";

fn make(folder: &Folder, words: &[&str]) -> common::Ended {
    let words = [
        &["request", "--roster", "lab.csv", "--output-dir", "keys"][..],
        words,
    ]
    .concat();
    folder.run(&words)
}

/// What is in a folder, by name.
fn listed(folder: &Folder, name: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder.file(name)).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_key_that_somebody_put_there_is_nobodys() {
    let folder = Folder::new();
    folder.write("lab.csv", "user,groups\nr1,robots\nr2,robots\nr3,robots\n");
    let key = ["request", "mallory", "--algorithm", "ecdsa-p256"];
    folder
        .run(&[&key[..], &["--no-passphrase"]].concat())
        .good();
    let (is_root, planted) = (
        folder.other("id", &["-u"]).stdout.trim() == "0",
        folder.read("mallory.key"),
    );
    let plant = |names: &[&str], mode: u32| {
        let _ = std::fs::remove_dir_all(folder.file("keys"));
        std::fs::create_dir(folder.file("keys")).unwrap();
        for name in names {
            folder.write(&format!("keys/{name}"), &planted);
            folder.set_mode(&format!("keys/{name}"), mode);
        }
    };
    let refused = |words: &[&str]| {
        let before = listed(&folder, "keys");
        let ended = make(&folder, &["--no-passphrase"]);
        ended.fails(2, words);
        ended.fails(2, &["nothing was made"]);
        assert_eq!(listed(&folder, "keys"), before, "{}", ended.stderr);
    };
    plant(&["r1.key"], 0o644);
    refused(&[
        "others can read keys/r1.key",
        "the key of \"r1\"",
        "chmod 600 keys/r1.key",
    ]);
    plant(&["r1.key", "r3.key"], 0o600);
    refused(&["keys/r3.key holds the key of \"r1\" in keys/r1.key once more, for \"r3\""]);
    if is_root {
        plant(&["r2.key"], 0o600);
        folder.peer("chown", &["65534", "keys/r2.key"]);
        refused(&[
            "keys/r2.key belongs to another user, number 65534",
            "the key of \"r2\"",
        ]);
    }
    plant(&[], 0o600);
    folder.peer("mkfifo", &["keys/r2.key"]);
    refused(&["keys/r2.key is a named pipe (FIFO)"]);
    std::fs::remove_file(folder.file("keys/r2.key")).unwrap();
    // A pipe that is called a request is in the way of that one alone, and nobody waits for it.
    folder.peer("mkfifo", &["keys/r2.csr", "keys/other.csr.yaml"]);
    let begun = std::time::Instant::now();
    make(&folder, &["--no-passphrase"]).good();
    assert!(begun.elapsed().as_secs() < 4, "{:?}", begun.elapsed());
}

#[test]
fn what_is_no_file_is_passed_over_among_keys_and_told() {
    let folder = Folder::new();
    let objects = issued(&folder, &[("alice", &["dev"])]);
    folder.write("issued.yaml", &objects[0]);
    std::fs::create_dir(folder.file("mine")).unwrap();
    folder.peer("mkfifo", &["mine/bob.key", "mine/bob.csr"]);
    let begun = std::time::Instant::now();
    let ended = folder.typed("kubeconfig issued.yaml --key mine --server https://a:6443");
    assert!(begun.elapsed().as_secs() < 4, "{:?}", begun.elapsed());
    let words = "mine/bob.key is a named pipe (FIFO), and is passed over";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
}

#[test]
fn what_is_said_of_a_roster_is_no_longer_than_anybody_reads() {
    let folder = Folder::new();
    folder.write("alice.csr.yaml", "kind: x");
    let alike = (0..3000).map(|number| format!("{number:012b}\n").replace('0', "l"));
    let long = "a".repeat(900_000);
    for (roster, words) in [
        (
            format!("user\n{}", alike.collect::<String>()),
            "more lines of that kind",
        ),
        (format!("user\n{long}\n"), " [...] "),
        (format!("user,{long}\nalice,x\n"), "there is no column"),
        (format!("user\n{}\n", "a\u{301}".repeat(300_000)), " [...] "),
    ] {
        folder.write("team.csv", roster);
        let ended = folder.run(&["verify", "alice.csr.yaml", "--roster", "team.csv"]);
        assert!(
            ended.stderr.contains(words),
            "{words}: {:.300}",
            ended.stderr
        );
        assert!(
            ended.stderr.len() < 12_000,
            "{words}: {}",
            ended.stderr.len()
        );
    }
}

#[test]
fn keys_and_requests_of_a_lab_are_made_and_are_as_the_roster_says() {
    let folder = Folder::new();
    folder.write("lab.csv", LAB);
    let table = make(&folder, &["--no-passphrase", "-o", "csv"]).good();
    folder.write("with-keys.csv", &table.stdout);
    assert!(
        table.stdout.starts_with(
            "user,groups,fingerprint,max-lifetime,algorithm,expires-in\nrobot-1,robots,SHA256:"
        ),
        "{}",
        table.stdout
    );
    for file in ["keys", "keys/requests.csr.yaml"] {
        let report = folder
            .run(&["verify", file, "--roster", "with-keys.csv", "-o", "name"])
            .good();
        assert_eq!(report.stdout.lines().count(), 3, "{}", report.stderr);
    }
    let keys = folder.peer("sh", &["-c", "ls keys | grep key$"]);
    let keys: Vec<&str> = keys.lines().collect();
    assert_eq!(keys.len(), 3);
    assert!(
        keys[0] == "robot-1.key" && keys[1].starts_with("robot-2="),
        "{keys:?}"
    );
    for key in keys {
        assert_eq!(folder.mode(&format!("keys/{key}")), 0o600);
    }
    let report = folder
        .run(&["inspect", "keys/requests.csr.yaml", "-o", "json"])
        .good()
        .json();
    let of = |index: usize| &report["objects"][index];
    assert_eq!(of(0)["expirationSeconds"], 90 * 86_400);
    assert_eq!(
        of(1)["identity"]["groups"],
        serde_json::json!(["lab", "robots"])
    );
    assert_eq!(of(2)["publicKey"]["algorithm"], "RSA");

    let rows = make(&folder, &["--no-passphrase", "-o", "json"])
        .good()
        .json();
    assert_eq!(rows["objects"].as_array().unwrap().len(), 3);
    let spoken = make(&folder, &["--no-passphrase"]).good().stdout;
    assert!(
        spoken.contains("0 requests made, 3 there already"),
        "{spoken}"
    );
}

#[test]
fn a_run_that_was_stopped_goes_on_and_makes_no_key_twice() {
    let folder = Folder::new();
    folder.write("lab.csv", LAB);
    folder.write("pass", "correct horse battery\n");
    folder.set_mode("pass", 0o600);
    let encrypted = ["--passphrase-file", "pass"];
    make(&folder, &encrypted).good();
    let key = folder.read("keys/robot-1.key");
    assert!(key.contains("ENCRYPTED"), "{key}");
    let manifest = folder.read("keys/robot-1.csr.yaml");
    // Killed after the key, after the request, and before the file of all.
    for gone in [
        &["robot-1.csr", "robot-1.csr.yaml"][..],
        &["robot-1.csr.yaml"],
        &["requests.csr.yaml"],
    ] {
        for file in gone {
            std::fs::remove_file(folder.file("keys").join(file)).unwrap();
        }
        let said = make(&folder, &encrypted).good().stdout;
        assert_eq!(folder.read("keys/robot-1.key"), key);
        let made = usize::from(gone.len() > 1 || gone == ["robot-1.csr.yaml"]);
        assert!(said.contains(&format!("{made} request")), "{said}");
    }
    // The row changes: the same key, another request beside the first.
    folder.write(
        "lab.csv",
        LAB.replace("robot-1,robots", "robot-1,robots;night"),
    );
    make(&folder, &encrypted).good();
    assert_eq!(folder.read("keys/robot-1.key"), key);
    let all = folder.read("keys/requests.csr.yaml");
    assert!(!all.contains(manifest.trim_end()), "{all}");
    let report = folder
        .run(&["verify", "keys/requests.csr.yaml", "--roster", "lab.csv"])
        .good();
    assert!(
        report.stdout.contains("3 good, 0 NOT GOOD"),
        "{}",
        report.stdout
    );
    let said = make(&folder, &encrypted).good();
    assert!(said.stdout.contains("0 requests made"), "{}", said.stdout);
    assert!(
        said.stderr
            .contains("2 files here are of nobody in the roster as it is now: robot-1.csr"),
        "{}",
        said.stderr
    );
}

#[test]
fn all_keys_of_a_folder_have_one_passphrase_or_none() {
    let folder = Folder::new();
    folder.write("lab.csv", "user\nrobot-1\nrobot-2\n");
    folder.write("pass", "correct horse battery\n");
    folder.write("other", "another staple\n");
    let encrypted = ["--passphrase-file", "pass", "--algorithm", "ecdsa-p256"];
    make(&folder, &encrypted).good();
    let before = keys(&folder);
    let other = ["--passphrase-file", "other"];
    make(&folder, &other).fails(2, &["robot-1.key", "passphrase"]);
    make(&folder, &["--no-passphrase"]).fails(2, &["robot-1.key", "is encrypted"]);
    std::fs::remove_file(folder.file("keys/robot-1.csr")).unwrap();
    std::fs::remove_file(folder.file("keys/robot-2.key")).unwrap();
    make(&folder, &PLAIN).fails(2, &["robot-1.key", "is encrypted"]);
    assert!(!folder.has("keys/robot-2.key") && before.contains(&keys(&folder)[0]));
    // And the other way around.
    let plain = [
        "passphrase",
        "keys/robot-1.key",
        "--passphrase-file",
        "pass",
        "--remove",
    ];
    folder.run(&plain).good();
    make(&folder, &encrypted).fails(2, &["robot-1.key", "not encrypted"]);
    make(&folder, &PLAIN).good();
}

#[test]
fn a_request_that_is_not_of_the_key_beside_it_is_told_and_the_others_are_made() {
    let folder = Folder::new();
    folder.write("lab.csv", "user\nalice\nbob\n");
    make(&folder, &PLAIN).good();
    let bobs = folder.read("keys/bob.key");
    for name in ["bob.csr", "bob.csr.yaml"] {
        std::fs::rename(folder.file("keys").join(name), folder.file(name)).unwrap();
    }
    std::fs::remove_file(folder.file("keys/bob.key")).unwrap();
    make(&folder, &PLAIN).good();
    assert_ne!(folder.read("keys/bob.key"), bobs);
    for name in ["bob.csr", "bob.csr.yaml"] {
        std::fs::copy(folder.file(name), folder.file("keys").join(name)).unwrap();
    }
    folder.write("lab.csv", "user\nalice\nbob\ncarol\n");
    let words = [
        "keys/bob.csr is not for the key in keys/bob.key",
        "2 of 3 are done",
    ];
    make(&folder, &PLAIN).fails(2, &words);
    assert!(folder.has("keys/carol.key"));
    // Nobody gets another key because theirs is where it is used.
    std::fs::remove_file(folder.file("keys/bob.key")).unwrap();
    let said = make(&folder, &PLAIN).good();
    assert!(
        said.stderr
            .contains("1 key is not here, and no other was made: bob")
    );
    assert!(!folder.has("keys/bob.key"));
    folder.write("lab.csv", "user,groups\nalice,\nbob,dev\ncarol,\n");
    make(&folder, &PLAIN).fails(2, &["its key is not in keys/bob.key"]);
}

#[test]
fn what_the_roster_did_not_say_before_is_told() {
    let folder = Folder::new();
    let write = |rows: &str| folder.write("lab.csv", format!("user,groups,algorithm\n{rows}"));
    write("alice,dev,ecdsa-p256\nbob,dev,ecdsa-p256\n");
    make(&folder, &["--no-passphrase"]).good();
    write("alice,dev;ops,ed25519\n");
    let said = make(&folder, &["--no-passphrase"]).good();
    for words in [
        "1 row has changed: alice",
        "1 key is of another algorithm than the roster says, and stay: alice",
        "5 files here are of nobody in the roster as it is now: alice.csr, alice.csr.yaml, bob.csr",
    ] {
        assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
    }
    assert!(
        said.stdout.contains("1 request made, 0 there"),
        "{}",
        said.stdout
    );
    let said = make(&folder, &["--no-passphrase"]).good();
    assert!(
        said.stdout.contains("0 requests made, 1 there"),
        "{}",
        said.stdout
    );
    let words = ["verify", "keys/requests.csr.yaml", "--roster", "lab.csv"];
    folder.run(&words).good();
}

#[test]
fn the_table_of_fingerprints_is_the_roster_with_all_that_it_says() {
    let folder = Folder::new();
    folder.write(
        "lab.csv",
        "- user: alice\n  groups: ['a;b', c]\n  max-lifetime: 30d\n- user: bob\n  algorithm: ed25519\n  \
         expires-in: 1d\n",
    );
    let table = make(&folder, &[&PLAIN[..], &["-o", "csv"]].concat()).good();
    folder.write("table.csv", &table.stdout);
    let all = "keys/requests.csr.yaml";
    let words = ["verify", all, "--roster", "table.csv", "-o", "json"];
    let report = folder.run(&words).good().json();
    assert_eq!(report["objects"][0]["expirationSeconds"], 30 * 86_400);
    assert_eq!(report["objects"][0]["agreement"]["lifetime"], "agreed");
    let words = "request --roster table.csv --output-dir keys --no-passphrase -o csv";
    let again = folder.typed(words).good();
    assert_eq!(again.stdout, table.stdout);
    // Where another key is agreed on, none is made.
    let words = "request --roster table.csv --output-dir elsewhere --no-passphrase";
    folder.typed(words).fails(
        2,
        &[
            "line 2 of the roster has the fingerprint",
            "elsewhere/alice.key",
        ],
    );
    assert!(!folder.has("elsewhere/alice.key"));
    let other = table
        .stdout
        .lines()
        .nth(2)
        .unwrap()
        .split(',')
        .nth(2)
        .unwrap();
    folder.write(
        "table.csv",
        format!("user,groups,fingerprint\nalice,\"\"\"a;b\"\";c\",{other}\n"),
    );
    let words = "request --roster table.csv --output-dir keys --no-passphrase";
    folder
        .typed(words)
        .fails(2, &["line 2 of the roster", "found key SHA256:"]);
}

#[test]
fn what_can_never_be_good_is_not_made() {
    let folder = Folder::new();
    let rows = [
        "alice,System:Masters",
        "#N/A,dev",
        ";;,x",
        "Total: 1,",
        "#bob,dev",
        "\"=HYPERLINK(\"\"x\"\")\",dev",
        "\"alice\"x,dev",
        "b\u{f6}b,dev",
        "carol,dev,90d,30d",
        "dave,-",
        "{{user}},dev",
    ];
    folder.write(
        "lab.csv",
        format!("user,groups,expires-in,max-lifetime\n{}\n", rows.join("\n")),
    );
    let ended = make(&folder, &PLAIN);
    ended.fails(
        2,
        &[
            "9 rows are wrong",
            "line 2",
            "line 3",
            "line 4",
            "line 5",
            "line 6",
            "line 7",
            "line 8",
            "line 10",
            "line 11",
        ],
    );
    assert!(folder.has_nothing_in("keys"));
}

#[test]
fn rosters_are_told_from_what_they_are_not() {
    let folder = Folder::new();
    let many = (0..200).map(|n| format!("user-{n},\"dev, ops\"\n"));
    let many = many.collect::<Vec<_>>().concat();
    for (roster, words) in [
        (
            format!("user,groups\n{many}"),
            &["1 row is wrong", "(so in 199 rows more)"][..],
        ),
        (
            "user,groups\nalice,\"dev\nops\"\nbob,system:x\n".into(),
            &["line 2: a cell of 2 lines", "line 4"],
        ),
        (
            "user,groups\n\"alice,dev\nbob,system:x\n".into(),
            &["line 2: a quotation mark that is not closed", "line 3"],
        ),
        (
            "user;groups\nalice;dev;ops\n".into(),
            &["column 3", "stand in quotation marks"],
        ),
        (
            "Our team\n\nuser,groups\nalice,dev\n".into(),
            &["line 3: this row names the columns"],
        ),
        (
            "- user: alice\n  groups: dev;ops\n".into(),
            &["line 1: groups: several are a list in YAML"],
        ),
        (
            format!("- user: alice\n  fingerprint: {}\n", "1".repeat(40)),
            &["eight groups of five digits, in quotes"],
        ),
        (
            "- user: alice\n  user: bob\n".into(),
            &["line 2: a key that comes twice, which a roster does not have"],
        ),
    ] {
        folder.write("lab.csv", &roster);
        let ended = make(&folder, &PLAIN);
        ended.fails(2, words);
        assert!(!ended.stderr.contains("kubectl"), "{}", ended.stderr);
    }
    folder.write(
        "lab.csv",
        b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0xl/workbook.xml",
    );
    make(&folder, &PLAIN).fails(2, &["save it from the spreadsheet as CSV"]);
    for roster in [
        "SEP=;\nUsername;Groups\nalice;dev\n",
        "user|groups\nalice|dev\n",
        "user name, groups\nalice, \"dev;ops\"\n",
    ] {
        folder.write("lab.csv", roster);
        make(&folder, &PLAIN).good();
    }
}

#[test]
fn a_roster_that_came_through_a_pipe_is_saved_before_it_is_used_again() {
    let folder = Folder::new();
    let words = "request --roster - --output-dir keys --no-passphrase --algorithm ed25519";
    let words: Vec<_> = words.split(' ').collect();
    let said = folder.run_with(&words, b"user\nalice\n").good().stdout;
    assert!(
        said.contains("verify keys/requests.csr.yaml --roster team.csv -o manifest"),
        "{said}"
    );
    assert!(
        said.contains("save it first") && !said.contains("--roster -"),
        "{said}"
    );
    let words = "request --roster - --output-dir - --no-passphrase";
    let words: Vec<_> = words.split(' ').collect();
    folder
        .run_with(&words, b"user\nalice\n")
        .fails(2, &["a folder"]);
}

/// So many people are on the way when commands are killed.
const PEOPLE: usize = 60;

#[test]
fn killed_at_any_moment_and_started_again_it_loses_nobody_and_makes_no_key_twice() {
    let folder = Folder::new();
    if !has_nameless_files(&folder) {
        // A file may be left then under a name that starts with a dot.
        return;
    }
    let users: Vec<_> = (0..PEOPLE)
        .map(|number| format!("robot-{number}"))
        .collect();
    folder.write("lab.csv", format!("user\n{}\n", users.join("\n")));
    let request = [
        "request",
        "--roster",
        "lab.csv",
        "--algorithm",
        "ecdsa-p256",
        "--no-passphrase",
        "--output-dir",
        "keys",
    ];
    let mut keys = BTreeMap::new();
    kill_and_go_on(&folder, &request, "keys", 3 * PEOPLE + 1, |output| {
        for name in names(output) {
            assert!(!name.starts_with('.'), "{name} was left");
            if name.ends_with(".key") {
                let key = std::fs::read_to_string(output.join(&name)).unwrap();
                let first = keys.entry(name).or_insert_with(|| key.clone());
                assert_eq!(*first, key, "a key was made twice");
            }
        }
    });
    assert_eq!(keys.len(), PEOPLE);
    let all = "keys/requests.csr.yaml";
    let good = folder.run(&["verify", all, "--roster", "lab.csv", "-o", "name"]);
    assert_eq!(good.good().stdout.lines().count(), PEOPLE);

    let authority = authority();
    folder.write("admin", admin_kubeconfig(&authority));
    let all = folder.read(all);
    let issued = all
        .split("---\n")
        .map(|manifest| issue(manifest, &authority));
    folder.write("issued", issued.collect::<Vec<_>>().join("---\n"));
    let reply = [
        "reply",
        "issued",
        "--kubeconfig",
        "admin",
        "--output-dir",
        "replies",
    ];
    let whole = |output: &Path| {
        for name in names(output) {
            assert!(!name.starts_with('.'), "{name} was left");
            let text = std::fs::read_to_string(output.join(&name)).unwrap();
            assert!(!text.is_empty(), "{name} is empty");
        }
    };
    kill_and_go_on(&folder, &reply, "replies", PEOPLE, whole);

    let replies: Vec<_> = users
        .iter()
        .map(|user| format!("replies/{user}.reply.yaml"))
        .collect();
    let more = ["--key", "keys", "--embed", "--output-dir", "kubeconfigs"];
    let words = replies.iter().map(String::as_str).chain(more);
    let kubeconfig: Vec<_> = ["kubeconfig"].into_iter().chain(words).collect();
    kill_and_go_on(&folder, &kubeconfig, "kubeconfigs", PEOPLE, whole);
    for user in users {
        let kubeconfig = folder.read(&format!("kubeconfigs/{user}.kubeconfig"));
        let key = folder.read(&format!("keys/{user}.key"));
        let key = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, key);
        assert_eq!(kubeconfig.matches(&key).count(), 1, "{kubeconfig}");
    }
}

/// The key files, with what is in them.
fn keys(folder: &Folder) -> Vec<(String, String)> {
    let names = folder.peer("sh", &["-c", "ls keys | grep key$"]);
    let read = |name: &str| (name.to_owned(), folder.read(&format!("keys/{name}")));
    names.lines().map(read).collect()
}

const PLAIN: [&str; 3] = ["--no-passphrase", "--algorithm", "ecdsa-p256"];

#[test]
fn the_names_of_a_persons_files_do_not_depend_on_who_else_is_there() {
    let folder = Folder::new();
    let people = ["a-b", "a b", "a/b", "a:b", ".a-b", "Ab", "requests"];
    let mut before = Vec::new();
    for number in 1..=people.len() {
        folder.write(
            "lab.csv",
            format!("user\n{}\n", people[..number].join("\n")),
        );
        make(&folder, &PLAIN).good();
        let now = keys(&folder);
        assert!(
            before.iter().all(|key| now.contains(key)),
            "{number}: {now:#?}"
        );
        before = now;
    }
    let lower: std::collections::BTreeSet<_> =
        before.iter().map(|(name, _)| name.to_lowercase()).collect();
    assert_eq!(lower.len(), people.len());
    let names: Vec<_> = before.iter().map(|(name, _)| name.as_str()).collect();
    assert!(
        names.contains(&"a-b.key") && !names.contains(&"requests.key"),
        "{names:?}"
    );
    let all = folder.read("keys/requests.csr.yaml");
    assert_eq!(all.matches("\nkind: ").count(), people.len(), "{all}");
}

#[test]
fn no_file_that_is_another_one_is_written_over_by_that_of_all() {
    let folder = Folder::new();
    std::fs::create_dir(folder.file("keys")).unwrap();
    folder.write("keys/requests.csr.yaml", "precious");
    folder.write("lab.csv", "user\nalice\n");
    let said = make(&folder, &PLAIN).good();
    assert!(
        said.stdout.contains("are in 'keys/requests=2.csr.yaml'")
            || said.stdout.contains("are in keys/requests=2.csr.yaml"),
        "{}",
        said.stdout
    );
    assert!(
        said.stderr
            .contains("keys/requests.csr.yaml holds something else"),
        "{}",
        said.stderr
    );
    // More people: that of an earlier run is replaced.
    folder.write("lab.csv", "user\nalice\nbob\n");
    make(&folder, &PLAIN).good();
    let both = folder.read("keys/requests=2.csr.yaml");
    assert!(both.contains("alice-") && both.contains("bob-"), "{both}");
    // Other people: theirs lies beside it.
    folder.write("lab.csv", "user\ncarol\n");
    make(&folder, &PLAIN).good();
    make(&folder, &PLAIN).good();
    assert_eq!(folder.read("keys/requests=2.csr.yaml"), both);
    assert!(folder.read("keys/requests=3.csr.yaml").contains("carol-"));
    // What somebody added is not lost.
    folder.write(
        "keys/requests=3.csr.yaml",
        folder.read("keys/requests=3.csr.yaml") + "# mine\n",
    );
    make(&folder, &PLAIN).good();
    assert!(folder.read("keys/requests=3.csr.yaml").contains("# mine"));
    assert!(folder.has("keys/requests=4.csr.yaml"));
    assert_eq!(folder.read("keys/requests.csr.yaml"), "precious");
    // A request of one person who is called so is not that of all.
    folder
        .run(&[
            "request",
            "requests",
            "--algorithm",
            "ed25519",
            "--no-passphrase",
            "--output-dir",
            "one",
        ])
        .good();
    let theirs = folder.read("one/requests.csr.yaml");
    folder.write("keys/requests.csr.yaml", &theirs);
    folder.write("lab.csv", "user\nrequests\n");
    make(&folder, &PLAIN).good();
    assert_eq!(folder.read("keys/requests.csr.yaml"), theirs);
}

#[test]
fn a_table_has_a_line_for_what_is_the_same_about_many() {
    let folder = Folder::new();
    let people: Vec<_> = (0..100).map(|number| format!("user-{number}")).collect();
    folder.write("lab.csv", format!("user\nbob\n{}\n", people.join("\n")));
    make(&folder, &PLAIN).good();
    folder.write(
        "team.csv",
        format!("user,groups\nbob,\n{},dev\n", people.join(",dev\n")),
    );
    let bobs = folder.read("keys/bob.csr.yaml");
    let of_bob =
        (0..200).map(|number| bobs.replacen("name: \"bob-", &format!("name: \"b{number}-"), 1));
    folder.write("bobs.yaml", of_bob.collect::<Vec<_>>().join("---\n"));
    let words = [
        "verify",
        "keys/requests.csr.yaml",
        "bobs.yaml",
        "--roster",
        "team.csv",
    ];
    let report = folder.run(&words);
    assert_eq!(report.status, 1);
    for words in [
        "(and 200 more of theirs)",
        "... and 60 more, NOT GOOD, group-mismatch (-o json has all)",
        "100 NOT GOOD, group-mismatch: user-0, user-1",
        "201 NOT GOOD, second-request: bob\n",
    ] {
        assert!(report.stdout.contains(words), "{words}: {}", report.stdout);
    }
    assert!(report.stdout.lines().count() < 60, "{}", report.stdout);
    assert!(report.stdout.lines().all(|line| !line.ends_with(' ')));
}

#[test]
fn what_has_no_verdict_is_counted() {
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
    std::fs::create_dir(folder.file("requests/more")).unwrap();
    folder.write("requests/.hidden", "x");
    folder.peer("mkfifo", &["requests/pipe"]);
    std::fs::copy(
        folder.file("made/alice.key"),
        folder.file("requests/alice.key"),
    )
    .unwrap();
    folder.write("requests/large", vec![b' '; (1 << 20) + 1]);
    let report = verify(&folder, &[]);
    assert_eq!(report.status, 2);
    for words in [
        "3 good, 0 NOT GOOD",
        "1 file could not be read: requests/large",
        "passed over 1 private key, 1 folder, 1 hidden file, 1 other thing",
    ] {
        assert!(report.stdout.contains(words), "{words}: {}", report.stdout);
    }
    let json: Value = serde_json::from_str(&verify(&folder, &["-o", "json"]).stdout).unwrap();
    assert_eq!(json["unread"], serde_json::json!(["requests/large"]));
    assert_eq!(json["passedOver"]["folders"], 1);
    let json: Value = {
        let cluster = folder.read("requests/alice.csr.yaml").replace(
            "metadata:\n",
            "metadata:\n  uid: u\n  \
            creationTimestamp: \"2030-01-01T00:00:00Z\"\n",
        ) + "status: {conditions: [{type: Denied, status: 'True'}]}\n";
        let words = ["verify", "-", "--roster", "team.csv", "-o", "json"];
        folder.run_with(&words, cluster.as_bytes()).json()
    };
    assert_eq!(json["leftOut"], serde_json::json!({"denied": 1}));
}

#[test]
fn kubeconfigs_of_many_are_told_in_a_few_lines() {
    let folder = Folder::new();
    let people: Vec<_> = (0..30).map(|number| format!("user-{number}")).collect();
    folder.write("lab.csv", format!("user\n{}\n", people.join("\n")));
    make(&folder, &PLAIN).good();
    let authority = authority();
    folder.write("admin.kubeconfig", admin_kubeconfig(&authority));
    let all = folder.read("keys/requests.csr.yaml");
    let issued = all
        .split("---\n")
        .map(|manifest| issue(manifest, &authority));
    folder.write("team.csv", "user\nuser-0\n");
    let issued = issued.collect::<Vec<_>>().join("---\n");
    let words = "reply --kubeconfig admin.kubeconfig --output-dir replies";
    let words: Vec<_> = words.split(' ').collect();
    folder.run_with(&words, issued.as_bytes()).good();
    std::fs::remove_file(folder.file("keys/user-7.key")).unwrap();
    let made = folder
        .typed("kubeconfig replies --key keys --output-dir out")
        .good();
    assert!(
        made.stdout
            .contains("29 kubeconfigs with 29 contexts in out, all valid until"),
        "{}",
        made.stdout
    );
    assert!(
        made.stderr
            .contains("30 replies: 1 other is for keys that are not here"),
        "{}",
        made.stderr
    );
    assert!(
        made.stdout.lines().count() + made.stderr.lines().count() < 16,
        "{}{}",
        made.stdout,
        made.stderr
    );
    // What cannot be written is not told a thousand times.
    std::fs::remove_dir_all(folder.file("out")).unwrap();
    std::fs::create_dir(folder.file("out")).unwrap();
    for user in &people {
        std::fs::create_dir(folder.file(&format!("out/{user}.kubeconfig"))).unwrap();
    }
    let ended = folder.typed("kubeconfig replies --key keys --output-dir out");
    assert_eq!(ended.status, 2, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("so it is with 9 more replies"),
        "{}",
        ended.stderr
    );
    // Nobody's key is here.
    std::fs::create_dir(folder.file("empty")).unwrap();
    folder
        .typed("kubeconfig replies --key empty --output-dir more")
        .fails(1, &["none of the 30 requests in 30 replies"]);
    folder
        .typed("kubeconfig empty --key keys")
        .fails(2, &["no file in it ends with .reply.yaml"]);
}
