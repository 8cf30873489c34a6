//! The second time is as good as the first: one command, and afterwards kubectl uses every earlier and
//! every new context. TLS servers of openssl(1) stand in for the clusters, and say who came.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Ended, Folder, authority, have, issue_at};
use kube_enroll::rehearsal::Authority;
use time::OffsetDateTime;

const CLUSTERS: [&str; 3] = ["prod", "dev", "lab"];
const STYLES: [&str; 3] = ["--embed", "--files", "--exec"];

/// A person, and three clusters.
struct Place {
    folder: Folder,
    clusters: Vec<Cluster>,
    seen: RefCell<BTreeSet<String>>,
}

/// A server that wants a certificate of its authority.
struct Cluster {
    name: &'static str,
    authority: Authority,
    port: u16,
    server: Child,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Place {
    fn new() -> Option<Self> {
        if !have("openssl") || !have("kubectl") {
            return None;
        }
        let folder = Folder::new();
        folder.peer("mkdir", &["admins"]);
        let script = r#"
            cd admins
            key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            openssl req -x509 $key -keyout ca.key -out ca.crt -days 30 -subj /CN=kubernetes
            openssl req -new $key -keyout server.key -out server.csr -subj /CN=kube-apiserver
            printf "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n" > ext
            openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 \
                -out server.crt -extfile ext
        "#;
        folder.peer("sh", &["-ec", script]);
        let clusters = CLUSTERS.map(|name| Cluster::start(&folder, name));
        Some(Self {
            folder,
            clusters: clusters.into(),
            seen: RefCell::default(),
        })
    }

    /// With one context of alice's, in the group developers.
    fn enrolled(style: &str) -> Option<Self> {
        let place = Self::new()?;
        let manifest = place.request("request alice -g developers --expires-in 100d");
        place.reply("prod", &manifest, "first.reply.yaml");
        place.take("first", style);
        place.uses(CONFIG, &[FIRST]);
        Some(place)
    }

    fn run(&self, words: &str) -> Ended {
        self.folder.typed(words)
    }

    /// Puts a reply into a kubeconfig: words behind the command, for one thing the style.
    fn take(&self, reply: &str, words: &str) {
        self.run(&format!("kubeconfig {reply}.reply.yaml {words}"))
            .good();
    }

    /// Another cluster with the first request.
    fn joins(&self, cluster: &str, words: &str) {
        self.reply(cluster, "alice.csr.yaml", &format!("{cluster}.reply.yaml"));
        self.take(cluster, words);
    }

    /// Asks for a certificate; the manifest.
    fn request(&self, words: &str) -> String {
        let key = if words.contains("--key") || words.contains("--keep-key") {
            ""
        } else {
            "--no-passphrase"
        };
        let algorithm = if words.starts_with("request") && !words.contains("--key") {
            "--algorithm ecdsa-p256"
        } else {
            ""
        };
        self.run(&format!("{words} {algorithm} {key}")).good();
        let names = self.folder.names().into_iter();
        let mut new = names.filter(|name| {
            name.ends_with(".csr.yaml") && self.seen.borrow_mut().insert(name.clone())
        });
        new.next().unwrap()
    }

    fn reply(&self, cluster: &str, manifest: &str, out: &str) {
        self.reply_of(cluster, manifest, out, 0);
    }

    /// The administrator's side, so many days ago.
    fn reply_of(&self, cluster: &str, manifest: &str, out: &str, age: i64) {
        let cluster = self.cluster(cluster);
        let then = OffsetDateTime::now_utc() - time::Duration::days(age);
        let object = issue_at(&self.folder.read(manifest), &cluster.authority, then);
        let admin = format!("admins/{}.kubeconfig", cluster.name);
        let reply = ["reply", "--kubeconfig", &admin, "--out", out];
        self.folder.run_with(&reply, object.as_bytes()).good();
    }

    fn cluster(&self, name: &str) -> &Cluster {
        self.clusters.iter().find(|it| it.name == name).unwrap()
    }

    /// kubectl reaches the right cluster as the right person by each context, and there is no other.
    fn uses(&self, file: &str, expected: &[Used]) {
        let kubectl = |args: &[&str]| {
            let args = [&["--kubeconfig", file], args].concat();
            self.folder.peer("kubectl", &args)
        };
        let contexts = kubectl(&["config", "get-contexts", "-o", "name"]);
        let mut contexts: Vec<_> = contexts.lines().collect();
        contexts.sort_unstable();
        let mut wanted: Vec<_> = expected.iter().map(|(context, ..)| *context).collect();
        wanted.sort_unstable();
        assert_eq!(contexts, wanted, "{file}");
        for (context, cluster, subject) in expected {
            let page = kubectl(&["--context", context, "get", "--raw", "/"]);
            let port = format!("-accept {} ", self.cluster(cluster).port);
            assert!(page.contains(&port), "{file} {context}: {page}");
            let found = page
                .lines()
                .find_map(|line| line.trim().strip_prefix("Subject: "));
            let found = found.unwrap_or_default().replace(' ', "");
            assert_eq!(found, *subject, "{file} {context}");
        }
    }
}

impl Cluster {
    fn start(folder: &Folder, name: &'static str) -> Self {
        let authority = authority();
        folder.write(
            &format!("admins/{name}.ca"),
            authority.certificate().to_pem(),
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let admin = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {name}\nclusters:\n- name: {name}\n  \
             cluster:\n    server: https://127.0.0.1:{port}\n    certificate-authority: ca.crt\n\
             contexts:\n- name: {name}\n  context: {{cluster: {name}, user: admin}}\n\
             users:\n- name: admin\n  user: {{token: secret}}\n"
        );
        folder.write(&format!("admins/{name}.kubeconfig"), admin);
        let server = Command::new("openssl")
            .args(["s_server", "-accept", &port.to_string(), "-www"])
            .args(["-cert", "server.crt", "-key", "server.key"])
            .args(["-CAfile", &format!("{name}.ca"), "-Verify", "1"])
            .arg("-verify_return_error")
            .current_dir(folder.file("admins"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "{name} does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            name,
            authority,
            port,
            server,
        }
    }
}

const DEVELOPER: &str = "O=developers,CN=alice";
const OPERATOR: &str = "O=ops,CN=alice";
const CONFIG: &str = "alice.kubeconfig";

/// Context, cluster and who comes.
type Used = (&'static str, &'static str, &'static str);

const FIRST: Used = ("alice@prod", "prod", DEVELOPER);
const SECOND: Used = ("alice@dev", "dev", DEVELOPER);

/// Somebody who is enrolled in one style after the other.
fn in_each_style(check: impl Fn(&Place, &str)) {
    for style in STYLES {
        match Place::enrolled(style) {
            Some(place) => check(&place, style),
            None => return,
        }
    }
}

#[test]
fn the_same_key_asks_for_other_groups_and_both_contexts_work() {
    in_each_style(|place, style| {
        let manifest = place.request("request alice -g ops --key alice.key");
        place.reply("prod", &manifest, "ops.reply.yaml");
        place.take("ops", &format!("{style} --context ops"));
        place.uses(CONFIG, &[FIRST, ("ops", "prod", OPERATOR)]);
    });
}

#[test]
fn the_same_groups_for_longer_take_the_place_of_the_first() {
    in_each_style(|place, style| {
        let longer = "request alice -g developers --key alice.key --expires-in 200d";
        let manifest = place.request(longer);
        place.reply("prod", &manifest, "longer.reply.yaml");
        place.take("longer", style);
        place.uses(CONFIG, &[FIRST]);
        // The first reply is the older one.
        place.run(&format!("kubeconfig first.reply.yaml {style}"));
        place.uses(CONFIG, &[FIRST]);
    });
}

#[test]
fn the_same_command_twice_changes_nothing() {
    in_each_style(|place, style| {
        let before = (place.folder.read(CONFIG), place.folder.names());
        place.take("first", style);
        assert_eq!((place.folder.read(CONFIG), place.folder.names()), before);
        // A second request has a key and files of its own.
        let key = place.folder.read("alice.key");
        let manifest = place.request("request alice -g developers --expires-in 100d");
        assert_ne!(manifest, "alice.csr.yaml");
        assert_eq!(place.folder.read("alice.key"), key);
        place.uses(CONFIG, &[FIRST]);
    });
}

#[test]
fn a_second_and_a_third_cluster_join_the_first_in_each_style() {
    in_each_style(|place, style| {
        // One key for two, and another one for the third.
        place.joins("dev", style);
        place.uses(CONFIG, &[FIRST, SECOND]);
        let manifest = place.request("request alice -g ops");
        place.reply("lab", &manifest, "lab.reply.yaml");
        place.take("lab", style);
        place.uses(CONFIG, &[FIRST, SECOND, ("alice@lab", "lab", OPERATOR)]);
    });
}

#[test]
fn kubeconfigs_may_be_merged_and_separate() {
    in_each_style(|place, style| {
        let home = "home/.kube/config";
        place.joins("dev", &format!("{style} --merge {home}"));
        place.take("dev", &format!("{style} --out dev.kubeconfig"));
        place.uses(home, &[SECOND]);
        place.uses("dev.kubeconfig", &[SECOND]);
        place.uses(CONFIG, &[FIRST]);
        place.take("first", &format!("{style} --merge {home}"));
        place.uses(home, &[SECOND, FIRST]);
    });
}

#[test]
fn a_renewal_with_and_without_a_new_key_takes_the_place_of_the_first_alone() {
    for key in ["", "--keep-key"] {
        in_each_style(|place, style| {
            place.joins("dev", style);
            let renew = format!("renew {CONFIG} --context alice@prod {key} --expires-in 300d");
            let manifest = place.request(&renew);
            place.reply("prod", &manifest, "renewed.reply.yaml");
            let merge = format!("--merge {CONFIG} --context alice@prod {style}");
            place.take("renewed", &merge);
            place.uses(CONFIG, &[FIRST, SECOND]);
        });
    }
}

#[test]
fn what_has_ended_is_renewed_as_well() {
    let Some(place) = Place::new() else { return };
    let manifest = place.request("request alice -g developers --expires-in 100d");
    place.reply_of("prod", &manifest, "old.reply.yaml", 101);
    let object = place.folder.read("old.reply.yaml");
    place
        .folder
        .write("old.crt", common::certificate_of(&object));
    place
        .run("kubeconfig old.reply.yaml")
        .fails(1, &["was valid until"]);
    for (number, old) in ["old.crt", "old.reply.yaml"].into_iter().enumerate() {
        let manifest = place.request(&format!("renew {old} --expires-in {}d", 100 + number));
        let reply = format!("new-{number}");
        place.reply("prod", &manifest, &format!("{reply}.reply.yaml"));
        let file = format!("{reply}.kubeconfig");
        place.take(&reply, &format!("--out {file}"));
        place.uses(&file, &[FIRST]);
    }
}

#[test]
fn a_folder_that_moved_and_another_machine_take_one_command() {
    in_each_style(|place, style| {
        let moved = "mkdir laptop; mv alice* laptop";
        place.folder.peer("sh", &["-c", moved]);
        // A kubeconfig with all in it needs none.
        if style != "--embed" {
            let again = "kubeconfig laptop/alice@prod.crt --key laptop/alice.key --merge \
                         laptop/alice.kubeconfig";
            place.run(&format!("{again} {style}")).good();
        }
        place.uses("laptop/alice.kubeconfig", &[FIRST]);
    });
}

#[test]
fn a_key_that_was_lost_is_followed_by_another() {
    in_each_style(|place, style| {
        // What the key is in works on without its file.
        place.joins("dev", "--embed --out dev.kubeconfig");
        std::fs::remove_file(place.folder.file("alice.key")).unwrap();
        let manifest = place.request("renew alice.kubeconfig --expires-in 300d");
        place.reply("prod", &manifest, "new.reply.yaml");
        place.take("new", &format!("--merge {CONFIG} {style}"));
        place.uses(CONFIG, &[FIRST]);
        place.uses("dev.kubeconfig", &[SECOND]);
    });
}

#[test]
fn two_people_share_a_folder() {
    in_each_style(|place, style| {
        let manifest = place.request("request bob -g developers");
        place.reply("prod", &manifest, "bob.reply.yaml");
        place.take("bob", style);
        let bob = ("bob@prod", "prod", "O=developers,CN=bob");
        place.uses(CONFIG, &[FIRST]);
        place.uses("bob.kubeconfig", &[bob]);
        for reply in ["first", "bob"] {
            place.take(reply, &format!("{style} --merge both"));
        }
        place.uses("both", &[FIRST, bob]);
    });
}

#[test]
fn replies_come_late_in_the_wrong_order_and_together() {
    for style in STYLES {
        let Some(place) = Place::new() else { return };
        let first = place.request("request alice -g developers");
        let second = place.request("request alice -g ops");
        place.reply("prod", &first, "first.reply.yaml");
        place.reply("dev", &second, "second.reply.yaml");
        let both = [FIRST, ("alice@dev", "dev", OPERATOR)];
        for (file, order) in [
            ("late", &["second", "first"][..]),
            ("in-order", &["first", "second"]),
        ] {
            for reply in order {
                place.take(reply, &format!("{style} --merge {file}"));
            }
            place.uses(file, &both);
        }
        let together = "kubeconfig second.reply.yaml first.reply.yaml --merge together";
        place.run(&format!("{together} {style}")).good();
        place.uses("together", &both);
        // By two programs at once, each of which takes its turn.
        let folder = &place.folder;
        std::thread::scope(|scope| {
            for reply in ["first.reply.yaml", "second.reply.yaml"] {
                let words = ["kubeconfig", reply, style, "--merge", "at-once"];
                scope.spawn(move || folder.run(&words).good());
            }
        });
        place.uses("at-once", &both);
    }
}

/// The later request, with the same key, is still on its way.
#[test]
fn a_reply_for_an_older_request_is_as_good_and_the_newer_one_joins_it() {
    for style in STYLES {
        let Some(place) = Place::new() else { return };
        let older = place.request("request alice -g developers");
        let newer = place.request("request alice -g ops --key alice.key");
        place.reply("prod", &older, "older.reply.yaml");
        place.take("older", style);
        place.uses(CONFIG, &[FIRST]);
        place.reply("prod", &newer, "newer.reply.yaml");
        // The same person at the same cluster: which of the two is meant is not for us to say.
        let ended = place.run(&format!("kubeconfig newer.reply.yaml {style}"));
        ended.fails(2, &["to have both:", "to replace the one that is there:"]);
        place.uses(CONFIG, &[FIRST]);
        place.take("newer", &format!("{style} --context ops"));
        place.uses(CONFIG, &[FIRST, ("ops", "prod", OPERATOR)]);
        // Where neither request is at hand any more, the reply says what was asked for.
        place.folder.peer("sh", &["-c", "rm *.csr *.csr.yaml"]);
        let again = place.run(&format!("kubeconfig older.reply.yaml {style} --out again"));
        again.good();
        place.uses("again", &[FIRST]);
    }
}

/// The request of the key is here, and the reply is for another one of the same key.
#[test]
fn a_request_that_was_exchanged_is_noticed_wherever_the_kubeconfig_goes() {
    let Some(place) = Place::enrolled("--embed") else {
        return;
    };
    let folder = &place.folder;
    place
        .run("request alice -g ops --key alice.key --output-dir other")
        .good();
    place.reply("prod", "other/alice.csr.yaml", "ops.reply.yaml");
    folder.peer("mkdir", &["b", "elsewhere"]);
    for key in ["", "--key alice.key", "--key ."] {
        for to in ["", "--merge b/c", "--out b/c", "--output-dir b"] {
            let ended = place.run(&format!("kubeconfig ops.reply.yaml {key} {to}"));
            ended.fails(
                1,
                &["another request than ours was signed", "O=ops", "alice.csr"],
            );
        }
    }
    // Beside the key, from another folder.
    let from_elsewhere = format!(
        "cd elsewhere && ! {} kubeconfig ../ops.reply.yaml --key ../alice.key --out c",
        common::executable()
    );
    folder.peer("sh", &["-c", &from_elsewhere]);
    // Beside the key that a link leads to.
    let by_link = format!(
        "cd elsewhere && ln -s ../alice.key l.key && cp ../ops.reply.yaml . && \
         ! {} kubeconfig ops.reply.yaml --key l.key --out c && \
         ! {0} kubeconfig ops.reply.yaml --out c && ! test -e c",
        common::executable()
    );
    folder.peer("sh", &["-c", &by_link]);
    place.uses(CONFIG, &[FIRST]);
}

#[test]
fn what_is_there_stays_in_its_style_unless_another_is_asked_for() {
    in_each_style(|place, style| {
        let before = place.folder.read(CONFIG);
        place.take("first", "");
        assert_eq!(place.folder.read(CONFIG), before, "{style}");
        // The cluster has another authority, and nothing else changes.
        let old = place.folder.read("admins/ca.crt");
        let make = "cd admins; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                    -keyout new.key -out new.crt -days 30 -subj /CN=kubernetes; \
                    sed s/ca.crt/new.crt/ prod.kubeconfig > new.kubeconfig";
        place.folder.peer("sh", &["-ec", make]);
        let admin = "--cluster admins/new.kubeconfig";
        let rotated = format!("kubeconfig first.reply.yaml {admin} --merge {CONFIG}");
        let ended = place.run(&rotated).good();
        assert!(ended.stderr.contains("is replaced by"), "{}", ended.stderr);
        let lines = |text: &str| {
            let lines = text
                .lines()
                .filter(|it| !it.contains("certificate-authority"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(lines(&place.folder.read(CONFIG)), lines(&before), "{style}");
        assert!(!old.is_empty());
        place.take("first", "--embed --out embedded");
        let embedded =
            place.run("kubeconfig first.reply.yaml --embed --cluster admins/new.kubeconfig");
        embedded.good();
        assert!(place.folder.read(CONFIG).contains("client-key-data"));
    });
}

#[test]
fn what_somebody_wrote_into_the_exec_entry_stays() {
    let Some(place) = Place::enrolled("--exec --unlock-for 20m") else {
        return;
    };
    let folder = &place.folder;
    let own = folder.file("enroll.sh");
    let script = format!("#!/bin/sh\nshift; exec '{}' \"$@\"\n", common::executable());
    folder.write("enroll.sh", script);
    folder.set_mode("enroll.sh", 0o700);
    let value = kube_enroll::yaml::first_document(folder.read(CONFIG).as_bytes());
    let mut value = value.unwrap();
    let exec = &mut value["users"][0]["user"]["exec"];
    exec["command"] = own.to_str().unwrap().into();
    exec["env"] = serde_json::json!([{"name": "A", "value": "b"}]);
    let args = exec["args"].as_array_mut().unwrap();
    args.insert(0, "enroll".into());
    exec["provideClusterInfo"] = true.into();
    exec["apiVersion"] = "client.authentication.k8s.io/v1beta1".into();
    let before = exec.clone();
    folder.write(CONFIG, kube_enroll::yaml::to_string(&value));
    let exec = || {
        let value = kube_enroll::yaml::first_document(folder.read(CONFIG).as_bytes());
        value.unwrap()["users"][0]["user"]["exec"].clone()
    };
    for words in ["", "--exec"] {
        place.take("first", words);
        let found = exec();
        // The hint that was there was ours, and names the command that was there.
        let hint = found["installHint"].as_str().unwrap();
        assert!(hint.starts_with(own.to_str().unwrap()), "{hint}");
        let mut found = found.clone();
        found["installHint"] = before["installHint"].clone();
        assert_eq!(found, before, "{words}");
        // One that somebody wrote says what they wrote.
        let text = folder.read(CONFIG);
        let mut value = kube_enroll::yaml::first_document(text.as_bytes()).unwrap();
        value["users"][0]["user"]["exec"]["installHint"] = "call 555 for help".into();
        folder.write(CONFIG, kube_enroll::yaml::to_string(&value));
        place.take("first", words);
        assert_eq!(exec()["installHint"], "call 555 for help");
        folder.write(CONFIG, text);
    }
    place.uses(CONFIG, &[FIRST]);
    place.take("first", "--unlock-for 5m");
    assert_eq!(exec()["args"][7], "300s");
    // Options that it was given besides.
    let text = folder.read(CONFIG);
    let mut value = kube_enroll::yaml::first_document(text.as_bytes()).unwrap();
    let args = &mut value["users"][0]["user"]["exec"]["args"];
    let args = args.as_array_mut().unwrap();
    args.extend(["--passphrase-file", "/p"].map(Into::into));
    folder.write(CONFIG, kube_enroll::yaml::to_string(&value));
    place.take("first", "");
    let kept = exec()["args"].clone();
    let kept: Vec<_> = kept
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    assert!(
        kept.contains(&"--passphrase-file") && kept.contains(&"/p"),
        "{kept:?}"
    );
    assert_eq!(kept[..2], ["enroll", "credential"]);
    // What is not there any more cannot stay.
    std::fs::remove_file(own).unwrap();
    place.take("first", "");
    assert_eq!(exec()["command"], common::executable());
    assert_eq!(exec()["args"][0], "credential");
    assert_eq!(exec()["env"], before["env"]);
}

/// As the warning of a certificate that ends soon has it, for which nobody knows the kubeconfig.
#[test]
fn the_renewal_of_a_certificate_reaches_the_kubeconfigs_that_have_it() {
    for style in ["--files", "--exec"] {
        let Some(place) = Place::new() else { return };
        let manifest = place.request("request alice -g developers --expires-in 100d");
        place.reply("prod", &manifest, "first.reply.yaml");
        place.take("first", &format!("{style} --out team.kc"));
        place.take(
            "first",
            &format!("{style} --merge second.kc --context other"),
        );
        let folder = &place.folder;
        let renew = "renew alice@prod.crt --no-passphrase --expires-in 300d";
        let said = place.run(renew).good().stdout;
        let said = said.replace("\\\n", " ");
        let commands: Vec<&str> = said
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("kube-enroll kubeconfig "))
            .collect();
        assert_eq!(commands.len(), 2, "{said}");
        let names = folder.names().into_iter();
        let mut new = names.filter(|name| name.ends_with(".csr.yaml") && *name != manifest);
        let manifest = new.next().unwrap();
        let reply = manifest.replace(".csr.yaml", ".reply.yaml");
        place.reply("prod", &manifest, &reply);
        let before = [folder.read("team.kc"), folder.read("second.kc")];
        for command in commands {
            let words = command.strip_prefix("kube-enroll ").unwrap();
            place.run(words).good();
        }
        assert_ne!(folder.read("team.kc"), before[0]);
        assert_ne!(folder.read("second.kc"), before[1]);
        place.uses("team.kc", &[FIRST]);
        place.uses("second.kc", &[("other", "prod", DEVELOPER)]);
        let left = place.run("list team.kc second.kc -o csv").good().stdout;
        assert_eq!(left.matches("\"299\"").count(), 2, "{left}");
    }
}

#[test]
fn links_and_ways_up_are_resolved_before_they_are_written_down() {
    let Some(place) = Place::enrolled("--files") else {
        return;
    };
    let folder = &place.folder;
    folder.peer(
        "sh",
        &["-c", "ln -s alice.kubeconfig linked; mkdir keys other"],
    );
    let said = place
        .run("renew linked --no-passphrase --output-dir out")
        .good()
        .stdout;
    let merge = format!("--merge {}", folder.file(CONFIG).display());
    let said = said.replace("\\\n", " ");
    assert!(!said.contains("--merge linked"), "{said}");
    let said: Vec<_> = said.split_whitespace().collect();
    assert!(said.join(" ").contains(&merge), "{said:?}");
    // In another folder than that of the key.
    let go_up = format!(
        "cd keys && {} kubeconfig ../first.reply.yaml --key ../alice.key --files --merge ../other/config",
        common::executable()
    );
    folder.peer("sh", &["-c", &go_up]);
    assert!(!folder.read("other/config").contains(".."));
    folder.peer("rmdir", &["keys"]);
    place.uses("other/config", &[FIRST]);
}

/// What the last `run:` line of a message says, without the program.
fn to_run(said: &str) -> Vec<String> {
    let lines = said.lines().map(str::trim);
    let mut lines = lines.filter_map(|line| line.strip_prefix("run: kube-enroll "));
    let line = lines.next_back().unwrap();
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_key_that_is_in_the_kubeconfig_stays_in_it_also_where_its_file_is_encrypted() {
    let Some(place) = Place::enrolled("--embed") else {
        return;
    };
    let folder = &place.folder;
    folder.write("pass", "correct horse\n");
    let encrypt = "passphrase alice.key --new-passphrase-file pass";
    place.run(encrypt).good();
    let before = folder.read(CONFIG);
    let again = "first --passphrase-file pass";
    let words = again.replace("first", "kubeconfig first.reply.yaml");
    let ended = place.run(&words).good();
    assert_eq!(folder.read(CONFIG), before);
    assert!(!ended.stderr.contains("was in it"), "{}", ended.stderr);
    // Another key that is encrypted is not put there, and that is said with the way back.
    let request = "request alice -g developers --passphrase-file pass --algorithm ecdsa-p256";
    place.run(&format!("{request} --output-dir new")).good();
    place.reply("prod", "new/alice.csr.yaml", "new/alice.reply.yaml");
    let taken = format!(
        "kubeconfig new/alice.reply.yaml --passphrase-file pass --merge {CONFIG} --context alice@prod"
    );
    let ended = place.run(&taken).good();
    let said = "the key of this context was in it, unencrypted; new/alice.key is encrypted";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(!folder.read(CONFIG).contains("client-key-data"));
    let back = ended.stderr.split("run: kube-enroll ").nth(1).unwrap();
    let back = back.lines().next().unwrap();
    assert!(back.ends_with("--embed"), "{back}");
    place.run(back).good();
    assert!(folder.read(CONFIG).contains("client-key-data"));
    place.uses(CONFIG, &[FIRST]);
}

#[test]
fn one_reply_goes_into_several_kubeconfigs_or_into_none() {
    in_each_style(|place, style| {
        let folder = &place.folder;
        place.take("first", &format!("{style} --merge a --merge ./b --merge a"));
        place.uses("a", &[FIRST]);
        place.uses("b", &[FIRST]);
        let before = (folder.read("a"), folder.read("b"));
        let manifest = place.request("request alice -g ops --key alice.key");
        place.reply("prod", &manifest, "ops.reply.yaml");
        folder.peer("mkdir", &["home"]);
        // They say something else, and a new one would not.
        let both =
            format!("kubeconfig ops.reply.yaml {style} --merge a --merge home/new --merge b");
        let ended = place.run(&both);
        assert_eq!(ended.status, 2);
        let said = "nothing was written, home/new neither";
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert_eq!((folder.read("a"), folder.read("b")), before);
        assert!(!folder.has("home/new"));
        let alone = to_run(&ended.stderr);
        let alone: Vec<&str> = alone.iter().map(String::as_str).collect();
        folder.run(&alone).good();
        place.uses("home/new", &[("alice@prod", "prod", OPERATOR)]);
        place.run(&format!("{both} --context ops")).good();
        let ops = ("ops", "prod", OPERATOR);
        place.uses("a", &[FIRST, ops]);
        place.uses("b", &[FIRST, ops]);
    });
}

#[test]
fn a_kubeconfig_behind_a_link_is_named_with_the_line_that_writes_it() {
    let Some(place) = Place::enrolled("--embed") else {
        return;
    };
    let folder = &place.folder;
    place.joins("dev", "--out dev.kubeconfig");
    folder.peer("ln", &["-s", CONFIG, "linked"]);
    let ended = place.run("kubeconfig dev.reply.yaml --merge linked");
    assert_eq!(ended.status, 2);
    assert!(
        ended.stderr.contains("linked is a symbolic link"),
        "{}",
        ended.stderr
    );
    let line = to_run(&ended.stderr);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    folder.run(&line).good();
    place.uses(CONFIG, &[FIRST, SECOND]);
}

/// The paths in the kubeconfig lead nowhere, and the key that it is marked with is that of the
/// certificate.
#[test]
fn the_renewal_of_a_certificate_in_a_folder_that_moved_reaches_its_kubeconfig() {
    for style in ["--files", "--exec"] {
        let Some(place) = Place::new() else { return };
        let folder = &place.folder;
        folder.peer("mkdir", &["old"]);
        let manifest = place.request("request alice -g developers --expires-in 100d");
        place.reply("prod", &manifest, "alice.reply.yaml");
        let to = "--merge old/team.kc --context mine";
        place.take("alice", &format!("{style} {to}"));
        folder.peer("sh", &["-c", "mv alice* old; mv old moved"]);
        let renew =
            "renew moved/alice@prod.crt --no-passphrase --expires-in 300d --output-dir moved";
        let said = place.run(renew).good().stdout.replace("\\\n", " ");
        let line = said
            .lines()
            .find_map(|line| line.trim().strip_prefix("kube-enroll kubeconfig "));
        let line = line.unwrap().split_whitespace().collect::<Vec<_>>();
        let line = line.join(" ");
        assert!(
            line.contains("--merge moved/team.kc --context mine"),
            "{line}"
        );
        let reply = line.split(' ').next().unwrap();
        let manifest = reply.replace(".reply.yaml", ".csr.yaml");
        place.reply("prod", &manifest, reply);
        place.run(&format!("kubeconfig {line}")).good();
        place.uses("moved/team.kc", &[("mine", "prod", DEVELOPER)]);
    }
}

#[test]
fn the_replies_of_earlier_years_in_the_folder_are_passed_over() {
    in_each_style(|place, style| {
        let folder = &place.folder;
        place.reply_of("prod", "alice.csr.yaml", "ended.reply.yaml", 200);
        let manifest = place.request(&format!("renew {CONFIG} --expires-in 300d"));
        place.reply("prod", &manifest, "renewed.reply.yaml");
        for (words, file) in [
            (".", CONFIG),
            (
                "renewed.reply.yaml ended.reply.yaml first.reply.yaml --out new",
                "new",
            ),
            (". --merge a --merge b", "b"),
        ] {
            let ended = place.run(&format!("kubeconfig {words} {style}")).good();
            let said = "the certificate in NAME is passed over: NEW has one of the same user";
            let said = said
                .replace("NEW", "./renewed.reply.yaml")
                .replace("./", if words.starts_with('.') { "./" } else { "" });
            for name in ["first", "ended"] {
                let name = format!(
                    "{}{name}.reply.yaml",
                    if words.starts_with('.') { "./" } else { "" }
                );
                let said = said.replace("NAME", &name);
                assert!(ended.stderr.contains(&said), "{}", ended.stderr);
            }
            place.uses(file, &[FIRST]);
            let listed = folder.run(&["list", file, "--expires-within", "250d"]);
            assert_eq!(listed.status, 0, "{}", listed.stdout);
        }
        // Alone it is meant, and does not take the place of the newer one.
        assert_eq!(place.run("kubeconfig first.reply.yaml").status, 2);
    });
}

/// Somebody asked for less time, and throws away what lasts longer.
#[test]
fn a_certificate_for_a_shorter_time_that_was_issued_later_is_the_newest() {
    for style in STYLES {
        let Some(place) = Place::new() else { return };
        let folder = &place.folder;
        let manifest = place.request("request alice -g developers --expires-in 300d");
        place.reply_of("prod", &manifest, "a.reply.yaml", 20);
        place.take("a", style);
        let manifest = place.request(&format!("renew {CONFIG} --expires-in 30d"));
        place.reply("prod", &manifest, "b.reply.yaml");
        // Which of both is meant is not for us to say: one lasts longer.
        let both = &["to have both:", "to replace the one that is there:"];
        place.run("kubeconfig .").fails(2, both);
        place.take("b", "--context alice@prod");
        let config = folder.read(CONFIG);
        for words in [
            ".",
            "a.reply.yaml b.reply.yaml",
            "b.reply.yaml a.reply.yaml",
        ] {
            let said = place.run(&format!("kubeconfig {words}")).good().stderr;
            assert!(said.contains("a.reply.yaml is passed over: "), "{said}");
            assert!(said.contains("that was issued later"), "{said}");
            assert_eq!(folder.read(CONFIG), config, "{words}");
        }
        // By name it is not put back either, unless that is asked for.
        let ended = place.run("kubeconfig a.reply.yaml");
        ended.fails(
            2,
            &["nothing of it was changed", both[0], both[1], " from "],
        );
        assert_eq!(folder.read(CONFIG), config);
        place.take("a", "--context alice@prod");
        place.uses(CONFIG, &[FIRST]);
    }
}

/// Its certificate is not where the kubeconfig says, and only the key that it is marked with tells.
#[test]
fn the_context_of_another_person_stays_theirs_where_their_certificate_cannot_be_read() {
    for style in ["--exec", "--files"] {
        let Some(place) = Place::new() else { return };
        let folder = &place.folder;
        let bob = place.request("request bob -g developers");
        place.reply("prod", &bob, "bob.reply.yaml");
        place.take("bob", &format!("{style} --context prod --merge kc"));
        let carol = place.request("request carol -g developers");
        place.reply("prod", &carol, "carol.reply.yaml");
        let before = folder.read("kc");
        for gone in ["mv bob@prod.crt away", "mkdir bob@prod.crt"] {
            folder.peer("sh", &["-ec", gone]);
            for style in STYLES {
                let words =
                    format!("kubeconfig carol.reply.yaml {style} --context prod --merge kc");
                let words = [&words, "with another key", "add a context of another name:"];
                place.run(words[0]).fails(2, &words[1..]);
                assert_eq!(folder.read("kc"), before, "{gone} {style}");
            }
        }
        folder.peer("sh", &["-ec", "rmdir bob@prod.crt; mv away bob@prod.crt"]);
        place.uses("kc", &[("prod", "prod", "O=developers,CN=bob")]);
        place.take("carol", &format!("{style} --context prod-2 --merge kc"));
        let both = [
            ("prod", "prod", "O=developers,CN=bob"),
            ("prod-2", "prod", "O=developers,CN=carol"),
        ];
        place.uses("kc", &both);
    }
}

/// Nobody ever writes to the pipes.
#[test]
fn what_is_no_file_holds_up_nothing_in_a_folder_and_in_the_place_of_the_kubeconfig() {
    let Some(place) = Place::enrolled("--exec") else {
        return;
    };
    let folder = &place.folder;
    let pipes = "k.key d.csr d.csr.yaml d.crt d.kubeconfig";
    folder.peer("sh", &["-ec", &format!("mkfifo {pipes}")]);
    let started = Instant::now();
    for words in [
        "kubeconfig first.reply.yaml --out new",
        "kubeconfig first.reply.yaml --dry-run",
        "kubeconfig . --key . --merge other",
        "renew first.reply.yaml --keep-key --output-dir .",
        "renew first.reply.yaml --no-passphrase",
    ] {
        place.run(words).good();
    }
    let ended = place.run("unlock");
    assert!(!ended.stderr.contains("d.kubeconfig"), "{}", ended.stderr);
    folder.peer(
        "sh",
        &["-ec", &format!("rm {pipes} {CONFIG}; mkfifo {CONFIG}")],
    );
    for words in ["", "--dry-run"] {
        let words = format!("kubeconfig first.reply.yaml {words}");
        place
            .run(&words)
            .fails(2, &["a named pipe (FIFO), and is not replaced"]);
    }
    assert!(started.elapsed() < Duration::from_secs(30));
}

/// Where one of two keys was lost, its reply is one of others.
#[test]
fn only_replies_whose_key_is_here_count_for_a_kubeconfig_of_its_own() {
    let Some(place) = Place::enrolled("--embed") else {
        return;
    };
    let manifest = place.request(&format!("renew {CONFIG}"));
    place.reply("prod", &manifest, "renewed.reply.yaml");
    place.folder.peer("rm", &["alice.key"]);
    let said = "1 other is for keys that are not here";
    let ended = place.run("kubeconfig . --out new").good();
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    place.uses("new", &[FIRST]);
    let manifest = place.request("request alice -g ops");
    place.reply("prod", &manifest, "ops.reply.yaml");
    let several = "--out is for one kubeconfig, and here are several";
    place.run("kubeconfig . --out both").fails(2, &[several]);
    assert!(!place.folder.has("both"));
}

#[test]
fn what_to_run_after_a_dry_run_that_was_refused_writes() {
    let Some(place) = Place::enrolled("--embed") else {
        return;
    };
    let manifest = place.request("request alice -g ops --key alice.key");
    place.reply("prod", &manifest, "ops.reply.yaml");
    let ended = place.run("kubeconfig ops.reply.yaml --dry-run");
    assert!(!ended.stderr.contains("--dry-run"), "{}", ended.stderr);
    ended.fails(2, &["kubeconfig ops.reply.yaml --context alice@prod-2"]);
}

#[test]
fn a_reply_is_found_under_the_name_that_it_was_given() {
    in_each_style(|place, style| {
        let manifest = place.request("request alice -g ops --key alice.key");
        place.reply("prod", &manifest, "ops.reply.yaml");
        place.take("ops", &format!("{style} --context alice@prod-2"));
        let before = (place.folder.read(CONFIG), place.folder.names());
        let ended = place.run("kubeconfig ops.reply.yaml").good();
        assert!(
            ended.stdout.contains("context alice@prod-2"),
            "{}",
            ended.stdout
        );
        assert_eq!((place.folder.read(CONFIG), place.folder.names()), before);
        place.uses(CONFIG, &[FIRST, ("alice@prod-2", "prod", OPERATOR)]);
    });
}

#[test]
fn in_which_order_groups_are_asked_for_says_nothing() {
    let Some(place) = Place::new() else { return };
    let manifest = place.request("request alice -g b -g a");
    place.run("request alice -g a -g b --key alice.key --output-dir other --no-passphrase");
    assert!(place.folder.has("other/alice.csr.yaml"));
    place.reply("prod", "other/alice.csr.yaml", "alice.reply.yaml");
    assert_ne!(
        place.folder.read("other/alice.csr.yaml"),
        place.folder.read(&manifest)
    );
    place.take("alice", "");
    place.uses(CONFIG, &[("alice@prod", "prod", "O=a+O=b,CN=alice")]);
}
