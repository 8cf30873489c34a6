//! `inspect` and `verify`: what they say of good files, of hostile ones, and of none at all.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use base64::Engine as _;
use common::{Folder, have};
use serde_json::{Value, json};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/apiserver/cases");

fn with_request(args: &[&str]) -> Folder {
    let folder = Folder::new();
    let base = [
        "request",
        "alice",
        "--algorithm",
        "ecdsa-p256",
        "--no-passphrase",
    ];
    folder.run(&[&base[..], args].concat()).good();
    folder
}

fn objects(folder: &Folder, file: &str) -> Vec<Value> {
    let ended = folder.run(&["inspect", "-o", "json", file]);
    assert!(ended.stdout.ends_with("\n    }\n  ]\n}\n"));
    let report = ended.json();
    assert_eq!(report["apiVersion"], "kube-enroll/v1");
    assert_eq!(report["kind"], "Report");
    report["objects"].as_array().unwrap().clone()
}

fn codes(object: &Value) -> Vec<&str> {
    let findings = object["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

#[test]
fn the_json_of_a_request_has_every_key_of_the_schema() {
    let folder = with_request(&["-g", "developers"]);
    let object = &objects(&folder, "alice.csr.yaml")[0];
    for key in [
        "kind",
        "source",
        "name",
        "signerName",
        "usages",
        "expirationSeconds",
        "identity",
        "csr",
        "publicKey",
        "prediction",
        "status",
        "findings",
    ] {
        assert!(object.get(key).is_some(), "{key}");
    }
    assert_eq!(object["source"], "alice.csr.yaml");
    assert_eq!(object["csr"]["subject"], "CN=alice,O=developers");
    assert_eq!(object["csr"]["signatureValid"], true);
    assert_eq!(
        object["prediction"],
        json!({"accepted": true, "issued": true, "authenticates": true})
    );
    let yaml = folder
        .run(&["inspect", "-o", "yaml", "alice.csr.yaml"])
        .good()
        .stdout;
    let read: Value = serde_yaml::from_str(&yaml).unwrap();
    assert_eq!(&read["objects"][0], object);
}

#[test]
fn what_is_no_request_is_told_as_what_it_is_and_not_accepted() {
    let folder = Folder::new();
    folder.write("noise", [0xFF, 0xFE, 0x00, 0x80].repeat(100));
    folder.write("pod.yaml", "apiVersion: v1\nkind: Pod\n");
    let crl = kube_enroll::pem::encode("X509 CRL", b"a list of certificates");
    folder.write("crl.pem", crl);
    folder.write("broken.yaml", "kind: Pod\nspec: [\n");
    folder.write("nothing.yaml", "kind: Pod\n");
    for (file, kind, accepted, words) in [
        ("broken.yaml", Value::Null, json!(false), "line 3"),
        ("noise", Value::Null, json!(false), "neither PEM, DER"),
        // What the cluster makes of a Pod is not known here.
        ("pod.yaml", json!("Pod"), Value::Null, "a Pod"),
        ("nothing.yaml", json!("Pod"), json!(false), "a Pod"),
        (
            "crl.pem",
            Value::Null,
            json!(false),
            "a list of revoked certificates",
        ),
    ] {
        let object = &objects(&folder, file)[0];
        assert_eq!(object["kind"], kind, "{file}");
        let prediction = &object["prediction"];
        assert_eq!(prediction["accepted"], accepted, "{file}");
        let said = object["findings"][0]["message"].as_str().unwrap();
        assert!(said.contains(words), "{file}: {said}");
    }
}

#[test]
fn a_kubeconfig_may_do_without_kind_and_authority() {
    let folder = Folder::new();
    folder.write(
        "config",
        "clusters:\n- name: prod\n  cluster:\n    server: https://a\n",
    );
    let object = &objects(&folder, "config")[0];
    assert_eq!(object["kind"], "Config");
    let findings = object["findings"].as_array().unwrap();
    let told: Vec<_> = findings
        .iter()
        .map(|it| (&it["code"], &it["level"]))
        .collect();
    assert_eq!(told, [(&json!("bad-kubeconfig"), &json!("note"))]);
}

#[test]
fn a_report_of_nothing_is_json_and_yaml_all_the_same() {
    use kube_enroll::inspect::{Style, report};
    let json: Value = serde_json::from_str(&report(&[], Style::Json)).unwrap();
    let yaml: Value = serde_yaml::from_str(&report(&[], Style::Yaml)).unwrap();
    assert_eq!(json["objects"], json!([]));
    assert_eq!(json, yaml);
}

#[test]
fn a_request_with_items_is_a_list_as_it_is_for_kubectl() {
    let folder = with_request(&["-g", "developers"]);
    let manifest = folder.read("alice.csr.yaml");
    folder.write("empty.yaml", format!("{manifest}items: []\n"));
    let object = &objects(&folder, "empty.yaml")[0];
    assert_eq!(object["kind"], json!(null));
    assert_eq!(
        object["findings"][0]["message"],
        "a list with nothing in it"
    );

    folder.write(
        "items.yaml",
        format!("{manifest}items:\n- metadata: {{name: \"hidden\"}}\n"),
    );
    let objects = objects(&folder, "items.yaml");
    assert_eq!(objects.len(), 1);
    assert_eq!(objects[0]["kind"], "CertificateSigningRequest");
    assert_eq!(objects[0]["name"], "hidden");
    assert_eq!(objects[0]["csr"], json!(null));
}

#[test]
fn the_same_request_is_the_same_in_every_wrapping() {
    let folder = with_request(&["-g", "developers"]);
    let pem = folder.read("alice.csr");
    let block = kube_enroll::pem::first(pem.as_bytes()).unwrap();
    folder.write("csr.der", &*block.contents);
    folder.write("csr.b64", base64::prelude::BASE64_STANDARD.encode(&pem));
    folder.write(
        "csr.der.b64",
        base64::prelude::BASE64_STANDARD.encode(&*block.contents),
    );
    let value =
        kube_enroll::yaml::first_document(folder.read("alice.csr.yaml").as_bytes()).unwrap();
    folder.write("csr.json", value.to_string());
    folder.write(
        "list.yaml",
        kube_enroll::yaml::to_string(
            &json!({"apiVersion": "v1", "kind": "List", "items": [value]}),
        ),
    );
    let expected = &objects(&folder, "alice.csr.yaml")[0];
    for file in [
        "alice.csr",
        "csr.der",
        "csr.b64",
        "csr.der.b64",
        "csr.json",
        "list.yaml",
    ] {
        let found = &objects(&folder, file)[0];
        for key in ["identity", "csr", "publicKey", "prediction"] {
            assert_eq!(found[key], expected[key], "{file} {key}");
        }
    }
    let two = format!("{}---\n{}", folder.read("alice.csr.yaml"), value);
    folder.write("two.yaml", two);
    assert_eq!(objects(&folder, "two.yaml").len(), 2);
    let report = folder
        .run(&["inspect", "-o", "json", "alice.csr", "csr.json"])
        .json();
    assert_eq!(report["objects"][1]["source"], "csr.json");
    let ended = folder.run_with(&["inspect", "-o", "json"], pem.as_bytes());
    assert_eq!(ended.json()["objects"][0]["source"], "standard input");
}

#[test]
fn a_private_key_shows_its_public_side_only() {
    let folder = with_request(&[]);
    let text = folder.run(&["inspect", "alice.key"]).good().stdout;
    let body: String = folder.read("alice.key").lines().skip(1).take(2).collect();
    assert!(text.contains("NOT encrypted") && text.contains("Fingerprint"));
    assert!(!text.contains(body.get(..20).unwrap()));
    let key = &objects(&folder, "alice.key")[0];
    let request = &objects(&folder, "alice.csr")[0];
    assert_eq!(key["publicKey"], request["publicKey"]);
    folder.write("pass", "p\n");
    folder
        .run(&[
            "request",
            "bob",
            "--algorithm",
            "ed25519",
            "--passphrase-file",
            "pass",
        ])
        .good();
    let locked = &objects(&folder, "bob.key")[0];
    assert_eq!(
        locked["privateKey"],
        json!({"encoding": "encrypted PKCS#8", "encrypted": true})
    );
    assert_eq!(locked["publicKey"], Value::Null);
    let report = folder
        .run(&[
            "inspect",
            "-o",
            "json",
            "bob.key",
            "--passphrase-file",
            "pass",
        ])
        .json();
    assert_eq!(report["objects"][0]["publicKey"]["algorithm"], "Ed25519");
}

#[test]
fn verify_answers_with_its_exit_status() {
    let folder = with_request(&["-g", "developers", "-g", "ops", "--expires-in", "30d"]);
    let print = objects(&folder, "alice.csr.yaml")[0]["publicKey"]["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    let verify = |args: &[&str]| folder.run(&[&["verify", "alice.csr.yaml"], args].concat());
    verify(&[]).fails(2, &["--user NAME", "--no-groups", "kube-enroll inspect"]);
    verify(&["--user", "alice"]).fails(2, &["no groups are given"]);
    verify(&["-g", "developers", "-g", "ops"]).fails(2, &["no user is given"]);
    verify(&[
        "--user",
        "alice",
        "-g",
        "ops",
        "-g",
        "developers",
        "--fingerprint",
        &print,
        "--max-lifetime",
        "30d",
    ])
    .good();
    let agreed = |args: &[&str]| {
        let who = ["--user", "alice", "-g", "ops", "-g", "developers"];
        verify(&[&who, args].concat())
    };
    verify(&["--user", "bob", "-g", "ops", "-g", "developers"]).fails(
        1,
        &["user-mismatch", "found user \"alice\"", "agreed on \"bob\""],
    );
    verify(&["--user", "alice", "-g", "developers"])
        .fails(1, &["group-mismatch", "too many: \"ops\""]);
    agreed(&["-g", "x"]).fails(1, &["missing: \"x\""]);
    verify(&["--user", "alice", "--no-groups"]).fails(1, &["group-mismatch"]);
    agreed(&["--max-lifetime", "29d"]).fails(1, &["lifetime-mismatch"]);
    let other = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    agreed(&["--fingerprint", other]).fails(1, &["fingerprint-mismatch"]);
    agreed(&["--fingerprint", "nonsense"]).fails(2, &["fingerprint"]);
    let unset = with_request(&[]);
    unset
        .run(&[
            "verify",
            "alice.csr.yaml",
            "--user",
            "alice",
            "--no-groups",
            "--max-lifetime",
            "30d",
        ])
        .fails(1, &["lifetime-mismatch"]);
    folder
        .run(&["verify", "alice.key", "--user", "alice", "--no-groups"])
        .fails(1, &["no certificate signing request"]);
}

#[test]
fn several_files_are_all_checked_each_with_its_line() {
    let folder = with_request(&[]);
    folder.write("bad.yaml", "x");
    let ended = folder.run(&[
        "verify",
        "bad.yaml",
        "alice.csr.yaml",
        "--user",
        "alice",
        "--no-groups",
    ]);
    ended.fails(1, &["NOT GOOD", "bad.yaml", "alice.csr.yaml: alice-"]);
    folder
        .run(&[
            "verify",
            "gone.yaml",
            "alice.csr.yaml",
            "--user",
            "alice",
            "--no-groups",
        ])
        .fails(2, &["gone.yaml", "good"]);
}

#[test]
fn every_recorded_trick_is_an_error_to_verify() {
    let folder = Folder::new();
    for (case, code) in [
        ("bad-signature", "bad-signature"),
        ("no-cn", "no-user"),
        ("cn-empty-string", "no-user"),
        ("two-cn", "several-users"),
        ("two-blocks", "second-block"),
        ("leading-text", "text-around-block"),
        ("trailing-text", "text-around-block"),
        ("headers-harmless", "text-around-block"),
        ("masters", "system-masters"),
        ("masters-case", "system-masters"),
        ("masters-space", "system-masters"),
        ("masters-in-ou", "looks-like-identity"),
        ("cn-node", "system-identity"),
        ("cn-kube-controller-manager", "system-identity"),
        ("cn-esc", "deceptive-characters"),
        ("cn-rtl", "deceptive-characters"),
        ("usages-both", "usages-refused"),
        ("usages-unknown", "bad-usages"),
        ("label-new", "pem-label"),
        ("double-base64", "bad-base64"),
        ("request-wrapped-plain", "bad-base64"),
        ("request-unpadded", "bad-base64"),
        ("api-v1beta1", "wrong-kind"),
        ("exp-599", "bad-lifetime"),
        ("exp-1h", "wrong-type"),
        ("name-slash", "bad-name"),
        ("label-bad", "bad-metadata"),
        ("signer-noslash", "bad-signer"),
        ("der-trailing", "bad-request"),
    ] {
        let file = format!("{CASES}/{case}.yaml");
        folder
            .run(&["verify", &file, "--user", "alice", "--no-groups"])
            .fails(1, &[code]);
        let object = &objects(&folder, &file)[0];
        let found = object["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|finding| {
                finding["code"] == code
                    && finding["level"] == "error"
                    && !finding["message"].as_str().unwrap().is_empty()
            });
        assert!(found, "{case}: {:?}", codes(object));
    }
}

#[test]
fn a_misspelt_field_is_told_what_it_looks_like() {
    let folder = with_request(&[]);
    let text = folder.read("alice.csr.yaml");
    folder.write("a.yaml", text.replace("signerName", "signername"));
    folder
        .run(&["verify", "a.yaml", "--user", "alice", "--no-groups"])
        .fails(1, &["unknown-field", "signerName"]);
    folder.write(
        "b.yaml",
        text.replace("spec:\n", "spec:\n  expirationSecond: 3600\n"),
    );
    folder
        .run(&["verify", "b.yaml", "--user", "alice", "--no-groups"])
        .fails(1, &["unknown-field", "expirationSeconds"]);
}

#[test]
fn a_comment_that_names_another_user_is_an_error() {
    let folder = with_request(&[]);
    let text = folder.read("alice.csr.yaml");
    folder.write("a.yaml", format!("# user: bob\n{text}"));
    folder
        .run(&["verify", "a.yaml", "--user", "alice", "--no-groups"])
        .fails(1, &["misleading-comment", "\"bob\""]);
    folder.write("b.yaml", format!("# user: alice\n{text}"));
    folder
        .run(&["verify", "b.yaml", "--user", "alice", "--no-groups"])
        .good();
}

#[test]
fn a_look_alike_of_the_agreed_name_is_told() {
    let folder = Folder::new();
    let args = [
        "request",
        "аlice",
        "--name",
        "x",
        "--algorithm",
        "ed25519",
        "--no-passphrase",
    ];
    folder.run(&args).good();
    let yaml = folder
        .names()
        .into_iter()
        .find(|name| name.ends_with(".yaml"))
        .unwrap();
    folder
        .run(&["verify", &yaml, "--user", "alice", "--no-groups"])
        .fails(1, &["look-alike", "mixed-scripts", "user-mismatch"]);
}

#[test]
fn hostile_text_cannot_reach_the_terminal() {
    let folder = Folder::new();
    for case in ["cn-esc", "cn-rtl", "cn-long200", "cn-quote"] {
        let file = format!("{CASES}/{case}.yaml");
        for format in ["text", "json", "yaml"] {
            let ended = folder.run(&["inspect", "-o", format, &file]);
            let bad = ended
                .stdout
                .chars()
                .find(|c| *c != '\n' && kube_enroll::text::is_deceptive(*c));
            assert_eq!(bad, None, "{case} {format}");
        }
    }
}

#[test]
fn bad_input_gives_a_clear_answer_and_no_panic() {
    let folder = with_request(&["-g", "developers"]);
    std::fs::create_dir(folder.file("folder")).unwrap();
    folder.write("empty", "");
    folder.write("binary", [0xFF, 0xFE, 0x00, 0x80].repeat(100));
    folder.write("large", vec![b'a'; 2 << 20]);
    folder.write("deep", "[".repeat(500_000));
    folder.write("pod.yaml", "apiVersion: v1\nkind: Pod\n");
    folder.write("nokind.yaml", "a: b\n");
    folder
        .run(&["inspect", "folder"])
        .fails(2, &["folder", "is a directory"]);
    let agreed = ["--user", "alice", "--no-groups"];
    folder
        .run(&[&["verify", "folder"][..], &agreed].concat())
        .fails(2, &["folder", "no file"]);
    for (command, agreed) in [("inspect", &[][..]), ("verify", &agreed)] {
        let run = |file| folder.run(&[&[command, file], agreed].concat());
        run("gone").fails(2, &["no such file"]);
        run("large").fails(2, &["larger than 1048576 bytes"]);
        for file in ["empty", "binary", "deep", "nokind.yaml"] {
            run(file).fails(1, &["unreadable"]);
        }
    }
    folder
        .run(&["verify", "pod.yaml", "--user", "alice", "--no-groups"])
        .fails(1, &["wrong-kind"]);
    folder
        .run(&["inspect", "--max-size", "3000000", "large"])
        .fails(1, &[]);
    folder.run(&["verify"]).fails(2, &["FILE"]);
    folder.run(&["nonsense"]).fails(2, &[]);
}

#[test]
fn truncated_and_flipped_files_end_in_0_1_or_2() {
    let folder = with_request(&["-g", "developers"]);
    let pem = folder.read("alice.csr");
    let der = kube_enroll::pem::first(pem.as_bytes())
        .unwrap()
        .contents
        .to_vec();
    for (name, original) in [
        ("alice.csr.yaml", folder.read("alice.csr.yaml").into_bytes()),
        ("alice.key", folder.read("alice.key").into_bytes()),
        ("der", der),
    ] {
        for step in 0..24 {
            let cut = original.len() * step / 24;
            let mut flipped = original.clone();
            flipped[cut] ^= 1 << (step % 8);
            for bytes in [original[..cut].to_vec(), flipped] {
                let ended =
                    folder.run_with(&["verify", "-", "--user", "alice", "--no-groups"], &bytes);
                assert!(
                    (0..=2).contains(&ended.status),
                    "{name} {step}: {}",
                    ended.stderr
                );
                assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
            }
        }
    }
}

#[test]
fn a_file_above_the_limit_names_the_option_that_reads_it() {
    let folder = with_request(&[]);
    let manifest = folder.read("alice.csr.yaml");
    let many = format!("{manifest}# {}\n", "-".repeat(1 << 20));
    folder.write("many.yaml", &many);
    let agreed = ["--user", "alice", "--no-groups"];
    for (command, more) in [("inspect", &[][..]), ("verify", &agreed), ("list", &[])] {
        for file in ["-", "many.yaml"] {
            let args = [&[command, file], more].concat();
            let ended = folder.run_with(&args, many.as_bytes());
            ended.fails(
                2,
                &["is larger than 1048576 bytes, the limit of --max-size"],
            );
            let Some((_, option)) = ended.stderr.split_once("give more: ") else {
                assert_eq!(command, "list");
                continue;
            };
            let option: Vec<&str> = option.split_ascii_whitespace().collect();
            let again = folder.run_with(&[&args[..], &option].concat(), many.as_bytes());
            assert_eq!(again.status, 0, "{}{}", again.stdout, again.stderr);
        }
    }
}

/// Whichever block comes first.
#[test]
fn of_several_blocks_in_a_file_no_request_is_good() {
    let folder = with_request(&["-g", "developers"]);
    let request = folder.read("alice.csr");
    folder
        .run(&[
            "request",
            "bob",
            "--algorithm",
            "ecdsa-p256",
            "--no-passphrase",
        ])
        .good();
    let other = folder.read("bob.csr");
    let key = folder.read("bob.key");
    for blocks in [
        [&request, &other],
        [&other, &request],
        [&request, &request],
        [&request, &key],
        [&key, &request],
    ] {
        folder.write("blocks", blocks.map(String::as_str).concat());
        let verify = [
            "verify",
            "blocks",
            "--user",
            "alice",
            "-g",
            "developers",
            "-o",
            "manifest",
        ];
        let ended = folder.run(&verify);
        assert_eq!(
            (ended.status, ended.stdout.as_str()),
            (1, ""),
            "{}",
            ended.stderr
        );
    }
}

/// 64 KiB can hold tens of thousands of objects, of which nobody reads a report each.
#[test]
fn of_very_many_objects_without_a_request_a_thousand_are_told() {
    let folder = with_request(&[]);
    let manifest = folder.read("alice.csr.yaml");
    let blocks = "-----BEGIN A-----\n-----END A-----\n";
    for many in [
        "{}\n".repeat(20_000),
        "---\na: 1\n".repeat(9_000),
        blocks.repeat(2_000),
    ] {
        folder.write("many", &many);
        let told = objects(&folder, "many");
        assert_eq!(told.len(), 1001);
        let last = &told[1000]["findings"][0]["message"];
        assert!(
            last.as_str().unwrap().ends_with("not told one by one"),
            "{last}"
        );
    }
    // The request behind them is told, and is as bad as if they were told.
    folder.write("many", "---\na: 1\n".repeat(9_000) + "---\n" + &manifest);
    let told = objects(&folder, "many");
    assert_eq!(told.len(), 1002);
    assert_eq!(told[1000]["name"].as_str().unwrap()[..6], *"alice-");
    assert!(codes(&told[1000]).contains(&"not-alone"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = with_request(&[]);
    let program = common::executable();
    let script = format!("'{program}' inspect alice.csr.yaml 2>err | true; cat err");
    assert_eq!(folder.peer("sh", &["-c", &script]), "");
}

#[test]
fn signatures_of_every_kind_are_verified() {
    if !have("openssl") {
        return;
    }
    let folder = Folder::new();
    let mut checked = 0;
    let mut check = |key: &[&str], sign: &[&str], algorithm: &str, valid: bool| {
        folder.peer("openssl", &[&["genpkey", "-out", "k.pem"], key].concat());
        folder.peer(
            "openssl",
            &[
                &[
                    "req",
                    "-new",
                    "-key",
                    "k.pem",
                    "-subj",
                    "/O=dev/CN=alice",
                    "-out",
                    "r.csr",
                ],
                sign,
            ]
            .concat(),
        );
        let object = &objects(&folder, "r.csr")[0];
        assert_eq!(object["csr"]["signatureAlgorithm"], algorithm);
        assert_eq!(object["csr"]["signatureValid"], valid, "{algorithm}");
        assert_eq!(
            codes(object).contains(&"weak-signature"),
            valid && algorithm.to_lowercase().contains("sha1")
        );
        checked += 1;
    };
    let rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    for (hash, name) in [
        ("sha1", "sha1"),
        ("sha256", "sha256"),
        ("sha384", "sha384"),
        ("sha512", "sha512"),
    ] {
        check(
            &rsa,
            &[&format!("-{hash}")],
            &format!("{name}WithRSAEncryption"),
            true,
        );
    }
    for (hash, shown) in [
        ("sha256", "SHA-256"),
        ("sha384", "SHA-384"),
        ("sha512", "SHA-512"),
    ] {
        let pss = [
            "-sigopt",
            "rsa_padding_mode:pss",
            "-sigopt",
            "rsa_pss_saltlen:digest",
        ];
        check(
            &rsa,
            &[&[&format!("-{hash}")[..]], &pss[..]].concat(),
            &format!("rsassaPss with {shown}"),
            true,
        );
    }
    for curve in ["P-224", "P-256", "P-384", "P-521"] {
        let key = [
            "-algorithm",
            "EC",
            "-pkeyopt",
            &format!("ec_paramgen_curve:{curve}"),
        ];
        for hash in ["SHA1", "SHA256", "SHA384", "SHA512"] {
            check(
                &key,
                &[&format!("-{}", hash.to_lowercase())],
                &format!("ecdsa-with-{hash}"),
                true,
            );
        }
    }
    check(&["-algorithm", "ed25519"], &[], "Ed25519", true);
    check(&rsa, &["-sha224"], "1.2.840.113549.1.1.14", false);
    assert_eq!(checked, 25);
}

#[test]
fn weak_keys_are_told() {
    if !have("openssl") {
        return;
    }
    let folder = Folder::new();
    folder.peer("openssl", &["genrsa", "-out", "k.pem", "1024"]);
    folder.peer(
        "openssl",
        &[
            "req",
            "-new",
            "-key",
            "k.pem",
            "-subj",
            "/CN=alice",
            "-out",
            "r.csr",
        ],
    );
    let object = &objects(&folder, "r.csr")[0];
    assert!(codes(object).contains(&"weak-key"));
    folder.peer(
        "openssl",
        &[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-224",
            "-out",
            "k.pem",
        ],
    );
    folder.peer(
        "openssl",
        &[
            "req",
            "-new",
            "-key",
            "k.pem",
            "-subj",
            "/CN=alice",
            "-out",
            "r.csr",
        ],
    );
    let object = &objects(&folder, "r.csr")[0];
    assert!(codes(object).contains(&"unusable-key"));
    assert_eq!(object["prediction"]["authenticates"], false);
}
