//! `kubeconfig` on its own: what it is given, where it writes, and what it says when it does not.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use common::{Ended, Folder, admin_kubeconfig, authority, have, issue};
use kube_enroll::rehearsal::Authority;
use serde_json::Value;

/// A person, and the administrator of a cluster.
struct Place {
    folder: Folder,
    authority: Authority,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: Folder::new(),
            authority: authority(),
        };
        place.folder.write("pass", "correct horse\n");
        let admin = admin_kubeconfig(&place.authority);
        place.folder.write("admin.kubeconfig", admin);
        place
    }

    /// With alice's key, request and reply.
    fn of_alice(protection: &[&str]) -> Self {
        let place = Self::new();
        place.request(&["alice", "-g", "developers"], protection);
        place.reply("alice.csr.yaml", "alice.reply.yaml");
        place
    }

    fn request(&self, args: &[&str], protection: &[&str]) {
        let base = ["request", "--algorithm", "ecdsa-p256"];
        self.run(&[&base[..], args, protection].concat()).good();
    }

    fn reply(&self, manifest: &str, out: &str) {
        let object = issue(&self.folder.read(manifest), &self.authority);
        let reply = ["reply", "--kubeconfig", "admin.kubeconfig", "--out", out];
        self.folder.run_with(&reply, object.as_bytes()).good();
    }

    fn run(&self, args: &[&str]) -> Ended {
        self.folder.run(args)
    }

    fn kubeconfig(&self, args: &[&str]) -> Ended {
        self.run(&[&["kubeconfig"], args].concat())
    }

    fn value(&self, name: &str) -> Value {
        kube_enroll::yaml::first_document(self.folder.read(name).as_bytes()).unwrap()
    }

    /// Runs what a message advises, as it is printed.
    fn follow(&self, step: &str) -> Ended {
        let bin = std::path::PathBuf::from(common::executable());
        let path = format!(
            "PATH={}:$PATH {step}",
            bin.parent().unwrap().to_str().unwrap()
        );
        self.folder.other("sh", &["-c", &path])
    }
}

/// The commands that a message tells to run.
fn steps(ended: &Ended) -> Vec<&str> {
    let lines = ended.stderr.lines();
    lines
        .filter_map(|line| line.trim().strip_prefix("run: "))
        .collect()
}

const PLAIN: &[&str] = &["--no-passphrase"];
const ENCRYPTED: &[&str] = &["--passphrase-file", "pass"];

#[test]
fn an_empty_name_is_refused_at_its_option() {
    let place = Place::of_alice(PLAIN);
    for (option, words) in [
        (
            "--context",
            "--context <NAME>: a name is needed, and it is empty",
        ),
        ("--cluster-name", "--cluster-name <NAME>: a name is needed"),
        ("--namespace", "--namespace <NAMESPACE>: a name is needed"),
        ("--merge", "--merge <FILE>: a file is needed"),
        ("--key", "a file is needed"),
    ] {
        for value in ["", " "] {
            if value == " " && words.contains("file") {
                continue;
            }
            let ended = place.kubeconfig(&["alice.reply.yaml", option, value]);
            ended.fails(2, &[words]);
        }
    }
    let ended = place.kubeconfig(&["alice.reply.yaml", "-n", "My Namespace"]);
    ended.fails(2, &["lower-case letters"]);
    let ended = place.kubeconfig(&["a", "--cluster", "a", "--cluster-context", ""]);
    ended.fails(2, &["--cluster-context"]);
    assert!(!place.folder.has("alice.kubeconfig"));
}

