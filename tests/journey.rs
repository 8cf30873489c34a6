//! From the issued object to the kubeconfig: `reply` and `kubeconfig`, and what they refuse.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::{Folder, admin_kubeconfig, authority, have, issue, issue_at};
use kube_enroll::certificate::Certificate;
use kube_enroll::text::Show as _;
use std::os::unix::fs::PermissionsExt as _;

/// A folder with alice's request, and the object that came of it.
fn issued(args: &[&str]) -> (Folder, String) {
    let folder = Folder::new();
    let base = [
        "request",
        "alice",
        "-g",
        "developers",
        "--algorithm",
        "ecdsa-p256",
    ];
    folder.run(&[&base[..], args].concat()).good();
    let authority = authority();
    folder.write("admin.kubeconfig", admin_kubeconfig(&authority));
    let object = issue(&folder.read("alice.csr.yaml"), &authority);
    (folder, object)
}

fn plain() -> (Folder, String) {
    issued(&["--no-passphrase"])
}

fn reply(folder: &Folder, object: &str) -> common::Ended {
    let args = [
        "reply",
        "--kubeconfig",
        "admin.kubeconfig",
        "--out",
        "alice.reply.yaml",
    ];
    folder.run_with(&args, object.as_bytes())
}

/// The one kubeconfig in the folder, as JSON.
fn kubeconfig(folder: &Folder, name: &str) -> serde_json::Value {
    kube_enroll::yaml::first_document(folder.read(name).as_bytes()).unwrap()
}

#[test]
fn a_reply_holds_the_object_and_the_clusters_address_and_no_credential() {
    let (folder, object) = plain();
    reply(&folder, &object).good();
    let text = folder.read("alice.reply.yaml");
    assert!(text.contains("https://10.0.0.1:6443") && !text.contains("top-secret-token"));
    assert!(!text.contains("users"));
    let report = folder
        .run(&["inspect", "-o", "json", "alice.reply.yaml"])
        .json();
    assert_eq!(report["objects"][0]["status"]["state"], "Issued");
    assert_eq!(report["objects"][1]["kind"], "Config");
}

#[test]
fn a_certificate_is_told_with_the_days_it_has_and_its_name_in_the_audit_log() {
    let folder = Folder::new();
    let args = [
        "request",
        "alice",
        "-g",
        "developers",
        "--no-passphrase",
        "--expires-in",
        "10d",
    ];
    folder
        .run(&[&args[..], &["--algorithm", "ecdsa-p256"]].concat())
        .good();
    let authority = authority();
    let manifest = folder.read("alice.csr.yaml");
    let issued = |days| {
        let then = time::OffsetDateTime::now_utc() - time::Duration::days(days);
        issue_at(&manifest, &authority, then)
    };
    folder.write("now.crt", common::certificate_of(&issued(0)));
    let current = folder
        .run(&["inspect", "-o", "json", "now.crt"])
        .good()
        .json();
    let certificate = &current["objects"][0]["certificate"];
    assert_eq!(certificate["daysLeft"], 9);
    if have("openssl") {
        folder.peer(
            "openssl",
            &[
                "x509", "-in", "now.crt", "-outform", "DER", "-out", "now.der",
            ],
        );
        let hash = folder.peer("sha256sum", &["now.der"]);
        let hash = hash.split(' ').next().unwrap();
        assert_eq!(certificate["credentialId"], format!("X509SHA256={hash}"));
    }
    let text = folder.run(&["inspect", "now.crt"]).good().stdout;
    assert!(
        text.contains("(9 days left)") && text.contains("X509SHA256="),
        "{text}"
    );

    folder.write("then.crt", common::certificate_of(&issued(13)));
    folder.write("then.reply.yaml", issued(13));
    for file in ["then.crt", "then.reply.yaml"] {
        let ended = folder.run(&["inspect", "-o", "json", file]);
        ended.fails(1, &["\"code\": \"expired\""]);
        let object = &ended.json()["objects"][0];
        let certificate = match &object["certificate"] {
            serde_json::Value::Null => &object["status"]["certificate"],
            certificate => certificate,
        };
        assert_eq!(certificate["daysLeft"], -4);
        folder
            .run(&["inspect", file])
            .fails(1, &["ended 3 days ago"]);
    }
    // One that is over counts among those that are not.
    folder
        .run(&["inspect", "now.crt", "then.crt"])
        .fails(1, &["expired"]);
}

