//! Requests of somebody who wants to be somebody else in the roster, or wants others not to be.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::odd_request::{CN, O, OddRequest, UTF8};
use common::{Ended, Folder, admin_kubeconfig, authority, certificate_of, issue};
use kube_enroll::pem;
use serde_json::Value;

fn asks(user: &str, group: &str) -> OddRequest {
    OddRequest::new(&[(O, UTF8, group), (CN, UTF8, user)])
}

fn manifest(name: &str, request: &OddRequest) -> String {
    let request = BASE64_STANDARD.encode(request.to_pem());
    format!(
        "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\n\
         metadata:\n  name: {name}\nspec:\n  request: {request}\n  \
         signerName: kubernetes.io/kube-apiserver-client\n  expirationSeconds: 7776000\n  \
         usages:\n  - digital signature\n  - client auth\n"
    )
}

/// The same as the cluster shows it.
fn in_cluster(manifest: &str) -> String {
    manifest.replace(
        "metadata:\n",
        "metadata:\n  uid: u\n  creationTimestamp: \"2030-01-01T00:00:00Z\"\n",
    ) + "status: {}\n"
}

fn issued(manifest: &str) -> String {
    issue(
        &in_cluster(manifest).replace("status: {}\n", ""),
        &authority(),
    )
}

/// A folder with a roster of alice and bob, and these requests.
fn folder_of(files: &[(&str, String)]) -> Folder {
    let folder = Folder::new();
    folder.write("team.csv", "user,groups\nalice,dev\nbob,dev\n");
    std::fs::create_dir(folder.file("requests")).unwrap();
    for (name, contents) in files {
        folder.write(&format!("requests/{name}"), contents);
    }
    folder
}

/// The names that would be approved, and how it ended.
fn approved(folder: &Folder, files: &[&str], input: &str) -> (Vec<String>, Ended) {
    let words = [&["verify", "--roster", "team.csv", "-o", "name"], files].concat();
    let ended = folder.run_with(&words, input.as_bytes());
    let name = |line: &str| line.rsplit('/').next().unwrap().to_owned();
    (ended.stdout.lines().map(name).collect(), ended)
}

fn roster_with_key(folder: &Folder, user: &str, request: &OddRequest) {
    folder.write("key.csr", request.to_pem());
    let report = folder.run(&["inspect", "key.csr", "-o", "json"]).json();
    let key = report["objects"][0]["publicKey"]["fingerprint"]
        .as_str()
        .unwrap();
    let other = if user == "alice" { "bob" } else { "alice" };
    folder.write(
        "team.csv",
        format!("user,groups,fingerprint\n{other},dev,\n{user},dev,{key}\n"),
    );
}

#[test]
fn a_request_is_passed_over_only_for_the_very_same_one_whatever_files_are_called() {
    let alices = asks("alice", "dev");
    let files = [
        ("alice.csr", alices.to_pem()),
        ("alice.csr.yaml", manifest("alice-9", &asks("alice", "dev"))),
    ];
    let (good, ended) = approved(&folder_of(&files), &["requests"], "");
    assert!(good.is_empty() && ended.status == 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("2 NOT GOOD, second-request: alice"));

    // The same in a manifest, with a lifetime that was agreed on.
    let folder = folder_of(&[
        ("bare", alices.to_pem()),
        ("alice.csr.yaml", manifest("alice-1", &alices)),
    ]);
    folder.write("team.csv", "user,groups,max-lifetime\nalice,dev,90d\n");
    let (good, ended) = approved(&folder, &["requests"], "");
    assert_eq!(good, ["alice-1"], "{}", ended.stderr);
    assert_eq!(ended.status, 0, "{}", ended.stderr);

    // Put into a manifest that is no good, it is still there.
    let spoiled = manifest("alice-2", &alices).replace("client auth", "server auth");
    let folder = folder_of(&[
        ("alice.csr", alices.to_pem()),
        ("alice.csr.yaml", spoiled),
        ("mallory.yaml", manifest("alice-3", &asks("alice", "dev"))),
    ]);
    let (good, ended) = approved(&folder, &["requests"], "");
    assert!(good.is_empty(), "{}", ended.stderr);
}

