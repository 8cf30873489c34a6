//! strace kills the program at every system call, and lets every call fail that reads, writes, syncs
//! or names a file or a key of the kernel's: a secret is whole and private under its name or not
//! there, what was there before is not lost, and whoever is alive says what went wrong.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::{Ended, Folder, admin_kubeconfig, authority, have, issue};
use kube_enroll::csr::CertificationRequest;
use kube_enroll::key::EncodedKey;

/// Calls that fail, and how.
const CALLS: &[&str] = &[
    "write",
    "fsync",
    "rename",
    "renameat2",
    "link",
    "linkat",
    "open",
    "openat",
    "mkdir",
    "fchmod",
    "read",
    "getdents64",
    "add_key",
    "keyctl",
];
const ERRORS: &[&str] = &["ENOSPC", "EIO", "EINTR", "EROFS"];

/// Calls that take names away or end the program.
const ENDS: &[&str] = &["unlink", "unlinkat", "exit_group"];

/// Lets no file without a name get one, as where there are none (FAT, network folders).
const NO_NAMELESS: &str = "--inject=linkat:error=EPERM";

/// The same, but a file that has a name can get a second one: it is asked for after the first was
/// refused.
const SECOND_NAMES: &str = "--inject=linkat:error=EPERM:when=1+2";

/// Makes the program ask for a second name instead of a rename, or where there is none, as on FAT and
/// exFAT behind FUSE and on some network folders, hold the name by an empty file.
const NO_RENAME: &str = "--inject=renameat2:error=EINVAL";

type IsWhole = fn(&str) -> bool;

