//! `kube-enroll request`: what it makes, and what it refuses.

#![allow(clippy::indexing_slicing, clippy::too_many_lines, clippy::unwrap_used)]

mod common;

use common::{Folder, admin_kubeconfig, authority, have, issue};
use kube_enroll::key::Fingerprint;
use std::os::unix::fs::PermissionsExt as _;

const P256: [&str; 3] = ["--algorithm", "ecdsa-p256", "--no-passphrase"];

fn request(folder: &Folder, args: &[&str]) -> common::Ended {
    folder.run(&[&["request"], args, &P256].concat())
}

#[test]
fn a_request_is_a_key_a_csr_and_a_manifest() {
    let folder = Folder::new();
    let ended = request(&folder, &["alice", "-g", "developers", "-g", "on call"]).good();
    assert_eq!(folder.names(), ["alice.csr", "alice.csr.yaml", "alice.key"]);
    let mode = std::fs::metadata(folder.file("alice.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    for words in ["xargs -r kubectl certificate approve", "'on call'"] {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
    let report = folder
        .run(&["inspect", "-o", "json", "alice.csr.yaml"])
        .json();
    let object = &report["objects"][0];
    assert_eq!(object["identity"]["username"], "alice");
    assert_eq!(
        object["usages"],
        serde_json::json!(["digital signature", "client auth"])
    );
    assert_eq!(object["expirationSeconds"], serde_json::Value::Null);
}

#[test]
fn every_algorithm_gives_a_request_that_verifies() {
    for algorithm in ["rsa-2048", "ecdsa-p256", "ecdsa-p384", "ed25519"] {
        let folder = Folder::new();
        folder
            .run(&[
                "request",
                "alice",
                "--algorithm",
                algorithm,
                "--no-passphrase",
            ])
            .good();
        folder
            .run(&["verify", "alice.csr.yaml", "--user", "alice", "--no-groups"])
            .good();
    }
}

#[test]
fn the_lifetime_signer_and_name_asked_for_are_in_the_manifest() {
    let folder = Folder::new();
    let args = [
        "alice",
        "--expires-in",
        "90d",
        "--signer",
        "example.com/x",
        "--name",
        "mine",
    ];
    request(&folder, &args).good();
    let object = &folder
        .run(&["inspect", "-o", "json", "alice.csr.yaml"])
        .json()["objects"][0];
    assert_eq!(object["expirationSeconds"], 7_776_000);
    assert_eq!(object["signerName"], "example.com/x");
    assert_eq!(object["name"], "mine");
    assert_eq!(object["prediction"]["issued"], serde_json::Value::Null);
}

#[test]
fn an_existing_file_is_never_overwritten() {
    for name in ["alice.key", "alice.csr", "alice.csr.yaml"] {
        let folder = Folder::new();
        folder.write(name, "precious");
        request(&folder, &["alice"]).good();
        assert_eq!(folder.read(name), "precious");
        // All of the new ones are named after the object.
        let names = folder.names();
        let new = names.iter().filter(|other| *other != name);
        assert!(
            new.clone().all(|name| name.starts_with("alice-")),
            "{names:?}"
        );
        assert_eq!(new.count(), 3);
    }
}

#[test]
fn a_missing_output_folder_is_made() {
    let folder = Folder::new();
    request(&folder, &["alice", "--output-dir", "a/b"]).good();
    assert!(folder.has("a/b/alice.key") && folder.has("a/b/alice.csr.yaml"));
    folder.run(&["man", "--output-dir", "pages"]).good();
    assert!(folder.has("pages/kube-enroll-request.1"));
}

#[test]
fn a_full_or_read_only_place_leaves_nothing_behind() {
    let folder = Folder::new();
    folder.write("file", "");
    for place in ["file/below", "/proc/nowhere", "/dev/full/x"] {
        let ended = request(&folder, &["alice", "--output-dir", place]);
        ended.fails(2, &["cannot", place]);
    }
    assert_eq!(folder.names(), ["file"]);
}

#[test]
fn a_link_in_the_place_of_the_key_is_not_followed() {
    let folder = Folder::new();
    std::os::unix::fs::symlink(folder.file("elsewhere"), folder.file("alice.key")).unwrap();
    request(&folder, &["alice"]).good();
    assert!(!folder.has("elsewhere") && folder.names().len() == 4);
}

#[test]
fn without_terminal_and_option_there_is_no_plain_key() {
    let folder = Folder::new();
    folder
        .run(&["request", "alice", "--algorithm", "ecdsa-p256"])
        .fails(2, &["--no-passphrase", "--passphrase-file"]);
    assert!(folder.names().is_empty());
}

#[test]
fn names_that_cannot_be_meant_are_refused() {
    let folder = Folder::new();
    let long = "x".repeat(65);
    for (args, words) in [
        (vec![""], "is empty"),
        (vec!["alice", "-g", ""], "is empty"),
        (vec!["a\u{1b}b"], "U+001B"),
        (vec!["a\u{202e}b"], "U+202E"),
        (vec![" alice"], "space"),
        (vec![long.as_str()], "65 characters"),
        (vec!["system:admin"], "--allow-system"),
        (
            vec!["alice", "-g", "system:masters", "--allow-system"],
            "refused by every API server",
        ),
        (vec!["alice", "-g", "a", "-g", "a"], "twice"),
    ] {
        request(&folder, &args).fails(2, &[words]);
    }
    assert!(folder.names().is_empty());
    request(&folder, &["system:x", "--allow-system", "--name", "x"]).good();
}

#[test]
fn users_that_are_no_file_names_get_files_named_after_the_request() {
    for user in ["a/b", "../up", "Зоя", "-x y", "50%"] {
        let folder = Folder::new();
        folder
            .run(&[&["request"][..], &P256, &["--", user]].concat())
            .good();
        assert_eq!(folder.names().len(), 3, "{user}");
        let name = folder.names().remove(0);
        assert!(
            name.chars()
                .all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)),
            "{name}"
        );
    }
}

