//! The second year: `renew`, and the reply in place of what came before.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use common::{Ended, Folder, admin_kubeconfig, authority, issue, issue_at};
use kube_enroll::rehearsal::Authority;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// A person with a kubeconfig in one style, the authority, and what their passphrase is given with.
struct First {
    folder: Folder,
    authority: Authority,
    secret: &'static [&'static str],
}

const ENCRYPTED: &[&str] = &["--passphrase-file", "pass"];
const PLAIN: &[&str] = &["--no-passphrase"];

impl First {
    /// The certificate was issued so many days ago, for a hundred.
    fn year(style: &str, target: &[&str], age: i64) -> Self {
        let secret = if style == "--exec" { ENCRYPTED } else { PLAIN };
        let first = Self {
            folder: Folder::new(),
            authority: authority(),
            secret,
        };
        let folder = &first.folder;
        folder.write("pass", "correct horse\n");
        folder.peer("mkdir", &["home"]);
        folder.write("admin.kubeconfig", admin_kubeconfig(&first.authority));
        let request = ["request", "alice", "-g", "developers", "-g", "on,call"];
        let more = ["--expires-in", "100d", "--algorithm", "ecdsa-p384"];
        folder.run(&[&request[..], &more, secret].concat()).good();
        first.reply("alice.csr.yaml", "alice.reply.yaml", 0);
        let write = ["kubeconfig", "alice.reply.yaml", style];
        folder
            .run(&[&write[..], first.opening(), target].concat())
            .good();
        if age > 0 {
            first.age(style, age);
        }
        first
    }

    /// What opens a key that is there.
    fn opening(&self) -> &'static [&'static str] {
        if self.secret == ENCRYPTED {
            ENCRYPTED
        } else {
            &[]
        }
    }

    /// The administrator's side.
    fn reply(&self, manifest: &str, out: &str, age: i64) {
        let then = OffsetDateTime::now_utc() - Duration::days(age);
        let object = issue_at(&self.folder.read(manifest), &self.authority, then);
        let reply = ["reply", "--kubeconfig", "admin.kubeconfig", "--out", out];
        self.folder.run_with(&reply, object.as_bytes()).good();
    }

    /// Time goes by: the certificate that everything has is one of long ago.
    fn age(&self, style: &str, age: i64) {
        let then = OffsetDateTime::now_utc() - Duration::days(age);
        let object = issue_at(&self.folder.read("alice.csr.yaml"), &self.authority, then);
        let certificate = common::certificate_of(&object);
        if style == "--embed" {
            use base64::Engine as _;
            let name = self.config();
            let data = base64::prelude::BASE64_STANDARD.encode(certificate);
            let lines = self.folder.read(&name);
            let lines =
                lines
                    .lines()
                    .map(|line| match line.split_once("client-certificate-data:") {
                        Some((indent, _)) => format!("{indent}client-certificate-data: {data}\n"),
                        None => format!("{line}\n"),
                    });
            let text: String = lines.collect();
            self.folder.write(&name, text);
        } else {
            self.folder.write("alice@prod.crt", certificate);
        }
    }

    fn config(&self) -> String {
        let names = ["alice.kubeconfig", "home/config"];
        let found = names.into_iter().find(|name| self.folder.has(name));
        found.unwrap().to_owned()
    }

    fn renew(&self, args: &[&str], secret: &[&str]) -> Ended {
        let config = self.config();
        let renew = ["renew", &config];
        self.folder.run(&[&renew[..], args, secret].concat())
    }

    /// The only context, as `inspect` shows it.
    fn context(&self) -> Value {
        let config = self.config();
        let report = self.folder.run(&["inspect", "-o", "json", &config]).json();
        let contexts = report["objects"][0]["kubeconfig"]["contexts"].clone();
        assert_eq!(contexts.as_array().unwrap().len(), 1, "{contexts}");
        contexts[0].clone()
    }

    /// The last command that was printed, with a passphrase for its key.
    fn follow(&self, printed: &str, more: &[&str]) -> Ended {
        let start = printed.rfind("kube-enroll kubeconfig").unwrap();
        let command = printed[start..].replace("\\\n", " ");
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        self.folder.run(&[&words, more].concat())
    }
}