/// A command, what it finds, and what it writes.
#[derive(Default)]
struct Case {
    args: &'static str,
    /// Name and contents of the files that are there; nothing but `old` may change.
    found: Vec<(&'static str, String)>,
    /// What holds for each new file under its final name.
    new: &'static [New],
    /// A file that is replaced, and what holds for it then.
    old: Option<(&'static str, IsWhole)>,
    /// Calls that fail besides [`CALLS`].
    calls: &'static [&'static str],
    /// What holds for standard output, where the command says that all went well.
    said: Option<IsWhole>,
}

/// Its name, with a `*` for what nobody knows before; its mode; and what holds for its contents.
struct New(&'static str, u32, IsWhole);

const KEY: New = New("out/alice.key", 0o600, is_key);

const CSR: New = New("out/alice.csr", 0o644, is_request);

const MANIFEST_FOR_A_YEAR: New = New("out/alice.csr.yaml", 0o644, is_manifest_for_a_year);

impl New {
    fn is_named(&self, name: &str) -> bool {
        match self.0.split_once('*') {
            Some((start, end)) => name.starts_with(start) && name.ends_with(end),
            None => name == self.0,
        }
    }
}

#[test]
fn request() {
    check(&Case {
        args: "request alice -g dev --algorithm ecdsa-p256 --no-passphrase --output-dir out",
        new: &[KEY, CSR, New("out/alice.csr.yaml", 0o644, is_manifest)],
        ..Case::default()
    });
}

#[test]
fn renew() {
    let mut found = journey();
    let (_, reply) = found.pop().unwrap();
    let certificate = common::certificate_of(&reply);
    found.push(("alice.crt", String::from_utf8(certificate).unwrap()));
    check(&Case {
        args: "renew alice.crt --no-passphrase --output-dir out",
        found,
        new: &[KEY, CSR, MANIFEST_FOR_A_YEAR],
        ..Case::default()
    });
}

#[test]
fn kubeconfig_embed() {
    check(&Case {
        args: "kubeconfig alice.reply.yaml --embed",
        found: journey(),
        new: &[New("alice.kubeconfig", 0o600, is_kubeconfig)],
        ..Case::default()
    });
}

#[test]
fn kubeconfig_merge() {
    let found = journey_beside("config");
    check(&Case {
        args: "kubeconfig alice.reply.yaml --merge config",
        found,
        old: Some(("config", keeps_and_holds)),
        ..Case::default()
    });
}

#[test]
fn kubeconfig_merge_by_files() {
    merge_by("--files");
}

#[test]
fn kubeconfig_merge_by_exec() {
    merge_by("--exec");
}

/// The certificate lies in a file of its own, which is there as long as the kubeconfig names it.
fn merge_by(style: &'static str) {
    // The usual one, which is added to where none is named.
    let found = journey_beside("alice.kubeconfig");
    let args = match style {
        "--files" => "kubeconfig alice.reply.yaml --files",
        _ => "kubeconfig alice.reply.yaml --exec --merge alice.kubeconfig",
    };
    check(&Case {
        args,
        found,
        new: &[New("alice@prod.crt", 0o644, is_certificate)],
        old: Some(("alice.kubeconfig", keeps_and_names)),
        ..Case::default()
    });
}

/// The certificate lies beside both.
#[test]
fn kubeconfig_merge_into_several() {
    let found = journey_beside("alice.kubeconfig");
    check(&Case {
        args: "kubeconfig alice.reply.yaml --exec --merge other --merge alice.kubeconfig",
        found,
        new: &[
            New("other", 0o600, |text| text.contains("/alice@prod.crt")),
            New("alice@prod.crt", 0o644, is_certificate),
        ],
        old: Some(("alice.kubeconfig", keeps_and_names)),
        ..Case::default()
    });
}

/// Without a word about where, the one that is there grows.
#[test]
fn kubeconfig_grows_where_none_is_named() {
    let found = journey_beside("alice.kubeconfig");
    check(&Case {
        args: "kubeconfig alice.reply.yaml",
        found,
        old: Some(("alice.kubeconfig", keeps_and_holds)),
        ..Case::default()
    });
}

/// The folder is not there either.
#[test]
fn kubeconfig_merge_into_another_folder() {
    fn names_both(text: &str) -> bool {
        text.contains("/out/alice@prod.crt") && text.contains("/alice.key")
    }
    for args in [
        "kubeconfig alice.reply.yaml --exec --merge out/config",
        "kubeconfig alice.reply.yaml --files --merge out/config",
    ] {
        check(&Case {
            args,
            found: journey(),
            new: &[
                New("out/config", 0o600, names_both),
                New("out/alice@prod.crt", 0o644, is_certificate),
            ],
            ..Case::default()
        });
    }
}

/// The old certificate stays where it is.
#[test]
fn kubeconfig_takes_a_renewal() {
    for (style, args) in [
        (
            "--exec",
            "kubeconfig renewed.reply.yaml --exec --merge alice.kubeconfig --context alice@prod \
             --passphrase-file pass",
        ),
        (
            "--files",
            "kubeconfig renewed.reply.yaml --files --context alice@prod",
        ),
    ] {
        let Some(found) = enrolled(style) else { return };
        check(&Case {
            args,
            found,
            new: &[New("alice@prod-*.crt", 0o644, is_certificate)],
            old: Some(("alice.kubeconfig", |text| {
                text.contains("alice@prod-") && text.matches("alice.key").count() == 1
            })),
            ..Case::default()
        });
    }
}

#[test]
fn renew_with_the_same_key() {
    let Some(found) = enrolled("--exec") else {
        return;
    };
    check(&Case {
        args: "renew alice.kubeconfig --keep-key --passphrase-file pass --output-dir out",
        found,
        new: &[CSR, MANIFEST_FOR_A_YEAR],
        ..Case::default()
    });
}

#[test]
fn credential() {
    let Some(found) = enrolled("--exec") else {
        return;
    };
    check(&Case {
        args: "credential --certificate alice@prod.crt --key alice.key --passphrase-file pass",
        found,
        said: Some(|text| {
            let answer: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            let key = answer["status"]["clientKeyData"].as_str();
            key.is_some_and(is_key)
        }),
        ..Case::default()
    });
}

/// What the kernel keeps has an end, also where the program met its own before.
#[test]
fn unlock() {
    let Some(found) = enrolled("--exec") else {
        return;
    };
    let case = Case {
        args: "unlock alice.kubeconfig --for 3s --passphrase-file pass",
        found,
        said: Some(|text| text.contains("is unlocked for 3s")),
        ..Case::default()
    };
    let (ended, _) = run(&case, &[]);
    if ended.status != 0 {
        assert!(std::env::var("CI").is_err(), "{}", ended.stderr);
        return;
    }
    check(&case);
    let unending = std::fs::read_to_string("/proc/keys").unwrap_or_default();
    let mut unending = unending.lines().filter(|line| line.contains("kube-enroll"));
    assert_eq!(unending.find(|line| line.contains(" perm ")), None);
}

#[test]
fn list() {
    let Some(mut found) = enrolled("--exec") else {
        return;
    };
    found.retain(|(name, _)| *name != "pass");
    check(&Case {
        args: "list",
        found,
        calls: &["statx"],
        said: Some(|text| {
            let files = ["alice.kubeconfig", "alice@prod.crt", "alice.csr"];
            let replies = ["alice.reply.yaml", "renewed.reply.yaml"];
            let mut all = files.iter().chain(&replies);
            all.all(|file| text.contains(file))
        }),
        ..Case::default()
    });
}

fn is_certificate(text: &str) -> bool {
    kube_enroll::certificate::Chain::from_pem(text.as_bytes()).is_ok()
}

#[test]
fn passphrase() {
    if !have("openssl") {
        return;
    }
    let folder = Folder::new();
    make_key(&folder, "--exec");
    check(&passphrase_is_removed(&folder));
}

fn passphrase_is_removed(folder: &Folder) -> Case {
    Case {
        args: "passphrase alice.key --passphrase-file pass --remove",
        found: ["alice.key", "pass"]
            .map(|name| (name, folder.read(name)))
            .into(),
        old: Some(("alice.key", is_key)),
        ..Case::default()
    }
}

/// Whoever ends it in another way than with KILL finds nothing half done: no file under a temporary name, with
/// a key in it, and no key without its request.
#[test]
fn signals_that_end_it_leave_nothing_half_done() {
    const CALLS: &[&str] = &[
        "fchmod",
        "write",
        "fsync",
        "linkat",
        "link",
        "renameat2",
        "rename",
        "unlink",
    ];
    if !have("strace") || !have("openssl") {
        return;
    }
    let folder = Folder::new();
    make_key(&folder, "--exec");
    let cases = [
        Case {
            args: "request alice -g dev --algorithm ecdsa-p256 --no-passphrase --output-dir out",
            new: &[KEY, CSR, New("out/alice.csr.yaml", 0o644, is_manifest)],
            ..Case::default()
        },
        passphrase_is_removed(&folder),
    ];
    let signals = not_ignored();
    let mut ended = 0;
    for case in &cases {
        for before in [&[][..], &[NO_NAMELESS], &[NO_NAMELESS, NO_RENAME]] {
            let calls = calls(case, before).into_iter();
            for (call, occurrences) in calls.filter(|(call, _)| CALLS.contains(&call.as_str())) {
                for when in 1..=occurrences {
                    let signal = signals[when % signals.len()];
                    ended += inject(case, before, &call, &format!("signal={signal}:when={when}"));
                }
            }
        }
    }
    assert!(ended > 40, "{ended}");
}

/// The signals that end a program which this one starts: those ignored here are ignored there.
fn not_ignored() -> Vec<&'static str> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    let mask = u64::from_str_radix(mask.trim(), 16).unwrap();
    let all = [("TERM", 15), ("HUP", 1), ("INT", 2), ("QUIT", 3)].into_iter();
    let left = all.filter(|(_, number)| mask & (1 << (number - 1)) == 0);
    left.map(|(name, _)| name).collect()
}

/// As under nohup(1), and in the background of a shell without job control.
#[test]
fn a_signal_that_is_ignored_stays_so() {
    if !have("strace") {
        return;
    }
    let folder = Folder::new();
    for signal in ["HUP", "INT", "QUIT", "TERM"] {
        let script = format!(
            "trap '' {signal}; exec strace -f -qq -o /dev/null --inject=fsync:signal={signal}:when=1 -- \
             '{}' request {signal} --algorithm ecdsa-p256 --no-passphrase",
            common::executable()
        );
        folder.other("sh", &["-c", &script]).good();
        assert!(folder.has(&format!("{signal}.csr.yaml")));
    }
}

/// Where a file may not grow, the write fails and is told.
#[test]
fn a_limit_on_the_size_of_files_is_told_and_leaves_none() {
    let folder = Folder::new();
    let request = "request alice --algorithm ecdsa-p256 --no-passphrase --output-dir out";
    let script = format!(
        "ulimit -f 0; exec '{}' {request} 2>&1 | cat",
        common::executable()
    );
    let ended = folder.other("sh", &["-c", &script]);
    assert!(ended.stdout.contains("cannot write"), "{}", ended.stdout);
    assert!(folder.has_nothing_in("out"));
}

fn is_key(text: &str) -> bool {
    EncodedKey::find(text.as_bytes()).is_ok_and(|key| key.open(None).is_ok())
}

fn is_request(text: &str) -> bool {
    let block = kube_enroll::pem::first(text.as_bytes());
    block.is_some_and(|block| CertificationRequest::from_der(&block.contents).is_ok())
}

fn is_manifest(text: &str) -> bool {
    let documents = kube_enroll::yaml::documents(text.as_bytes());
    let objects = kube_enroll::inspect::signing_requests(&documents);
    objects.len() == 1 && text.ends_with("\"client auth\"\n")
}

fn is_manifest_for_a_year(text: &str) -> bool {
    text.strip_suffix("  expirationSeconds: 31536000\n")
        .is_some_and(is_manifest)
}

/// One with our key in it.
fn is_kubeconfig(text: &str) -> bool {
    let documents = kube_enroll::yaml::documents(text.as_bytes());
    let Some(Ok(value)) = documents.first().map(|document| &document.content) else {
        return false;
    };
    let users = value["users"].as_array().into_iter().flatten();
    let mut keys = users.filter_map(|user| user["user"]["client-key-data"].as_str());
    let contexts = value["contexts"].as_array().map_or(0, Vec::len);
    contexts == 1
        && keys.any(|key| {
            let pem = BASE64_STANDARD.decode(key).unwrap_or_default();
            is_key(&String::from_utf8_lossy(&pem))
        })
}

/// What was there, and our key.
fn keeps_and_holds(text: &str) -> bool {
    text.contains("kept") && is_kubeconfig(text)
}

/// What was there, and our certificate.
fn keeps_and_names(text: &str) -> bool {
    text.contains("kept") && text.contains("alice@prod.crt")
}

/// A key, its request, and the reply to it.
fn journey() -> Vec<(&'static str, String)> {
    let folder = Folder::new();
    folder.issue_to_alice();
    let reply = folder
        .run(&["reply", "issued.yaml", "--kubeconfig", "admin"])
        .good();
    vec![
        ("alice.key", folder.read("alice.key")),
        ("alice.csr", folder.read("alice.csr")),
        ("alice.reply.yaml", reply.stdout),
    ]
}

/// The same with a kubeconfig of somebody who is enrolled elsewhere.
fn journey_beside(kubeconfig: &'static str) -> Vec<(&'static str, String)> {
    let old = "apiVersion: v1\nkind: Config\nusers:\n- name: old\n  user: {token: kept}\n";
    let mut found = journey();
    found.push((kubeconfig, old.to_owned()));
    found
}

/// A key: encrypted with what is in `pass`, where kubectl asks for it. It is opened at once: scrypt
/// would take its time in each of hundreds of runs.
fn make_key(folder: &Folder, style: &str) {
    folder.write("pass", "correct horse\n");
    let encryption = match style {
        "--exec" => "-v2 aes-256-cbc -iter 1 -passout file:pass",
        _ => "-nocrypt",
    };
    let script = format!(
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out plain
         openssl pkcs8 -topk8 -in plain {encryption} -out alice.key
         rm plain; chmod 600 alice.key"
    );
    folder.peer("sh", &["-ec", &script]);
}

/// Somebody with a kubeconfig, and with a second reply.
fn enrolled(style: &'static str) -> Option<Vec<(&'static str, String)>> {
    if !have("openssl") {
        return None;
    }
    let folder = Folder::new();
    make_key(&folder, style);
    let run = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let opening: &[&str] = match style {
            "--exec" => &["--passphrase-file", "pass"],
            _ => &[],
        };
        folder.run(&[&words, opening].concat()).good()
    };
    run("request alice -g dev --key alice.key --expires-in 365d");
    let authority = authority();
    folder.write("admin", admin_kubeconfig(&authority));
    for reply in ["alice.reply.yaml", "renewed.reply.yaml"] {
        folder.write("issued", issue(&folder.read("alice.csr.yaml"), &authority));
        let write = ["reply", "issued", "--kubeconfig", "admin", "--out", reply];
        folder.run(&write).good();
    }
    run(&format!("kubeconfig alice.reply.yaml {style}"));
    let files = [
        "alice.key",
        "pass",
        "alice.csr",
        "alice.reply.yaml",
        "renewed.reply.yaml",
        "alice@prod.crt",
        "alice.kubeconfig",
    ];
    let here = format!("{}/", folder.path().display());
    let contents = |name| folder.read(name).replace(&here, "");
    Some(files.map(|name| (name, contents(name))).into())
}