#[test]
fn users_that_yaml_would_misread_come_through() {
    for user in [
        "no",
        "on",
        "y",
        "null",
        "~",
        "1234",
        "1e3",
        "0x1F",
        "1_000",
        "2024-01-01",
        "a: b",
        "#x",
        "🙂",
        "yes",
        "\"q\"",
        "'",
        "a\\b",
        "{}",
        "[]",
        "&a",
        "*a",
        "!x",
        "|",
        ">",
        "%",
        "@",
        "`",
    ] {
        let folder = Folder::new();
        request(&folder, &[user, "-g", user, "--output-dir", "."]).good();
        let yaml = folder
            .names()
            .into_iter()
            .find(|name| name.ends_with(".yaml"))
            .unwrap();
        folder
            .run(&[
                "verify",
                &yaml,
                &format!("--user={user}"),
                &format!("--group={user}"),
            ])
            .good();
    }
}

#[test]
fn an_existing_key_is_used_in_every_form() {
    if !have("openssl") {
        return;
    }
    let folder = Folder::new();
    folder.peer(
        "openssl",
        &["genrsa", "-traditional", "-out", "rsa1.pem", "2048"],
    );
    folder.peer(
        "openssl",
        &[
            "pkcs8", "-topk8", "-nocrypt", "-in", "rsa1.pem", "-out", "rsa8.pem",
        ],
    );
    folder.peer(
        "openssl",
        &[
            "rsa",
            "-in",
            "rsa1.pem",
            "-traditional",
            "-outform",
            "DER",
            "-out",
            "rsa1.der",
        ],
    );
    folder.peer(
        "openssl",
        &[
            "pkcs8", "-topk8", "-nocrypt", "-in", "rsa1.pem", "-outform", "DER", "-out", "rsa8.der",
        ],
    );
    for curve in ["prime256v1", "secp384r1", "secp521r1"] {
        let sec1 = format!("{curve}.pem");
        folder.peer(
            "openssl",
            &["ecparam", "-name", curve, "-genkey", "-out", &sec1],
        );
        folder.peer(
            "openssl",
            &[
                "pkcs8",
                "-topk8",
                "-nocrypt",
                "-in",
                &sec1,
                "-out",
                &format!("{curve}8.pem"),
            ],
        );
        folder.peer(
            "openssl",
            &[
                "ec",
                "-in",
                &sec1,
                "-outform",
                "DER",
                "-out",
                &format!("{curve}.der"),
            ],
        );
    }
    folder.peer(
        "openssl",
        &["genpkey", "-algorithm", "ed25519", "-out", "ed.pem"],
    );
    folder.write("pass", "correct horse\n");
    for (cipher, more) in [
        ("aes256", vec!["-scrypt"]),
        ("aes128", vec!["-v2prf", "hmacWithSHA256"]),
        ("aes256", vec!["-v2prf", "hmacWithSHA1"]),
        ("des3", vec![]),
    ] {
        let out = format!("enc-{cipher}-{}.pem", more.last().unwrap_or(&"plain"));
        let mut args = vec![
            "pkcs8",
            "-topk8",
            "-in",
            "rsa1.pem",
            "-out",
            &out,
            "-passout",
            "file:pass",
        ];
        if more == ["-scrypt"] {
            args.push("-scrypt");
        } else {
            args.extend(["-v2", cipher]);
            args.extend(more);
        }
        folder.peer("openssl", &args);
    }
    let keys: Vec<_> = folder
        .names()
        .into_iter()
        .filter(|name| name != "pass")
        .collect();
    assert_eq!(keys.len(), 18, "{keys:?}");
    for (index, key) in keys.iter().enumerate() {
        let user = format!("user{index}");
        let mut args = vec!["request", &user, "--key", key];
        if key.starts_with("enc") {
            args.extend(["--passphrase-file", "pass"]);
        }
        folder.run(&args).good();
        let shown = folder.peer(
            "openssl",
            &[
                "req",
                "-in",
                &format!("{user}.csr"),
                "-noout",
                "-pubkey",
                "-verify",
            ],
        );
        let mut pkey = vec!["pkey", "-in", key, "-pubout"];
        if key.starts_with("enc") {
            pkey.extend(["-passin", "file:pass"]);
        }
        assert_eq!(shown, folder.peer("openssl", &pkey), "{key}");
        assert!(!folder.has(&format!("{user}.key")));
    }
}