/// The one manifest that was not there before.
fn new_manifest(folder: &Folder, before: &[String]) -> String {
    let names = folder.names().into_iter();
    let mut new = names.filter(|name| name.ends_with(".csr.yaml") && !before.contains(name));
    let name = new.next().unwrap();
    assert_eq!(new.next(), None);
    name
}

#[test]
fn a_renewal_takes_the_place_of_the_first_in_every_style_and_place_before_and_after_its_end() {
    for style in ["--embed", "--files", "--exec"] {
        for (target, keep_key, age) in [
            (&[][..], false, 0),
            (&[], true, 99),
            (&["--merge", "home/config"], false, 200),
            (&["--merge", "home/config"], true, 0),
        ] {
            let case = format!("{style} {target:?} {keep_key} {age}");
            let first = First::year(style, target, age);
            let folder = &first.folder;
            let old = first.context();
            let (before, files) = (folder.names(), contents(folder));

            let secret = if keep_key {
                first.opening()
            } else {
                first.secret
            };
            let flag: &[&str] = if keep_key { &["--keep-key"] } else { &[] };
            let ended = first.renew(flag, secret).good();
            for (name, text) in &files {
                assert_eq!(&folder.read(name), text, "{case}: {name}");
            }
            let manifest = new_manifest(folder, &before);
            let asked = folder
                .run(&["inspect", "-o", "json", &manifest])
                .good()
                .json();
            let asked = &asked["objects"][0];
            assert_eq!(asked["identity"]["username"], "alice");
            // Certificates have them in the order of their encoding.
            let groups = &asked["identity"]["groups"];
            assert_eq!(*groups, json!(["on,call", "developers"]));
            assert_eq!(asked["expirationSeconds"], 100 * 86_400);
            assert_eq!(asked["csr"]["signatureAlgorithm"], "ecdsa-with-SHA384");
            assert_eq!(
                asked["publicKey"]["fingerprint"] == old["key"],
                keep_key,
                "{case}"
            );

            let reply = manifest.replace(".csr.yaml", ".reply.yaml");
            let _ = std::fs::remove_file(folder.file(&reply));
            first.reply(&manifest, &reply, 0);
            first.follow(&ended.stdout, first.opening()).good();
            let new = first.context();
            assert_eq!(new["name"], old["name"], "{case}");
            assert_eq!(new["usable"], true, "{case}: {new}");
            assert_eq!(new["daysLeft"], 99, "{case}");
            assert_eq!(new["key"], asked["publicKey"]["fingerprint"], "{case}");
            assert_eq!(
                new["keyFile"] == old["keyFile"],
                keep_key || style == "--embed"
            );
            for (name, text) in &files {
                let is_replaced = *name == first.config() || *name == reply;
                assert!(is_replaced || &folder.read(name) == text, "{case}: {name}");
            }
        }
    }
}

/// What is in every file of the folder.
fn contents(folder: &Folder) -> Vec<(String, String)> {
    let names = folder.names().into_iter();
    let files = names.filter(|name| folder.file(name).is_file());
    files
        .map(|name| (name.clone(), folder.read(&name)))
        .collect()
}