#[test]
fn a_file_is_a_key_by_what_is_in_it_and_not_by_its_name() {
    let folder = folder_of(&[
        ("alice.key", manifest("alice-1", &asks("alice", "dev"))),
        ("bob.csr.yaml", manifest("bob-1", &asks("bob", "dev"))),
    ]);
    let made = [
        "request",
        "carol",
        "--algorithm",
        "ecdsa-p256",
        "--no-passphrase",
    ];
    folder.run(&made).good();
    std::fs::rename(folder.file("carol.key"), folder.file("requests/carol.key")).unwrap();
    let (good, ended) = approved(&folder, &["requests"], "");
    assert_eq!(good, ["alice-1", "bob-1"], "{}", ended.stderr);
    assert!(
        ended.stderr.contains("passed over 1 private key"),
        "{}",
        ended.stderr
    );
}

#[test]
fn who_has_an_approved_request_gets_no_second_one_with_another_key() {
    let (alices, other) = (asks("alice", "dev"), asks("alice", "dev"));
    let folder = folder_of(&[]);
    let second = in_cluster(&manifest("alice-2", &other));
    let first = issued(&manifest("alice-1", &alices));
    let value = kube_enroll::yaml::first_document(first.as_bytes()).unwrap();
    let without = |mut value: Value| {
        value["status"]
            .as_object_mut()
            .unwrap()
            .remove("certificate");
        kube_enroll::yaml::to_string(&value)
    };
    for first in [first, without(value.clone())] {
        let (good, ended) = approved(&folder, &["-"], &format!("{first}\n---\n{second}"));
        assert!(good.is_empty() && ended.status == 1, "{}", ended.stderr);
        assert!(
            ended.stderr.contains("alice-1 was approved for"),
            "{}",
            ended.stderr
        );
        // A file is judged beside the cluster as well.
        folder.write("mallory.yaml", manifest("alice-2", &other));
        let (good, _) = approved(&folder, &["-", "mallory.yaml"], &first);
        assert!(good.is_empty());
        // The same key again is hers.
        let renewed = in_cluster(&manifest("alice-3", &alices));
        let (good, _) = approved(&folder, &["-"], &format!("{first}\n---\n{renewed}"));
        assert_eq!(good, ["alice-3"]);
    }
    roster_with_key(&folder, "alice", &other);
    let first = kube_enroll::yaml::to_string(&value);
    let (good, _) = approved(&folder, &["-"], &format!("{first}\n---\n{second}"));
    assert_eq!(good, ["alice-2"]);
}

#[test]
fn another_key_counts_whatever_became_of_its_request() {
    let (alices, other) = (asks("alice", "dev"), asks("alice", "dev"));
    let folder = folder_of(&[]);
    let pending = in_cluster(&manifest("alice-1", &alices));
    let decided = |kind: &str| {
        let first = issued(&manifest("alice-2", &other));
        let mut first = kube_enroll::yaml::first_document(first.as_bytes()).unwrap();
        first["status"]
            .as_object_mut()
            .unwrap()
            .remove("certificate");
        first["status"]["conditions"][0]["type"] = kind.into();
        kube_enroll::yaml::to_string(&first)
    };
    let too_much = OddRequest::new(&[(O, UTF8, "dev"), (O, UTF8, "ops"), (CN, UTF8, "alice")]);
    let spoiled = in_cluster(&manifest("alice-2", &too_much));
    let agreed = ["verify", "-", "--user", "alice", "-g", "dev"];
    let roster = ["verify", "-", "--roster", "team.csv"];
    let run = |agreement: &[&str], more: &[&str], input: &str| {
        folder.run_with(&[agreement, more].concat(), input.as_bytes())
    };
    for (first, told) in [
        (
            decided("Approved"),
            "alice-2 was approved for \"alice\" too",
        ),
        (decided("Denied"), "alice-2 was denied for \"alice\" too"),
        (decided("Failed"), "alice-2 failed for \"alice\" too"),
        (spoiled, "asks for \"alice\" too"),
    ] {
        let both = format!("{first}\n---\n{pending}");
        for agreement in [&agreed[..], &roster] {
            let ended = run(agreement, &["-o", "name"], &both);
            assert_eq!((ended.status, &*ended.stdout), (1, ""), "{told}");
            let table = run(agreement, &["-o", "table"], &both).stdout;
            assert!(table.contains(told), "{told}: {table}");
            assert!(table.contains("second-request"), "{table}");
        }
        // Whose key was told is meant.
        roster_with_key(&folder, "alice", &alices);
        let key = folder.run(&["inspect", "key.csr", "-o", "json"]).json();
        let key = key["objects"][0]["publicKey"]["fingerprint"]
            .as_str()
            .unwrap()
            .to_owned();
        let by_key = [&agreed[..], &["--fingerprint", &key]].concat();
        for agreement in [&by_key[..], &roster] {
            let ended = run(agreement, &["-o", "name"], &both);
            let names = ended.stdout.lines().collect::<Vec<_>>();
            assert_eq!(names.len(), 1, "{told}: {}", ended.stderr);
            assert!(names[0].ends_with("/alice-1"), "{names:?}");
        }
        folder.write("team.csv", "user,groups\nalice,dev\nbob,dev\n");
    }
    // Of two with one key that are good neither is; beside one that was approved the other is a renewal.
    let again = in_cluster(&manifest("alice-3", &alices)).replace("7776000", "600");
    let approved = decided("Approved").replace("alice-2", "alice-0");
    let same_key = issued(&manifest("alice-0", &alices));
    for agreement in [&agreed[..], &roster] {
        let ended = run(
            agreement,
            &["-o", "name"],
            &format!("{pending}\n---\n{again}"),
        );
        assert_eq!((ended.status, &*ended.stdout), (1, ""), "{}", ended.stderr);
        let ended = run(
            agreement,
            &["-o", "name"],
            &format!("{same_key}\n---\n{again}"),
        );
        assert!(ended.stdout.contains("/alice-3"), "{}", ended.stderr);
        let ended = run(
            agreement,
            &["-o", "name"],
            &format!("{approved}\n---\n{again}"),
        );
        assert_eq!((ended.status, &*ended.stdout), (1, ""), "{}", ended.stderr);
    }
}

