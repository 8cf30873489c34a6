//! `list`: who, where and until when, over files and folders.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use base64::Engine as _;
use common::commands::journey;
use common::{Folder, admin_kubeconfig, authority, issue, issue_at};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

const DENIED: &str =
    "status:\n  conditions:\n  - {type: Denied, status: \"True\", reason: No, message: no}\n";

/// Requests and what became of them: alice's certificate is good for 300 days, bob's for 10, carol's
/// has ended, dave was denied, erin waits.
fn team() -> Folder {
    let folder = Folder::new();
    let authority = authority();
    folder.write("admin.kubeconfig", admin_kubeconfig(&authority));
    for (user, group, lifetime, age) in [
        ("alice", "developers", "300d", Some(0)),
        ("bob", "a,b", "20d", Some(10)),
        ("carol", "developers", "30d", Some(40)),
        ("dave", "developers", "30d", None),
        ("erin", "developers", "30d", None),
    ] {
        let args = ["request", user, "-g", group, "--expires-in", lifetime];
        let more = [
            "--algorithm",
            "ecdsa-p256",
            "--no-passphrase",
            "--output-dir",
            "requests",
        ];
        folder.run(&[&args[..], &more].concat()).good();
        let manifest = folder.read(&format!("requests/{user}.csr.yaml"));
        if let Some(age) = age {
            let then = OffsetDateTime::now_utc() - Duration::days(age);
            let object = issue_at(&manifest, &authority, then);
            folder.write(&format!("{user}.object.yaml"), &object);
        }
    }
    folder.peer("mkdir", &["replies", "replies/deeper", "other"]);
    let denied = folder.read("requests/dave.csr.yaml") + DENIED;
    folder.write("replies/dave.yaml", denied);
    folder.write("replies/erin.yaml", folder.read("requests/erin.csr.yaml"));
    folder.write(
        "replies/deeper/alice.yaml",
        folder.read("alice.object.yaml"),
    );
    folder.write(
        "replies/notes.md",
        "# Notes\n\nThe kind: Config, and CertificateSigningRequest\n- a: b: c\n",
    );
    folder.write("replies/picture", [0xFF, 0xD8, 0xFF, 0x00]);
    folder.write("replies/huge", vec![b'x'; 2 << 20]);
    for user in ["alice", "bob"] {
        let object = folder.read(&format!("{user}.object.yaml"));
        let out = format!("replies/{user}.reply.yaml");
        let reply = ["reply", "--kubeconfig", "admin.kubeconfig", "--out", &out];
        folder.run_with(&reply, object.as_bytes()).good();
    }
    let carol = folder.read("carol.object.yaml");
    folder.write("replies/carol.crt", common::certificate_of(&carol));
    folder
}

fn rows(folder: &Folder, args: &[&str]) -> Vec<Value> {
    let ended = folder.run(&[&["list", "-o", "json"], args].concat());
    let report = ended.json();
    assert_eq!(report["apiVersion"], "kube-enroll/v1");
    report["objects"].as_array().unwrap().clone()
}

fn column<'a>(rows: &'a [Value], name: &str) -> Vec<&'a Value> {
    rows.iter().map(|row| &row[name]).collect()
}

#[test]
fn copies_of_a_certificate_are_one_line_with_every_file_that_has_it() {
    let folder = journey();
    folder
        .typed("kubeconfig alice.reply.yaml --context a")
        .good();
    let copy = folder.read("alice.kubeconfig").replace("prod", "test");
    folder.write("other.kubeconfig", copy);
    let files = [
        "alice.crt",
        "alice.kubeconfig",
        "alice.reply.yaml",
        "issued.yaml",
        "other.kubeconfig",
    ];
    let list = |args: &[&str]| {
        folder
            .run(&[&["list"], &files[..], args].concat())
            .good()
            .stdout
    };
    let table = list(&[]);
    let lines: Vec<&str> = table.lines().skip(1).collect();
    assert_eq!(lines.len(), 2, "{table}");
    // What is for another cluster is another credential.
    let [prod, test] = ["  prod  ", "  test  "].map(|cluster| {
        let line = lines.iter().find(|line| line.contains(cluster));
        line.unwrap_or_else(|| panic!("{table}"))
    });
    assert!(test.ends_with("  other.kubeconfig"), "{table}");
    for file in &files[..4] {
        assert_eq!(prod.matches(file).count(), 1, "{table}");
    }
    // For programs, and where everything is wanted, each has its own.
    assert_eq!(list(&["-o", "wide"]).lines().count(), 6);
    assert_eq!(rows(&folder, &files).len(), 5);
}