#[test]
fn keys_that_cannot_be_used_are_told_apart() {
    if !have("openssl") {
        return;
    }
    let folder = Folder::new();
    folder.write("pass", "correct horse\n");
    folder.write("wrong", "battery staple\n");
    folder.peer("openssl", &["genrsa", "-out", "small.key", "1024"]);
    folder.peer(
        "openssl",
        &[
            "genrsa",
            "-traditional",
            "-aes128",
            "-passout",
            "file:pass",
            "-out",
            "legacy.key",
            "2048",
        ],
    );
    folder.peer(
        "openssl",
        &[
            "genpkey",
            "-algorithm",
            "ed25519",
            "-aes256",
            "-pass",
            "file:pass",
            "-out",
            "enc.key",
        ],
    );
    folder.peer(
        "openssl",
        &["ecparam", "-name", "secp256k1", "-genkey", "-out", "k1.key"],
    );
    folder.write("not.key", "hello");
    let fails = |key: &str, more: &[&str], words: &[&str]| {
        let args = [&["request", "alice", "--key", key], more].concat();
        folder.run(&args).fails(2, words);
    };
    fails("small.key", &[], &["small.key", "1024 bits"]);
    fails(
        "legacy.key",
        &["--passphrase-file", "pass"],
        &["openssl pkcs8 -topk8"],
    );
    fails("enc.key", &[], &["encrypted", "--passphrase-file"]);
    fails(
        "enc.key",
        &["--passphrase-file", "wrong"],
        &["does not open"],
    );
    fails("k1.key", &[], &["elliptic curve"]);
    fails("not.key", &[], &["not.key is", "not a private key"]);
    fails("gone.key", &[], &["gone.key", "no such file"]);
}