#[test]
fn of_many_what_is_approved_is_what_was_created() {
    let folder = folder_of(&[
        ("alice.yaml", manifest("alice-1", &asks("alice", "dev"))),
        ("bob.yaml", manifest("bob-1", &asks("bob", "dev"))),
    ]);
    let told = folder
        .run(&["verify", "requests", "--roster", "team.csv"])
        .good()
        .stdout;
    let steps = told.split("To create").nth(1).unwrap().replace("\\\n", " ");
    let steps = steps.split_whitespace().collect::<Vec<_>>().join(" ");
    let chain = "kube-enroll verify requests --roster team.csv -o manifest | kubectl create -f - -o name \
                 | xargs -r kubectl certificate approve";
    assert!(steps.contains(chain), "{steps}");
    assert_eq!(steps.matches("approve").count(), 2, "{steps}");
    // Where the cluster is what was judged, what stands there is approved.
    let input = in_cluster(&manifest("alice-1", &asks("alice", "dev")));
    let told = folder.run_with(&["verify", "-", "--roster", "team.csv"], input.as_bytes());
    assert!(told.good().stdout.contains("kubectl get csr -o yaml |"));
}

#[test]
fn a_table_tells_what_was_not_compared_without_a_roster_as_well() {
    let folder = folder_of(&[("alice.yaml", manifest("alice-1", &asks("alice", "dev")))]);
    let words = "verify requests/alice.yaml --user alice -g dev -o table";
    let table = folder.typed(words).good().stdout;
    for point in ["fingerprint", "lifetime"] {
        let line = format!("  1 of the good ones not compared by {point}: alice\n");
        assert!(table.contains(&line), "{table}");
    }
    let table = folder
        .typed(&format!("{words} --max-lifetime 90d"))
        .good()
        .stdout;
    assert!(!table.contains("not compared by lifetime"), "{table}");
    let table = folder
        .typed("verify requests --roster team.csv")
        .good()
        .stdout;
    assert!(table.contains("not compared by lifetime: alice"), "{table}");
}