/// The contexts that `inspect` shows of a kubeconfig.
fn contexts(folder: &Folder, name: &str) -> Vec<serde_json::Value> {
    let report = folder.run(&["inspect", "-o", "json", name]).json();
    let contexts = &report["objects"][0]["kubeconfig"]["contexts"];
    contexts.as_array().unwrap().clone()
}

#[test]
fn each_context_says_who_where_until_when_with_which_key_and_whether_it_works() {
    for (style, passphrase) in [("--embed", false), ("--files", false), ("--exec", true)] {
        let folder = Folder::new();
        folder.write("pass", "correct horse\n");
        let secret: &[_] = if passphrase {
            &["--passphrase-file", "pass"]
        } else {
            &["--no-passphrase"]
        };
        let request = [
            "request",
            "alice",
            "-g",
            "developers",
            "--algorithm",
            "ecdsa-p256",
            "--output-dir",
            "keys",
        ];
        folder.run(&[&request[..], secret].concat()).good();
        let authority = authority();
        folder.write("admin.kubeconfig", admin_kubeconfig(&authority));
        let object = issue(&folder.read("keys/alice.csr.yaml"), &authority);
        reply(&folder, &object).good();
        let secret = if passphrase { secret } else { &[] };
        let write = [
            "kubeconfig",
            "alice.reply.yaml",
            "--key",
            "keys/alice.key",
            style,
            "--out",
            "config",
        ];
        folder.run(&[&write[..], secret].concat()).good();

        let ended = folder.run(&["inspect", "config"]).good();
        let public = folder
            .run(&["inspect", "-o", "json", "keys/alice.csr"])
            .json();
        let fingerprint = public["objects"][0]["publicKey"]["fingerprint"].clone();
        let context = &contexts(&folder, "config")[0];
        for (field, expected) in [
            ("name", "alice@prod"),
            ("cluster", "prod"),
            ("server", "https://10.0.0.1:6443"),
            ("user", "alice"),
        ] {
            assert_eq!(context[field], expected, "{style}");
        }
        assert_eq!(context["groups"], serde_json::json!(["developers"]));
        assert_eq!(context["key"], fingerprint);
        assert_eq!(
            (&context["ours"], &context["usable"]),
            (&true.into(), &true.into())
        );
        assert_eq!(context["daysLeft"], 364);
        let end = context["notAfter"].as_str().unwrap();
        for words in [
            "alice@prod",
            "developers",
            "https://10.0.0.1:6443",
            end,
            "364 days left",
            "Usable here  yes",
        ] {
            assert!(
                ended.stdout.contains(words),
                "{style}: no {words} in {}",
                ended.stdout
            );
        }

        // The key is gone: every style but one notices.
        std::fs::remove_file(folder.file("keys/alice.key")).unwrap();
        let ended = folder.run(&["inspect", "config"]);
        if style == "--embed" {
            ended.good();
        } else {
            ended.fails(1, &["keys/alice.key", "no such file", "Usable here  no"]);
            assert_eq!(contexts(&folder, "config")[0]["usable"], false);
        }
    }
}