/// Injects every fault, and tells how many there were.
fn check(case: &Case) {
    if !have("strace") {
        return;
    }
    let (mut killed, mut failed) = (0, 0);
    let writes = !case.new.is_empty() || case.old.is_some();
    let ways = [
        &[][..],
        &[NO_NAMELESS],
        &[SECOND_NAMES, NO_RENAME],
        &[NO_NAMELESS, NO_RENAME],
    ];
    let ways = &ways[..if writes { 4 } else { 1 }];
    for (way, before) in ways.iter().enumerate() {
        for (call, occurrences) in calls(case, before) {
            let may_fail = CALLS.contains(&call.as_str()) || case.calls.contains(&call.as_str());
            // Between calls that touch no file all is as it was before them: once is enough.
            if way > 0 && !may_fail && !ENDS.contains(&call.as_str()) {
                continue;
            }
            for when in 1..=occurrences {
                killed += inject(case, before, &call, &format!("signal=KILL:when={when}"));
                for error in ERRORS.iter().filter(|_| may_fail) {
                    failed += inject(case, before, &call, &format!("error={error}:when={when}"));
                }
            }
        }
    }
    let command = case.args;
    // Not through the macros, whose output the test harness keeps to itself.
    let mut stderr = std::io::stderr();
    writeln!(
        stderr,
        "{command}: killed {killed} times, {failed} calls failed"
    )
    .unwrap();
    assert!(killed > 50 * ways.len() && failed > 70 * ways.len());
}

