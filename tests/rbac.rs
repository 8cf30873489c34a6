//! `kube-enroll rbac`: bindings, the approver's role, and taking access away.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use common::odd_request::{CN, O, OddRequest, UTF8};
use common::{Folder, admin_kubeconfig, authority, certificate_of, issue};
use serde_json::Value;

fn documents(folder: &Folder, args: &[&str]) -> Vec<Value> {
    let text = folder.run(&[&["rbac"], args].concat()).good().stdout;
    let documents = kube_enroll::yaml::documents(text.as_bytes());
    documents
        .into_iter()
        .map(|document| document.content.unwrap())
        .collect()
}

#[test]
fn a_user_is_bound_where_it_was_asked_for() {
    let folder = Folder::new();
    let bound = documents(
        &folder,
        &[
            "--user",
            "alice",
            "--cluster-role",
            "view",
            "--namespace",
            "dev",
        ],
    );
    assert_eq!(bound[0]["kind"], "RoleBinding");
    assert_eq!(bound[0]["subjects"][0]["name"], "alice");
    assert_eq!(bound[0]["roleRef"]["kind"], "ClusterRole");
    let everywhere = documents(&folder, &["--user", "no", "--cluster-role", "view"]);
    assert_eq!(everywhere[0]["kind"], "ClusterRoleBinding");
    assert_eq!(everywhere[0]["subjects"][0]["name"], "no");
    folder
        .run(&["rbac", "--user", "alice", "--role", "edit"])
        .fails(2, &["--namespace"]);
    folder
        .run(&["rbac", "--user", "alice"])
        .fails(2, &["--cluster-role"]);
    folder
        .run(&["rbac", "--cluster-role", "view"])
        .fails(2, &["nobody is named"]);
}

#[test]
fn the_groups_of_a_request_are_bound_or_its_user_where_it_has_none() {
    let folder = Folder::new();
    for (user, groups) in [
        ("alice", vec!["-g", "developers", "-g", "ops"]),
        ("bob", vec![]),
    ] {
        let args = ["request", user, "--algorithm", "ed25519", "--no-passphrase"];
        folder.run(&[&args[..], &groups].concat()).good();
    }
    let bound = documents(
        &folder,
        &["alice.csr.yaml", "--role", "edit", "--namespace", "dev"],
    );
    let names: Vec<_> = bound
        .iter()
        .map(|binding| &binding["subjects"][0]["name"])
        .collect();
    assert!(
        names.len() == 2
            && names
                .iter()
                .all(|name| **name == "developers" || **name == "ops")
    );
    assert_eq!(bound[0]["subjects"][0]["kind"], "Group");
    let bound = documents(&folder, &["bob.csr", "--cluster-role", "view"]);
    assert_eq!(bound[0]["subjects"][0]["kind"], "User");
}

#[test]
fn one_selector_finds_what_revoke_deletes() {
    let folder = Folder::new();
    let args = ["--user", "alice@example.com", "--cluster-role", "view"];
    let bound = documents(&folder, &args);
    let label = &bound[0]["metadata"]["labels"]["kube-enroll/user"];
    let text = folder
        .run(&["rbac", "--user", "alice@example.com", "--revoke"])
        .good()
        .stdout;
    let selector = format!("-l kube-enroll/user={}", label.as_str().unwrap());
    assert!(text.contains(&selector), "{text}");
}