#[test]
fn a_key_that_no_client_reads_from_its_file_is_not_referred_to_and_both_ways_out_work() {
    for form in ["encrypted", "der", "quoted"] {
        if form == "der" && !have("openssl") {
            continue;
        }
        for way_out in [0, 1] {
            let is_encrypted = form == "encrypted";
            let place = Place::of_alice(if is_encrypted { ENCRYPTED } else { PLAIN });
            match form {
                "der" => {
                    let convert = "pkey -in alice.key -outform DER -out der";
                    let words: Vec<_> = convert.split(' ').collect();
                    place.folder.peer("openssl", &words);
                    place.folder.peer("mv", &["der", "alice.key"]);
                    place.folder.set_mode("alice.key", 0o600);
                }
                "quoted" => {
                    let lines = place.folder.read("alice.key");
                    let lines = lines.lines().map(|line| format!("> {line}\n"));
                    place.folder.write("alice.key", lines.collect::<String>());
                }
                _ => {}
            }
            let opening = if is_encrypted { ENCRYPTED } else { &[] };
            let files = [&["alice.reply.yaml", "--files"], opening].concat();
            let ended = place.kubeconfig(&files);
            ended.fails(
                2,
                &["alice.key is", "clients of Kubernetes"].map(|word| {
                    if is_encrypted && word.starts_with("clients") {
                        "client of Kubernetes"
                    } else {
                        word
                    }
                }),
            );
            assert!(!place.folder.has("alice@prod.crt"), "{form}");
            let step = steps(&ended)[way_out];
            if way_out == 0 {
                assert!(step.contains("--exec"), "{step}");
                place.follow(step).good();
            } else {
                let step = [step, &opening.join(" ")].join(" ");
                place.follow(&step).good();
                place.kubeconfig(&["alice.reply.yaml", "--files"]).good();
                if have("openssl") {
                    place
                        .folder
                        .peer("openssl", &["pkey", "-in", "alice.key", "-noout"]);
                }
            }
            assert!(place.folder.has("alice.kubeconfig"), "{form}");
        }
    }
}

#[test]
fn another_address_leaves_the_rest_of_the_way_as_the_administrator_said_it() {
    let place = Place::of_alice(PLAIN);
    let local = place
        .folder
        .read("alice.reply.yaml")
        .replace("10.0.0.1", "127.0.0.1");
    place.folder.write("local.reply.yaml", local);
    let ended = place.kubeconfig(&["local.reply.yaml", "--out", "a"]).good();
    assert!(
        ended.stderr.contains("an address of the machine"),
        "{}",
        ended.stderr
    );
    let server = ["--server", "https://10.1.1.1:6443", "--out", "b"];
    let ended = place
        .kubeconfig(&[&["local.reply.yaml"], &server[..]].concat())
        .good();
    assert!(
        !ended.stderr.contains("an address of the machine"),
        "{}",
        ended.stderr
    );
    let (before, after) = (place.value("a"), place.value("b"));
    let cluster = |value: &Value| value["clusters"][0].clone();
    assert_eq!(
        cluster(&after)["cluster"]["server"],
        "https://10.1.1.1:6443"
    );
    let authority = |value: &Value| cluster(value)["cluster"]["certificate-authority-data"].clone();
    assert_eq!(authority(&before), authority(&after));
    assert_eq!(cluster(&before)["name"], cluster(&after)["name"]);
}

#[test]
fn a_manifest_is_a_request_at_hand_like_any_other() {
    for (kept, protection) in [
        ("alice.csr", PLAIN),
        ("alice.csr.yaml", PLAIN),
        ("alice.csr.yaml", ENCRYPTED),
    ] {
        let place = Place::of_alice(protection);
        for name in ["alice.csr", "alice.csr.yaml"] {
            if name != kept {
                std::fs::remove_file(place.folder.file(name)).unwrap();
            }
        }
        let opening: &[&str] = if protection == PLAIN { &[] } else { protection };
        let ended = place
            .kubeconfig(&[&["alice.reply.yaml", "--exec"], opening].concat())
            .good();
        assert!(
            !ended.stderr.contains("is at hand"),
            "{kept}: {}",
            ended.stderr
        );
    }
    // It tells of another request that was signed, too.
    let place = Place::of_alice(PLAIN);
    let other = "request alice -g admins --key alice.key --output-dir other";
    place.run(&other.split(' ').collect::<Vec<_>>()).good();
    let names = std::fs::read_dir(place.folder.file("other")).unwrap();
    for name in names.map(|entry| entry.unwrap().path()) {
        if name.to_str().unwrap().ends_with(".csr.yaml") {
            std::fs::rename(name, place.folder.file("alice.csr.yaml")).unwrap();
        }
    }
    std::fs::remove_file(place.folder.file("alice.csr")).unwrap();
    let ended = place.kubeconfig(&["alice.reply.yaml"]);
    ended.fails(
        1,
        &[
            "another request than ours",
            "admins",
            "developers",
            "alice.csr.yaml",
        ],
    );
}