#[test]
fn a_folder_is_listed_by_what_ends_first() {
    let folder = team();
    let table = folder.typed("list replies").good();
    assert_eq!(table.stderr, "");
    let lines: Vec<Vec<&str>> = table
        .stdout
        .lines()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    assert_eq!(
        lines[0],
        [
            "USER", "GROUPS", "CLUSTER", "STATE", "EXPIRES", "KEY", "FILE"
        ]
    );
    let column = |index: usize| {
        lines[1..]
            .iter()
            .map(|line| line[index])
            .collect::<Vec<_>>()
    };
    assert_eq!(column(0), ["carol", "bob", "alice", "dave", "erin"]);
    assert_eq!(column(1)[1], "\"a,b\"");
    assert_eq!(column(2), ["-", "prod", "prod", "-", "-"]);
    assert_eq!(
        column(3),
        ["Expired", "Issued", "Issued", "Denied", "Pending"]
    );
    assert!(
        column(4)[0].ends_with("(ended 10d ago)"),
        "{}",
        column(4)[0]
    );
    assert_eq!(column(4)[3], "-");
    assert_eq!(column(6)[0], "replies/carol.crt");

    let rows = rows(&folder, &["replies"]);
    let days: Vec<_> = rows.iter().map(|row| row["daysLeft"].as_i64()).collect();
    assert_eq!(days, [Some(-11), Some(9), Some(299), None, None]);
    assert_eq!(rows[2]["groups"], json!(["developers"]));
    assert_eq!(rows[2]["server"], "https://10.0.0.1:6443");
    assert_eq!(rows[2]["signerName"], "kubernetes.io/kube-apiserver-client");
    let inspected = folder.typed("inspect -o json replies/carol.crt").json();
    let certificate = &inspected["objects"][0]["certificate"];
    assert_eq!(rows[0]["credentialId"], certificate["credentialId"]);
    assert_eq!(rows[0]["notAfter"], certificate["notAfter"]);
    assert_eq!(
        rows[0]["key"],
        inspected["objects"][0]["publicKey"]["fingerprint"]
    );
}

#[test]
fn what_ends_in_time_is_listed_alone_and_is_the_exit_status() {
    let folder = team();
    let users = |time: &str| {
        let ended = folder.run(&["list", "replies", "--expires-within", time, "-o", "json"]);
        let rows = ended.json()["objects"].clone();
        let users = rows.as_array().unwrap().iter();
        let users: Vec<_> = users
            .map(|row| row["user"].as_str().unwrap().to_owned())
            .collect();
        (ended.status, users.join(" "))
    };
    assert_eq!(users("0"), (1, "carol".to_owned()));
    assert_eq!(users("14d"), (1, "carol bob".to_owned()));
    assert_eq!(users("1y"), (1, "carol bob alice".to_owned()));
    let one = "list replies/alice.reply.yaml --expires-within 14d";
    let none = folder.typed(one).good();
    assert_eq!(none.stdout, "");
    for (time, said) in [
        ("soon", "--expires-within"),
        ("14", "is 14d meant"),
        ("-1d", "--expires-within"),
        ("-14", "from now on"),
    ] {
        let words = format!("list --expires-within {time}");
        folder.typed(&words).fails(2, &[said]);
    }
}