#[test]
fn it_is_said_who_is_bound_and_who_is_not() {
    let folder = Folder::new();
    let request = ["request", "alice", "-g", "ops", "-g", "dev", "--algorithm"];
    let request = [&request[..], &["ed25519", "--no-passphrase"]].concat();
    folder.run(&request).good();
    let bind = |more: &[&str]| {
        let args = ["rbac", "alice.csr", "--cluster-role", "view"];
        let ended = folder.run(&[&args[..], more].concat()).good();
        let documents = kube_enroll::yaml::documents(ended.stdout.as_bytes());
        let names = documents.iter().map(|document| {
            let content = document.content.as_ref().unwrap();
            content["subjects"][0]["name"].as_str().unwrap().to_owned()
        });
        (names.collect::<Vec<_>>(), ended.stderr)
    };
    let (names, said) = bind(&[]);
    assert_eq!(names, ["dev", "ops"]);
    for words in [
        "binds ClusterRole view in all namespaces to group dev\n",
        "binds ClusterRole view in all namespaces to group ops\n",
        "everybody in it, and not user alice",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(bind(&["--bind", "user"]).0, ["alice"]);
    let (names, said) = bind(&["--bind", "both", "-n", "a"]);
    assert_eq!(names, ["alice", "dev", "ops"]);
    assert!(
        said.contains("view in namespace a to user alice\n"),
        "{said}"
    );
    assert_eq!(bind(&["-q"]).1, "");
}

#[test]
fn many_are_bound_in_an_order_that_does_not_change() {
    let folder = Folder::new();
    let role = ["--cluster-role", "view", "-n", "dev"];
    let bind = |who: &[&str], more: &[&str]| {
        let ended = folder.run(&[&["rbac"], who, &role, more].concat());
        ended.good().stdout
    };
    let one = ["--user", "b", "--group", "g", "--user", "a", "--user", "b"];
    let other = ["--group", "g", "--user", "a", "--user", "b"];
    assert_eq!(bind(&one, &[]), bind(&other, &[]));
    assert_eq!(bind(&one, &[]).matches("\n---\n").count(), 2);
    let files = ["--output-dir", "git"];
    bind(&one, &files);
    let listed = || folder.peer("ls", &["git"]);
    let names = listed();
    let name = |line: &str| line.starts_with("dev.") && line.ends_with(".yaml");
    assert_eq!(
        names.lines().filter(|line| name(line)).count(),
        3,
        "{names}"
    );
    // The same again changes nothing, and one more is one more.
    bind(&other, &files);
    assert_eq!(listed(), names);
    bind(&["--user", "c"], &files);
    assert_eq!(listed().lines().count(), 4);
}

/// A folder with what was issued to alice and bob.
fn issued() -> Folder {
    let folder = Folder::new();
    let authority = authority();
    folder.write("admin", admin_kubeconfig(&authority));
    for (user, group) in [("alice", "developers"), ("bob", "developers")] {
        let request = ["request", user, "-g", group, "--algorithm", "ecdsa-p256"];
        folder
            .run(&[&request[..], &["--no-passphrase"]].concat())
            .good();
        let object = issue(&folder.read(&format!("{user}.csr.yaml")), &authority);
        folder.write(&format!("{user}.crt"), certificate_of(&object));
        folder.write(&format!("{user}.object.yaml"), &object);
        let (out, object) = (format!("{user}.reply.yaml"), format!("{user}.object.yaml"));
        let reply = ["reply", &object, "--kubeconfig", "admin", "--out", &out];
        folder.run(&reply).good();
        folder.run(&["kubeconfig", &out]).good();
    }
    folder
}

fn id_of(folder: &Folder, certificate: &str) -> String {
    let report = folder.run(&["inspect", "-o", "json", certificate]).json();
    let id = &report["objects"][0]["certificate"]["credentialId"];
    id.as_str().unwrap().to_owned()
}

#[test]
fn a_certificate_is_taken_away_whichever_file_it_is_in() {
    let folder = issued();
    let mut seen = Vec::new();
    for file in [
        "alice.crt",
        "alice.object.yaml",
        "alice.reply.yaml",
        "alice.kubeconfig",
    ] {
        let ended = folder.run(&["rbac", "--revoke", file]).good();
        let said = "refuses all certificates of user alice\n";
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert!(ended.stdout.contains("\n        'alice', // until "));
        assert!(ended.stdout.contains("-l kube-enroll/user=alice\n"));
        // The group is not taken from the others.
        let group = "# kubectl delete rolebindings,clusterrolebindings --all-namespaces -l \
                     kube-enroll/group=developers\n";
        assert!(ended.stdout.contains(group), "{}", ended.stdout);
        seen.push(ended.stdout);
    }
    assert!(seen.iter().all(|text| *text == seen[0]));
    let named = folder.run(&["rbac", "--revoke", "--user", "alice"]).good();
    assert!(named.stdout.contains("\n        'alice',\\n"));
}

#[test]
fn a_new_certificate_of_the_same_user_is_kept() {
    let folder = issued();
    let request = ["request", "alice", "-g", "developers", "--algorithm"];
    let request = [&request[..], &["ed25519", "--no-passphrase"]].concat();
    let more = ["--output-dir", "new"];
    folder.run(&[&request[..], &more].concat()).good();
    let object = issue(&folder.read("new/alice.csr.yaml"), &authority());
    folder.write("new.crt", certificate_of(&object));
    let id = id_of(&folder, "new.crt");
    let line = format!("\n        '{id} alice', // until ");
    let both = ["rbac", "--revoke", "alice.crt", "--keep", "new.crt"];
    let ended = folder.run(&both).good();
    let said = "refuses the certificates of user alice, but for 1 kept\n";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(ended.stdout.contains(&line), "{}", ended.stdout);
    // The same later, when it has been issued.
    let first = ["rbac", "--revoke", "alice.crt", "--output-dir", "first"];
    folder.run(&first).good();
    let given = ["--authorization-config", "first/authorization-config.yaml"];
    let keep = [&["rbac", "--keep", "new.crt"][..], &given].concat();
    let later = folder.run(&keep).good().stdout;
    assert!(
        later.starts_with("apiVersion: ") && later.contains(&line),
        "{later}"
    );
    // And it is lost as well.
    folder.write("later.yaml", later);
    let given = ["--authorization-config", "later.yaml"];
    for who in [&["new.crt"][..], &["--user", "alice"]] {
        let lost = folder.run(&[&["rbac", "--revoke"], who, &given].concat());
        let lost = lost.good().stdout;
        assert!(
            lost.contains("'alice', // until ") && !lost.contains(&id),
            "{lost}"
        );
    }
    let other = ["rbac", "--revoke", "bob.crt", given[0], given[1]];
    assert!(folder.run(&other).good().stdout.contains(&line));
}

#[test]
fn what_is_kept_is_not_what_was_lost() {
    let folder = issued();
    let keep = |more: &[&str]| folder.run(&[&["rbac", "--keep"], more].concat());
    keep(&["alice.crt"]).fails(2, &["--authorization-config FILE"]);
    keep(&["alice.reply.yaml", "--revoke", "alice.crt"])
        .fails(1, &["is for the same key as alice.crt, which is refused"]);
    // Nor later, when the file is read that refuses it, in whatever bytes its signature is written.
    let first = ["rbac", "--revoke", "alice.crt", "--output-dir", "first"];
    folder.run(&first).good();
    let given = ["--authorization-config", "first/authorization-config.yaml"];
    let reply = [&["alice.reply.yaml"][..], &given].concat();
    keep(&reply).fails(
        1,
        &[
            "alice.reply.yaml is for the same key as a certificate of user alice that was refused before",
            "needs a new key",
        ],
    );
    keep(&["bob.crt", "--revoke", "alice.crt"])
        .fails(1, &["certificates of user bob are not refused"]);
    keep(&["alice.csr.yaml", "--revoke", "--user", "alice"])
        .fails(1, &["no certificate in it to be kept"]);
}

#[test]
fn the_script_is_one_that_a_shell_takes() {
    let folder = issued();
    let script = folder.run(&["rbac", "--revoke", "alice.crt", "bob.kubeconfig"]);
    folder.write("revoke.sh", script.good().stdout);
    // kubectl that says what it is given.
    folder.write(
        "kubectl",
        "#!/bin/sh\nprintf '%s|' \"$@\"; echo; case $* in *'-f -'*) cat;; esac\n",
    );
    folder.set_mode("kubectl", 0o755);
    let said = folder.peer("sh", &["-ec", "PATH=.:$PATH sh revoke.sh"]);
    let called = |start: &str| said.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(
        called("create|-o|jsonpath={.status.denied}{\"\\n\"}|-f|-|"),
        2,
        "{said}"
    );
    assert_eq!(
        called("{\"apiVersion\":\"authorization.k8s.io/v1\""),
        2,
        "{said}"
    );
    assert_eq!(called("delete|"), 2, "{said}");
    assert!(
        folder.has("authorization-config.yaml") && folder.has("denied-certificates.kubeconfig")
    );
    let before = folder.read("authorization-config.yaml");
    assert!(before.contains("'alice', // until ") && before.contains("'bob', // until "));
    // Nothing is written over.
    folder.write("authorization-config.yaml", "mine");
    for shell in ["sh", "bash"] {
        let run = format!("PATH=.:$PATH {shell} revoke.sh 2>&1; echo status $?");
        let said = folder.peer("sh", &["-c", &run]);
        assert_eq!(folder.read("authorization-config.yaml"), "mine");
        assert!(
            said.contains("authorization-config.yaml is there and says something else"),
            "{said}"
        );
        assert!(
            said.contains("STOPPED in part 1 ") && said.contains("status 1"),
            "{said}"
        );
        assert!(!said.contains("delete|"), "{said}");
    }
    // Run again, it goes on behind what is there.
    folder.write("authorization-config.yaml", before);
    let said = folder.peer("sh", &["-ec", "PATH=.:$PATH sh revoke.sh 2>&1"]);
    assert!(
        said.contains("authorization-config.yaml is there already"),
        "{said}"
    );
    assert!(
        said.contains("delete|") && said.contains("Everything is done."),
        "{said}"
    );
    // The first command that fails is the last.
    folder.write(
        "kubectl",
        "#!/bin/sh\nprintf '%s|' \"$@\"; echo; [ $1 != delete ]\n",
    );
    folder.set_mode("kubectl", 0o755);
    let said = folder.peer(
        "sh",
        &["-c", "PATH=.:$PATH sh revoke.sh 2>&1; echo status $?"],
    );
    assert_eq!(said.matches("delete|").count(), 1, "{said}");
    assert!(
        said.contains("STOPPED in part 2 ") && said.contains("status 1"),
        "{said}"
    );
    assert!(!said.contains("auth|"), "{said}");
}

#[test]
fn a_script_that_was_cut_off_runs_nothing() {
    let folder = issued();
    let script = folder.run(&["rbac", "--revoke", "alice.crt"]).good().stdout;
    folder.write("kubectl", "#!/bin/sh\necho \"called: $*\"\n");
    folder.set_mode("kubectl", 0o755);
    let last = script.trim_end().rfind('\n').unwrap();
    // Before the last line, which calls all of it, at every line and within each.
    let ends = script.match_indices(['\n', ' ']).map(|(end, _)| end);
    for end in ends.filter(|end| *end <= last).step_by(7).chain([last]) {
        folder.write("cut.sh", &script[..end]);
        let said = folder.peer("sh", &["-c", "PATH=.:$PATH sh cut.sh 2>&1; true"]);
        assert!(!said.contains("called:"), "at {end}: {said}");
    }
}

#[test]
fn another_one_is_taken_away_in_the_same_folder() {
    let folder = issued();
    let revoke = |who: &[&str]| {
        let words = [&["rbac", "--revoke"], who, &["--output-dir", "revoked"]].concat();
        folder.run(&words)
    };
    let given = [
        "--authorization-config",
        "revoked/authorization-config.yaml",
    ];
    revoke(&["alice.crt"]).good();
    let first = folder.read("revoked/revoke.sh");
    let ended = revoke(&["bob.crt"]).good();
    assert!(
        ended
            .stderr
            .contains("extended revoked/authorization-config.yaml"),
        "{}",
        ended.stderr
    );
    let both = folder.read("revoked/authorization-config.yaml");
    assert!(
        both.contains("'alice', // until ") && both.contains("'bob', // until "),
        "{both}"
    );
    assert_eq!(folder.read("revoked/revoke.sh"), first);
    assert!(folder.read("revoked/revoke-2.sh").contains("the user bob"));
    // The same again changes nothing.
    let names = folder.peer("ls", &["revoked"]);
    revoke(&["bob.crt", given[0], given[1]]).good();
    assert_eq!(folder.peer("ls", &["revoked"]), names);
    // What is not in the new one is not replaced.
    folder.write(
        "revoked/authorization-config.yaml",
        format!("# ticket 4711\n{both}"),
    );
    revoke(&["--user", "carol", given[0], given[1]]).fails(2, &["refusing to overwrite"]);
    let other = [
        "rbac",
        "--revoke",
        "--user",
        "carol",
        "--output-dir",
        "revoked",
    ];
    folder.run(&other).fails(2, &["refusing to overwrite"]);
}

#[test]
fn whoever_takes_access_away_is_told_where_it_is_their_own() {
    let folder = issued();
    let revoke = |more: &[&str]| {
        let run = [&["rbac", "--revoke"], more].concat();
        folder.run(&run).good().stderr
    };
    folder.peer("mkdir", &[".kube"]);
    folder.peer("cp", &["alice.kubeconfig", ".kube/config"]);
    let own =
        "/config: its context alice@prod is user alice: in that cluster you lock yourself out";
    assert!(revoke(&["--user", "alice"]).contains(own));
    assert!(!revoke(&["--user", "bob"]).contains("yourself"));
    let kept = revoke(&["--user", "alice", "--keep", "alice.kubeconfig"]);
    assert!(!kept.contains("yourself"), "{kept}");
}

#[test]
fn the_next_certificate_is_denied_besides_those_before() {
    let folder = issued();
    let first = ["rbac", "--revoke", "alice.crt", "--output-dir", "first"];
    let ended = folder.run(&first).good();
    let hint = "where they have an --authorization-config already, name that file here";
    assert!(ended.stderr.contains(hint), "{}", ended.stderr);
    let names = folder.peer("ls", &["first"]);
    assert_eq!(
        names,
        "authorization-config.yaml\ndenied-certificates.kubeconfig\nrevoke.sh\n"
    );
    let again = folder.run(&first).good();
    assert!(
        again.stderr.contains("is there already"),
        "{}",
        again.stderr
    );
    let theirs = folder.read("first/authorization-config.yaml")
        + "- {type: Webhook, name: theirs, webhook: {timeout: 3s}}\n# a comment\n";
    folder.write("theirs.yaml", theirs);
    let second = ["rbac", "--revoke", "bob.reply.yaml", "--output-dir"];
    let given = ["--authorization-config", "theirs.yaml"];
    let ended = folder
        .run(&[&second[..], &["second"], &given].concat())
        .good();
    let comments = "theirs.yaml: its comments are not written again";
    assert!(ended.stderr.contains(comments), "{}", ended.stderr);
    let both = folder.read("second/authorization-config.yaml");
    let value = kube_enroll::yaml::first_document(both.as_bytes()).unwrap();
    assert_eq!(value["authorizers"].as_array().unwrap().len(), 4);
    assert_eq!(value["authorizers"][3]["webhook"]["timeout"], "3s");
    for user in ["alice", "bob"] {
        assert!(both.contains(&format!("'{user}', // until ")), "{both}");
    }
    folder
        .run(&["rbac", "--user", "alice", given[0], given[1]])
        .fails(2, &["needs --revoke or --keep"]);
    folder
        .run(&[&second[..], &["third", given[0], "alice.csr.yaml"]].concat())
        .fails(2, &["not an AuthorizationConfiguration"]);
    assert!(folder.has_nothing_in("third"));
}

#[test]
fn nothing_is_taken_from_whom_nobody_meant() {
    let folder = issued();
    folder
        .run(&[
            "kubeconfig",
            "alice.reply.yaml",
            "--merge",
            "both.kubeconfig",
        ])
        .good();
    let merged = ["kubeconfig", "bob.reply.yaml", "--merge", "both.kubeconfig"];
    folder.run(&merged).good();
    let revoke = ["rbac", "--revoke", "both.kubeconfig"];
    folder.run(&revoke).fails(
        2,
        &["more than one user", "--context NAME: alice@prod, bob@prod"],
    );
    let one = folder.run(&[&revoke[..], &["--context", "bob@prod"]].concat());
    let one = one.good().stdout;
    assert!(
        one.contains("kube-enroll/user=bob") && !one.contains("alice"),
        "{one}"
    );
    folder
        .run(&[&revoke[..], &["--context", "carol"]].concat())
        .fails(1, &["no context of that name"]);
    let authority = authority().certificate().to_pem();
    folder.write("ca.crt", authority);
    folder
        .run(&["rbac", "--revoke", "ca.crt"])
        .fails(1, &["the certificate of an authority"]);
    folder
        .run(&["rbac", "--revoke", "--user", "system:kube-scheduler"])
        .fails(2, &["--allow-system"]);
    folder
        .run(&["rbac", "--revoke", "--user", "alice", "bob.crt"])
        .fails(2, &["cannot be used with"]);
}

#[test]
fn a_request_that_waits_is_told_with_what_denies_it() {
    let folder = issued();
    let ended = folder.run(&["rbac", "--revoke", "alice.csr.yaml"]).good();
    assert!(
        ended.stderr.contains("kubectl certificate deny alice-"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.contains("-l kube-enroll/user=alice"));
}

#[test]
fn what_proves_nothing_of_a_person_is_told_before_their_name_is_refused() {
    let folder = issued();
    let authority = kube_enroll::kubeconfig::Kubeconfig::read(folder.read("admin").as_bytes());
    let cluster = authority.unwrap().cluster(None).unwrap();
    let kube_enroll::kubeconfig::Authority::Data(pem) = cluster.authority else {
        panic!("no authority");
    };
    folder.write("ca.crt", pem);
    folder.write("other.crt", common::authority().certificate().to_pem());
    let revoke =
        |file: &str, more: &[&str]| folder.run(&[&["rbac", "--revoke", file], more].concat());
    let ours = ["--client-ca", "ca.crt"];
    for file in [
        "alice.crt",
        "alice.reply.yaml",
        "alice.object.yaml",
        "alice.kubeconfig",
    ] {
        let unknown =
            "not known whether the cluster issued it, and anybody can make one with any name: ";
        let ended = revoke(file, &[]).good();
        assert!(
            ended
                .stderr
                .contains(&format!("{unknown}{file}; --client-ca")),
            "{}",
            ended.stderr
        );
        let ended = revoke(file, &ours).good();
        assert!(!ended.stderr.contains(unknown), "{}", ended.stderr);
        let ended = revoke(file, &["--client-ca", "other.crt"]);
        ended.fails(
            1,
            &[
                "user alice was not let in by other.crt: its issuer is",
                "rbac --revoke --user alice",
            ],
        );
        assert_eq!(ended.stdout, "");
    }
    let ended = revoke("alice.csr", &[]).good();
    let words = "a request without certificate, which lets in nobody and which anybody can make for user alice";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    revoke("alice.csr", &ours).fails(1, &["it is a request, which nobody issued"]);

    let long_ago = time::OffsetDateTime::now_utc() - time::Duration::days(800);
    let authority =
        kube_enroll::rehearsal::Authority::new(long_ago, &mut getrandom::SysRng).unwrap();
    let ended = common::issue_at(&folder.read("bob.csr.yaml"), &authority, long_ago);
    folder.write("ended.yaml", ended);
    folder.write("then.crt", authority.certificate().to_pem());
    let words =
        "ended.yaml: the certificate has ended, and is refused as it is; others of user bob are";
    let ended = revoke("ended.yaml", &["--client-ca", "then.crt"]).good();
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
}

#[test]
fn a_folder_in_which_others_can_exchange_the_script_is_told() {
    let folder = issued();
    std::fs::create_dir(folder.file("shared")).unwrap();
    folder.set_mode("shared", 0o777);
    let words = "everyone can replace files in shared; run: chmod go-w shared";
    for words_typed in [
        "rbac --revoke alice.crt --output-dir shared",
        "rbac --revoke alice.crt --out shared/revoke-alice.sh",
        "rbac --user alice --cluster-role view --output-dir shared",
    ] {
        let ended = folder.typed(words_typed).good();
        assert!(
            ended.stderr.contains(words),
            "{words_typed}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_certificate_with_thousands_of_groups_makes_a_script_that_can_be_read() {
    let folder = Folder::new();
    let groups: Vec<String> = (0..3000).map(|number| format!("group-{number}")).collect();
    let subject = groups.iter().map(|group| (O, UTF8, group.as_str()));
    let subject: Vec<_> = subject.chain([(CN, UTF8, "alice")]).collect();
    folder.write("alice.csr", OddRequest::new(&subject).to_pem());
    let ended = folder.run(&["rbac", "--revoke", "alice.csr"]).good();
    assert!(ended.stdout.len() < 200_000, "{}", ended.stdout.len());
    assert!(
        ended
            .stdout
            .contains("# 2900 more groups are in the certificate")
    );
}

#[test]
fn names_that_belong_to_kubernetes_are_not_bound_by_accident() {
    let folder = Folder::new();
    let bind = |group: &str, more: &[&str]| {
        folder.run(&[&["rbac", "--group", group, "--cluster-role", "view"], more].concat())
    };
    bind("system:authenticated", &[]).fails(2, &["--allow-system"]);
    bind("system:authenticated", &["--allow-system"]).good();
    bind("system:masters", &["--allow-system"]).fails(2, &["beyond authorization"]);
}

#[test]
fn an_approver_gets_what_approving_needs() {
    let folder = Folder::new();
    let alone = documents(&folder, &["--approver"]);
    assert_eq!(alone.len(), 1);
    assert_eq!(
        alone[0]["rules"][2]["verbs"],
        serde_json::json!(["approve"])
    );
    let bound = documents(&folder, &["--approver", "--group", "admins"]);
    assert_eq!(bound[1]["roleRef"]["name"], alone[0]["metadata"]["name"]);
    let warned = folder.run(&["rbac", "--approver"]).stderr;
    assert!(warned.contains("can alone let in anybody"), "{warned}");
}

#[test]
fn creating_and_approving_can_be_parted() {
    let folder = Folder::new();
    let create = documents(&folder, &["--approver=create", "--user", "alice"]);
    let approve = documents(&folder, &["--approver=approve", "--user", "bob"]);
    assert_eq!(create[0]["rules"].as_array().unwrap().len(), 1);
    let verbs = create[0]["rules"][0]["verbs"].to_string();
    assert!(verbs.contains("create"), "{verbs}");
    assert!(!approve[0].to_string().contains("\"create\""));
    for bound in [&create, &approve] {
        assert_eq!(bound[1]["roleRef"]["name"], bound[0]["metadata"]["name"]);
    }
    assert_ne!(
        create[0]["metadata"]["name"],
        approve[0]["metadata"]["name"]
    );
    let quiet = folder.run(&["rbac", "--approver=approve"]).stderr;
    assert_eq!(quiet, "");
}