#[test]
fn a_context_whose_certificate_has_ended_or_whose_key_is_another_is_in_error() {
    let (folder, _) = plain();
    let authority = authority();
    let manifest = folder.read("alice.csr.yaml");
    let then = time::OffsetDateTime::now_utc() - time::Duration::days(400);
    folder.write(
        "old.crt",
        common::certificate_of(&issue_at(&manifest, &authority, then)),
    );
    folder.write(
        "now.crt",
        common::certificate_of(&issue(&manifest, &authority)),
    );
    folder
        .run(&[
            "request",
            "bob",
            "--no-passphrase",
            "--algorithm",
            "ecdsa-p256",
        ])
        .good();
    folder.write("locked", "correct horse\n");
    folder
        .run(&[
            "request",
            "eve",
            "--passphrase-file",
            "locked",
            "--algorithm",
            "ecdsa-p256",
        ])
        .good();
    folder.peer("mkfifo", &["pipe"]);
    let config = |certificate: &str, key: &str| {
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {{server: https://user:pw@c}}\n\
             users:\n- name: u\n  user: {{client-certificate: {certificate}, client-key: {key}}}\n- name: t\n  \
             user: {{token: top-secret}}\ncontexts:\n- name: one\n  context: {{cluster: c, user: u}}\n- name: two\n  \
             context: {{cluster: gone, user: t}}\n"
        )
    };
    for (certificate, key, status, code) in [
        ("now.crt", "alice.key", 0, ""),
        ("old.crt", "alice.key", 1, "expired"),
        ("now.crt", "bob.key", 1, "certificate-mismatch"),
        ("now.crt", "eve.key", 1, "bad-kubeconfig"),
        ("now.crt", "nowhere.key", 1, "no such file"),
        ("nowhere.crt", "alice.key", 1, "no such file"),
        ("pipe", "alice.key", 1, "pipe is not a file"),
        ("alice.key", "alice.key", 1, "no certificate"),
    ] {
        folder.write("config", config(certificate, key));
        let ended = folder.run(&["inspect", "-o", "json", "config"]);
        ended.fails(status, &[code]);
        assert!(!ended.stdout.contains("pw@") && !ended.stdout.contains("top-secret"));
        let contexts = contexts(&folder, "config");
        assert_eq!(contexts[0]["usable"], status == 0);
        assert_eq!(contexts[0]["ours"], false);
        assert_eq!(contexts[1]["user"], serde_json::Value::Null);
        assert_eq!(contexts[1]["usable"], serde_json::Value::Null);
        assert_eq!(contexts[1]["server"], serde_json::Value::Null);
    }
}

#[test]
fn a_key_beside_the_authority_and_the_password_of_a_proxy_stay_with_the_admin() {
    let (folder, object) = plain();
    let admin = kubeconfig(&folder, "admin.kubeconfig");
    let data = admin["clusters"][0]["cluster"]["certificate-authority-data"].clone();
    let certificate = BASE64_STANDARD.decode(data.as_str().unwrap()).unwrap();
    let key = folder.read("alice.key").into_bytes();
    folder.write("ca.pem", [&key[..], &certificate, b"notes\n"].concat());
    let lines = folder.read("admin.kubeconfig");
    let lines = lines.lines().map(|line| match line {
        line if line.contains("certificate-authority-data") => {
            "    certificate-authority: ca.pem\n    proxy-url: http://admin:hunter2@proxy:3128"
        }
        line => line,
    });
    folder.write("admin.kubeconfig", lines.collect::<Vec<_>>().join("\n"));
    reply(&folder, &object).fails(1, &["has a user or password"]);
    assert!(!folder.has("alice.reply.yaml"));
    let lines = folder
        .read("admin.kubeconfig")
        .replace("admin:hunter2@", "");
    folder.write("admin.kubeconfig", lines);
    reply(&folder, &object).good();
    let text = folder.read("alice.reply.yaml");
    assert!(text.contains("http://proxy:3128") && !text.contains("PRIVATE"));
    let sent = kube_enroll::yaml::documents(text.as_bytes());
    let sent = sent[1].content.as_ref().unwrap();
    assert_eq!(
        sent["clusters"][0]["cluster"]["certificate-authority-data"],
        data
    );
}

#[test]
fn the_kubeconfig_is_private_and_holds_certificate_and_key() {
    let (folder, object) = plain();
    reply(&folder, &object).good();
    folder.run(&["kubeconfig", "alice.reply.yaml"]).good();
    let mode = std::fs::metadata(folder.file("alice.kubeconfig"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let value = kubeconfig(&folder, "alice.kubeconfig");
    let key = value["users"][0]["user"]["client-key-data"]
        .as_str()
        .unwrap();
    let key = BASE64_STANDARD.decode(key).unwrap();
    assert_eq!(String::from_utf8(key).unwrap(), folder.read("alice.key"));
    assert_eq!(value["current-context"], "alice@prod");
    // The same command twice.
    let before = folder.read("alice.kubeconfig");
    folder.run(&["kubeconfig", "alice.reply.yaml"]).good();
    assert_eq!(folder.read("alice.kubeconfig"), before);
}

#[test]
fn names_and_namespace_are_those_asked_for() {
    let (folder, object) = plain();
    reply(&folder, &object).good();
    let args = [
        "kubeconfig",
        "alice.reply.yaml",
        "--context",
        "work",
        "--namespace",
        "dev",
        "--cluster-name",
        "berlin",
        "--out",
        "my.conf",
    ];
    folder.run(&args).good();
    let value = kubeconfig(&folder, "my.conf");
    assert_eq!(value["contexts"][0]["name"], "work");
    assert_eq!(value["contexts"][0]["context"]["namespace"], "dev");
    assert_eq!(value["clusters"][0]["name"], "berlin");
}

#[test]
fn paths_are_absolute_where_files_are_referred_to() {
    let (folder, object) = plain();
    reply(&folder, &object).good();
    folder
        .run(&["kubeconfig", "alice.reply.yaml", "--files"])
        .good();
    let user = &kubeconfig(&folder, "alice.kubeconfig")["users"][0]["user"];
    for field in ["client-certificate", "client-key"] {
        let path = std::path::Path::new(user[field].as_str().unwrap());
        assert!(path.is_absolute() && path.is_file(), "{field}");
    }
}

#[test]
fn an_admin_without_the_program_can_answer_too() {
    let (folder, object) = plain();
    folder.write("object.yaml", &object);
    let args = ["kubeconfig", "object.yaml", "--cluster", "admin.kubeconfig"];
    folder.run(&args).good();
    assert!(!folder.read("alice.kubeconfig").contains("top-secret-token"));

    let (folder, object) = plain();
    let value = kube_enroll::yaml::first_document(object.as_bytes()).unwrap();
    let pem = BASE64_STANDARD
        .decode(value["status"]["certificate"].as_str().unwrap())
        .unwrap();
    folder.write("alice.crt", &pem);
    folder.write("ca.crt", authority().certificate().to_pem());
    let args = [
        "kubeconfig",
        "alice.crt",
        "--server",
        "https://x:6443",
        "--certificate-authority",
        "ca.crt",
    ];
    folder
        .run(&["kubeconfig", "alice.crt"])
        .fails(2, &["--cluster FILE", "--server"]);
    folder.run(&args).good();
}

#[test]
fn what_is_not_issued_is_explained_with_the_apis_own_words() {
    let (folder, object) = plain();
    let value = kube_enroll::yaml::first_document(object.as_bytes()).unwrap();
    let with = |conditions: serde_json::Value| {
        let mut value = value.clone();
        value["status"] = serde_json::json!({"conditions": conditions});
        kube_enroll::yaml::to_string(&value)
    };
    let condition = |kind: &str, reason: &str, message: &str| serde_json::json!({"type": kind, "status": "True", "reason": reason, "message": message});
    for (conditions, words) in [
        (
            serde_json::json!([]),
            ["Pending", "kubectl certificate approve alice-"],
        ),
        (
            serde_json::json!([condition("Denied", "KubectlDeny", "not in my house")]),
            ["Denied", "not in my house"],
        ),
        (
            serde_json::json!([
                condition("Approved", "", ""),
                condition(
                    "Failed",
                    "SignerValidationFailure",
                    "invalid usage for client certificate: server auth"
                )
            ]),
            ["SignerValidationFailure", "server auth"],
        ),
        (
            serde_json::json!([condition("Approved", "KubectlApprove", "")]),
            ["no certificate", "--cluster-signing-cert-file"],
        ),
    ] {
        let object = with(conditions);
        reply(&folder, &object).fails(1, &words);
        folder.write("object.yaml", &object);
        folder
            .run(&["kubeconfig", "object.yaml", "--cluster", "admin.kubeconfig"])
            .fails(1, &words);
    }
    folder.write("object.yaml", with(serde_json::json!([])));
    folder
        .run(&["kubeconfig", "object.yaml"])
        .fails(1, &["Pending"]);
    reply(&folder, "").fails(1, &["nothing in it"]);
    let said = "Error from server (NotFound): certificatesigningrequests \"x\" not found\n";
    reply(&folder, said).fails(1, &["NotFound", "kubectl get csr"]);
    reply(&folder, "apiVersion: v1\nkind: List\nitems: []\n").fails(1, &["deleted"]);
    assert!(!folder.has("alice.reply.yaml") && !folder.has("alice.kubeconfig"));
}

#[test]
fn placeholders_of_kubectl_config_view_are_recognised() {
    let (folder, object) = plain();
    for placeholder in ["DATA+OMITTED", "REDACTED"] {
        let text = "clusters:\n- name: c\n  cluster:\n    server: https://x\n    certificate-authority-data: P\n";
        folder.write(
            "admin.kubeconfig",
            text.replace(": P", &format!(": {placeholder}")),
        );
        reply(&folder, &object).fails(1, &["left out", "--raw --flatten --minify"]);
    }
}

#[test]
fn clusters_that_kubectl_could_not_use_are_refused() {
    let (folder, object) = plain();
    let good = folder.read("admin.kubeconfig");
    for (from, to, words) in [
        ("https://", "http://", "expected https://HOST:PORT"),
        (
            "https://10.0.0.1:6443",
            "10.0.0.1:6443",
            "expected https://HOST:PORT",
        ),
        (
            "current-context: prod",
            "current-context: gone",
            "no context \"gone\"",
        ),
        (
            "cluster: prod",
            "cluster: gone",
            "names the cluster \"gone\", which is not there",
        ),
        ("kind: Config", "kind: config", "not a kubeconfig"),
        (
            "certificate-authority-data: ",
            "certificate-authority-data: QUJD #",
            "something that is no certificate",
        ),
    ] {
        folder.write("admin.kubeconfig", good.replace(from, to));
        let ended = reply(&folder, &object);
        assert!(ended.status != 0);
        ended.fails(ended.status, &[words]);
    }
    folder.write("admin.kubeconfig", good);
    reply(&folder, &object).good();
}

#[test]
fn the_wrong_key_is_refused_with_what_was_found_and_expected() {
    let (folder, object) = plain();
    reply(&folder, &object).good();
    let other = Folder::new();
    other
        .run(&[
            "request",
            "alice",
            "--algorithm",
            "ecdsa-p256",
            "--no-passphrase",
        ])
        .good();
    other.write("alice.reply.yaml", folder.read("alice.reply.yaml"));
    other
        .run(&["kubeconfig", "alice.reply.yaml", "--key", "alice.key"])
        .fails(
            1,
            &[
                "the certificate is not for the key in alice.key: found ",
                "expected ",
            ],
        );
    other
        .run(&["kubeconfig", "alice.reply.yaml"])
        .fails(1, &["none of the 1 .key file"]);
    assert!(!other.has("alice.kubeconfig"));
}

/// An object whose certificate was issued over another request of the same key.
fn with_certificate_for(args: &[&str]) -> (Folder, String) {
    let (folder, _) = plain();
    let other = Folder::new();
    std::fs::copy(folder.file("alice.key"), other.file("k.pem")).unwrap();
    other
        .run(&[&["request", "--key", "k.pem", "--name", "x"], args].concat())
        .good();
    let yaml = other
        .names()
        .into_iter()
        .find(|name| name.ends_with(".yaml"))
        .unwrap();
    let theirs = issue(&other.read(&yaml), &authority());
    let theirs = kube_enroll::yaml::first_document(theirs.as_bytes()).unwrap();
    let mut ours =
        kube_enroll::yaml::first_document(folder.read("alice.csr.yaml").as_bytes()).unwrap();
    ours["status"] = theirs["status"].clone();
    let text = kube_enroll::yaml::to_string(&ours);
    (folder, text)
}

#[test]
fn a_certificate_for_another_user_or_other_groups_is_refused() {
    for (args, words) in [
        (&["bob", "-g", "developers"][..], ["found", "\"bob\""]),
        (&["alice"][..], ["groups (none)", "\"developers\""]),
        (
            &["alice", "-g", "developers", "-g", "ops"][..],
            ["\"ops\"", "the request \"developers\""],
        ),
    ] {
        let (folder, object) = with_certificate_for(args);
        reply(&folder, &object).fails(1, &["not what was asked for"]);
        assert!(!folder.has("alice.reply.yaml"));
        // As from an administrator without this program.
        folder.write("object.yaml", &object);
        let admin = ["--cluster", "admin.kubeconfig"];
        let ended = folder.run(&[&["kubeconfig", "object.yaml"][..], &admin].concat());
        assert_eq!(ended.status, 1, "{}", ended.stderr);
        assert!(
            words.iter().skip(1).all(|word| ended.stderr.contains(word)),
            "{}",
            ended.stderr
        );
        assert!(!folder.has("alice.kubeconfig"));
    }
}

#[test]
fn a_swapped_request_is_refused() {
    let (folder, object) = plain();
    reply(&folder, &object).good();
    let other = Folder::new();
    std::fs::copy(folder.file("alice.key"), other.file("k.pem")).unwrap();
    other
        .run(&["request", "alice", "-g", "ops", "--key", "k.pem"])
        .good();
    folder.write("alice.csr", other.read("alice.csr"));
    std::fs::remove_file(folder.file("alice.csr.yaml")).unwrap();
    folder
        .run(&["kubeconfig", "alice.reply.yaml"])
        .fails(1, &["another request than ours", "found", "expected"]);
}

#[test]
fn certificates_out_of_their_time_are_refused() {
    for (days, words) in [(-400, "was valid until"), (400, "is valid from")] {
        let (folder, _) = plain();
        let then = time::OffsetDateTime::now_utc() + time::Duration::days(days);
        let authority =
            kube_enroll::rehearsal::Authority::new(then, &mut getrandom::SysRng).unwrap();
        let object = issue_at(&folder.read("alice.csr.yaml"), &authority, then);
        reply(&folder, &object).good();
        folder
            .run(&["kubeconfig", "alice.reply.yaml"])
            .fails(1, &[words, "clock"]);
    }
}

#[test]
fn a_server_certificate_is_refused() {
    if !have("openssl") {
        return;
    }
    let (folder, _) = plain();
    folder.peer(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "ca.pem",
            "-out",
            "ca.crt",
            "-subj",
            "/CN=ca",
        ],
    );
    folder.write("ext", "extendedKeyUsage=serverAuth\n");
    folder.peer(
        "openssl",
        &[
            "x509",
            "-req",
            "-in",
            "alice.csr",
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.pem",
            "-CAcreateserial",
            "-extfile",
            "ext",
            "-out",
            "alice.crt",
        ],
    );
    folder
        .run(&["kubeconfig", "alice.crt", "--cluster", "admin.kubeconfig"])
        .fails(1, &["client authentication"]);
}

#[test]
fn the_issuer_is_a_condition_only_where_it_is_named() {
    let (folder, _) = plain();
    let issuer = authority();
    folder.write("clients.crt", issuer.certificate().to_pem());
    folder.write("others.crt", authority().certificate().to_pem());
    let object = issue(&folder.read("alice.csr.yaml"), &issuer);
    reply(&folder, &object).good();
    folder
        .run(&[
            "kubeconfig",
            "alice.reply.yaml",
            "--client-ca",
            "others.crt",
        ])
        .fails(1, &["was not issued by others.crt"]);
    let ended = folder
        .run(&["kubeconfig", "alice.reply.yaml", "--out", "a"])
        .good();
    assert!(ended.stderr.contains("warning"), "{}", ended.stderr);
    folder
        .run(&[
            "kubeconfig",
            "alice.reply.yaml",
            "--client-ca",
            "clients.crt",
        ])
        .good();
}

#[test]
fn an_encrypted_key_is_put_in_the_clear_only_when_told_to() {
    let folder = Folder::new();
    folder.write("pass", "correct horse\n");
    let args = [
        "request",
        "alice",
        "--algorithm",
        "ed25519",
        "--passphrase-file",
        "pass",
    ];
    folder.run(&args).good();
    let authority = authority();
    folder.write("admin.kubeconfig", admin_kubeconfig(&authority));
    let object = issue(&folder.read("alice.csr.yaml"), &authority);
    reply(&folder, &object).good();
    folder
        .run(&["kubeconfig", "alice.reply.yaml"])
        .fails(2, &["encrypted", "--passphrase-file"]);
    let args = [
        "kubeconfig",
        "alice.reply.yaml",
        "--passphrase-file",
        "pass",
    ];
    folder.run(&[&args[..], &["--embed"]].concat()).good();
    assert!(
        kubeconfig(&folder, "alice.kubeconfig")["users"][0]["user"]["client-key-data"].is_string()
    );
}

/// A folder with the keys of these people, and `all.yaml` with the reply to all of them.
fn enrolled(users: &[&str], protection: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.write("pass", "correct horse\n");
    let authority = authority();
    folder.write("admin.kubeconfig", admin_kubeconfig(&authority));
    let mut items = Vec::new();
    for user in users {
        let args = ["request", user, "--algorithm", "ecdsa-p256"];
        folder.run(&[&args[..], protection].concat()).good();
        let object = issue(&folder.read(&format!("{user}.csr.yaml")), &authority);
        items.push(kube_enroll::yaml::first_document(object.as_bytes()).unwrap());
    }
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    let args = [
        "reply",
        "--kubeconfig",
        "admin.kubeconfig",
        "--out",
        "all.yaml",
    ];
    folder.run_with(&args, list.to_string().as_bytes()).good();
    folder
}

/// Kubeconfigs for all of [`enrolled`].
fn to<'a>(output_folder: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = ["kubeconfig", "all.yaml", "--key", ".", "--output-dir"];
    [&args[..], &[output_folder], more].concat()
}

#[test]
fn many_certificates_and_a_folder_of_keys_give_a_kubeconfig_each() {
    let users = ["alice", "bob", "carol"];
    let folder = enrolled(&users, &["--no-passphrase"]);
    let said = folder.run(&to("out", &[])).good().stdout;
    assert_eq!(said.matches("Try it:").count(), 1, "{said}");
    for user in users {
        let value = kubeconfig(&folder, &format!("out/{user}.kubeconfig"));
        assert_eq!(value["current-context"], format!("{user}@prod"));
    }
    std::fs::remove_file(folder.file("bob.key")).unwrap();
    let said = folder.run(&to("some", &[])).good().stderr;
    let admin = kubeconfig(&folder, "admin.kubeconfig");
    let authority = &admin["clusters"][0]["cluster"]["certificate-authority-data"];
    let authority = BASE64_STANDARD.decode(authority.as_str().unwrap()).unwrap();
    let authority = Certificate::all_from_pem(&authority).unwrap().remove(0);
    assert_eq!(
        said,
        format!(
            "kube-enroll: all.yaml: the certificate authority of the cluster is\n  {}\n  \
             if the administrator told you another one, do not use it; --ca-fingerprint compares \
             them\nkube-enroll: all.yaml: 1 other is for keys that are not here\n",
            authority.public_key().fingerprint().show()
        )
    );
    assert!(folder.has("some/alice.kubeconfig") && folder.has("some/carol.kubeconfig"));
}

#[test]
fn each_key_is_read_to_find_it_and_to_use_it_however_many_there_are() {
    if !have("strace") {
        return;
    }
    let users = ["alice", "bob", "carol", "dave"];
    let folder = enrolled(&users, &["--no-passphrase"]);
    let trace = folder.file("trace");
    folder
        .traced(&["-e", "trace=openat"], &trace, &to("out", &[]), b"")
        .good();
    let trace = folder.read("trace");
    for user in users {
        let name = format!("{user}.key\"");
        let lines = trace.lines();
        // The sandbox looks up paths that may be opened, and opens none.
        let opened = lines.filter(|line| line.contains(&name) && !line.contains("O_PATH"));
        let times = opened.count();
        assert_eq!(times, 2, "{user}: {trace}");
    }
}

#[test]
fn encrypted_keys_without_their_requests_are_found_by_opening_them() {
    let users = ["alice", "bob"];
    let folder = enrolled(&users, &["--passphrase-file", "pass"]);
    for user in users {
        std::fs::remove_file(folder.file(&format!("{user}.csr"))).unwrap();
    }
    // Another passphrase than that of the others: it stays closed.
    folder.write("other", "battery staple\n");
    let aaron = ["request", "aaron", "--algorithm", "ecdsa-p256"];
    let aaron = [&aaron[..], &["--passphrase-file", "other"]].concat();
    folder.run(&aaron).good();
    std::fs::remove_file(folder.file("aaron.csr")).unwrap();
    folder
        .run(&to("out", &["--passphrase-file", "pass", "--embed"]))
        .good();
    assert!(folder.has("out/alice.kubeconfig") && folder.has("out/bob.kubeconfig"));
}

#[test]
fn an_encrypted_key_beside_the_request_of_another_is_not_taken() {
    let folder = enrolled(&["alice"], &["--passphrase-file", "pass"]);
    let bob = ["request", "bob", "--algorithm", "ecdsa-p256"];
    let bob = [&bob[..], &["--passphrase-file", "pass"]].concat();
    folder.run(&bob).good();
    folder.write("alice.key", folder.read("bob.key"));
    folder
        .run(&to("out", &["--passphrase-file", "pass"]))
        .fails(1, &["not for the key in ./alice.key"]);
    assert!(!folder.has("out/alice.kubeconfig"));
}

#[test]
fn merging_keeps_everything_else_and_the_mode() {
    let (folder, object) = plain();
    reply(&folder, &object).good();
    let existing = "apiVersion: v1\nkind: Config\ncurrent-context: old\nunknown: {a: [1, no]}\nusers:\n- name: old\n  user: {token: t}\n";
    folder.write("config", existing);
    std::fs::set_permissions(
        folder.file("config"),
        std::fs::Permissions::from_mode(0o640),
    )
    .unwrap();
    folder
        .run(&["kubeconfig", "alice.reply.yaml", "--merge", "config"])
        .good();
    let value = kubeconfig(&folder, "config");
    assert_eq!(value["unknown"], serde_json::json!({"a": [1, false]}));
    assert_eq!(value["current-context"], "old");
    assert_eq!(value["users"][0]["user"]["token"], "t");
    assert_eq!(value["users"][1]["name"], "alice@prod");
    let mode = std::fs::metadata(folder.file("config"))
        .unwrap()
        .permissions()
        .mode();
    // It holds a key now.
    assert_eq!(mode & 0o777, 0o600);
    folder
        .run(&["kubeconfig", "alice.reply.yaml", "--merge", "config"])
        .good();
    folder.write(
        "foreign",
        "users:\n- name: alice@prod\n  user: {token: t}\n",
    );
    let before = folder.read("foreign");
    folder
        .run(&["kubeconfig", "alice.reply.yaml", "--merge", "foreign"])
        .fails(2, &["made by something else"]);
    assert_eq!(folder.read("foreign"), before);
}

#[test]
fn kubectl_loads_every_kubeconfig_and_request() {
    if !have("kubectl") {
        return;
    }
    for user in ["alice", "no", "1e3", "a: b", "🙂", "0x1F", "~"] {
        let folder = Folder::new();
        let args = [
            "request",
            user,
            "-g",
            user,
            "--algorithm",
            "ecdsa-p256",
            "--no-passphrase",
        ];
        folder.run(&args).good();
        let yaml = folder
            .names()
            .into_iter()
            .find(|name| name.ends_with(".yaml"))
            .unwrap();
        let authority = authority();
        folder.write("admin.kubeconfig", admin_kubeconfig(&authority));
        let object = issue(&folder.read(&yaml), &authority);
        reply(&folder, &object).good();
        folder
            .run(&[
                "kubeconfig",
                "alice.reply.yaml",
                "--out",
                "kc",
                "--namespace",
                "no",
            ])
            .good();
        let shown = folder.peer(
            "kubectl",
            &[
                "--kubeconfig",
                "kc",
                "config",
                "view",
                "--raw",
                "-o",
                "json",
            ],
        );
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["current-context"], format!("{user}@prod"));
        assert_eq!(shown["contexts"][0]["context"]["namespace"], "no");
        let file = folder.file(&yaml);
        let args = [
            "label",
            "--local",
            "--dry-run=client",
            "-o",
            "json",
            "-f",
            file.to_str().unwrap(),
            "a=b",
        ];
        let read: serde_json::Value = serde_json::from_str(&folder.peer("kubectl", &args)).unwrap();
        let ours = kube_enroll::yaml::first_document(folder.read(&yaml).as_bytes()).unwrap();
        assert_eq!(read["spec"], ours["spec"]);
        assert_eq!(read["metadata"]["name"], ours["metadata"]["name"]);
    }
}

