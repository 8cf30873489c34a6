//! The key stays encrypted: kubectl asks this program for it, and passphrases can be changed.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use common::{CREDENTIAL, Folder, admin_kubeconfig, authority, have, issue, issue_at};
use kube_enroll::key::EncodedKey;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// A folder with an encrypted key of alice, and the kubeconfig that came of it.
fn enrolled(options: &[&str]) -> Folder {
    enrolled_at(options, OffsetDateTime::now_utc())
}

fn enrolled_at(options: &[&str], issued: OffsetDateTime) -> Folder {
    let folder = Folder::new();
    folder.write("pass", "correct horse\n");
    folder
        .typed("request alice --algorithm ecdsa-p256 --passphrase-file pass")
        .good();
    let authority = authority();
    folder.write(
        "issued",
        issue_at(&folder.read("alice.csr.yaml"), &authority, issued),
    );
    folder.write("admin", admin_kubeconfig(&authority));
    let kubeconfig = [
        "kubeconfig",
        "issued",
        "--cluster",
        "admin",
        "--passphrase-file",
        "pass",
    ];
    folder.run(&[&kubeconfig, options].concat()).good();
    folder
}

fn user(folder: &Folder) -> Value {
    let text = folder.read("alice.kubeconfig");
    kube_enroll::yaml::first_document(text.as_bytes()).unwrap()["users"][0]["user"].clone()
}

