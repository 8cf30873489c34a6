//! `kubeconfig` on its own: what it is given, where it writes, and what it says when it does not.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use base64::Engine as _;

use common::{Ended, Folder, admin_kubeconfig, authority, have, issue};
use kube_enroll::rehearsal::Authority;
use kube_enroll::text::Show as _;
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

    /// And in `config` what has kubectl ask for the key.
    fn asked_for_the_key() -> Self {
        let place = Self::of_alice(PLAIN);
        let exec = ["alice.reply.yaml", "--exec", "--merge", "config"];
        place.kubeconfig(&exec).good();
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

/// The certificate in a reply, in a file of its own.
fn certificate(place: &Place, reply: &str, out: &str) {
    let pem = common::certificate_of(&place.folder.read(reply));
    place.folder.write(out, pem);
}

fn names(value: &Value, list: &str) -> Vec<String> {
    let entries = value[list].as_array().unwrap().iter();
    entries
        .map(|entry| entry["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Whom the certificate of a context is for, as `inspect` tells.
fn groups(place: &Place, file: &str, context: &str) -> Value {
    let report = place.run(&["inspect", "-o", "json", file]).json();
    let contexts = report["objects"][0]["kubeconfig"]["contexts"]
        .as_array()
        .unwrap()
        .clone();
    let found = contexts.iter().find(|it| it["name"] == context).unwrap();
    assert_eq!(found["usable"], true, "{found}");
    found["groups"].clone()
}

#[test]
fn a_certificate_that_says_more_is_not_lost_and_each_way_out_works() {
    for style in ["--embed", "--files", "--exec"] {
        let place = Place::of_alice(PLAIN);
        let first = ["alice.reply.yaml", style, "--merge", "config"];
        place.kubeconfig(&first).good();
        let other = "request alice -g ops --key alice.key --output-dir other";
        place.run(&other.split(' ').collect::<Vec<_>>()).good();
        place
            .folder
            .peer("sh", &["-c", "mv other/*.csr.yaml ops.csr.yaml"]);
        place.reply("ops.csr.yaml", "ops.reply.yaml");
        let before = place.folder.read("config");
        let ended = place.kubeconfig(&["ops.reply.yaml", style, "--merge", "config"]);
        ended.fails(
            2,
            &["\"developers\"", "\"ops\"", "alice@prod", "--out FILE"],
        );
        assert_eq!(place.folder.read("config"), before);
        let [both, instead] = steps(&ended)[..] else {
            panic!("{}", ended.stderr)
        };
        place.follow(both).good();
        assert_eq!(
            groups(&place, "config", "alice@prod"),
            serde_json::json!(["developers"])
        );
        assert_eq!(
            groups(&place, "config", "alice@prod-2"),
            serde_json::json!(["ops"])
        );
        // Once more is nothing new.
        let after = place.folder.read("config");
        place.follow(both).good();
        assert_eq!(place.folder.read("config"), after);

        let ended = place.follow(instead).good();
        assert!(
            ended.stderr.contains("is replaced by one of"),
            "{}",
            ended.stderr
        );
        assert_eq!(
            groups(&place, "config", "alice@prod"),
            serde_json::json!(["ops"])
        );
        assert_eq!(
            groups(&place, "config", "alice@prod-2"),
            serde_json::json!(["ops"])
        );
    }
}

#[test]
fn an_older_reply_does_not_take_the_place_of_a_newer_one() {
    let place = Place::of_alice(PLAIN);
    let then = time::OffsetDateTime::now_utc() - time::Duration::days(30);
    let older = common::issue_at(&place.folder.read("alice.csr.yaml"), &place.authority, then);
    let reply = [
        "reply",
        "--kubeconfig",
        "admin.kubeconfig",
        "--out",
        "older.reply.yaml",
    ];
    place.folder.run_with(&reply, older.as_bytes()).good();
    place.kubeconfig(&["older.reply.yaml"]).good();
    place.kubeconfig(&["alice.reply.yaml"]).good();
    let before = place.folder.read("alice.kubeconfig");
    let ended = place.kubeconfig(&["older.reply.yaml"]);
    ended.fails(2, &["until", "nothing of it was changed"]);
    assert_eq!(place.folder.read("alice.kubeconfig"), before);
    // In any order in one go, the newer one is taken.
    place
        .kubeconfig(&["older.reply.yaml", "alice.reply.yaml", "--merge", "both"])
        .good();
    assert_eq!(
        place.value("both")["users"],
        place.value("alice.kubeconfig")["users"]
    );
}

#[test]
fn two_contexts_of_one_user_share_what_is_the_same() {
    let place = Place::of_alice(PLAIN);
    for context in ["dev", "ops"] {
        place
            .kubeconfig(&["alice.reply.yaml", "--context", context, "-n", context])
            .good();
    }
    let value = place.value("alice.kubeconfig");
    assert_eq!(names(&value, "contexts"), ["dev", "ops"]);
    assert_eq!(names(&value, "users"), ["alice@prod"]);
    assert_eq!(value["contexts"][1]["context"]["namespace"], "ops");
}

#[test]
fn an_entry_of_others_or_another_cluster_of_that_name_is_named_with_both_sides() {
    let place = Place::of_alice(PLAIN);
    let user = "users: [{name: alice@prod, user: {token: secret}}]\n";
    let context = "contexts: [{name: alice@prod, context: {cluster: c, user: bob}}]\n";
    let cluster = "clusters: [{name: prod, cluster: {server: 'https://u:secret@10.9.9.9:6443'}}]\n";
    for (there, both) in [
        (user, ["it has token", "\"alice\" in \"developers\""]),
        (
            context,
            [
                "cluster \"c\" and user \"bob\"",
                "cluster \"prod\" and user \"alice@prod\"",
            ],
        ),
        (cluster, ["https://10.9.9.9:6443", "https://10.0.0.1:6443"]),
    ] {
        place.folder.write("config", there);
        let ended = place.kubeconfig(&["alice.reply.yaml", "--merge", "config"]);
        ended.fails(2, &both);
        assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
        assert_eq!(place.folder.read("config"), there);
        place.follow(steps(&ended)[0]).good();
        let value = place.value("config");
        let (list, _) = there.split_once(':').unwrap();
        let alone = kube_enroll::yaml::first_document(there.as_bytes()).unwrap();
        assert_eq!(value[list][0], alone[list][0]);
        if have("kubectl") {
            let view = "config view --raw -o json --kubeconfig config";
            place
                .folder
                .peer("kubectl", &view.split(' ').collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_rotated_authority_goes_to_the_cluster_it_belongs_to_with_both_fingerprints() {
    for style in ["--embed", "--files", "--exec"] {
        let place = Place::of_alice(PLAIN);
        certificate(&place, "alice.reply.yaml", "alice.crt");
        let first = [
            "alice.reply.yaml",
            style,
            "--context",
            "mine",
            "--cluster-name",
            "here",
        ];
        place
            .kubeconfig(&[&first[..], &["--merge", "config"]].concat())
            .good();
        let before = place.value("config");
        let new = authority();
        // The administrator has other names.
        let admin = admin_kubeconfig(&new).replace(": prod", ": theirs");
        place.folder.write("new.kubeconfig", admin);
        let rotate = [
            "alice.crt",
            "--cluster",
            "new.kubeconfig",
            style,
            "--merge",
            "config",
        ];
        let ended = place.kubeconfig(&rotate).good();
        for authority in [&place.authority, &new] {
            let fingerprint = authority.certificate().public_key().fingerprint().spoken();
            assert!(ended.stderr.contains(&fingerprint), "{}", ended.stderr);
        }
        let after = place.value("config");
        assert_eq!(before["contexts"], after["contexts"]);
        assert_eq!(before["users"], after["users"]);
        assert_eq!(names(&after, "clusters"), ["here"]);
        let field = "/clusters/0/cluster/certificate-authority-data";
        assert_ne!(before.pointer(field), after.pointer(field));

        // In a reply it has to be confirmed.
        let reply = place.folder.read("alice.reply.yaml");
        let authority = |value: &Value| value.pointer(field).unwrap().as_str().unwrap().to_owned();
        let reply = reply.replace(&authority(&before), &authority(&after));
        place.folder.write("new.reply.yaml", reply);
        place
            .kubeconfig(&["alice.reply.yaml", "--merge", "second"])
            .good();
        let ended = place.kubeconfig(&["new.reply.yaml", "--merge", "second"]);
        ended.fails(2, &["certificate authority ", "to be added is "]);
        let [both, instead] = steps(&ended)[..] else {
            panic!("{}", ended.stderr)
        };
        place.follow(both).good();
        assert_eq!(
            names(&place.value("second"), "clusters"),
            ["prod", "prod-2"]
        );
        // What came with the reply is no witness for it: a person says what it has to be.
        assert!(
            instead.contains("--ca-fingerprint FINGERPRINT"),
            "{instead}"
        );
        let fingerprint = new.certificate().public_key().fingerprint().to_string();
        let instead = instead.replace("FINGERPRINT", &fingerprint);
        place.follow(&instead).good();
        assert_eq!(authority(&place.value("second")), authority(&after));
    }
}

#[test]
fn a_key_that_moved_is_pointed_to_by_one_command() {
    for style in ["--files", "--exec"] {
        let place = Place::of_alice(PLAIN);
        place
            .kubeconfig(&["alice.reply.yaml", style, "--merge", "config"])
            .good();
        place.folder.peer(
            "sh",
            &[
                "-c",
                "mkdir new && mv alice.key alice.csr* alice@prod.crt new",
            ],
        );
        let moved = ["new/alice@prod.crt", style, "--merge", "config"];
        place.kubeconfig(&moved).good();
        let value = place.value("config");
        assert_eq!(names(&value, "contexts"), ["alice@prod"]);
        assert_eq!(names(&value, "users"), ["alice@prod"]);
        assert_eq!(
            groups(&place, "config", "alice@prod"),
            serde_json::json!(["developers"])
        );
        let text = place.folder.read("config");
        assert!(text.contains("new/alice.key"), "{text}");
    }
}

#[test]
fn a_key_that_is_not_where_kubectl_looks_is_found_again_or_followed_by_another() {
    for is_lost in [false, true] {
        let place = Place::asked_for_the_key();
        place
            .folder
            .peer("sh", &["-c", "mkdir new && mv alice.key new/it"]);
        let ended = place.run(&common::CREDENTIAL);
        ended.fails(
            2,
            &["cannot read alice.key", "if it was moved", "if it is lost"],
        );
        let [moved, lost] = steps(&ended)[..] else {
            panic!("{}", ended.stderr)
        };
        if is_lost {
            let before = place.folder.names();
            place.follow(&format!("{lost} --no-passphrase")).good();
            let names = place.folder.names();
            let mut new = names.iter().filter(|name| !before.contains(name));
            let manifest = new.find(|name| name.ends_with(".csr.yaml")).unwrap();
            place.reply(manifest, "new.reply.yaml");
            place
                .kubeconfig(&["new.reply.yaml", "--exec", "--merge", "config"])
                .good();
        } else {
            let moved = moved
                .replace("KEY", "new/it")
                .replace("KUBECONFIG", "config");
            place.follow(&moved).good();
        }
        assert_eq!(
            groups(&place, "config", "alice@prod"),
            serde_json::json!(["developers"])
        );
        assert_eq!(names(&place.value("config"), "users"), ["alice@prod"]);
    }
    // The certificate, too.
    let place = Place::asked_for_the_key();
    place.folder.peer("mv", &["alice@prod.crt", "it.crt"]);
    let ended = place.run(&common::CREDENTIAL);
    let moved = steps(&ended)[0]
        .replace("CERTIFICATE", "it.crt")
        .replace("KUBECONFIG", "config");
    place.follow(&moved).good();
    assert_eq!(
        groups(&place, "config", "alice@prod"),
        serde_json::json!(["developers"])
    );
}

#[test]
fn of_a_reply_for_many_those_are_done_whose_key_is_here_and_the_others_are_one_line() {
    let place = Place::new();
    let users = ["alice", "bob", "carol", "dave", "erin"];
    let mut objects = String::new();
    for user in users {
        place.request(&[user, "--output-dir", user], PLAIN);
        let manifest = place.folder.read(&format!("{user}/{user}.csr.yaml"));
        objects += "---\n";
        // The last one is not issued.
        objects += &if user == "erin" {
            manifest
        } else {
            issue(&manifest, &place.authority)
        };
    }
    place.folder.write("objects.yaml", objects);
    place.run(&[
        "reply",
        "objects.yaml",
        "--kubeconfig",
        "admin.kubeconfig",
        "--out",
        "issued.yaml",
    ]);
    let pending = place.folder.read("erin/erin.csr.yaml");
    place.folder.write(
        "all.yaml",
        format!("{pending}---\n{}", place.folder.read("issued.yaml")),
    );
    let ended = place.kubeconfig(&["all.yaml", "--key", "alice"]).good();
    let authority = place.authority.certificate().public_key().fingerprint();
    assert_eq!(
        ended.stderr,
        format!(
            "kube-enroll: all.yaml: the certificate authority of the cluster is\n  {}\n  \
             if the administrator told you another one, do not use it; --ca-fingerprint compares \
             them\nkube-enroll: all.yaml: 4 others are for keys that are not here\n",
            authority.show()
        )
    );
    assert!(place.folder.has("alice/alice.kubeconfig"));
    // One's own is told, whatever came of it.
    place
        .kubeconfig(&["all.yaml", "--key", "erin"])
        .fails(1, &["Pending", "4 others"]);
    // Where there is none, that is said once.
    place.folder.peer("mkdir", &["empty"]);
    let ended = place.kubeconfig(&["all.yaml", "--key", "empty"]);
    ended.fails(
        1,
        &[
            "none of the 5 requests in all.yaml is of a key that is here",
            "--key DIR",
        ],
    );
    assert!(ended.stderr.lines().count() < 6, "{}", ended.stderr);
}

/// A folder of so many keys with their requests, and the reply to all of them.
fn many(place: &Place, number: usize) {
    use kube_enroll::csr::CertificationRequest;
    use kube_enroll::key::{Algorithm, PrivateKey};
    use kube_enroll::manifest::{CLIENT_SIGNER, CertificateSigningRequest, Manifest};
    let random = &mut getrandom::SysRng;
    std::fs::create_dir(place.folder.file("keys")).unwrap();
    let mut objects = Vec::new();
    for number in 0..number {
        let user = format!("user-{number:04}");
        let key = PrivateKey::generate(Algorithm::EcdsaP256, random).unwrap();
        let subject = kube_enroll::name::Subject::new(&user, &["dev".to_owned()], false).unwrap();
        let csr = CertificationRequest::build(&subject, &[], &key, random).unwrap();
        let manifest = Manifest::asking(&user, &csr, CLIENT_SIGNER, None).to_yaml();
        let pem = key.to_pkcs8_pem().unwrap();
        place
            .folder
            .write(&format!("keys/{user}.key"), pem.expose());
        place
            .folder
            .write(&format!("keys/{user}.csr.yaml"), &manifest);
        let object = issue(&manifest, &place.authority);
        let object = kube_enroll::yaml::first_document(object.as_bytes()).unwrap();
        objects.push(CertificateSigningRequest::read(object.as_object().unwrap()));
    }
    let objects: Vec<_> = objects.iter().collect();
    let ca = place.authority.certificate().to_pem();
    let cluster =
        kube_enroll::kubeconfig::Cluster::new("prod", "https://10.0.0.1:6443", ca.as_bytes());
    place
        .folder
        .write("all.yaml", kube_enroll::reply::write(&objects, &cluster));
}

/// How many calls of the system a command makes.
fn calls(place: &Place, args: &[&str]) -> usize {
    let trace = place.folder.file("trace");
    place.folder.traced(&[], &trace, args, b"").good();
    place.folder.read("trace").lines().count()
}

#[test]
fn twice_the_people_are_twice_the_work() {
    if !have("strace") {
        return;
    }
    for target in [["--output-dir", "out"], ["--merge", "config"]] {
        let [once, twice] = [40, 80].map(|number| {
            let place = Place::new();
            many(&place, number);
            let all = ["kubeconfig", "all.yaml", "--key", "keys"];
            calls(&place, &[&all[..], &target].concat())
        });
        assert!(
            twice < once * 5 / 2,
            "{target:?}: {once} calls, then {twice}"
        );
    }
}

#[test]
#[ignore = "a measurement: KUBE_ENROLL_PEOPLE says of how many"]
fn measure_many() {
    let number = std::env::var("KUBE_ENROLL_PEOPLE").map_or(1000, |number| number.parse().unwrap());
    let place = Place::new();
    many(&place, number);
    for target in [
        ["--output-dir", "out"],
        ["--output-dir", "out"],
        ["--merge", "config"],
    ] {
        for style in ["--embed", "--files"] {
            let start = std::time::Instant::now();
            let all = ["kubeconfig", "all.yaml", "--key", "keys", style];
            place.run(&[&all[..], &target].concat()).good();
            println!("{number} people, {target:?} {style}: {:?}", start.elapsed());
        }
    }
}

/// Where a kubeconfig may be written, and the kubeconfig that comes of it.
const PLACES: [(&[&str], &str); 9] = [
    (&[], "alice.kubeconfig"),
    (&[], "alice.kubeconfig"),
    (&["--key", "keys"], "keys/alice.kubeconfig"),
    (&["--key", "keys/alice.key"], "keys/alice.kubeconfig"),
    (&["--merge", "home/.kube/config"], "home/.kube/config"),
    (&["--merge", "home/.kube/config"], "home/.kube/config"),
    (&["--out", "home/mine"], "home/mine"),
    (&["--out", "mine"], "mine"),
    (
        &["--output-dir", "new/folder"],
        "new/folder/alice.kubeconfig",
    ),
];

#[test]
fn every_style_works_in_every_place() {
    for style in ["--embed", "--files", "--exec"] {
        for protection in [PLAIN, ENCRYPTED] {
            if protection == ENCRYPTED && style == "--files" {
                continue;
            }
            let place = Place::of_alice(protection);
            place.folder.peer(
                "sh",
                &[
                    "-c",
                    "mkdir -p keys home/.kube && cp alice.key alice.csr keys",
                ],
            );
            let opening: &[&str] = if protection == PLAIN { &[] } else { ENCRYPTED };
            for (more, written) in PLACES {
                let args = [&["alice.reply.yaml", style], more, opening].concat();
                let ended = place.kubeconfig(&args);
                assert_eq!(ended.status, 0, "{style} {more:?}: {}", ended.stderr);
                assert_eq!(place.folder.mode(written), 0o600, "{style} {more:?}");
                let found = groups(&place, written, "alice@prod");
                assert_eq!(found, serde_json::json!(["developers"]), "{style} {more:?}");
                let value = place.value(written);
                assert_eq!(
                    names(&value, "contexts"),
                    ["alice@prod"],
                    "{style} {more:?}"
                );
                // It works from any folder: whatever is named is named whole.
                let user = &value["users"][0]["user"];
                let files = [
                    &user["client-certificate"],
                    &user["client-key"],
                    &user["exec"]["args"][2],
                    &user["exec"]["args"][4],
                ];
                let files: Vec<_> = files.into_iter().filter_map(Value::as_str).collect();
                assert_eq!(
                    files.len(),
                    if style == "--embed" { 0 } else { 2 },
                    "{user}"
                );
                for file in files {
                    let file = std::path::Path::new(file);
                    assert!(
                        file.is_absolute() && file.is_file(),
                        "{style} {more:?}: {file:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_written_to_standard_output_is_the_same_in_every_style() {
    for style in ["--embed", "--files", "--exec"] {
        let place = Place::of_alice(PLAIN);
        place
            .kubeconfig(&["alice.reply.yaml", style, "--out", "file"])
            .good();
        let ended = place
            .kubeconfig(&["alice.reply.yaml", style, "--out", "-"])
            .good();
        assert_eq!(ended.stdout, place.folder.read("file"), "{style}");
        let merge = ["kubeconfig", "alice.reply.yaml", style, "--merge", "-"];
        let ended = place
            .folder
            .run_with(&merge, b"current-context: mine\n")
            .good();
        assert!(
            ended.stdout.contains("current-context: \"mine\""),
            "{style}: {}",
            ended.stdout
        );
        assert!(ended.stdout.contains("alice@prod"), "{style}");
    }
}

#[test]
fn the_certificate_that_fits_the_key_is_taken_wherever_it_stands() {
    let place = Place::of_alice(PLAIN);
    place.request(&["bob", "--output-dir", "bob"], PLAIN);
    place.reply("bob/bob.csr.yaml", "bob.reply.yaml");
    certificate(&place, "bob.reply.yaml", "bob.crt");
    certificate(&place, "alice.reply.yaml", "alice.crt");
    let then = time::OffsetDateTime::now_utc() - time::Duration::days(30);
    let older = common::issue_at(&place.folder.read("alice.csr.yaml"), &place.authority, then);
    let older = String::from_utf8(common::certificate_of(&older)).unwrap();
    let ca = place.authority.certificate().to_pem();
    place.folder.write("ca.crt", &ca);
    let (alice, bob) = (place.folder.read("alice.crt"), place.folder.read("bob.crt"));
    let cluster = ["--cluster", "admin.kubeconfig", "--out"];
    for (number, chain) in [
        [&ca, &alice, &bob, &older],
        [&older, &bob, &ca, &alice],
        [&bob, &alice, &older, &ca],
    ]
    .into_iter()
    .enumerate()
    {
        let text: String = chain.into_iter().map(String::as_str).collect();
        place.folder.write("chain.crt", text);
        let out = format!("out-{number}");
        place
            .kubeconfig(&[&["chain.crt"], &cluster[..], &[&out]].concat())
            .good();
        // What alice has, and the authority; nothing of bob.
        let data = place.value(&out)["users"][0]["user"]["client-certificate-data"].clone();
        let data = base64::prelude::BASE64_STANDARD
            .decode(data.as_str().unwrap())
            .unwrap();
        assert_eq!(String::from_utf8(data).unwrap(), format!("{alice}{ca}"));
    }
    let args = [&["ca.crt"], &cluster[..], &["no"]].concat();
    place.kubeconfig(&args).fails(
        1,
        &["certificate of an authority", "--certificate-authority"],
    );
    if have("openssl") {
        for form in ["PEM", "DER"] {
            let pack =
                format!("crl2pkcs7 -nocrl -certfile chain.crt -out chain.p7b -outform {form}");
            place
                .folder
                .peer("openssl", &pack.split(' ').collect::<Vec<_>>());
            let args = [&["chain.p7b"], &cluster[..], &["no"]].concat();
            place
                .kubeconfig(&args)
                .fails(1, &["PKCS#7", "openssl pkcs7", "-print_certs"]);
        }
    }
}

#[test]
fn of_many_who_write_at_once_nobody_is_lost() {
    let place = Place::of_alice(PLAIN);
    let names: Vec<String> = (0..12).map(|number| format!("c{number}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| {
                let args = [
                    "alice.reply.yaml",
                    "--cluster-name",
                    name,
                    "--merge",
                    "config",
                ];
                place.kubeconfig(&args).good();
            });
        }
    });
    let mut found = self::names(&place.value("config"), "clusters");
    found.sort();
    let mut names = names;
    names.sort();
    assert_eq!(found, names);
    // kubectl holds its lock while it writes.
    place.folder.write("config.lock", "");
    let ended = place.kubeconfig(&["alice.reply.yaml", "--merge", "config"]);
    ended.fails(2, &["config.lock is there", "rm config.lock"]);
    place.follow(steps(&ended)[0]).good();
    place
        .kubeconfig(&["alice.reply.yaml", "--merge", "config"])
        .good();
}

#[test]
fn one_name_for_two_people_is_the_first_ones() {
    let place = Place::new();
    let mut objects = String::new();
    for user in ["alice", "bob"] {
        place.request(&[user], PLAIN);
        let manifest = place.folder.read(&format!("{user}.csr.yaml"));
        objects.extend(["---\n".to_owned(), issue(&manifest, &place.authority)]);
    }
    place.folder.write("objects", objects);
    let reply = [
        "reply",
        "objects",
        "--kubeconfig",
        "admin.kubeconfig",
        "--out",
        "both.yaml",
    ];
    place.run(&reply).good();
    let ended = place.kubeconfig(&["both.yaml", "--context", "same", "--merge", "config"]);
    ended.fails(2, &["\"alice\"", "\"bob\""]);
    let value = place.value("config");
    assert_eq!(names(&value, "contexts"), ["same"]);
    assert_eq!(names(&value, "users"), ["alice@prod"]);
    // In files of their own, each has it.
    place
        .kubeconfig(&["both.yaml", "--context", "same", "--output-dir", "out"])
        .good();
    assert!(place.folder.has("out/alice.kubeconfig") && place.folder.has("out/bob.kubeconfig"));
}

/// What mail programs, word processors, chats and pages do to a text.
#[test]
fn a_reply_and_a_cluster_are_read_whatever_the_way_did_to_them() {
    fn wrapped(text: &str) -> String {
        let wrap = |line: &str| -> String {
            let characters: Vec<char> = line.chars().collect();
            let pieces = characters
                .chunks(76)
                .map(|it| it.iter().collect::<String>());
            pieces.map(|piece| piece + "\n").collect()
        };
        text.lines().map(wrap).collect()
    }
    let before = |text: &str, sign: &str| -> String {
        let lines: Vec<_> = text.lines().map(|line| format!("{sign}{line}\n")).collect();
        lines.concat()
    };
    let place = Place::of_alice(PLAIN);
    let reply = place.folder.read("alice.reply.yaml");
    let damages: [(&str, Vec<u8>); 9] = [
        ("wrapped", wrapped(&reply).into_bytes()),
        ("quoted", before(&wrapped(&reply), "> ").into_bytes()),
        ("pipes", before(&reply, "| ").into_bytes()),
        ("added", before(&reply, "+").into_bytes()),
        ("non-breaking", reply.replace(' ', "\u{a0}").into_bytes()),
        (
            "latin",
            reply
                .replace(' ', "\u{a0}")
                .chars()
                .map(|c| c as u8)
                .collect(),
        ),
        ("no width", reply.replace(": ", ": \u{200b}").into_bytes()),
        (
            "string",
            Value::from(reply.clone()).to_string().into_bytes(),
        ),
        ("twice", (reply.clone() + &reply).into_bytes()),
    ];
    place
        .kubeconfig(&["alice.reply.yaml", "--out", "whole"])
        .good();
    for (name, damaged) in damages {
        place.folder.write("damaged", damaged);
        place.kubeconfig(&["damaged", "--out", name]).good();
        assert_eq!(place.value(name), place.value("whole"), "{name}");
    }

    let admin = place.folder.read("admin.kubeconfig");
    certificate(&place, "alice.reply.yaml", "alice.crt");
    for (name, cluster) in [
        ("admin-quoted", before(&admin, "> ")),
        ("admin-non-breaking", admin.replace(' ', "\u{a0}")),
        ("reply", reply),
    ] {
        place.folder.write("cluster", cluster);
        let args = ["alice.crt", "--cluster", "cluster", "--out", name];
        place.kubeconfig(&args).good();
        let there = &place.value(name)["clusters"];
        assert_eq!(there, &place.value("whole")["clusters"], "{name}");
    }

    // The ends of PEM.
    let pem = place.folder.read("alice.crt");
    for (name, damaged) in [
        (
            "dashes",
            pem.replace("-----", "\u{2013}\u{2013}\u{2013}\u{2013}\u{2013}"),
        ),
        ("four", pem.replace("-----", "----")),
    ] {
        place.folder.write("damaged.crt", damaged);
        let args = [
            "damaged.crt",
            "--cluster",
            "admin.kubeconfig",
            "--out",
            name,
        ];
        place.kubeconfig(&args).good();
    }
}

/// Every file with its contents and the time of its last change.
fn all_files(folder: &Folder) -> String {
    let script = "find . -type f | sort | xargs cksum; find . | sort | xargs stat -c '%n %a %Y %Z'";
    folder.peer("sh", &["-ec", script])
}

#[test]
fn a_dry_run_shows_every_file_and_entry_and_changes_nothing() {
    let place = Place::of_alice(ENCRYPTED);
    let folder = &place.folder;
    let opened = ["alice.reply.yaml", "--passphrase-file", "pass"];
    let dry = |args: &[&str]| {
        let before = all_files(folder);
        let ended = place.kubeconfig(&[&opened, args, &["--dry-run"]].concat());
        assert_eq!(all_files(folder), before, "{args:?}");
        assert!(!ended.stdout.contains("PRIVATE KEY"), "{}", ended.stdout);
        assert!(
            ended.stderr.contains("nothing was written"),
            "{}",
            ended.stderr
        );
        ended
    };
    let shown = [
        "alice.kubeconfig: new\n",
        "context alice@prod: new\n",
        "cluster prod at https://",
        "user alice@prod, alice (developers) until ",
        "for the private key in ",
        "alice@prod.crt: new\n",
        "alice@prod is the current context",
    ];
    dry(&[]).says(&shown);
    dry(&["--embed"]).says(&["certificate and private key are in the kubeconfig"]);
    dry(&["--embed", "--out", "-"]).says(&["standard output: new\n"]);
    dry(&["--merge", "home/.kube/config"]).says(&["home/.kube/config: new\n"]);
    dry(&["--output-dir", "made"]).says(&["made/alice.kubeconfig: new\n"]);
    assert!(!folder.has("home") && !folder.has("made"));
    // What was shown is what is done, and a second time nothing changes.
    place.kubeconfig(&opened).good();
    let again = dry(&[]).good().stdout;
    for line in [
        "alice.kubeconfig: is there, and has these entries afterwards\n",
        "context alice@prod: stays as it is\n",
        "alice@prod.crt: is there already\n",
    ] {
        assert!(again.contains(line), "{again}");
    }
    assert!(!again.contains("new"), "{again}");
    dry(&["--embed"]).says(&[
        "until ",
        ": takes the place of the one there",
        "context alice@prod: stays as it is",
    ]);
    let both = dry(&["--embed", "--merge", "a", "--merge", "b"])
        .good()
        .stdout;
    assert!(
        both.contains("a: new\n") && both.contains("b: new\n"),
        "{both}"
    );
}

#[test]
fn a_dry_run_ends_as_the_real_run_would() {
    let place = Place::of_alice(PLAIN);
    let folder = &place.folder;
    place.kubeconfig(&["alice.reply.yaml"]).good();
    place
        .run(&["request", "alice", "-g", "ops", "--key", "alice.key"])
        .good();
    let names = folder.names();
    let ops = names
        .iter()
        .find(|name| name.starts_with("alice-") && name.ends_with(".csr.yaml"));
    place.reply(ops.unwrap(), "ops.reply.yaml");
    folder.write("file", "taken");
    let wrong = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for args in [
        &["ops.reply.yaml"][..],
        &[
            "ops.reply.yaml",
            "--merge",
            "new",
            "--merge",
            "alice.kubeconfig",
        ],
        &["alice.reply.yaml", "--out", "file"],
        &["alice.reply.yaml", "--out", "alice.kubeconfig"],
        &["alice.reply.yaml", "--merge", "file"],
        &["alice.reply.yaml", "--ca-fingerprint", wrong],
        &["alice.reply.yaml", "--key", "pass"],
        &["nobody.reply.yaml"],
    ] {
        let before = all_files(folder);
        let dry = place.kubeconfig(&[args, &["--dry-run"]].concat());
        assert_eq!(all_files(folder), before, "{args:?}");
        let real = place.kubeconfig(args);
        assert_ne!(real.status, 0, "{args:?}");
        assert_eq!(dry.status, real.status, "{args:?}: {}", dry.stderr);
        for line in real.stderr.lines().filter(|line| line.starts_with("error")) {
            assert!(dry.stderr.contains(line), "{line}: {}", dry.stderr);
        }
    }
}

#[test]
fn what_a_run_that_was_ended_left_over_is_removed_by_the_next() {
    let place = Place::of_alice(PLAIN);
    let folder = &place.folder;
    place.kubeconfig(&["alice.reply.yaml"]).good();
    let (old, new) = (
        ".alice.kubeconfig.0123456789abcdef",
        ".alice.kubeconfig.0123456789abcdee",
    );
    let others = [
        ".other.kubeconfig.0123456789abcdef",
        ".alice.kubeconfig.0123456789abcdeg",
        ".alice.kubeconfig.bak",
    ];
    for name in others.iter().chain([&old]) {
        folder.write(name, "client-key-data: secret");
        folder.peer("touch", &["-d", "1 hour ago", name]);
    }
    folder.write(new, "of a run that goes on");
    place.kubeconfig(&["alice.reply.yaml", "--dry-run"]).good();
    assert!(folder.has(old));
    let ended = place.kubeconfig(&["alice.reply.yaml"]).good();
    let said = format!("{old} was left over by a run that was ended, and is removed");
    assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    assert!(!folder.has(old));
    assert!(folder.has(new) && others.iter().all(|name| folder.has(name)));
}

#[test]
fn an_entry_that_runs_what_is_not_there_is_not_usable() {
    let place = Place::asked_for_the_key();
    let folder = &place.folder;
    let usable = |text: &str| {
        folder.write("config", text);
        let report = place.run(&["inspect", "-o", "json", "config"]);
        let context = report.json()["objects"][0]["kubeconfig"]["contexts"][0].clone();
        (context["usable"].clone(), report.status)
    };
    let text = folder.read("config");
    assert_eq!(usable(&text), (true.into(), 0));
    let command = common::executable();
    let quoted = format!("command: \"{command}\"");
    for other in ["/nowhere/kube-enroll", "./kube-enroll", "bin/kube-enroll"] {
        let text = text.replace(&quoted, &format!("command: {other}"));
        assert_eq!(usable(&text), (false.into(), 1), "{other}");
        let said = format!("kubectl runs {other} for the key, which is no program that is there");
        let report = place.run(&["inspect", "config"]).stdout;
        let words: Vec<_> = report.split_whitespace().collect();
        assert!(words.join(" ").contains(&said), "{report}");
    }
    // Beside the kubeconfig, as client-go has it.
    folder.peer("ln", &["-s", &command, "kube-enroll"]);
    let text = text.replace(&quoted, "command: ./kube-enroll");
    assert_eq!(usable(&text), (true.into(), 0));
}