#[test]
fn an_encrypted_key_opens_with_openssl_and_with_nothing_else() {
    if !have("openssl") {
        return;
    }
    for algorithm in ["rsa-2048", "ecdsa-p256", "ecdsa-p384", "ed25519"] {
        let folder = Folder::new();
        folder.write("pass", "correct horse\n");
        folder
            .run(&[
                "request",
                "alice",
                "--algorithm",
                algorithm,
                "--passphrase-file",
                "pass",
            ])
            .good();
        assert!(
            folder
                .read("alice.key")
                .starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        );
        let opened = folder.peer(
            "openssl",
            &[
                "pkey",
                "-in",
                "alice.key",
                "-passin",
                "file:pass",
                "-pubout",
            ],
        );
        assert_eq!(
            opened,
            folder.peer("openssl", &["req", "-in", "alice.csr", "-noout", "-pubkey"])
        );
    }
}

#[test]
fn a_teams_configuration_gives_way_to_the_command_line() {
    let folder = Folder::new();
    folder.write(
        "team.yaml",
        "group: [developers]\nalgorithm: ed25519\nexpiresIn: 30d\n",
    );
    folder
        .run(&[
            "request",
            "alice",
            "--config",
            "team.yaml",
            "--no-passphrase",
        ])
        .good();
    folder
        .run(&[
            "request",
            "bob",
            "--config",
            "team.yaml",
            "--no-passphrase",
            "-g",
            "ops",
            "--expires-in",
            "1d",
        ])
        .good();
    let object =
        |name: &str| folder.run(&["inspect", "-o", "json", name]).json()["objects"][0].clone();
    let alice = object("alice.csr.yaml");
    assert_eq!(alice["publicKey"]["algorithm"], "Ed25519");
    assert_eq!(
        alice["identity"]["groups"],
        serde_json::json!(["developers"])
    );
    assert_eq!(alice["expirationSeconds"], 2_592_000);
    let bob = object("bob.csr.yaml");
    assert_eq!(bob["identity"]["groups"], serde_json::json!(["ops"]));
    assert_eq!(bob["expirationSeconds"], 86_400);
}

#[test]
fn the_hand_made_configuration_gives_the_same_identity_as_openssl() {
    if !have("openssl") {
        return;
    }
    let folder = Folder::new();
    folder.write(
        "csr.cnf",
        "[ req ]\ndefault_bits = 2048\nprompt = no\ndefault_md = sha256\nreq_extensions = v3_ext\n\
         distinguished_name = dn\n[ dn ]\nCN = alice\n0.O = developers\n1.O = \"on, call\"\n[ v3_ext ]\n\
         basicConstraints = CA:FALSE\nkeyUsage = critical,keyEncipherment,dataEncipherment\n\
         extendedKeyUsage = serverAuth,clientAuth\nsubjectAltName = DNS:alice.example.com,IP:10.0.0.1\n",
    );
    let ended = folder
        .run(&["request", "--config", "csr.cnf", "--no-passphrase"])
        .good();
    assert!(
        ended.stderr.contains("--with-extensions"),
        "{}",
        ended.stderr
    );
    folder.peer(
        "openssl",
        &[
            "req",
            "-new",
            "-config",
            "csr.cnf",
            "-key",
            "alice.key",
            "-out",
            "theirs.csr",
        ],
    );
    let objects = folder
        .run(&["inspect", "-o", "json", "alice.csr", "theirs.csr"])
        .json();
    assert_eq!(
        objects["objects"][0]["identity"],
        objects["objects"][1]["identity"]
    );
    assert_eq!(
        objects["objects"][0]["csr"]["extensions"],
        serde_json::json!([])
    );

    std::fs::rename(folder.file("alice.key"), folder.file("k.pem")).unwrap();
    std::fs::remove_file(folder.file("alice.csr")).unwrap();
    std::fs::remove_file(folder.file("alice.csr.yaml")).unwrap();
    folder
        .run(&[
            "request",
            "--config",
            "csr.cnf",
            "--key",
            "k.pem",
            "--with-extensions",
        ])
        .good();
    let text = |file: &str| {
        let text = folder.peer("openssl", &["req", "-in", file, "-noout", "-text"]);
        let start = text.find("Requested Extensions").unwrap();
        text[start..text.find("Signature Algorithm: sha").unwrap()].to_owned()
    };
    assert_eq!(text("alice.csr"), text("theirs.csr"));
}