/// The command that the kubeconfig names, and more options.
fn command(folder: &Folder, more: &[&str]) -> common::Ended {
    let exec = user(folder)["exec"].clone();
    assert_eq!(exec["command"], common::executable());
    let args: Vec<&str> = exec["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    folder.run(&[&args[..], more].concat())
}

#[test]
fn an_encrypted_key_stays_encrypted_and_kubectl_is_told_whom_to_ask() {
    let folder = enrolled(&[]);
    assert!(
        folder
            .read("alice.key")
            .starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    );
    let user = user(&folder);
    let exec = &user["exec"];
    assert_eq!(exec["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!(exec["interactiveMode"], "IfAvailable");
    assert!(
        exec["installHint"]
            .as_str()
            .unwrap()
            .contains("kube-enroll")
    );
    assert!(user.get("client-key-data").is_none());
    if have("kubectl") {
        folder.peer(
            "kubectl",
            &[
                "config",
                "view",
                "--raw",
                "--kubeconfig",
                "alice.kubeconfig",
            ],
        );
    }
}

#[test]
fn the_answer_is_an_exec_credential_until_the_certificate_ends() {
    let folder = enrolled(&[]);
    let answer = command(&folder, &["--passphrase-file", "pass"])
        .good()
        .json();
    assert_eq!(answer["kind"], "ExecCredential");
    assert_eq!(answer["apiVersion"], "client.authentication.k8s.io/v1");
    let status = &answer["status"];
    assert_eq!(
        status["clientCertificateData"],
        folder.read("alice@prod.crt")
    );
    let key = status["clientKeyData"].as_str().unwrap();
    let key = EncodedKey::find(key.as_bytes())
        .unwrap()
        .open(None)
        .unwrap();
    let report = folder
        .run(&["inspect", "-o", "json", "alice@prod.crt"])
        .json();
    let certificate = &report["objects"][0];
    assert_eq!(
        certificate["publicKey"]["fingerprint"],
        key.public_key().fingerprint().to_string()
    );
    assert_eq!(
        certificate["certificate"]["notAfter"],
        status["expirationTimestamp"]
    );
}

#[test]
fn a_plain_key_is_served_without_a_question() {
    let folder = enrolled(&[]);
    folder
        .typed("passphrase alice.key --passphrase-file pass --remove")
        .good();
    assert!(
        folder
            .run(&CREDENTIAL)
            .good()
            .stdout
            .contains("BEGIN PRIVATE KEY")
    );
}

#[test]
fn nobody_is_asked_where_there_is_no_terminal() {
    let folder = enrolled(&[]);
    let ended = folder.run(&CREDENTIAL);
    ended.fails(
        2,
        &[
            "alice.key is encrypted",
            "no terminal",
            "run: kube-enroll unlock alice.key",
        ],
    );
    assert_eq!(ended.stdout, "");
    // Who runs kubectl can give this command no option.
    assert!(
        !ended.stderr.contains("--passphrase-file"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_key_of_another_certificate_and_an_expired_certificate_are_told() {
    let folder = enrolled(&[]);
    let other = [
        "request",
        "bob",
        "--algorithm",
        "ecdsa-p256",
        "--no-passphrase",
    ];
    folder.run(&other).good();
    let args = [
        "credential",
        "--certificate",
        "alice@prod.crt",
        "--key",
        "bob.key",
    ];
    folder
        .run(&args)
        .fails(1, &["bob.key is not the key of the certificate"]);

    let authority = authority();
    let long_ago = OffsetDateTime::now_utc() - Duration::days(400);
    let expired = issue_at(&folder.read("alice.csr.yaml"), &authority, long_ago);
    folder.write("alice@prod.crt", common::certificate_of(&expired));
    folder.run(&CREDENTIAL).fails(
        1,
        &["alice@prod.crt", "was valid until", "kube-enroll renew"],
    );
}

/// A key that was asked for, and the answer; nothing where there is no keyring to keep it in.
fn unlocked() -> Option<(Folder, common::Ended)> {
    let folder = enrolled(&["--unlock-for", "15m"]);
    let first = command(&folder, &["--passphrase-file", "pass"]).good();
    if first.stderr.contains("keyring") {
        assert!(std::env::var("CI").is_err(), "{}", first.stderr);
        return None;
    }
    Some((folder, first))
}

#[test]
fn an_unlocked_key_needs_no_passphrase_until_it_is_locked() {
    let _alone = alone();
    let Some((folder, first)) = unlocked() else {
        return;
    };
    assert_eq!(command(&folder, &[]).good().stdout, first.stdout);
    folder.run(&["lock"]).good();
    command(&folder, &[]).fails(2, &["encrypted"]);
}

#[test]
fn an_unlocked_key_is_served_at_once_and_not_after_its_end() {
    let _alone = alone();
    let folder = enrolled(&[]);
    let report = folder.run(&["inspect", "-o", "json", "alice@prod.crt"]);
    let fingerprint = &report.json()["objects"][0]["publicKey"]["fingerprint"];
    // A machine may be so loaded that the shortest times are over before anybody asks: then the next.
    for seconds in [2, 4, 8, 16, 32, 64, 128] {
        let until = format!("{seconds}s");
        let unlock = ["--passphrase-file", "pass", "--unlock-for", &until];
        let before = Instant::now();
        let unlocked = folder.run(&[&CREDENTIAL[..], &unlock].concat()).good();
        if unlocked.stderr.contains("keyring") {
            assert!(std::env::var("CI").is_err(), "{}", unlocked.stderr);
            return;
        }
        let kept = Instant::now();
        let served = folder.run(&CREDENTIAL);
        if let Some(left) = seconds_left(fingerprint) {
            assert!(left <= seconds, "{left} of {seconds} s are left");
            let passed = before.elapsed().as_secs();
            assert!(
                left + passed + 2 > seconds,
                "{left} of {seconds} s are left after {passed}"
            );
        }
        if served.status != 0 {
            // The kernel counts whole seconds of the clock, so the first may be a short one.
            let passed = before.elapsed();
            assert!(
                passed.as_secs() + 1 >= seconds,
                "{passed:?}: {}",
                served.stderr
            );
            continue;
        }
        assert_eq!(served.stdout, unlocked.stdout);
        std::thread::sleep(std::time::Duration::from_secs(seconds).saturating_sub(kept.elapsed()));
        folder.run(&CREDENTIAL).fails(2, &["encrypted"]);
        return;
    }
    panic!("the key was never served");
}

/// How many seconds the unlocked key has left, as `/proc/keys` shows it below a minute, where it is not
/// hidden and the key is still there.
fn seconds_left(fingerprint: &Value) -> Option<u64> {
    let keys = std::fs::read_to_string("/proc/keys").ok()?;
    let description = format!(" kube-enroll:{}:", fingerprint.as_str().unwrap());
    let key = keys.lines().find(|line| line.contains(&description))?;
    let timeout = key.split_ascii_whitespace().nth(3)?;
    if timeout == "expd" {
        return None;
    }
    let unit = timeout.trim_start_matches(|it: char| it.is_ascii_digit());
    assert!(["s", "m"].contains(&unit), "the key has no end: {key}");
    timeout.strip_suffix('s')?.parse().ok()
}

#[test]
fn the_old_key_is_forgotten_when_the_new_one_takes_its_place() {
    let _alone = alone();
    let Some((folder, _)) = unlocked() else {
        return;
    };
    let renew = ["renew", "alice.kubeconfig", "--output-dir", "second"];
    let secret = ["--passphrase-file", "pass"];
    folder.run(&[&renew[..], &secret].concat()).good();
    let manifest = folder.read("second/alice.csr.yaml");
    folder.write("second/issued", issue(&manifest, &authority()));
    folder.run(&CREDENTIAL).good();
    let merge = [
        "kubeconfig",
        "second/issued",
        "--cluster",
        "alice.kubeconfig",
        "--merge",
        "alice.kubeconfig",
    ];
    folder.run(&[&merge[..], &secret].concat()).good();
    folder
        .run(&CREDENTIAL)
        .fails(2, &["alice.key is encrypted"]);
}

/// Commands of ours, one after the other in one shell, in a login session of their own.
fn in_session(folder: &Folder, script: &str) -> common::Ended {
    let script = format!("ours() {{ '{}' \"$@\"; }}; {script}", common::executable());
    folder.other("keyctl", &["session", "-", "sh", "-c", &script])
}

/// `lock` forgets the keys of all sessions, those of other tests among them: one at a time.
static KEYRINGS: Mutex<()> = Mutex::new(());

/// This test's turn, without what others have left unlocked.
fn alone() -> MutexGuard<'static, ()> {
    let turn = KEYRINGS.lock().unwrap_or_else(PoisonError::into_inner);
    // Where there is no keyring, there is nothing in it.
    Folder::new().run(&["lock"]);
    turn
}

/// Whether this machine has keyrings, and keyctl(1) to make sessions with.
fn has_keyrings() -> bool {
    if !have("keyctl") {
        return false;
    }
    let works = Folder::new().other("keyctl", &["session", "-", "true"]);
    if works.status != 0 {
        eprintln!("skipped: keyrings are missing");
    }
    works.status == 0
}

const SERVED: &str = "ours credential --certificate alice@prod.crt --key alice.key";

#[test]
fn a_key_is_unlocked_once_for_the_login_session_and_locked_in_all_of_them() {
    let _alone = alone();
    if !has_keyrings() {
        return;
    }
    let folder = enrolled(&["--exec", "--unlock-for", "2h"]);
    for (unlock, time) in [
        ("ours unlock alice.key", "15m"),
        ("ours unlock alice.key --for 90s", "90s"),
        ("ours unlock alice.kubeconfig", "2h"),
        (
            "ours unlock alice.kubeconfig --context alice@prod --for 1h",
            "1h",
        ),
        ("KUBECONFIG=none:alice.kubeconfig ours unlock", "2h"),
    ] {
        let script =
            format!("{unlock} --passphrase-file pass && {SERVED} && ours lock && ! {SERVED}");
        let said = format!("is unlocked for {time}, in this login session");
        in_session(&folder, &script).says(&[
            &said,
            "BEGIN PRIVATE KEY",
            "1 unlocked key forgotten",
        ]);
    }
    let elsewhere = format!(
        "ours unlock alice.key --passphrase-file pass && keyctl session - sh -c \"exec '{0}' {1}\"; \
         keyctl session - '{0}' lock && ! {SERVED}",
        common::executable(),
        SERVED.strip_prefix("ours ").unwrap(),
    );
    let ended = in_session(&folder, &elsewhere).good();
    assert!(
        !ended.stdout.contains("BEGIN PRIVATE KEY"),
        "{}",
        ended.stdout
    );
    if std::fs::read_to_string("/proc/keys").is_ok_and(|keys| !keys.is_empty()) {
        ended.says(&["1 unlocked key forgotten"]);
    }
}

#[test]
fn another_user_who_shares_the_session_does_not_get_the_key() {
    let _alone = alone();
    if !has_keyrings() {
        return;
    }
    let folder = enrolled(&[]);
    let is_root = folder.other("id", &["-u"]).stdout.trim() == "0";
    if !is_root {
        eprintln!("skipped: only root becomes another user here");
        return;
    }
    // What su without -l leaves as it is: the session. The folder is there for all to read.
    folder.set_mode("alice.key", 0o644);
    folder.set_mode(".", 0o755);
    let script = format!(
        "ours unlock alice.key --passphrase-file pass && {SERVED} >/dev/null && \
         chmod 755 . && cp '{}' ours && chmod 755 ours && \
         setpriv --reuid 65534 --clear-groups ./ours {}",
        common::executable(),
        SERVED.strip_prefix("ours ").unwrap(),
    );
    let ended = in_session(&folder, &script);
    ended.fails(2, &["alice.key is encrypted"]);
    assert!(!ended.stdout.contains("BEGIN PRIVATE KEY"));
}

#[test]
fn a_login_that_has_ended_is_told_from_a_machine_without_keyrings() {
    let _alone = alone();
    if !has_keyrings() {
        return;
    }
    let folder = enrolled(&[]);
    let script = format!(
        "keyctl revoke @s && ours unlock alice.key --passphrase-file pass && {SERVED} >/dev/null; \
         code=$?; ours lock; exit $code"
    );
    in_session(&folder, &script).says(&[
        "the login that this shell belongs to has ended",
        "1 unlocked key forgotten",
    ]);
}

#[test]
fn what_cannot_be_unlocked_is_told() {
    let folder = enrolled(&[]);
    folder.write("plain.kubeconfig", admin_kubeconfig(&authority()));
    for (words, said) in [
        (
            &["unlock", "plain.kubeconfig"][..],
            "there is nothing to unlock\n  kubeconfigs written with --exec",
        ),
        (
            &["unlock", "alice.kubeconfig", "--context", "other"],
            "there is no context other\n  give --context, one of: alice@prod",
        ),
        (&["unlock", "alice@prod.crt"], "not a private key"),
        (
            &["unlock", "alice.key", "--for", "25h"],
            "between 1s and 24h",
        ),
        (&["unlock"], "config: no such file"),
        (&["unlock", "alice.key"], "no terminal to ask"),
    ] {
        folder.run(words).fails(2, &[said]);
    }
    folder
        .typed("passphrase alice.key --passphrase-file pass --remove")
        .good();
    folder
        .run(&["unlock", "alice.key"])
        .says(&["is not encrypted"]);
}

#[test]
fn a_passphrase_is_changed_removed_and_given_again() {
    let folder = enrolled(&[]);
    folder.write("new", "battery staple\n");
    let opens = |file: &str, passphrase: &str| {
        let args = ["inspect", file, "--passphrase-file", passphrase];
        folder.run(&args).stdout.contains("ECDSA 256")
    };
    let before = folder.read("alice.key");
    folder
        .typed("passphrase alice.key --passphrase-file new --remove")
        .fails(2, &["alice.key", "passphrase"]);
    assert_eq!(folder.read("alice.key"), before);

    let change = [
        "passphrase",
        "alice.key",
        "--passphrase-file",
        "pass",
        "--new-passphrase-file",
        "new",
    ];
    folder.run(&change).good();
    assert!(opens("alice.key", "new") && !opens("alice.key", "pass"));
    if have("openssl") {
        folder.peer(
            "openssl",
            &["pkey", "-in", "alice.key", "-noout", "-passin", "file:new"],
        );
    }

    folder
        .typed("passphrase alice.key --passphrase-file new --remove")
        .good();
    assert!(
        folder
            .read("alice.key")
            .starts_with("-----BEGIN PRIVATE KEY-----")
    );
    let readable = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(folder.file("alice.key"), readable).unwrap();
    folder
        .run(&["passphrase", "alice.key", "--new-passphrase-file", "pass"])
        .good();
    assert!(opens("alice.key", "pass"));
    let mode = std::fs::metadata(folder.file("alice.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    folder
        .run(&["passphrase", "alice.key"])
        .fails(2, &["--passphrase-file"]);
}

#[test]
fn a_certificate_that_is_there_is_not_overwritten() {
    let folder = enrolled(&[]);
    let authority = authority();
    folder.write("issued", issue(&folder.read("alice.csr.yaml"), &authority));
    let before = folder.read("alice@prod.crt");
    let ended = folder.run(&[
        "kubeconfig",
        "issued",
        "--cluster",
        "admin",
        "--cluster-name",
        "prod",
        "--out",
        "other.kubeconfig",
        "--passphrase-file",
        "pass",
    ]);
    ended.good();
    assert_eq!(folder.read("alice@prod.crt"), before);
    let is_certificate = |name: &String| name.starts_with("alice@prod") && name.ends_with(".crt");
    assert_eq!(folder.names().into_iter().filter(is_certificate).count(), 2);
}

#[test]
fn a_certificate_in_der_is_served_and_told_where_clients_read_it_themselves() {
    if !have("openssl") {
        return;
    }
    let folder = enrolled(&["--embed"]);
    folder.write("alice.crt", common::certificate_of(&folder.read("issued")));
    let convert = "openssl x509 -in alice.crt -outform DER -out der.crt; \
                   openssl pkcs8 -topk8 -in alice.key -passin file:pass -nocrypt -outform DER -out der.key";
    folder.peer("sh", &["-ec", convert]);
    let credential = ["credential", "--certificate", "der.crt", "--key", "der.key"];
    let answer = folder.run(&credential).good().json();
    let served = answer["status"]["clientCertificateData"].as_str().unwrap();
    assert!(
        served.starts_with("-----BEGIN CERTIFICATE-----"),
        "{served}"
    );

    let config = |user: &str| {
        format!(
            "kind: Config\ncontexts:\n- {{name: a, context: {{cluster: c, user: a}}}}\n\
             clusters:\n- {{name: c, cluster: {{server: \"https://a\"}}}}\n\
             users:\n- {{name: a, user: {user}}}\n"
        )
    };
    let named = "{client-certificate: der.crt, client-key: der.key}";
    folder.write("named", config(named));
    let ended = folder.run(&["inspect", "named"]);
    ended.fails(1, &[]);
    for file in ["the certificate: der.crt", "the key: der.key"] {
        let said = ended
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let words = format!("{file}: it is DER, and clients of Kubernetes read PEM alone");
        assert!(said.contains(&words), "{}", ended.stdout);
    }
    folder
        .run(&["list", "named"])
        .fails(2, &["der.crt: it is DER"]);
    let arguments = "[credential, --certificate, der.crt, --key, der.key]";
    folder.write(
        "served",
        config(&format!(
            "{{exec: {{command: kube-enroll, args: {arguments}}}}}"
        )),
    );
    folder.run(&["inspect", "served"]).good();
    folder.run(&["list", "served"]).good();
}

#[test]
fn without_a_kubeconfig_in_use_unlock_names_those_that_are_here() {
    let folder = Folder::new();
    folder.run(&["unlock"]).fails(
        2,
        &[
            ".kube/config: no such file",
            "name the kubeconfig or the key:",
            "run: kube-enroll unlock KUBECONFIG",
        ],
    );
    folder.write("alice.key", "");
    folder.write("alice.kubeconfig", "");
    let lines = [
        "name the kubeconfig or the key:",
        "run: kube-enroll unlock alice.kubeconfig",
        "run: kube-enroll unlock alice.key",
    ];
    folder.run(&["unlock"]).fails(2, &lines);
}

/// kubectl would not find it either.
#[test]
fn a_current_context_that_is_nowhere_unlocks_no_other_key() {
    let folder = enrolled(&["--exec"]);
    let text = folder.read("alice.kubeconfig");
    let other = text.replace("current-context: \"alice@", "current-context: \"nope@");
    assert_ne!(other, text);
    folder.write("alice.kubeconfig", other);
    folder
        .typed("unlock alice.kubeconfig --passphrase-file pass")
        .fails(
            2,
            &[
                "there is no context nope@",
                "give --context, one of: alice@",
            ],
        );
}

/// The other name is a file of its own afterwards.
#[test]
fn other_names_of_a_key_whose_passphrase_is_changed_are_told() {
    let folder = enrolled(&["--exec"]);
    folder.write("new", "battery staple\n");
    folder.peer("ln", &["alice.key", "hard.key"]);
    let change = "passphrase hard.key --passphrase-file pass --new-passphrase-file new";
    let said = folder.typed(change).good().stderr;
    assert!(said.contains("hard.key had 1 other name"), "{said}");
    let again = "passphrase hard.key --passphrase-file new --new-passphrase-file pass";
    let said = folder.typed(again).good().stderr;
    assert!(!said.contains("other name"), "{said}");
}

/// It would be unlocked, and kubectl would go on asking for it.
#[test]
fn a_key_that_was_exchanged_is_told_by_unlock_with_both_sides_and_the_way_out() {
    let folder = enrolled(&["--exec"]);
    folder
        .typed("request alice --algorithm ecdsa-p256 --passphrase-file pass --output-dir other")
        .good();
    folder.peer("cp", &["alice.key", "kept"]);
    folder.peer("cp", &["other/alice.key", "alice.key"]);
    let unlock = "unlock alice.kubeconfig --passphrase-file pass";
    let ended = folder.typed(unlock);
    ended.fails(
        1,
        &[
            "alice.key is not the key of the certificate",
            ": found ",
            ", expected ",
            "--key KEY --merge alice.kubeconfig --exec",
            "run: kube-enroll renew",
        ],
    );
    assert!(!ended.stderr.contains("REPLY"), "{}", ended.stderr);
    let line = ended.stderr.split("run: kube-enroll ").nth(1).unwrap();
    let line = line.lines().next().unwrap().replace("KEY", "kept");
    folder
        .typed(&format!("{line} --passphrase-file pass"))
        .good();
    let args = user(&folder)["exec"]["args"].to_string();
    assert!(args.contains("/kept\""), "{args}");
    // Who is asked by kubectl is told the command that compares them.
    let exec = user(&folder)["exec"]["args"].clone();
    let exec: Vec<&str> = exec
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    let file = folder.file("alice.kubeconfig");
    let line = format!("unlock {} --context alice@prod", file.display());
    folder.run(&exec).fails(2, &[&line]);
}

#[test]
fn a_passphrase_behind_a_link_is_changed_by_the_line_that_is_printed() {
    let folder = enrolled(&[]);
    folder.peer(
        "sh",
        &[
            "-c",
            "mkdir 'a b'; mv alice.key 'a b'; ln -s 'a b/alice.key' alice.key",
        ],
    );
    let before = folder.read("a b/alice.key");
    let ended = folder.typed("passphrase alice.key --passphrase-file pass --remove");
    ended.fails(2, &["alice.key is a symbolic link"]);
    assert_eq!(folder.read("a b/alice.key"), before);
    let line = ended.stderr.split("run: kube-enroll ").nth(1).unwrap();
    let line = line.lines().next().unwrap();
    let script = format!("{} {line}", common::executable());
    folder.other("sh", &["-c", &script]).good();
    assert!(folder.read("a b/alice.key").contains("BEGIN PRIVATE KEY"));
    assert!(folder.file("alice.key").is_symlink());
}