#[test]
fn the_rehearsal_ends_with_a_kubeconfig() {
    let folder = Folder::new();
    for algorithm in ["ecdsa-p256", "ed25519", "rsa-2048"] {
        let dir = format!("stage-{algorithm}");
        folder
            .run(&["rehearse", "--algorithm", algorithm, "--dir", &dir])
            .good();
        // The second year's certificate and key are in the place of the first.
        let contexts = contexts(&folder, &format!("{dir}/alice.kubeconfig"));
        assert_eq!(contexts.len(), 1);
        assert_eq!(contexts[0]["daysLeft"], 722);
        let names = std::fs::read_dir(folder.file(&dir)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut keys: Vec<_> = names.filter(|name| name.ends_with(".key")).collect();
        keys.sort();
        let key = format!("{dir}/{}", keys[0]);
        let second = folder.run(&["inspect", "-o", "json", &key]).good().json();
        assert_eq!(
            contexts[0]["key"],
            second["objects"][0]["publicKey"]["fingerprint"]
        );
        assert_eq!((keys.len(), keys[1].as_str()), (2, "alice.key"));
        folder
            .run(&["rehearse", "--dir", &dir])
            .fails(2, &["refusing to overwrite"]);
    }
    folder
        .run(&[
            "request",
            "bob",
            "--algorithm",
            "ed25519",
            "--no-passphrase",
        ])
        .good();
    for file in ["bob.csr", "bob.csr.yaml"] {
        let ended = folder.run(&["rehearse", "--csr", file]).good();
        assert!(ended.stdout.contains("issued CN=bob"), "{}", ended.stdout);
    }
}