/// A file of another program, as it came from it.
fn request_of(folder: &Folder, case: &str) {
    let path = format!("{}/tests/vectors/peers/{case}", env!("CARGO_MANIFEST_DIR"));
    let record = std::fs::read(path).unwrap();
    // What it is stands before it, down to an empty line.
    let end = record.windows(2).position(|pair| pair == b"\n\n").unwrap();
    folder.write("own.csr", &record[end + 2..]);
}

/// The fingerprint of the key in a request of another program.
fn request_of_a_peer(folder: &Folder, case: &str) -> String {
    request_of(folder, case);
    let report = folder.run(&["inspect", "-o", "json", "own.csr"]).json();
    let fingerprint = &report["objects"][0]["publicKey"]["fingerprint"];
    fingerprint.as_str().unwrap().to_owned()
}

#[test]
fn requests_of_other_programs_are_wrapped_and_verify() {
    for case in [
        "java/rsa-2048-csr-pem",
        "java/ecdsa-p256-csr-der",
        "java/ed25519-csr-pem",
        "gnutls/ecdsa-p384-csr-pem",
        "openssl/csr-newhdr",
        "openssl/csr-text",
        "openssl/rsa-3072-csr-der",
        "go/csr-two-groups-der",
        "step/ecdsa-p521-csr-pem",
    ] {
        let folder = Folder::new();
        let fingerprint = request_of_a_peer(&folder, case);
        let ended = folder
            .run(&["request", "--csr", "own.csr", "--expires-in", "90d"])
            .good();
        let manifest = folder
            .names()
            .into_iter()
            .find(|name| name.ends_with(".csr.yaml"));
        let manifest = manifest.unwrap();
        assert_eq!(folder.names().len(), 2, "{case}");
        let digits = fingerprint.parse::<Fingerprint>().unwrap().spoken();
        assert!(ended.stdout.contains(&digits), "{case}");
        // Nobody has agreed on anything yet.
        assert!(!ended.stdout.contains("Agreement"), "{case}");
        let report = folder.run(&["inspect", "-o", "json", &manifest]).json();
        let object = &report["objects"][0];
        assert_eq!(object["publicKey"]["fingerprint"], *fingerprint, "{case}");
        assert_eq!(object["expirationSeconds"], 7_776_000);
        // What the administrator is told to run is good.
        let verify = ended.stdout.split("  kube-enroll verify").nth(1).unwrap();
        let verify = verify
            .split("-o manifest")
            .next()
            .unwrap()
            .replace("\\\n", " ");
        let run = format!("{} verify {verify}", common::executable());
        let judged = folder.peer("sh", &["-c", &run]);
        assert!(judged.contains("good: "), "{case}: {judged}");
        // Once more, and nothing is written.
        let again = folder
            .run(&["request", "--csr", "own.csr", "--expires-in", "90d"])
            .good();
        assert!(again.stdout.contains("there already"), "{case}");
        // Something else goes beside it.
        folder
            .run(&["request", "--csr", "own.csr", "--expires-in", "80d"])
            .good();
        assert_eq!(folder.names().len(), 3, "{case}");
    }
}

