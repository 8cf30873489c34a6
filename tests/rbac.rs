//! `kube-enroll rbac`: bindings, the approver's role, and taking access away.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use common::Folder;
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
    assert!(text.contains("stays valid until it ends"));
}

#[test]
fn revoking_one_member_takes_nothing_from_the_group() {
    let folder = Folder::new();
    let args = [
        "request",
        "alice",
        "-g",
        "developers",
        "--algorithm",
        "ed25519",
        "--no-passphrase",
    ];
    folder.run(&args).good();
    let text = folder.run(&["rbac", "alice.csr", "--revoke"]).good().stdout;
    let deletes: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("kubectl delete"))
        .collect();
    assert_eq!(deletes.len(), 1);
    assert!(deletes[0].ends_with("-l kube-enroll/user=alice"), "{text}");
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
}