#[test]
fn a_decision_of_the_cluster_that_stands_in_a_file_is_not_believed() {
    let forged = issued(&manifest("alice-2", &asks("alice", "dev")));
    let folder = folder_of(&[
        ("a.yaml", forged.clone()),
        ("b.yaml", manifest("alice-1", &asks("alice", "dev"))),
        ("c.yaml", issued(&manifest("bob-1", &asks("bob", "dev")))),
    ]);
    let (good, ended) = approved(&folder, &["requests"], "");
    // It is a request of another key for her all the same.
    assert_eq!((good.len(), ended.status), (0, 1));
    for words in ["3 NOT GOOD", "claimed-status", "without a request: bob"] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    // What kubectl prints is.
    let (good, ended) = approved(&folder, &["-"], &forged);
    assert_eq!((good.len(), ended.status), (0, 0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("left out, issued: alice"),
        "{}",
        ended.stderr
    );
}

#[test]
fn it_is_told_whose_key_was_not_compared() {
    let bobs = asks("bob", "dev");
    let folder = folder_of(&[
        ("a.yaml", manifest("alice-1", &asks("alice", "dev"))),
        ("b.yaml", manifest("bob-1", &bobs)),
    ]);
    let (good, ended) = approved(&folder, &["requests"], "");
    assert_eq!(good.len(), 2);
    let line = "2 of the good ones not compared by fingerprint: alice, bob";
    assert!(ended.stderr.contains(line), "{}", ended.stderr);

    roster_with_key(&folder, "bob", &bobs);
    let table = folder
        .run(&["verify", "requests", "--roster", "team.csv"])
        .good()
        .stdout;
    for line in [
        "good, no fingerprint  alice",
        "1 of the good ones not compared by fingerprint: alice",
    ] {
        assert!(table.contains(line), "{line}: {table}");
    }
}

#[test]
fn one_key_for_two_people_is_good_for_neither_unless_it_was_agreed_on() {
    let alices = asks("alice", "dev");
    let bobs = asks("bob", "dev").with_key_of(&alices);
    for files in [["a.yaml", "b.yaml"], ["b.yaml", "a.yaml"]] {
        let folder = folder_of(&[
            (files[0], manifest("alice-1", &alices)),
            (files[1], manifest("bob-1", &bobs)),
        ]);
        let (good, ended) = approved(&folder, &["requests"], "");
        assert!(good.is_empty() && ended.status == 1, "{}", ended.stderr);
        assert!(
            ended.stderr.contains("2 NOT GOOD, same-key: "),
            "{}",
            ended.stderr
        );
        roster_with_key(&folder, "bob", &bobs);
        let (good, _) = approved(&folder, &["requests"], "");
        assert_eq!(good, ["bob-1"]);
    }
    // Known to be somebody else's: the row of alice has another key.
    let folder = folder_of(&[
        ("a.yaml", manifest("alice-1", &alices)),
        ("b.yaml", manifest("bob-1", &bobs)),
    ]);
    roster_with_key(&folder, "alice", &asks("alice", "dev"));
    let (good, _) = approved(&folder, &["requests"], "");
    assert!(good.is_empty());
    // In the cluster already.
    let folder = folder_of(&[("b.yaml", manifest("bob-1", &bobs))]);
    let (good, _) = approved(
        &folder,
        &["requests", "-"],
        &issued(&manifest("alice-1", &alices)),
    );
    assert!(good.is_empty());
    // Without its signature a key is nobody's: that of bob was copied out of his certificate.
    let mut der = pem::first(asks("alice", "dev").with_key_of(&bobs).to_pem().as_bytes())
        .unwrap()
        .contents;
    *der.last_mut().unwrap() ^= 1;
    let copied = BASE64_STANDARD.encode(pem::encode("CERTIFICATE REQUEST", &der));
    let own = BASE64_STANDARD.encode(bobs.to_pem());
    let folder = folder_of(&[
        ("a.yaml", manifest("bob-1", &bobs).replace(&own, &copied)),
        ("b.yaml", manifest("bob-1", &bobs)),
    ]);
    let (good, ended) = approved(&folder, &["requests"], "");
    assert_eq!(good, ["bob-1"], "{}", ended.stderr);
}

#[test]
fn a_name_is_taken_by_good_requests_alone() {
    let folder = folder_of(&[
        ("a.yaml", manifest("bob-1", &asks("mallory", "dev"))),
        ("b.yaml", manifest("bob-1", &asks("bob", "dev"))),
    ]);
    let (good, ended) = approved(&folder, &["requests"], "");
    assert_eq!(good, ["bob-1"], "{}", ended.stderr);
    let both = [
        ("a.yaml", manifest("bob-1", &asks("alice", "dev"))),
        ("b.yaml", manifest("bob-1", &asks("bob", "dev"))),
    ];
    let folder = folder_of(&both);
    let (good, ended) = approved(&folder, &["requests"], "");
    assert!(good.is_empty(), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("2 NOT GOOD, same-name: alice, bob"),
        "{}",
        ended.stderr
    );
    // In one file, and where one person is asked for.
    let folder = folder_of(&[("all.yaml", both.map(|(_, text)| text).join("---\n"))]);
    let (good, _) = approved(&folder, &["requests"], "");
    assert!(good.is_empty());
    let twice = [
        manifest("bob-1", &asks("bob", "dev")),
        manifest("bob-1", &asks("bob", "dev")),
    ];
    folder.write("1.yaml", &twice[0]);
    folder.write("2.yaml", &twice[1]);
    let words = [
        "verify", "1.yaml", "2.yaml", "--user", "bob", "-g", "dev", "-o", "name",
    ];
    let ended = folder.run(&words);
    assert_eq!(
        (ended.stdout.as_str(), ended.status),
        ("", 1),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_modulus_that_nobody_signed_with_says_nothing_of_others() {
    let folder = folder_of(&[]);
    let words = ["--algorithm", "rsa-2048", "--no-passphrase", "-g", "dev"];
    folder
        .run(&[&["request", "alice"], &words[..]].concat())
        .good();
    std::fs::rename(
        folder.file("alice.csr.yaml"),
        folder.file("requests/alice.yaml"),
    )
    .unwrap();
    let report = folder.peer(
        "openssl",
        &["req", "-in", "alice.csr", "-noout", "-modulus"],
    );
    let modulus = report.trim().strip_prefix("Modulus=").unwrap();
    let modulus = dashu_int::UBig::from_str_radix(modulus, 16).unwrap();
    let shared = (modulus * ((dashu_int::UBig::ONE << 1279) - 1_u8)).to_be_bytes();
    let forged = asks("bob", "dev").with_rsa(&shared, 65_537);
    folder.write("requests/bob.yaml", manifest("bob-1", &forged));
    folder.write("requests/key.pem", forged.public_key_pem());
    let (good, ended) = approved(&folder, &["requests"], "");
    assert_eq!(good.len(), 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains("shared-factor"), "{}", ended.stderr);
}

#[test]
fn a_file_in_a_folder_is_small_and_a_list_that_is_named_may_be_large() {
    let large = manifest("alice-1", &asks("alice", "dev")) + &" \n".repeat(1 << 20);
    let folder = folder_of(&[
        ("a.yaml", large),
        ("b.yaml", manifest("bob-1", &asks("bob", "dev"))),
    ]);
    let (good, ended) = approved(&folder, &["requests"], "");
    assert_eq!((good, ended.status), (vec!["bob-1".to_owned()], 2));
    assert!(
        ended.stderr.contains("larger than 1048576 bytes"),
        "{}",
        ended.stderr
    );
    for files in [
        &["requests/a.yaml"][..],
        &["requests", "--max-size", "4194304"],
    ] {
        let (good, ended) = approved(&folder, files, "");
        assert!(good.contains(&"alice-1".to_owned()), "{}", ended.stderr);
    }
}

#[test]
fn what_looks_like_somebody_in_the_roster_is_told_in_either_case() {
    let folder = folder_of(&[("a.yaml", manifest("alice-1", &asks("aIice", "dev")))]);
    let (_, ended) = approved(&folder, &["requests"], "");
    let words = ["verify", "requests", "--roster", "team.csv"];
    let table = folder.run(&words).stdout;
    assert!(table.contains("only looks like \"alice\""), "{table}");
    assert_eq!(ended.status, 1);
    folder.write("team.csv", "user,groups\nalice,dev\naIice,dev\n");
    let ended = folder.run(&words);
    assert!(
        ended.stderr.contains("\"aIice\" looks like \"alice\""),
        "{}",
        ended.stderr
    );
}

#[test]
fn in_a_shared_cluster_those_who_are_not_in_the_roster_are_counted() {
    let folder = folder_of(&[]);
    let other = |count: usize| {
        let user = format!("other{count}");
        in_cluster(&manifest(&user, &asks(&user, "dev")))
    };
    let mut objects: Vec<_> = (0..60).map(other).collect();
    objects.push(in_cluster(&manifest("alice-1", &asks("alice", "dev"))));
    objects.push(issued(&manifest("mallory-1", &asks("mallory", "dev"))));
    let (good, ended) = approved(&folder, &["-"], &objects.join("\n---\n"));
    assert_eq!(good, ["alice-1"]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    for words in [
        "1 good, 0 NOT GOOD, 1 without a request",
        "61 left out, of others than those in the roster",
        "without a request: bob",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("other1"), "{}", ended.stderr);
    // Whoever only looks like one of them is told.
    objects.push(in_cluster(&manifest("x-1", &asks("b\u{43e}b", "dev"))));
    let (_, ended) = approved(&folder, &["-"], &objects.join("\n---\n"));
    assert_eq!(ended.status, 1, "{}", ended.stderr);
    // In a file somebody sent it.
    folder.write("cluster.yaml", objects[0].as_str());
    let (_, ended) = approved(&folder, &["cluster.yaml"], "");
    assert_eq!(ended.status, 1, "{}", ended.stderr);
}

const AGREED: [&str; 4] = ["--user", "alice", "--group", "dev"];

/// What `verify` says of one file.
fn verified(file: &str) -> Ended {
    let folder = Folder::new();
    folder.write("alice.csr.yaml", file);
    let words = [&["verify", "alice.csr.yaml"], &AGREED[..]].concat();
    folder.run(&words)
}

/// The same, which is to say that it is not good.
fn refused(file: &str) -> Ended {
    let ended = verified(file);
    assert_eq!(ended.status, 1, "{}{}", ended.stdout, ended.stderr);
    ended
}

#[test]
fn of_two_keys_for_one_person_neither_is_good_unless_it_was_told_which() {
    let (own, other) = (asks("alice", "dev"), asks("alice", "dev"));
    let longer = manifest("alice-3", &own).replace("7776000", "86400");
    let folder = folder_of(&[
        ("alice.csr.yaml", manifest("alice-1", &own)),
        ("mallory.csr.yaml", manifest("alice-2", &other)),
        ("longer.csr.yaml", longer),
    ]);
    let inspected = folder.run(&["inspect", "requests/alice.csr.yaml", "-o", "json"]);
    let key = &inspected.json()["objects"][0]["publicKey"]["fingerprint"];
    let key = key.as_str().unwrap().to_owned();
    let agreed = ["verify", "requests", "--user", "alice", "-g", "dev"];
    for format in ["manifest", "name"] {
        let refused = folder.run(&[&agreed[..], &["-o", format]].concat());
        assert_eq!(
            (refused.status, &*refused.stdout),
            (1, ""),
            "{}",
            refused.stderr
        );
        let told = [&agreed[..], &["-o", format, "--fingerprint", &key]].concat();
        let told = folder.run(&told);
        // The one with another key differs. Those with the key that was meant are two requests.
        assert_eq!((told.status, &*told.stdout), (1, ""), "{}", told.stderr);
    }
    let table = folder.run(&agreed).stdout;
    let words = "there are 3 requests for \"alice\" that are as agreed on; which is meant cannot be told \
                 without the fingerprint";
    assert!(table.contains(words), "{table}");
    let told = folder.run(&[&agreed[..], &["-o", "name", "--fingerprint", &key]].concat());
    assert_eq!(told.stdout, "");
    std::fs::remove_file(folder.file("requests/longer.csr.yaml")).unwrap();
    let told = folder.run(&[&agreed[..], &["-o", "name", "--fingerprint", &key]].concat());
    assert!(told.stdout.ends_with("/alice-1\n"), "{}", told.stderr);
}

#[test]
fn a_request_to_a_signer_on_whom_nobody_agreed_is_not_good() {
    let good = manifest("alice-1", &asks("alice", "dev"));
    let elsewhere = good.replace("kubernetes.io/kube-apiserver-client", "example.com/x");
    let for_anything = elsewhere.replace("client auth", "cert sign");
    assert_ne!(elsewhere, for_anything);
    for file in [&elsewhere, &for_anything] {
        let ended = refused(file);
        assert!(
            ended.stdout.contains("error other-signer spec.signerName"),
            "{}",
            ended.stdout
        );
    }
    let folder = folder_of(&[("alice.csr.yaml", elsewhere)]);
    folder.write("team.csv", "user,groups\nalice,dev\n");
    let (good, ended) = approved(&folder, &["requests"], "");
    assert!(good.is_empty() && ended.status == 1, "{}", ended.stderr);
}

#[test]
fn the_row_of_a_request_tells_the_worst_about_it_and_what_else_there_is() {
    let fine = manifest("bob-1", &asks("bob", "dev"));
    let odd = manifest("alice-1", &asks("alice", "dev")).replace("7776000", "345600000");
    let odd = odd.replace("spec:", "spec:\n  username: x");
    let elsewhere = odd.replace("kubernetes.io/kube-apiserver-client", "example.com/x");
    for (file, verdict, worst, others) in [
        (
            &odd,
            "good, warning",
            "lifetime-long: 4000 days",
            "(1 more: submitter-fields)",
        ),
        (
            &elsewhere,
            "NOT GOOD",
            "other-signer: ",
            "(2 more: lifetime-long, submitter-fields)",
        ),
    ] {
        let folder = folder_of(&[
            ("alice.csr.yaml", file.clone()),
            ("bob.csr.yaml", fine.clone()),
        ]);
        folder.write("team.csv", "user,groups\nalice,dev\nbob,dev\n");
        let table = folder
            .run(&["verify", "requests", "--roster", "team.csv"])
            .stdout;
        let row = table.lines().find(|line| line.contains("alice-1")).unwrap();
        for part in [verdict, worst, others] {
            assert!(row.contains(part), "{part}: {table}");
        }
    }
}

/// An object as issued, with other certificates in its status.
fn with_certificates(object: &str, certificates: &[&str]) -> String {
    let mut value = kube_enroll::yaml::first_document(object.as_bytes()).unwrap();
    value["status"]["certificate"] = BASE64_STANDARD.encode(certificates.concat()).into();
    kube_enroll::yaml::to_string(&value)
}

#[test]
fn a_reply_holds_the_certificate_and_those_that_issued_it_and_no_others() {
    let authority = authority();
    let asked = in_cluster(&manifest("alice-1", &asks("alice", "dev")));
    let object = issue(&asked.replace("status: {}\n", ""), &authority);
    let own = String::from_utf8(certificate_of(&object)).unwrap();
    let issuer = authority.certificate().to_pem();
    let foreign = common::authority().certificate().to_pem();
    let folder = Folder::new();
    folder.write("admin", admin_kubeconfig(&authority));
    let copies = own.repeat(300);
    for (certificates, sent, words) in [
        (&[&*own][..], &[&*own][..], &[][..]),
        (&[&own, &issuer], &[&own, &issuer], &[]),
        (
            &[&issuer, &own],
            &[&own, &issuer],
            &["another certificate stands before it"],
        ),
        (&[&own, &foreign], &[&own], &["did not issue it: \"CN="]),
        (&[&own, &copies, &issuer], &[&own, &issuer], &["300 copies"]),
    ] {
        folder.write("issued.yaml", with_certificates(&object, certificates));
        let reply = ["reply", "issued.yaml", "--kubeconfig", "admin"];
        let ended = folder.run(&[&reply[..], &AGREED].concat());
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        let first = ended.stdout.split("---\n").next().unwrap();
        let there = String::from_utf8(certificate_of(first)).unwrap();
        assert_eq!(there, sent.concat(), "{}", ended.stderr);
        let is_told = ended
            .stderr
            .contains("besides the certificate there are others");
        assert_eq!(is_told, !words.is_empty(), "{}", ended.stderr);
        for word in words {
            assert!(ended.stderr.contains(word), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_reply_names_all_whom_one_key_lets_in_and_says_what_is_not_compared() {
    let request = asks("alice", "dev");
    let bob = asks("bob", "dev").with_key_of(&request);
    let authority = authority();
    let objects = [("alice-1", &request), ("bob-1", &bob)].map(|(name, request)| {
        let asked = in_cluster(&manifest(name, request));
        issue(&asked.replace("status: {}\n", ""), &authority)
    });
    let folder = Folder::new();
    folder.write("admin", admin_kubeconfig(&authority));
    folder.write("issued.yaml", objects.join("---\n"));
    let reply = ["reply", "issued.yaml", "--kubeconfig", "admin"];
    let ended = folder.run(&reply);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("was certified for alice, bob"),
        "{}",
        ended.stderr
    );

    folder.write("issued.yaml", &objects[0]);
    let inspected = folder.run(&["inspect", "issued.yaml", "-o", "json"]).json();
    let key = inspected["objects"][0]["publicKey"]["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    let ended = folder.run(&[&reply[..], &["--fingerprint", &key]].concat());
    let words = "neither the user nor the groups are compared";
    assert!(
        ended.status == 0 && ended.stderr.contains(words),
        "{}",
        ended.stderr
    );

    // Whose request it is counts, and not whom somebody certified for it.
    folder.write("team.csv", "user,groups\nalice,dev\n");
    let mut swapped = kube_enroll::yaml::first_document(objects[0].as_bytes()).unwrap();
    swapped["status"] =
        kube_enroll::yaml::first_document(objects[1].as_bytes()).unwrap()["status"].take();
    folder.write("issued.yaml", kube_enroll::yaml::to_string(&swapped));
    let ended = folder.run(&[&reply[..], &["--roster", "team.csv"]].concat());
    ended.fails(
        1,
        &["the certificate is for user \"bob\", the request for \"alice\""],
    );
}

#[test]
fn what_somebody_put_under_the_name_before_is_not_approved() {
    let request = asks("alice", "dev");
    let ended = verified(&manifest("alice-1", &request)).good();
    let steps = ended.stdout.split("To create").nth(1).unwrap();
    let one_line = steps.replace("\\\n", " ");
    let one_line: Vec<_> = one_line.split_whitespace().collect();
    let chained = "| kubectl create -f - -o name | xargs -r kubectl certificate approve";
    assert!(one_line.join(" ").contains(chained), "{steps}");
    assert!(
        !ended.stdout.contains("approve alice-1"),
        "{}",
        ended.stdout
    );

    let claims = in_cluster(&manifest("alice-1", &request));
    let ended = verified(&claims).good();
    assert!(
        !ended.stdout.contains("approve alice-1"),
        "{}",
        ended.stdout
    );
    let fetched = "kubectl get csr alice-1 -o yaml |\n    kube-enroll verify - ";
    assert!(ended.stdout.contains(fetched), "{}", ended.stdout);
}

#[test]
fn a_list_holds_requests_and_nothing_else() {
    let object: Value =
        kube_enroll::yaml::first_document(manifest("alice-1", &asks("alice", "dev")).as_bytes())
            .unwrap();
    let list = |more: Value| {
        let mut list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [object]});
        for (name, value) in more.as_object().unwrap() {
            list[name] = value.clone();
        }
        list.to_string()
    };
    verified(&list(
        serde_json::json!({"metadata": {"resourceVersion": ""}}),
    ))
    .good();
    let binding = serde_json::json!({"kind": "ClusterRoleBinding"});
    for more in [
        serde_json::json!({"Items": [binding]}),
        serde_json::json!({"spec": binding}),
        serde_json::json!({"metadata": {"name": "a"}}),
    ] {
        let ended = refused(&list(more));
        assert!(ended.stdout.contains("not-alone"), "{}", ended.stdout);
    }
    let inner = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [object]});
    let ended = refused(&list(serde_json::json!({"items": [inner]})));
    let why = "a list with a list among its items, which kubectl refuses";
    let said = ended
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(said.contains(why), "{said}");
}

#[test]
fn what_stands_behind_something_that_kubectl_refuses_is_not_accepted() {
    let good = manifest("alice-1", &asks("alice", "dev"));
    let folder = Folder::new();
    let accepted = |first: &str| {
        folder.write("all.yaml", format!("{first}\n---\n{good}"));
        let report = folder.run(&["inspect", "-o", "json", "all.yaml"]).json();
        report["objects"][1]["prediction"]["accepted"].clone()
    };
    assert_eq!(accepted("{}"), false);
    assert_eq!(accepted("kind: Secret"), false);
    assert_eq!(accepted("{apiVersion: v1, kind: Secret}"), true);
}

#[test]
fn a_name_as_long_as_a_book_does_not_fill_the_screen() {
    let request = OddRequest::new(&[(O, UTF8, "dev"), (CN, UTF8, &"\u{202e}".repeat(100_000))]);
    let ended = refused(&manifest("alice-1", &request));
    assert!(ended.stdout.len() < 20_000, "{}", ended.stdout.len());
    let ended = refused(&manifest(&"a".repeat(300_000), &request));
    assert!(ended.stdout.len() < 20_000, "{}", ended.stdout.len());

    let folder = Folder::new();
    folder.write(
        "long.yaml",
        in_cluster(&manifest(&"a".repeat(300_000), &asks("alice", "dev"))),
    );
    for command in ["reply", "kubeconfig"] {
        let ended = folder.run(&[command, "long.yaml"]);
        assert!(ended.stderr.len() < 5000, "{}", ended.stderr.len());
    }
}

#[test]
fn marks_without_end_end_no_command_but_by_its_own_word() {
    let folder = Folder::new();
    folder.write("marks.yaml", "\u{feff}".repeat(300_000));
    for command in [
        &["inspect"][..],
        &["reply"],
        &["kubeconfig"],
        &["rbac", "--revoke"],
        &["list"],
    ] {
        let ended = folder.run(&[command, &["marks.yaml"]].concat());
        assert!(
            [0, 1, 2].contains(&ended.status),
            "{command:?}: {}",
            ended.stderr
        );
    }
}