#[test]
fn other_groups_and_lifetimes_can_be_asked_for() {
    let first = First::year("--embed", &[], 0);
    let args = [
        "-g",
        "admins",
        "--expires-in",
        "30d",
        "--output-dir",
        "second",
    ];
    let ended = first.renew(&args, PLAIN).good();
    assert!(ended.stderr.contains("ends in 99 days"), "{}", ended.stderr);
    let folder = &first.folder;
    let asked = folder
        .run(&["inspect", "-o", "json", "second/alice.csr.yaml"])
        .json();
    assert_eq!(asked["objects"][0]["identity"]["groups"], json!(["admins"]));
    assert_eq!(asked["objects"][0]["expirationSeconds"], 30 * 86_400);
    let object = issue(&folder.read("second/alice.csr.yaml"), &first.authority);
    folder.write("second.yaml", object);
    let reply = ["reply", "second.yaml", "--kubeconfig", "admin.kubeconfig"];
    // The first one is there still, under the same name.
    assert!(folder.has("alice.reply.yaml"));
    let words = "Put the reply into second";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
    folder
        .run(&[&reply[..], &["--out", "second/alice.reply.yaml"]].concat())
        .good();
    first.follow(&ended.stdout, &[]).good();
    assert_eq!(first.context()["groups"], json!(["admins"]));
    assert_eq!(first.context()["daysLeft"], 29);
}

#[test]
fn certificates_and_replies_can_be_renewed_too() {
    let first = First::year("--files", &[], 0);
    let folder = &first.folder;
    folder.peer("mkdir", &["admins"]);
    folder.peer("cp", &["alice.reply.yaml", "alice@prod.crt", "admins"]);
    if common::have("openssl") {
        let der = [
            "x509",
            "-in",
            "alice@prod.crt",
            "-outform",
            "DER",
            "-out",
            "admins/alice.der",
        ];
        folder.peer("openssl", &der);
    } else {
        folder.peer("cp", &["alice@prod.crt", "admins/alice.der"]);
    }
    for (number, file) in ["alice.reply.yaml", "alice@prod.crt", "alice.der"]
        .iter()
        .enumerate()
    {
        let (file, out) = (format!("admins/{file}"), format!("out{number}"));
        let ended = folder.run(&["renew", &file, "--no-passphrase", "--output-dir", &out]);
        ended.good();
        let manifest = format!("{out}/alice.csr.yaml");
        let asked = folder.run(&["inspect", "-o", "json", &manifest]).json();
        assert_eq!(asked["objects"][0]["expirationSeconds"], 100 * 86_400);
        // The key lies here, and not beside the certificate.
        let kept = folder.run(&[
            "renew",
            &file,
            "--keep-key",
            "--output-dir",
            &format!("{out}k"),
        ]);
        kept.good();
    }
    std::fs::remove_file(folder.file("alice.key")).unwrap();
    folder
        .run(&["renew", "admins/alice.der", "--keep-key"])
        .fails(
            1,
            &[
                "none of the 0 .key files",
                "without --keep-key a new key is made",
            ],
        );
}

#[test]
fn a_key_that_is_only_in_the_kubeconfig_can_be_kept() {
    let first = First::year("--embed", &[], 0);
    let folder = &first.folder;
    let old = first.context();
    for name in [
        "alice.key",
        "alice.csr",
        "alice.csr.yaml",
        "alice.reply.yaml",
    ] {
        std::fs::remove_file(folder.file(name)).unwrap();
    }
    let ended = first.renew(&["--keep-key"], PLAIN).good();
    assert_eq!(folder.mode("alice.key"), 0o600);
    first.reply("alice.csr.yaml", "alice.reply.yaml", 0);
    first.follow(&ended.stdout, &[]).good();
    assert_eq!(first.context()["key"], old["key"]);
}