#[test]
fn whose_key_is_in_a_token_is_told_how_kubectl_uses_it() {
    let folder = Folder::new();
    request_of_a_peer(&folder, "openssl/csr-newhdr");
    let ended = folder.run(&["request", "--csr", "own.csr"]).good();
    let ways = ["proxy-url", "docs/hardware.md", "kube-enroll kubeconfig"];
    assert!(
        ways.iter().all(|way| ended.stdout.contains(way)),
        "{}",
        ended.stdout
    );
    let names = folder.names();
    let manifest = names
        .iter()
        .find(|name| name.ends_with(".csr.yaml"))
        .unwrap();
    let authority = authority();
    folder.write("issued.yaml", issue(&folder.read(manifest), &authority));
    folder.write("admin", admin_kubeconfig(&authority));
    let kubeconfig = ["kubeconfig", "issued.yaml", "--cluster", "admin"];
    folder.run(&kubeconfig).fails(1, &ways[..2]);
    folder.run(&kubeconfig).fails(1, &["--key FILE", "renew"]);
}

#[test]
fn a_request_of_ones_own_says_who_it_is_for_and_is_not_changed() {
    let folder = Folder::new();
    request_of_a_peer(&folder, "go/csr-two-groups-der");
    let report = folder.run(&["inspect", "-o", "json", "own.csr"]).json();
    let identity = &report["objects"][0]["identity"];
    let user = identity["username"].as_str().unwrap();
    let groups = identity["groups"].as_array().unwrap();
    let mut args = vec!["request", "--csr", "own.csr", user];
    for group in groups.iter().rev() {
        args.extend(["-g", group.as_str().unwrap()]);
    }
    folder.run(&args).good();
    let other = ["request", "--csr", "own.csr", "mallory"];
    folder.run(&other).fails(2, &["own.csr", user, "mallory"]);
    let other = ["request", "--csr", "own.csr", "-g", "other"];
    folder.run(&other).fails(2, &["own.csr", "groups", "other"]);
    let with_key = ["request", "--csr", "own.csr", "--algorithm", "ed25519"];
    folder.run(&with_key).fails(2, &["--csr", "--algorithm"]);
}

#[test]
fn what_is_no_request_or_would_be_refused_is_not_wrapped() {
    let folder = Folder::new();
    let wrap = ["request", "--csr", "own.csr"];
    for (case, words) in [
        ("openssl/csr-masters", &["system:masters"][..]),
        (
            "openssl/ecdsa-p256-pkcs8-pem",
            &["private key", "not a certification request"],
        ),
        ("java/keystore", &["PKCS#12"]),
    ] {
        request_of(&folder, case);
        folder.run(&wrap).fails(2, words);
        assert_eq!(folder.names(), ["own.csr"], "{case}");
    }
    request(&folder, &["alice"]).good();
    let twice = folder.read("alice.csr").repeat(2);
    folder.write("own.csr", twice);
    folder.run(&wrap).fails(2, &["2 requests"]);
    let cut = folder.read("alice.csr");
    folder.write("own.csr", &cut[..cut.len() / 2]);
    folder.run(&wrap).fails(2, &["cut off"]);
    let quoted: String = folder
        .read("alice.csr")
        .lines()
        .fold(String::new(), |quoted, line| quoted + "> " + line + "\n");
    folder.write("own.csr", quoted);
    folder.run(&wrap).good();
}