/// The calls of a run that nothing happens to, and how often each is made.
fn calls(case: &Case, options: &[&str]) -> BTreeMap<String, usize> {
    let (ended, trace) = run(case, options);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let mut calls = BTreeMap::new();
    for line in trace.lines() {
        let call = line.split_once(' ').unwrap().1.trim_start();
        // Of a call that another thread's parts, the end is no call: `<... futex resumed>) = -1 EAGAIN (...)`.
        if let Some((name, _)) = call.split_once('(').filter(|(name, _)| is_word(name)) {
            *calls.entry(name.to_owned()).or_default() += 1;
        }
    }
    // One is strace's own, the others fail already.
    calls.remove("execve");
    if !options.is_empty() {
        calls.remove("linkat");
    }
    if options.contains(&NO_RENAME) {
        calls.remove("renameat2");
    }
    calls
}

fn is_word(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// One run with one fault. Randomness may make a call more or less, so not every fault hits.
fn inject(case: &Case, before: &[&str], call: &str, fault: &str) -> usize {
    let fault = format!("--inject={call}:{fault}");
    let mut options = before.to_vec();
    options.push(&fault);
    let (ended, trace) = run(case, &options);
    // Where another thread's call comes between, the failure stands in a line of its own.
    let begun = [format!(" {call}("), format!("<... {call} resumed>")];
    let failed =
        |line: &str| line.contains("(INJECTED)") && begun.iter().any(|begun| line.contains(begun));
    let hit = ended.status == -1 || trace.lines().any(failed);
    assert!(hit || ended.status == 0, "{options:?}: {}", ended.stderr);
    usize::from(hit)
}

/// One run on fresh files, which are looked at afterwards.
fn run(case: &Case, options: &[&str]) -> (Ended, String) {
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    for (name, contents) in &case.found {
        folder.write(name, contents);
    }
    let trace = elsewhere.file("trace");
    let args: Vec<&str> = case.args.split_whitespace().collect();
    let ended = folder.traced(options, &trace, &args, b"");
    let trace = std::fs::read_to_string(&trace)
        .unwrap_or_else(|_| panic!("strace {options:?}: {}", ended.stderr));
    let last = trace.lines().rev().find(|line| line.contains("INJECTED"));
    let about = format!("{options:?} {last:?} {} {}", ended.status, ended.stderr);
    check_new(case, &folder, &ended, &about);
    check_old(case, &folder, &about);
    check_named(&folder, &about);
    check_words(&ended, &about);
    let is_whole = case.said.is_none_or(|said| said(&ended.stdout));
    assert!(ended.status != 0 || is_whole, "{}{about}", ended.stdout);
    (ended, trace)
}

/// New files are whole and have their mode; there is nothing else, unless the program was killed.
fn check_new(case: &Case, folder: &Folder, ended: &Ended, about: &str) {
    let mut written = 0;
    for path in files(folder) {
        let name = path.strip_prefix(folder.path()).unwrap().to_str().unwrap();
        if case.found.iter().any(|(found, _)| *found == name) {
            continue;
        }
        if let Some(New(_, mode, is_whole)) = case.new.iter().find(|new| new.is_named(name)) {
            let contents = folder.read(name);
            // The name was held, and then came the end.
            let holds_names = about.contains(NO_RENAME) && !about.contains(SECOND_NAMES);
            let is_held = contents.is_empty() && ended.status == -1 && holds_names;
            let is_whole = is_whole(&contents);
            assert!(is_whole || is_held, "{name} is not whole: {about}");
            let mode = if is_held { 0o600 } else { *mode };
            assert_eq!(folder.mode(name), mode, "{name}: {about}");
            written += 1;
        } else {
            let temporary = path.file_name().unwrap().to_str().unwrap();
            // What takes the place of another file has a name just before.
            let replaces = |(old, _): (&str, IsWhole)| temporary.starts_with(&format!(".{old}."));
            let may_be_left = about.contains(NO_NAMELESS) && temporary.starts_with('.')
                || case.old.is_some_and(replaces);
            assert!(
                may_be_left && about.contains("signal=KILL"),
                "{name} was left: {about}"
            );
            let public = name.contains(".csr") || name.contains(".crt");
            assert!(
                public || folder.mode(name) == 0o600,
                "{name} is not private: {about}"
            );
        }
    }
    match ended.status {
        -1 if about.contains("signal=KILL") => {}
        -1 => assert!(written == 0 || written == case.new.len(), "{about}"),
        0 => assert_eq!(written, case.new.len(), "{about}"),
        _ if ended.stderr.contains("standard output") => {}
        _ if ended.stderr.contains("not all is said") => {
            assert_eq!(written, case.new.len(), "{about}");
        }
        // The last step of all failed: what was replaced names it.
        _ if case
            .old
            .is_some_and(|(old, is_whole)| is_whole(&folder.read(old))) => {}
        // The folder that was asked for may be there, and nothing in it.
        _ => assert!(
            written == 0 && folder.has_nothing_in("out"),
            "left behind: {about}"
        ),
    }
}

/// What was there is as it was, or with more in it.
fn check_old(case: &Case, folder: &Folder, about: &str) {
    for (name, before) in &case.found {
        let after = folder.read(name);
        let is_new = || {
            case.old
                .is_some_and(|(old, is_whole)| old == *name && is_whole(&after))
        };
        assert!(after == *before || is_new(), "{name} changed: {about}");
        assert_eq!(folder.mode(name), 0o600, "{name}: {about}");
    }
}

/// What a kubeconfig names is there, whole.
fn check_named(folder: &Folder, about: &str) {
    for kubeconfig in ["alice.kubeconfig", "out/config", "other"] {
        if !folder.has(kubeconfig) {
            continue;
        }
        let text = folder.read(kubeconfig);
        for named in text.split_whitespace().filter(|it| it.ends_with(".crt")) {
            let is_there = folder.has(named) && is_certificate(&folder.read(named));
            assert!(is_there, "{named} is gone: {about}");
        }
    }
}

/// Whoever is alive and did not succeed says so.
fn check_words(ended: &Ended, about: &str) {
    let said = ended.stderr.as_str();
    assert!(!said.contains("panicked"), "{about}");
    match ended.status {
        -1 | 0 => {}
        1 | 2 => assert!(
            said.starts_with("kube-enroll: ") && said.contains("cannot"),
            "{about}"
        ),
        // Before the program starts, the loader speaks.
        127 => assert!(
            said.contains("error while loading shared libraries"),
            "{about}"
        ),
        _ => panic!("{about}"),
    }
}

/// All files beneath the folder.
fn files(folder: &Folder) -> Vec<PathBuf> {
    let mut folders = vec![folder.path().to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                &mut folders
            } else {
                &mut files
            }
            .push(path);
        }
    }
    files
}