#[test]
fn every_format_has_every_row() {
    let folder = team();
    let list = |format| {
        folder
            .run(&["list", "replies", "requests", "-o", format])
            .good()
            .stdout
    };
    let json: Value = serde_json::from_str(&list("json")).unwrap();
    let yaml = kube_enroll::yaml::first_document(list("yaml").as_bytes()).unwrap();
    assert_eq!(json, yaml);
    // A request and a manifest for each of five, and the five replies.
    assert_eq!(json["objects"].as_array().unwrap().len(), 15);
    let csv = list("csv");
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 16);
    assert!(lines[0].starts_with("\"user\",\"groups\",\"cluster\",\"state\",\"notAfter\""));
    assert!(
        lines[2].starts_with("\"bob\",\"a,b\",\"prod\",\"Issued\""),
        "{}",
        lines[2]
    );
    let names = list("name");
    assert_eq!(names.lines().count(), 15);
    assert!(names.starts_with("replies/carol.crt\n"), "{names}");
    let wide = list("wide");
    assert_eq!(wide.lines().count(), 16);
    assert!(
        wide.contains("X509SHA256=") && wide.contains("ECDSA 256"),
        "{wide}"
    );
}

#[test]
fn kubeconfigs_are_listed_by_context_with_no_key_opened() {
    let folder = team();
    folder.write("pass", "correct horse\n");
    let lock = "passphrase requests/alice.key --new-passphrase-file pass";
    folder.typed(lock).good();
    let write = [
        "kubeconfig",
        "replies/alice.reply.yaml",
        "--key",
        "requests/alice.key",
    ];
    let exec = [
        "--exec",
        "--passphrase-file",
        "pass",
        "--output-dir",
        "home/.kube",
    ];
    folder.run(&[&write[..], &exec].concat()).good();
    let bob = [
        "kubeconfig",
        "replies/bob.reply.yaml",
        "--key",
        "requests/bob.key",
    ];
    folder
        .run(&[&bob[..], &["--merge", "home/.kube/alice.kubeconfig"]].concat())
        .good();
    folder.peer("mv", &["home/.kube/alice.kubeconfig", "other/config"]);
    // The key is not even there any more.
    std::fs::remove_file(folder.file("requests/alice.key")).unwrap();
    let rows = rows(&folder, &["other"]);
    assert_eq!(column(&rows, "user"), ["bob", "alice"]);
    assert_eq!(column(&rows, "cluster"), ["prod", "prod"]);
    assert_eq!(column(&rows, "name"), ["bob@prod", "alice@prod"]);
    assert_eq!(column(&rows, "state"), ["Issued", "Issued"]);
    assert_eq!(column(&rows, "kind"), ["Config", "Config"]);

    std::fs::remove_file(folder.file("home/.kube/alice@prod.crt")).unwrap();
    let ended = folder.typed("list other");
    ended.fails(
        2,
        &[
            "other/config: user alice@prod: ",
            "alice@prod.crt: no such file",
            "bob",
        ],
    );
}

#[test]
fn without_arguments_it_is_the_folder_and_the_kubeconfig_in_use() {
    let folder = team();
    folder.peer("mkdir", &["-p", ".kube", "empty"]);
    let write = [
        "kubeconfig",
        "replies/alice.reply.yaml",
        "--key",
        "requests/alice.key",
    ];
    folder
        .run(&[&write[..], &["--out", ".kube/config"]].concat())
        .good();
    let rows = rows(&folder, &[]);
    let home = folder.file(".kube/config");
    let sources = column(&rows, "source");
    assert_eq!(sources.len(), 4);
    assert!(sources.contains(&&json!("alice.object.yaml")));
    assert!(sources.contains(&&json!(home.to_str().unwrap())));
    // The kubeconfig of the admin has a token and no certificate.
    assert!(!sources.contains(&&json!("admin.kubeconfig")));
}