#[test]
fn a_name_that_was_given_twice_stops_nobody() {
    let folder = Folder::new();
    for group in ["a", "b", "c", "d"] {
        let request = [
            "request",
            "alice",
            "-g",
            group,
            "--name",
            "fixed",
            "--no-passphrase",
        ];
        let request = [&request[..], &["--algorithm", "ed25519"]].concat();
        folder.run(&request).good();
    }
    let manifests = folder.names().into_iter();
    let manifests: Vec<_> = manifests
        .filter(|name| name.ends_with(".csr.yaml"))
        .collect();
    assert_eq!(manifests.len(), 4, "{manifests:?}");
    // With the key that is there, the same is asked for once.
    let before = folder.names();
    let again = [
        "request",
        "alice",
        "-g",
        "a",
        "--name",
        "fixed",
        "--key",
        "alice.key",
    ];
    let ended = folder.run(&again).good();
    assert!(
        ended.stdout.contains("is there already"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("Send alice.csr.yaml"),
        "{}",
        ended.stdout
    );
    assert_eq!(folder.names(), before);
}

#[test]
fn the_same_groups_in_another_order_are_the_same_request() {
    for user in ["alice", "Zo\u{eb} M"] {
        let folder = Folder::new();
        let request = |groups: &[&str], more: &[&str]| {
            let groups = groups.iter().flat_map(|group| ["-g", group]);
            let groups: Vec<&str> = groups.collect();
            folder.run(&[&["request", user], &groups[..], more].concat())
        };
        let new = ["--no-passphrase", "--algorithm", "ecdsa-p256"];
        request(&["b", "a", "c"], &new).good();
        let key = folder
            .names()
            .into_iter()
            .find(|name| name.ends_with(".key"));
        let with_key = ["--key", &key.unwrap()];
        // One that asks for something else lies beside it.
        request(&["d", "e"], &with_key).good();
        let before = folder.names();
        for groups in [&["a", "b", "c"][..], &["c", "b", "a"], &["e", "d"]] {
            let ended = request(groups, &with_key).good();
            let said = "is there already, and asks for the same";
            assert!(ended.stdout.contains(said), "{}", ended.stdout);
        }
        assert_eq!(folder.names(), before);
        request(&["a", "b"], &with_key).good();
        request(
            &["c", "b", "a"],
            &[&with_key[..], &["--expires-in", "9d"]].concat(),
        )
        .good();
        assert_eq!(folder.names().len(), before.len() + 4);
        // What is printed for the administrator takes it in the order in which it stands there.
        let ended = request(&["c", "b", "a"], &with_key).good();
        let line = ended.stdout.split("kube-enroll verify ").nth(1).unwrap();
        let line = line.split('|').next().unwrap().replace("\\\n", " ");
        let script = format!("{} verify {line}", common::executable());
        let verified = folder.peer("sh", &["-c", &script]);
        assert!(verified.contains("CertificateSigningRequest"), "{verified}");
    }
}

/// Keys with other endings are not looked for.
#[test]
fn the_line_for_the_reply_names_a_key_that_would_not_be_found() {
    let folder = Folder::new();
    request(&folder, &["alice", "-g", "dev"]).good();
    for (key, place, line) in [
        ("alice.key", ".", "kubeconfig alice-*.reply.yaml\n"),
        ("k.pem", ".", "kubeconfig alice-*.reply.yaml --key k.pem\n"),
        ("alice.key", "x", "kubeconfig x/alice.reply.yaml\n"),
        ("k.pem", "y", "kubeconfig y/alice.reply.yaml --key k.pem\n"),
        (
            "z/a.key",
            "z/b",
            "kubeconfig z/b/alice.reply.yaml --key z/a.key\n",
        ),
    ] {
        folder.peer("mkdir", &["-p", "z"]);
        if key != "alice.key" {
            folder.peer("cp", &["alice.key", key]);
        }
        let words = ["request", "alice", "-g", "ops", "--key", key];
        let ended = folder
            .run(&[&words[..], &["--output-dir", place]].concat())
            .good();
        let (start, end) = line.split_once('*').unwrap_or((line, ""));
        let found = ended.stdout.rsplit_once("kube-enroll ").unwrap().1;
        let fits = found.starts_with(start) && found.ends_with(end);
        assert!(fits, "{key} {place}: {found}");
    }
}