#[test]
fn the_same_request_of_the_same_key_is_the_one_that_is_there() {
    let first = First::year("--embed", &[], 0);
    let folder = &first.folder;
    let before = folder.names();
    let args = ["--keep-key", "-g", "developers", "-g", "on,call"];
    first.renew(&args, &[]).good();
    let manifest = new_manifest(folder, &before);
    let name = |manifest: &str| {
        let text = folder.read(manifest);
        let line = text.lines().find(|line| line.contains("name: ")).unwrap();
        line.trim().to_owned()
    };
    // The cluster may still have the first, and `kubectl create` takes a name once.
    let (old, new) = (name("alice.csr.yaml"), name(&manifest));
    assert!(
        new.starts_with(old.trim_end_matches('"')) && new != old,
        "{new}"
    );
    let verify = [
        "verify",
        &manifest,
        "--user",
        "alice",
        "-g",
        "developers",
        "-g",
        "on,call",
    ];
    let verified = folder.run(&verify).good();
    assert!(
        !verified.stdout.contains("name-without-hash"),
        "{}",
        verified.stdout
    );
    let before = folder.names();
    let ended = first.renew(&args, &[]).good();
    let is_there = format!("{manifest} is there already");
    assert!(ended.stdout.starts_with(&is_there), "{}", ended.stdout);
    assert_eq!(folder.names(), before);
    let reply = manifest.replace(".csr.yaml", ".reply.yaml");
    first.reply(&manifest, &reply, 1);
    first.follow(&ended.stdout, &[]).good();
    assert_eq!(first.context()["daysLeft"], 98);
    // The one after it follows another certificate.
    let before = folder.names();
    first.renew(&args, &[]).good();
    assert_ne!(name(&new_manifest(folder, &before)), new);
}

/// A reply to the first request, of which only 30 days and a bit were granted, as where an authority
/// ends then.
fn cut(first: &First) {
    let folder = &first.folder;
    let (asked, granted) = ("expirationSeconds: 8640000", "expirationSeconds: 2592145");
    let manifest = folder.read("alice.csr.yaml").replace(asked, granted);
    assert!(manifest.contains(granted));
    let object = issue(&manifest, &first.authority).replace(granted, asked);
    std::fs::remove_file(folder.file("alice.reply.yaml")).unwrap();
    let reply = [
        "reply",
        "--kubeconfig",
        "admin.kubeconfig",
        "--out",
        "alice.reply.yaml",
    ];
    let told = folder.run_with(&reply, object.as_bytes()).good();
    let words = "30d granted, 100d asked for";
    assert!(told.stderr.contains(words), "{}", told.stderr);
    folder.write("alice@prod.crt", common::certificate_of(&object));
    folder
        .run(&[
            "kubeconfig",
            "alice.reply.yaml",
            "--files",
            "--merge",
            "cut",
        ])
        .good();
}

#[test]
fn of_a_lifetime_that_was_cut_the_whole_is_asked_for_again() {
    let first = First::year("--files", &[], 0);
    let folder = &first.folder;
    cut(&first);
    let asked = |number: usize, file: &str, seconds: i64, words: &str| {
        let out = format!("out{number}");
        let renew = ["renew", file, "--no-passphrase", "--output-dir", &out];
        let ended = folder.run(&renew).good();
        assert!(ended.stderr.contains(words), "{file}: {}", ended.stderr);
        let manifest = folder.read(&format!("{out}/alice.csr.yaml"));
        let line = format!("expirationSeconds: {seconds}\n");
        assert!(manifest.contains(&line), "{file}: {manifest}");
    };
    let again = "asking for 100d again, as in alice.";
    asked(
        0,
        "alice.reply.yaml",
        8_640_000,
        "asking for 100d again, of which 30d were granted",
    );
    asked(1, "cut", 8_640_000, again);
    // The request tells it as well.
    folder.peer("mv", &["alice.reply.yaml", "away"]);
    asked(
        2,
        "alice@prod.crt",
        8_640_000,
        "asking for 100d again, as in alice.csr.yaml",
    );
    // A shorter one of the same key is not the one.
    let other = [
        "request",
        "alice",
        "-g",
        "developers",
        "-g",
        "on,call",
        "--key",
        "alice.key",
    ];
    folder
        .run(&[&other[..], &["--expires-in", "1d"]].concat())
        .good();
    asked(3, "cut", 8_640_000, again);
    folder.peer("sh", &["-c", "rm *.csr.yaml"]);
    asked(
        4,
        "cut",
        30 * 86_400,
        "asking for 30d, for which the certificate was valid",
    );
}