#[test]
fn what_cannot_be_read_is_counted_and_named_and_what_is_not_ours_only_when_it_was_named() {
    let folder = team();
    folder.write(
        "other/broken.crt",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    folder.write(
        "other/broken.yaml",
        "apiVersion: v1\nkind: Config\nusers: {\n",
    );
    let mut large = folder.read("alice.object.yaml");
    large.push_str(&"# x\n".repeat(1 << 18));
    folder.write("other/large.yaml", large);
    folder.write("other/notes", "hello");
    let ended = folder.typed("list other");
    ended.fails(
        2,
        &[
            "3 problems",
            "other/broken.crt: ",
            "other/broken.yaml: line",
            "other/large.yaml is larger",
        ],
    );
    assert!(!ended.stderr.contains("notes"), "{}", ended.stderr);
    folder
        .typed("list other/notes replies/bob.reply.yaml")
        .fails(
            2,
            &["other/notes: nothing to list: one line of text", "bob"],
        );
    folder
        .typed("list requests/bob.key")
        .fails(0, &["nothing to list: a private key"]);
    folder
        .typed("list nowhere")
        .fails(2, &["nowhere", "no such file"]);
    let more = "list other/large.yaml --max-size 4000000";
    assert!(folder.typed(more).good().stdout.contains("alice"));
}

#[test]
fn names_of_strangers_stay_in_their_cells() {
    let folder = Folder::new();
    let user = "=cmd|' /C calc'!A1";
    let request = [
        "request",
        user,
        "--no-passphrase",
        "--algorithm",
        "ecdsa-p256",
    ];
    folder
        .run(&[&request[..], &["--output-dir", "in"]].concat())
        .good();
    let manifest = std::fs::read_dir(folder.file("in")).unwrap();
    let mut manifest = manifest.map(|entry| entry.unwrap().path());
    let manifest = manifest.find(|path| path.extension().is_some_and(|it| it == "yaml"));
    let manifest = std::fs::read_to_string(manifest.unwrap()).unwrap();
    let certificate = common::certificate_of(&issue(&manifest, &authority()));
    let data = base64::prelude::BASE64_STANDARD.encode(certificate);
    folder.write(
        "config",
        format!(
            "kind: Config\nclusters:\n- {{name: \"a\\e[2Jb\", cluster: {{server: \"https://\\u202e\"}}}}\n\
             users:\n- {{name: u, user: {{client-certificate-data: {data}}}}}\ncontexts:\n- name: \"x\\ny\"\n  \
             context: {{cluster: \"a\\e[2Jb\", user: u}}\n"
        ),
    );
    for format in ["table", "wide", "json", "yaml", "csv", "name"] {
        let shown = folder.run(&["list", "config", "-o", format]).good().stdout;
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
        assert_eq!(format == "csv", shown.contains("\"'=cmd"), "{shown}");
        assert_eq!(format != "name", shown.contains("=cmd"), "{shown}");
    }
}

#[test]
fn a_kubeconfig_of_a_folder_that_is_broken_is_told_and_one_without_certificates_is_not() {
    let folder = team();
    folder.peer("mkdir", &["mixed", "mixed/.kube"]);
    let fine = [
        ("mixed/admin.kubeconfig", folder.read("admin.kubeconfig")),
        ("mixed/new.kubeconfig", String::new()),
        ("mixed/config", "Host example\n  User me\n".to_owned()),
    ];
    for (name, text) in &fine {
        folder.write(name, text);
    }
    folder.typed("list mixed").good();
    folder.typed("list mixed/admin.kubeconfig").fails(
        0,
        &["mixed/admin.kubeconfig: nothing to list: a kubeconfig"],
    );
    for (name, text) in [
        ("mixed/x.kubeconfig", "a: ["),
        ("mixed/y.kubeconfig", "preferences: {}\nusers:\n- name: ["),
        ("mixed/.kube/config", "users: [{"),
        ("mixed/config", "preferences: {}\nclusters: [{\n"),
    ] {
        folder.write(name, text);
        let place = name.rsplit_once('/').unwrap().0;
        let ended = folder.run(&["list", place, "--expires-within", "9d"]);
        ended.fails(
            2,
            &[
                &format!("{name}: "),
                "no certificate ends within that time in what could be read",
            ],
        );
        std::fs::remove_file(folder.file(name)).unwrap();
    }
    // With a find both are said, and what nobody knows weighs more.
    folder.write("replies/x.kubeconfig", "a: [");
    folder
        .typed("list replies --expires-within 14d")
        .fails(2, &["replies/x.kubeconfig: ", "carol", "bob"]);
}

#[test]
fn a_folder_in_the_place_of_the_kubeconfig_in_use_is_told() {
    let folder = team();
    let script = format!(
        "cd replies/deeper && KUBECONFIG='{}' {} list",
        folder.file("other").display(),
        common::executable()
    );
    let ended = folder.other("sh", &["-c", &script]);
    let said = format!("{}: is a directory", folder.file("other").display());
    ended.fails(2, &[&said, "alice"]);
}

/// The first year and the second, and a request that is on its way.
#[test]
fn a_request_that_was_answered_is_one_line_with_its_certificate_and_not_pending() {
    let folder = Folder::new();
    let authority = authority();
    folder.write("admin", admin_kubeconfig(&authority));
    let request = "--algorithm ecdsa-p256 --no-passphrase";
    let answered = |manifest: &str| {
        let object = issue(&folder.read(manifest), &authority);
        let out = manifest.replace(".csr.yaml", ".reply.yaml");
        let reply = ["reply", "--kubeconfig", "admin", "--out", &out];
        folder.run_with(&reply, object.as_bytes()).good();
        folder
            .run(&["kubeconfig", &out, "--context", "alice@prod"])
            .good();
        out
    };
    let new = |words: &str| {
        let before = folder.names();
        folder.typed(words).good();
        let names = folder.names().into_iter();
        let mut new = names.filter(|name| name.ends_with(".csr.yaml") && !before.contains(name));
        new.next().unwrap()
    };
    let states = || {
        let table = folder.run(&["list"]).good().stdout;
        let lines = table.lines().skip(1);
        let cell = |line: &str| {
            let words = ["Pending", "Issued", "Denied"];
            words.into_iter().find(|word| line.contains(word)).unwrap()
        };
        (lines.map(cell).collect::<Vec<_>>(), table)
    };
    let first = new(&format!(
        "request alice -g a -g b --expires-in 100d {request}"
    ));
    // Request and manifest are one.
    assert_eq!(states().0, ["Pending"], "{}", states().1);
    answered(&first);
    assert_eq!(states().0, ["Issued"], "{}", states().1);
    let (_, table) = states();
    for file in [
        "alice.csr,",
        "alice.csr.yaml",
        "alice.kubeconfig",
        "alice.reply.yaml",
    ] {
        assert!(table.contains(file), "{table}");
    }
    // With the same key, and the same request: on its way until it is answered.
    let kept = new("renew alice.kubeconfig --keep-key");
    assert_eq!(states().0, ["Issued", "Pending"], "{}", states().1);
    let reply = answered(&kept);
    assert_eq!(states().0, ["Issued", "Issued"], "{}", states().1);
    // Without the reply it is known by the certificate.
    std::fs::remove_file(folder.file(&reply)).unwrap();
    assert!(!states().1.contains("Pending"), "{}", states().1);
    // Of another lifetime, other groups, another key.
    for words in [
        "--key alice.key -g a -g b --expires-in 200d",
        "--key alice.key -g a --expires-in 100d",
        "--algorithm ecdsa-p256 --no-passphrase -g a -g b --expires-in 100d",
    ] {
        let pending = states().0.iter().filter(|it| **it == "Pending").count();
        new(&format!("request alice {words}"));
        let (now, table) = states();
        let now = now.iter().filter(|it| **it == "Pending").count();
        assert_eq!(now, pending + 1, "{table}");
    }
    // For programs each file has its own row.
    let all = rows(&folder, &[]);
    let of = |file: &str| all.iter().find(|row| row["source"] == file).unwrap();
    assert_eq!(of("alice.csr.yaml")["state"], "Issued");
    assert_eq!(of("alice.csr")["state"], "Issued");
    assert_eq!(
        of("alice.csr")["notAfter"],
        of("alice.reply.yaml")["notAfter"]
    );
    let ends = ["list", "--expires-within", "300d", "-o", "name"];
    let ends = folder.run(&ends).stdout;
    assert!(!ends.contains(".csr"), "{ends}");
}

/// Whatever the files are called, the answer that is there is shown.
#[test]
fn a_request_that_was_refused_or_approved_is_not_pending_whatever_its_files_are_called() {
    for name in ["a", "Z", "z"] {
        let folder = Folder::new();
        let request = "request alice -g dev --algorithm ecdsa-p256 --no-passphrase";
        folder.typed(request).good();
        let manifest = folder.read("alice.csr.yaml");
        for kind in ["Denied", "Failed", "Approved"] {
            let reply = manifest.clone() + &DENIED.replace("Denied", kind);
            folder.write(&format!("{name}.reply.yaml"), reply);
            let table = folder.typed("list").good().stdout;
            assert!(
                table.contains(kind) && !table.contains("Pending"),
                "{table}"
            );
            let states = rows(&folder, &[]);
            assert_eq!(column(&states, "state"), [kind; 3]);
            let csv = folder.typed("list -o csv").good().stdout;
            assert_eq!(csv.matches(kind).count(), 3, "{csv}");
        }
    }
}

/// kubectl could not use it, and a job that looks after it is to know.
#[test]
fn a_kubeconfig_in_use_that_cannot_be_read_is_told_also_where_it_lies_here() {
    let folder = team();
    let make = "mkdir here; cd here; echo 'a: [' >myconf; mkdir kk; ln -s none dl; \
                printf 'apiVersion: v1\nkind: Config\n' >good; cp good x.key";
    folder.peer("sh", &["-ec", make]);
    let list = |kubeconfig: &str| {
        let script = format!(
            "cd here && KUBECONFIG={kubeconfig} {} list --expires-within 9d",
            common::executable()
        );
        folder.other("sh", &["-c", &script])
    };
    for name in ["myconf", "../here/myconf", "kk", "dl"] {
        let file = name.rsplit('/').next().unwrap();
        list(name).fails(2, &[file]);
    }
    for name in ["good", "x.key", "none"] {
        list(name).good();
    }
}

#[test]
fn a_kubeconfig_with_the_key_of_another_certificate_is_told() {
    let folder = team();
    for style in ["--embed", "--files", "--exec"] {
        let write = "kubeconfig replies/alice.reply.yaml --key";
        let key = "requests/alice.key";
        folder
            .typed(&format!("{write} {key} {style} --out kc"))
            .good();
        folder.typed("list kc").good();
        if style == "--embed" {
            let take = "kubectl config set-credentials alice@prod --kubeconfig kc --embed-certs \
                        --client-key requests/bob.key";
            if common::have("kubectl") {
                folder.peer("sh", &["-ec", take]);
            }
        } else {
            folder.peer(
                "sh",
                &[
                    "-ec",
                    "mv requests/alice.key k; cp requests/bob.key requests/alice.key",
                ],
            );
        }
        if style != "--embed" || common::have("kubectl") {
            let said = "kc: user alice@prod: the key is not the one of the certificate: found ";
            folder.typed("list kc").fails(2, &[said, "expected "]);
        }
        if style != "--embed" {
            folder.peer("mv", &["k", "requests/alice.key"]);
        }
        folder.peer("sh", &["-ec", "rm -f kc *.crt"]);
    }
}

#[test]
fn what_is_no_file_and_what_leads_nowhere_is_told_where_it_would_be_missed() {
    let folder = team();
    let make = "mkdir mixed; cd mixed; ln -s none x.kubeconfig; mkfifo y.crt; ln -s none notes; \
                mkfifo pipe; mkdir z.kubeconfig";
    folder.peer("sh", &["-ec", make]);
    for args in [
        &["list", "mixed"][..],
        &["list", "mixed", "--expires-within", "9d"],
    ] {
        let ended = folder.run(args);
        ended.fails(
            2,
            &[
                "mixed/x.kubeconfig: it is a link to a file that is not there",
                "mixed/y.crt: it is a named pipe (FIFO), and is not read",
                "2 problems",
            ],
        );
        for name in ["notes", "mixed/pipe", "z.kubeconfig"] {
            assert!(!ended.stderr.contains(name), "{}", ended.stderr);
        }
    }
    // A link in the place of the kubeconfig in use.
    let list = format!(
        "cd replies/deeper && KUBECONFIG=../../mixed/x.kubeconfig {} list",
        common::executable()
    );
    folder
        .other("sh", &["-c", &list])
        .fails(2, &["../../mixed/x.kubeconfig"]);
    // Those of a shell can be read.
    let list = format!(
        "cd replies/deeper && cat ../alice.reply.yaml | KUBECONFIG=/dev/stdin {} list -o name",
        common::executable()
    );
    folder.other("sh", &["-c", &list]).says(&["/dev/stdin"]);
}
