//! What was named stays reachable in every way of naming it, and secrets stay private.

#![allow(clippy::print_stderr, clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod common;

use std::os::unix::fs::symlink;
use std::process::Command;

use common::{Ended, Folder, REQUEST, authority, have};

/// A folder with a key, its request, the issued object and an admin's kubeconfig.
fn journey() -> Folder {
    let folder = Folder::new();
    folder.issue_to_alice();
    folder
}

fn request_into(folder: &str) -> Vec<&str> {
    [&REQUEST[..], &["--output-dir", folder]].concat()
}

#[test]
fn the_version_is_one_line_and_on_demand_says_what_is_in_force() {
    let folder = Folder::new();
    let version = folder.typed("--version").good().stdout;
    assert_eq!(
        version,
        concat!("kube-enroll ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let lines = folder.typed("--version -v").good().stdout;
    assert!(lines.starts_with(&version));
    for name in [
        "core dumps: off",
        "traceable by its user: no",
        "new privileges: none",
        "system calls (seccomp): ",
        "files (landlock): ",
    ] {
        assert!(lines.contains(name), "{lines}");
    }
    folder.typed("-v").fails(2, &["--version"]);
    folder.typed("-q").fails(2, &["no command"]);
}

#[test]
fn a_folder_that_is_not_there_is_made_however_deep() {
    let folder = Folder::new();
    folder.run(&request_into("a/b/c")).good();
    assert!(folder.has("a/b/c/alice.key"));
    let above = folder.file("a/b/../d");
    folder.run(&request_into(above.to_str().unwrap())).good();
    assert!(folder.has("a/d/alice.key"));
}

#[test]
fn a_folder_that_is_made_for_a_secret_is_its_owners_alone_whatever_the_umask() {
    let folder = journey();
    for (umask, line, made) in [
        (
            "0",
            "request bob --algorithm ecdsa-p256 --no-passphrase --output-dir",
            "a/b",
        ),
        (
            "002",
            "kubeconfig issued.yaml --cluster admin --output-dir",
            "c",
        ),
        (
            "0",
            "kubeconfig issued.yaml --cluster admin --merge",
            "d/config",
        ),
    ] {
        let line = format!("umask {umask}; '{}' {line} {made}", common::executable());
        let ended = folder.other("sh", &["-c", &line]).good();
        assert!(!ended.stderr.contains("can replace"), "{}", ended.stderr);
    }
    for made in ["a", "a/b", "c", "d"] {
        assert_eq!(folder.mode(made), 0o700, "{made}");
    }
    // What goes to others is as open as the person has it.
    let line = format!(
        "umask 022; '{}' reply issued.yaml --kubeconfig admin --output-dir replies",
        common::executable()
    );
    folder.other("sh", &["-c", &line]).good();
    assert_eq!(folder.mode("replies"), 0o755);
}

#[test]
fn files_are_read_through_links_pipes_and_standard_input() {
    let folder = journey();
    symlink("alice.csr.yaml", folder.file("link")).unwrap();
    symlink("/dev/stdin", folder.file("link-to-stdin")).unwrap();
    let manifest = folder.read("alice.csr.yaml");
    folder.typed("inspect link").good();
    folder
        .run_with(&["inspect", "-"], manifest.as_bytes())
        .good();
    folder
        .run_with(&["inspect", "/dev/stdin"], manifest.as_bytes())
        .good();
    folder
        .run_with(&["inspect", "link-to-stdin"], manifest.as_bytes())
        .good();
    let program = common::executable();
    let redirected = format!("'{program}' inspect /dev/stdin < link");
    folder.peer("sh", &["-c", &redirected]);
    if have("bash") {
        let pipe = format!("'{program}' inspect <(cat link)");
        folder.peer("bash", &["-c", &pipe]);
    }
    folder.typed("inspect .").fails(2, &["directory"]);
}

#[test]
fn a_certificate_authority_is_read_where_the_kubeconfig_says() {
    let folder = journey();
    let elsewhere = Folder::new();
    elsewhere.write("ca.crt", authority().certificate().to_pem());
    let file = elsewhere.file("ca.crt");
    let kubeconfig: String = folder
        .read("admin")
        .lines()
        .map(|line| {
            if line.contains("certificate-authority-data") {
                format!("    certificate-authority: {}\n", file.display())
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    folder.write("admin", &kubeconfig);
    let reply = folder.typed("reply issued.yaml --kubeconfig admin").good();
    assert!(reply.stdout.contains("certificate-authority-data"));
    let pipe = ["reply", "issued.yaml", "--kubeconfig", "/dev/stdin"];
    folder.run_with(&pipe, kubeconfig.as_bytes()).good();
    let cluster = "kubeconfig issued.yaml --cluster admin --output-dir out";
    folder.typed(cluster).good();
    assert!(folder.has("out/alice.kubeconfig"));
}

#[test]
fn the_home_folder_is_where_home_says() {
    let folder = journey();
    std::fs::create_dir(folder.file(".kube")).unwrap();
    folder.write(".kube/config", folder.read("admin"));
    folder.typed("reply issued.yaml").good();
    let nowhere = Command::new("env")
        .args(["-u", "HOME", "-u", "KUBECONFIG", &common::executable()])
        .args(["reply", "issued.yaml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("no home folder"));
}

#[test]
fn keys_are_found_beside_the_reply_and_here() {
    let folder = journey();
    let reply = folder.typed("reply issued.yaml --kubeconfig admin").good();
    std::fs::create_dir(folder.file("inbox")).unwrap();
    folder.write("inbox/alice.reply.yaml", reply.stdout);
    folder.typed("kubeconfig inbox/alice.reply.yaml").good();
    assert!(folder.has("alice.kubeconfig"));
    std::fs::rename(folder.file("alice.key"), folder.file("inbox/alice.key")).unwrap();
    folder.typed("kubeconfig inbox/alice.reply.yaml").good();
    assert!(folder.has("inbox/alice.kubeconfig"));
}

#[test]
fn a_key_that_others_can_read_is_warned_about_with_the_chmod() {
    let folder = journey();
    folder.set_mode("alice.key", 0o640);
    let words = ["others can read alice.key", "chmod 600 alice.key"];
    let again = "request alice --key alice.key --output-dir again";
    folder.typed(again).fails(0, &words);
    folder.typed("inspect alice.key").fails(0, &words);
    let kubeconfig = "kubeconfig issued.yaml --cluster admin --out config";
    folder.typed(kubeconfig).fails(0, &words);
    folder.set_mode("config", 0o644);
    let merge = "kubeconfig issued.yaml --cluster admin --merge config";
    folder.typed(merge).good();
    // It holds a key now.
    assert_eq!(folder.mode("config"), 0o600);
}

#[test]
fn a_passphrase_that_others_can_read_is_refused_with_the_chmod() {
    let folder = Folder::new();
    folder.write("pass", "correct horse\n");
    let request = "request alice --algorithm ecdsa-p256 --passphrase-file pass";
    for mode in [0o640, 0o604, 0o644, 0o660] {
        folder.set_mode("pass", mode);
        folder
            .typed(request)
            .fails(2, &["others can read pass", "chmod 600 pass"]);
        assert_eq!(folder.names(), ["pass"]);
    }
    folder.set_mode("pass", 0o400);
    folder.typed(request).good();
}

#[test]
fn a_secret_does_not_go_where_everyone_can_replace_it() {
    let folder = journey();
    std::fs::create_dir(folder.file("open")).unwrap();
    folder.set_mode("open", 0o777);
    folder
        .run(&request_into("open"))
        .fails(2, &["everyone can replace", "chmod go-w open"]);
    assert!(!folder.has("open/alice.key") && !folder.has("open/alice.csr"));
    folder.write("open/config", "apiVersion: v1\n");
    let merge = "kubeconfig issued.yaml --cluster admin --merge open/config";
    folder.typed(merge).fails(2, &["everyone can replace"]);
    assert_eq!(folder.read("open/config"), "apiVersion: v1\n");
    folder.set_mode("open", 0o1777);
    folder.run(&request_into("open")).good();
}

#[test]
fn a_secret_does_not_go_below_a_folder_that_everyone_can_exchange() {
    let folder = Folder::new();
    for path in ["open/own/keys", "safe", "away"] {
        std::fs::create_dir_all(folder.file(path)).unwrap();
    }
    folder.set_mode("open", 0o777);
    // By its name, through a link to it, through a link that stands in it, and upwards again.
    symlink("open/own/keys", folder.file("link")).unwrap();
    symlink(folder.file("safe"), folder.file("open/own/detour")).unwrap();
    symlink("open/own/detour/..", folder.file("link-of-links")).unwrap();
    let into = [
        "open/own/keys",
        "link",
        "open/own/detour",
        "link-of-links",
        "open/../safe",
    ];
    let real = std::fs::canonicalize(folder.path()).unwrap();
    let fix = format!("run: chmod go-w {}", real.join("open").display());
    for into in into {
        let ended = folder.run(&request_into(into));
        ended.fails(2, &["everyone can replace files in", &fix]);
        assert!(!folder.file(into).join("alice.key").exists());
    }
    // Only its owner removes what is in such a folder.
    folder.set_mode("open", 0o1777);
    for into in ["open/own/keys", "open/own/detour"] {
        let ended = folder.run(&request_into(into)).good();
        assert!(!ended.stderr.contains("can replace"), "{}", ended.stderr);
        std::fs::remove_file(folder.file(into).join("alice.key")).unwrap();
    }
}

#[test]
fn another_user_or_group_that_can_exchange_a_folder_above_a_secret_is_told() {
    let folder = Folder::new();
    let is_root = folder.other("id", &["-u"]).stdout.trim() == "0";
    if !is_root {
        eprintln!("skipped: only root gives folders away");
        return;
    }
    for (above, mode, said) in [
        (
            "theirs",
            0o755,
            "belongs to another user, number 65534, who can replace",
        ),
        (
            "sticky",
            0o1755,
            "belongs to another user, number 65534, who can replace",
        ),
        ("shared", 0o775, "a group can replace files in"),
        ("seen", 0o755, ""),
    ] {
        let below = format!("{above}/own/keys");
        std::fs::create_dir_all(folder.file(&below)).unwrap();
        match above {
            "theirs" | "sticky" => folder.peer("chown", &["65534", above]),
            _ => folder.peer("chgrp", &["65534", above]),
        };
        folder.set_mode(above, mode);
        let ended = folder.run(&request_into(&below)).good();
        assert!(ended.stderr.contains(said), "{above}: {}", ended.stderr);
        let told = ended.stderr.matches("can replace").count();
        assert_eq!(told, usize::from(!said.is_empty()), "{}", ended.stderr);
    }
}

/// The request of alice with a passphrase, and with a key, that lie there.
fn read_secrets_in(folder: &Folder, place: &str) -> [Ended; 2] {
    let passphrase = format!("{place}/pass");
    let key = format!("{place}/alice.key");
    let request = ["request", "alice", "--output-dir", "out"];
    let made = ["--algorithm", "ecdsa-p256", "--passphrase-file"];
    let with_passphrase = [&request[..], &made, &[&passphrase]].concat();
    let with_key = [&request[..], &["--key", &key]].concat();
    [folder.run(&with_passphrase), folder.run(&with_key)]
}

#[test]
fn a_secret_is_not_read_where_everyone_can_replace_it_without_a_word() {
    let folder = journey();
    std::fs::create_dir_all(folder.file("open/own")).unwrap();
    folder.write("open/own/pass", "correct horse battery\n");
    folder.write("open/own/alice.key", folder.read("alice.key"));
    for mode in [0o755, 0o1777] {
        folder.set_mode("open", mode);
        for ended in read_secrets_in(&folder, "open/own") {
            assert!(!ended.good().stderr.contains("replace"));
        }
    }
    folder.set_mode("open", 0o777);
    let real = std::fs::canonicalize(folder.file("open")).unwrap();
    let fix = format!("run: chmod go-w {}", real.display());
    let [passphrase, key] = read_secrets_in(&folder, "open/own");
    passphrase.fails(2, &["everyone can replace files in", &fix]);
    key.fails(0, &["warning: everyone can replace files in", &fix]);
    // A pipe is nobody's to replace.
    let piped = "request bob --algorithm ecdsa-p256 --passphrase-file /dev/fd/3 --output-dir out";
    let line = format!("'{}' {piped} 3< <(cat open/own/pass)", common::executable());
    if have("bash") {
        let ended = folder.other("bash", &["-c", &line]).good();
        assert!(!ended.stderr.contains("replace"), "{}", ended.stderr);
    }
}

/// Whoever writes into it first says what the passphrase of the new key is.
#[test]
fn a_pipe_with_a_name_is_trusted_no_more_than_a_file() {
    let folder = Folder::new();
    std::fs::create_dir(folder.file("open")).unwrap();
    folder.peer("mkfifo", &["-m", "600", "open/pipe", "pipe"]);
    let refused = |name: &str, words: &[&str]| {
        let request = format!("request alice --algorithm ecdsa-p256 --passphrase-file {name}");
        let begun = std::time::Instant::now();
        folder.typed(&request).fails(2, words);
        assert!(begun.elapsed().as_secs() < 4, "it was waited for");
        assert!(!folder.has("alice.key"));
    };
    folder.set_mode("open", 0o777);
    refused("open/pipe", &["everyone can replace files in"]);
    folder.set_mode("pipe", 0o622);
    refused("pipe", &["others can read pipe", "chmod 600 pipe"]);
    folder.set_mode("pipe", 0o600);
    if folder.other("id", &["-u"]).stdout.trim() == "0" {
        folder.peer("chown", &["65534", "pipe"]);
        refused("pipe", &["belongs to another user, number 65534"]);
        folder.peer("chown", &["0", "pipe"]);
    }
    let request = "request alice --algorithm ecdsa-p256 --passphrase-file pipe";
    let script = format!(
        "echo correct horse battery >pipe & '{}' {request}",
        common::executable()
    );
    folder.other("sh", &["-c", &script]).good();
}

/// It was not said what may be read, so nothing more may be: the file of a stranger is read all the same.
#[test]
fn a_kubeconfig_that_is_missing_opens_nothing_else() {
    if !have("strace") {
        return;
    }
    let folder = journey();
    std::fs::create_dir(folder.file("folder")).unwrap();
    let elsewhere = Folder::new();
    let trace = elsewhere.file("trace");
    let opens_all = |kubeconfig: &str, input: &str| {
        let words = format!("reply issued.yaml --server https://a:6443 --kubeconfig {kubeconfig}");
        let words: Vec<&str> = words.split(' ').collect();
        folder.traced(
            &["-e", "trace=openat,open"],
            &trace,
            &words,
            input.as_bytes(),
        );
        let trace = std::fs::read_to_string(&trace).unwrap();
        assert!(trace.contains("issued.yaml"), "{trace}");
        trace.contains("\"/\", ")
    };
    for kubeconfig in ["missing", "missing/config", "folder", "/dev/null", "admin"] {
        assert!(!opens_all(kubeconfig, ""), "{kubeconfig}");
    }
    // What comes through a pipe is told in docs/security.md.
    assert!(opens_all("-", &folder.read("admin")));
}

#[test]
fn a_link_of_another_user_is_not_followed_to_a_secret() {
    let folder = journey();
    let is_root = folder.other("id", &["-u"]).stdout.trim() == "0";
    if !is_root {
        eprintln!("skipped: only root gives links away");
        return;
    }
    for name in ["sticky", "own", "safe"] {
        std::fs::create_dir(folder.file(name)).unwrap();
        symlink(folder.file("safe"), folder.file(name).join("link")).unwrap();
    }
    folder.write("safe/pass", "correct horse battery\n");
    folder.write("safe/alice.key", folder.read("alice.key"));
    folder.set_mode("sticky", 0o1777);
    let into = "request bob --algorithm ecdsa-p256 --no-passphrase --output-dir";
    let request = |place| folder.typed(&format!("{into} {place}"));
    let said = "sticky/link is a symbolic link of another user, number 65534";
    // One's own is, as is one that its owner cannot put elsewhere.
    folder.peer("chown", &["-h", "65534", "own/link"]);
    for place in ["sticky/link", "own/link"] {
        let read = read_secrets_in(&folder, place).into_iter();
        for ended in read.chain([request(place)]) {
            assert!(!ended.good().stderr.contains("symbolic"), "{place}");
        }
    }
    folder.peer("chown", &["-h", "65534", "sticky/link"]);
    let protected = std::fs::read_to_string("/proc/sys/fs/protected_symlinks");
    if protected.is_ok_and(|value| value.trim() != "0") {
        eprintln!("skipped: the kernel does not follow such links either");
        return;
    }
    let [passphrase, key] = read_secrets_in(&folder, "sticky/link");
    passphrase.fails(2, &[said]);
    key.fails(0, &["warning: ", said]);
    request("sticky/link").fails(2, &[said]);
}

#[test]
fn merging_through_a_link_names_the_file_to_merge_into() {
    let folder = journey();
    folder.write("real", "apiVersion: v1\n");
    symlink("real", folder.file("link")).unwrap();
    let merge = "kubeconfig issued.yaml --cluster admin --merge link";
    folder
        .typed(merge)
        .fails(2, &["link is a symbolic link", "real"]);
    assert_eq!(folder.read("real"), "apiVersion: v1\n");
    assert!(folder.file("link").is_symlink());
}

#[test]
fn a_link_under_the_name_of_a_new_secret_is_refused() {
    let folder = Folder::new();
    symlink("elsewhere", folder.file("alice.key")).unwrap();
    folder.run(&REQUEST).good();
    assert!(!folder.has("elsewhere") && folder.names().len() == 4);
}

#[test]
fn the_same_works_where_nothing_can_be_forbidden() {
    if !have("strace") {
        return;
    }
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    // As in a container that forbids these, and on a kernel from before Landlock.
    let refused = [
        "--inject=seccomp,prctl:error=EPERM",
        "--inject=landlock_create_ruleset:error=ENOSYS",
    ];
    let trace = elsewhere.file("trace");
    folder.traced(&refused, &trace, &REQUEST, b"").good();
    assert_eq!(folder.names(), ["alice.csr", "alice.csr.yaml", "alice.key"]);
    let version = folder
        .traced(&refused, &trace, &["--version", "-v"], b"")
        .good();
    for line in [
        "traceable by its user: YES",
        "seccomp): NOT FILTERED",
        "landlock): NOT RESTRICTED",
    ] {
        assert!(version.stdout.contains(line), "{}", version.stdout);
    }
}