#[test]
fn what_the_way_did_to_a_reply_or_certificate_does_not_matter() {
    let first = First::year("--files", &[], 0);
    let folder = &first.folder;
    let quoted = |text: String| {
        let text = text.trim_end().replace('\n', "\n> ");
        format!("> {text}\n")
    };
    folder.write("quoted", quoted(folder.read("alice.reply.yaml")));
    folder.write("quoted.crt", quoted(folder.read("alice@prod.crt")));
    for (number, file) in ["quoted", "quoted.crt"].into_iter().enumerate() {
        let out = format!("out{number}");
        let renew = ["renew", file, "--no-passphrase", "--output-dir", &out];
        let ended = folder.run(&renew).good();
        assert!(
            ended.stderr.contains("read all the same"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_kubeconfig_with_a_damaged_certificate_says_so() {
    let first = First::year("--embed", &[], 0);
    let folder = &first.folder;
    let config = folder.read("alice.kubeconfig");
    let line = config
        .lines()
        .find(|it| it.contains("client-certificate-data:"))
        .unwrap();
    for (data, words) in [
        ("YQ==", "no certificate found"),
        ("!", "no certificate found"),
    ] {
        let damaged = config.replace(line, &format!("    client-certificate-data: \"{data}\""));
        folder.write("damaged", damaged);
        folder.run(&["renew", "damaged", "--no-passphrase"]).fails(
            2,
            &[
                "damaged: the certificate of user alice@prod: ",
                words,
                "kube-enroll list",
            ],
        );
    }
    let first = First::year("--files", &[], 0);
    first.folder.write("alice@prod.crt", "nothing\n");
    first.renew(&[], PLAIN).fails(
        2,
        &[
            "alice.kubeconfig: the certificate of user alice@prod, ",
            "alice@prod.crt",
        ],
    );
}

#[test]
fn what_cannot_be_renewed_says_why_and_what_to_do() {
    let first = First::year("--embed", &[], 0);
    let folder = &first.folder;
    let renew = |file: &str, more: &[&str]| {
        folder.run(&[&["renew", file, "--no-passphrase"], more].concat())
    };
    renew("alice.kubeconfig", &["--context", "bob"]).fails(
        2,
        &[
            "there is no context bob",
            "kube-enroll inspect alice.kubeconfig",
        ],
    );
    renew("admin.kubeconfig", &[]).fails(
        2,
        &[
            "context prod has no client certificate",
            "no context of it has a client certificate: name a certificate",
            "kube-enroll list",
        ],
    );
    renew("alice.csr.yaml", &[]).fails(2, &["there is no certificate in alice-", "yet"]);
    renew("alice.key", &[]).fails(
        2,
        &[
            "alice.key is a private key, not",
            "kube-enroll request USER --key alice.key",
        ],
    );
    folder.write("empty", "");
    renew("empty", &[]).fails(2, &["empty: there is nothing in it", "once more, whole"]);
    renew("pass", &[]).fails(
        2,
        &[
            "pass is one line of text, not a kubeconfig",
            "kube-enroll list",
        ],
    );
    renew("nowhere", &[]).fails(2, &["no such file"]);
    let object = folder.read("alice.reply.yaml");
    let (one, rest) = object.split_once("---\n").unwrap();
    let two = format!(
        "{one}---\n{}---\n{rest}",
        one.replace("name: \"alice-", "name: \"bob-")
    );
    folder.write("two.yaml", two);
    renew("two.yaml", &[]).fails(2, &["there are several: ", "renew each"]);
    let config = folder.read("alice.kubeconfig");
    let config = config.replace("current-context: \"alice@prod\"", "current-context: \"\"");
    let context = "contexts:\n- context: {cluster: prod, user: alice@prod}\n  name: second";
    folder.write("several", config.replace("contexts:", context));
    renew("several", &[]).fails(
        2,
        &["there are several: second, alice@prod", "--context second"],
    );
    renew("several", &["--context", "second", "--output-dir", "out"]).good();
    renew("alice.kubeconfig", &["-g", "system:masters"]).fails(2, &["system:masters"]);
    assert!(!folder.names().iter().any(|name| name.starts_with("alice-")));
}

#[test]
fn the_certificate_of_an_authority_is_nobodys_to_renew() {
    let folder = Folder::new();
    folder.write("ca.crt", authority().certificate().to_pem());
    folder
        .run(&["renew", "ca.crt", "--no-passphrase"])
        .fails(2, &["authority", "of a user"]);
    assert_eq!(folder.names(), ["ca.crt"]);
}

#[test]
fn a_second_renewal_while_the_first_is_on_its_way_is_told_and_made() {
    let first = First::year("--files", &[], 0);
    let folder = &first.folder;
    let note = "asks for the same with a key of its own, and no reply to it is here";
    let renew = |more: &[&str], is_told: bool| {
        let before = folder.names();
        let ended = first.renew(more, PLAIN).good();
        assert_eq!(ended.stderr.contains(note), is_told, "{}", ended.stderr);
        let groups = ended.stderr;
        (new_manifest(folder, &before), groups)
    };
    let (pending, _) = renew(&[], false);
    let (_, said) = renew(&[], true);
    assert!(said.contains(&format!("{pending} {note}")), "{said}");
    // Other groups are another thing.
    renew(&["-g", "admins"], false);
    // And so is another lifetime.
    renew(&["--expires-in", "31d"], false);
    renew(&["--expires-in", "32d"], false);
    renew(&["--expires-in", "31d"], true);
    // Once it was answered, one may ask again; of the second it is said still.
    for name in folder.names() {
        if name.ends_with(".csr.yaml") && name != "alice.csr.yaml" {
            let reply = name.replace(".csr.yaml", ".reply.yaml");
            let _ = std::fs::remove_file(folder.file(&reply));
            first.reply(&name, &reply, 0);
        }
    }
    renew(&[], false);
}

/// In a folder of somebody else: before a key is made or a passphrase asked, and the line works as it
/// is printed.
#[test]
fn where_nothing_can_be_written_the_line_that_writes_elsewhere_is_printed() {
    let first = First::year("--embed", &[], 0);
    let folder = &first.folder;
    let is_root = folder.other("id", &["-u"]).stdout.trim() == "0";
    let as_other = if is_root {
        "setpriv --reuid 65534 --clear-groups "
    } else {
        ""
    };
    let make = format!(
        "mkdir locked; cp alice.kubeconfig locked; chmod 644 locked/alice.kubeconfig; cp '{}' ours; \
         chmod 755 . ours home; chmod 555 locked; {}",
        common::executable(),
        if is_root { "chown 65534 home" } else { "" }
    );
    folder.peer("sh", &["-ec", &make]);
    let home = folder.file("home").display().to_string();
    for command in [
        "request bob -g dev --output-dir=. --no-passphrase --algorithm ecdsa-p256",
        "renew alice.kubeconfig --no-passphrase -g 'a b'",
    ] {
        let run = |words: &str| {
            let script = format!("cd locked; HOME='{home}' {as_other} ../ours {words}");
            folder.other("sh", &["-c", &script])
        };
        let ended = run(command);
        assert_eq!(ended.status, 2, "{}", ended.stderr);
        let said = "cannot write into .: permission denied";
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        let line = ended.stderr.split("run: kube-enroll ").nth(1).unwrap();
        let line = line.lines().next().unwrap();
        assert!(
            line.contains(&format!("--output-dir {home}/kube-enroll")),
            "{line}"
        );
        run(line).good();
    }
    let made = std::fs::read_dir(folder.file("home/kube-enroll")).unwrap();
    assert_eq!(made.count(), 6);
    folder.set_mode("locked", 0o755);
}

#[test]
fn a_request_whose_key_is_gone_or_that_was_answered_is_not_on_its_way() {
    let first = First::year("--files", &[], 0);
    let folder = &first.folder;
    let note = "asks for the same with a key of its own";
    let renew = |is_told: bool| {
        let before = folder.names();
        let ended = first.renew(&[], PLAIN).good();
        assert_eq!(ended.stderr.contains(note), is_told, "{}", ended.stderr);
        let manifest = new_manifest(folder, &before);
        manifest.strip_suffix(".csr.yaml").unwrap().to_owned()
    };
    let second = renew(false);
    std::fs::remove_file(folder.file(&format!("{second}.key"))).unwrap();
    let third = renew(false);
    // Its certificate is here, and not the reply.
    let object = issue(&folder.read(&format!("{third}.csr.yaml")), &first.authority);
    folder.write("third.crt", common::certificate_of(&object));
    renew(false);
    renew(true);
}

#[test]
fn what_something_else_made_stays_and_the_context_beside_it_is_named() {
    let first = First::year("--embed", &[], 0);
    let folder = &first.folder;
    let text = folder.read("alice.kubeconfig");
    let mut value = kube_enroll::yaml::first_document(text.as_bytes()).unwrap();
    let user = value["users"][0]["user"].as_object_mut().unwrap();
    user.remove("extensions").unwrap();
    folder.write("alice.kubeconfig", kube_enroll::yaml::to_string(&value));
    let before = folder.names();
    let ended = first.renew(&[], PLAIN).good();
    let said =
        "context alice@prod of alice.kubeconfig was made by something else and stays as it is";
    let switch = "kubectl --kubeconfig alice.kubeconfig config use-context alice@prod-2";
    for words in [said, switch] {
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
    let manifest = new_manifest(folder, &before);
    let reply = manifest.replace(".csr.yaml", ".reply.yaml");
    first.reply(&manifest, &reply, 0);
    first.follow(&ended.stdout, &[]).good();
    let text = folder.read("alice.kubeconfig");
    let after = kube_enroll::yaml::first_document(text.as_bytes()).unwrap();
    assert_eq!(after["users"][0], value["users"][0]);
    let names: Vec<_> = after["contexts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["alice@prod", "alice@prod-2"]);
}

/// Its cluster is called otherwise than in the reply, where that name is another one's, and has a way of its
/// own; and it has a namespace.
#[test]
fn the_context_beside_one_of_others_differs_from_it_in_the_user_alone() {
    let first = First::year("--embed", &[], 0);
    let folder = &first.folder;
    let text = folder.read("alice.kubeconfig");
    let mut value = kube_enroll::yaml::first_document(text.as_bytes()).unwrap();
    let user = value["users"][0]["user"].as_object_mut().unwrap();
    user.remove("extensions").unwrap();
    let mut other = value["clusters"][0].clone();
    other["cluster"]["server"] = "https://other.example:6443".into();
    value["clusters"][0]["name"] = "kubernetes".into();
    value["clusters"][0]["cluster"]["proxy-url"] = "http://proxy.example:3128".into();
    value["clusters"].as_array_mut().unwrap().push(other);
    value["contexts"][0]["context"]["cluster"] = "kubernetes".into();
    value["contexts"][0]["context"]["namespace"] = "team".into();
    folder.write("alice.kubeconfig", kube_enroll::yaml::to_string(&value));
    let before = folder.names();
    let ended = first.renew(&[], PLAIN).good();
    let manifest = new_manifest(folder, &before);
    let reply = manifest.replace(".csr.yaml", ".reply.yaml");
    first.reply(&manifest, &reply, 0);
    first.follow(&ended.stdout, &[]).good();
    let text = folder.read("alice.kubeconfig");
    let after = kube_enroll::yaml::first_document(text.as_bytes()).unwrap();
    assert_eq!(after["clusters"], value["clusters"]);
    let contexts = after["contexts"].as_array().unwrap();
    let [old, new] = contexts.as_slice() else {
        panic!("{text}");
    };
    assert_eq!(new["name"], "alice@kubernetes");
    for field in ["cluster", "namespace"] {
        assert_eq!(new["context"][field], old["context"][field], "{field}");
    }
}

#[test]
fn the_passphrase_file_of_an_entry_opens_the_new_key_or_that_is_told() {
    let first = First::year("--exec", &[], 0);
    let folder = &first.folder;
    let entry = || {
        let text = folder.read("alice.kubeconfig");
        kube_enroll::yaml::first_document(text.as_bytes()).unwrap()
    };
    let words = || {
        let args = entry()["users"][0]["user"]["exec"]["args"].clone();
        let args: Vec<String> = serde_json::from_value(args).unwrap();
        args
    };
    let mut value = entry();
    let old = folder.file("pass").to_str().unwrap().to_owned();
    let args = value["users"][0]["user"]["exec"]["args"]
        .as_array_mut()
        .unwrap();
    args.extend(["--passphrase-file".into(), old.clone().into()]);
    folder.write("alice.kubeconfig", kube_enroll::yaml::to_string(&value));
    folder.write("other", "another horse\n");
    folder.write("copy", "correct horse\n");
    let renewed = |secret: &str, given: &[&str], input: &[u8]| {
        let before = folder.names();
        let ended = first.renew(&[], &["--passphrase-file", secret]).good();
        let manifest = new_manifest(folder, &before);
        first.reply(&manifest, &manifest.replace(".csr.yaml", ".reply.yaml"), 0);
        let start = ended.stdout.rfind("kube-enroll kubeconfig").unwrap();
        let command = ended.stdout[start..].replace("\\\n", " ");
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        let ended = folder.run_with(&[&words, given].concat(), input).good();
        ended.stderr
    };
    let serves = || {
        let words = words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        folder.run(&words)
    };
    // The same passphrase: as it was, whatever file it came from.
    let said = renewed("copy", &["--passphrase-file", "copy"], b"");
    assert!(!said.contains("passphrase"), "{said}");
    assert!(words().contains(&old));
    serves().good();
    // Another one that nobody can name: a word, and the line that names it.
    let said = renewed("other", &["--passphrase-file", "-"], b"another horse\n");
    let told = "this context has the passphrase read from ";
    assert!(
        said.contains(told) && said.contains("which does not open"),
        "{said}"
    );
    assert!(said.contains("--passphrase-file FILE"), "{said}");
    assert_ne!(serves().status, 0);
    // One that is named takes its place.
    let said = renewed("other", &["--passphrase-file", "other"], b"");
    assert!(said.contains("from now on"), "{said}");
    assert!(words().contains(&folder.file("other").to_str().unwrap().to_owned()));
    serves().good();
}

#[test]
fn a_kubeconfig_whose_files_were_moved_is_pointed_to_them_by_the_line_that_is_printed() {
    for style in ["--files", "--exec"] {
        let first = First::year(style, &["--merge", "home/config"], 0);
        let folder = &first.folder;
        folder.peer(
            "sh",
            &[
                "-c",
                "mkdir old; mv home/alice@prod.crt alice.key alice.csr old",
            ],
        );
        let renew = |folder: &Folder| {
            let renew = ["renew", "home/config"];
            folder.run(&[&renew[..], first.secret].concat())
        };
        let ended = renew(folder);
        ended.fails(
            2,
            &[
                "in place of the words in capitals",
                "run: kube-enroll kubeconfig CERTIFICATE --key KEY --merge home/config",
            ],
        );
        folder.peer("sh", &["-c", "mv old/* ."]);
        let ended = renew(folder);
        let line = ended.stderr.split("run: kube-enroll ").nth(1).unwrap();
        let line = line.lines().next().unwrap();
        assert_eq!(
            line, "kubeconfig alice@prod.crt --merge home/config",
            "{style}"
        );
        let words: Vec<&str> = line.split(' ').collect();
        folder.run(&[&words, first.opening()].concat()).good();
        renew(folder).good();
    }
}
