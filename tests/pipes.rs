//! Whoever reads what is written may go away at any time: the exit status says what was found all the
//! same, and that not everything arrived where another program is to do something with it.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};

use common::{Folder, executable};

const PEOPLE: usize = 150;

/// Alice's request, and those of many people in one file: their manifests are more than a pipe holds.
fn requests() -> Folder {
    let folder = Folder::new();
    let users: Vec<String> = (0..PEOPLE).map(|number| format!("user-{number}")).collect();
    let rows: Vec<String> = users.iter().map(|user| format!("{user},dev\n")).collect();
    folder.write("users.csv", format!("user,groups\n{}", rows.concat()));
    let base = ["--algorithm", "ed25519", "--no-passphrase"];
    let many = ["request", "--roster", "users.csv", "--output-dir", "many"];
    folder.run(&[&many[..], &base].concat()).good();
    let manifests = users.iter().map(|user| {
        let manifest = folder.read(&format!("many/{user}.csr.yaml"));
        format!("---\n{manifest}")
    });
    folder.write("all.yaml", manifests.collect::<String>());
    let one = ["request", "alice", "-g", "dev"];
    folder.run(&[&one[..], &base].concat()).good();
    folder
}

const MANY: [&str; 4] = ["verify", "all.yaml", "--roster", "users.csv"];
const GOOD: [&str; 6] = ["verify", "alice.csr.yaml", "--user", "alice", "-g", "dev"];
const BAD: [&str; 6] = ["verify", "alice.csr.yaml", "--user", "bob", "-g", "dev"];

/// Where standard output leads, and standard error.
#[derive(Debug, Clone, Copy)]
enum Reader {
    /// Gone before anything is written.
    Gone,
    /// Goes after the first byte of the results, or of either.
    TakesOne { errors_too: bool },
    /// There to the end.
    Stays,
    /// A file that cannot be written, or one that takes everything.
    Device(&'static str),
}

/// The exit status.
fn status(folder: &Folder, args: &[&str], reader: Reader) -> i32 {
    let mut command = Command::new(executable());
    command.args(args).current_dir(folder.path());
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let (mut end, writer) = std::io::pipe().unwrap();
    match reader {
        Reader::Device(path) => {
            let file = File::options().write(true).open(path).unwrap();
            return command.stdout(file).status().unwrap().code().unwrap();
        }
        Reader::TakesOne { errors_too: true } => {
            command.stderr(writer.try_clone().unwrap());
        }
        _ => {}
    }
    command.stdout(writer);
    if let Reader::Gone = reader {
        drop(end);
        return command.status().unwrap().code().unwrap();
    }
    let mut child = command.spawn().unwrap();
    // The parent's own writing end.
    drop(command);
    match reader {
        Reader::Stays => {
            std::io::copy(&mut end, &mut std::io::sink()).unwrap();
        }
        _ => {
            let _ = end.read(&mut [0]).unwrap();
        }
    }
    drop(end);
    child.wait().unwrap().code().unwrap()
}

#[test]
fn manifests_that_did_not_all_arrive_are_no_success() {
    let folder = requests();
    for (format, reader, expected) in [
        ("manifest", Reader::Stays, 0),
        ("manifest", Reader::Gone, 2),
        ("manifest", Reader::TakesOne { errors_too: false }, 2),
        ("manifest", Reader::TakesOne { errors_too: true }, 2),
        ("manifest", Reader::Device("/dev/full"), 2),
        ("manifest", Reader::Device("/dev/null"), 0),
        ("name", Reader::Stays, 0),
        ("name", Reader::Gone, 2),
        ("name", Reader::Device("/dev/full"), 2),
        ("name", Reader::Device("/dev/null"), 0),
    ] {
        for judged in [&MANY[..], &GOOD] {
            // What is little is in the pipe before its reader goes.
            if judged.len() == GOOD.len() && matches!(reader, Reader::TakesOne { .. }) {
                continue;
            }
            let found = status(&folder, &[judged, &["-o", format]].concat(), reader);
            assert_eq!(found, expected, "{judged:?} -o {format}: {reader:?}");
        }
        let found = status(&folder, &[&BAD[..], &["-o", format]].concat(), reader);
        assert_eq!(found, 1, "-o {format}: {reader:?}");
    }
    for judged in [&MANY[..], &GOOD] {
        let full = [judged, &["-o", "manifest", "--out", "/dev/full"]].concat();
        folder.run(&full).fails(2, &["/dev/full"]);
    }
}

#[test]
fn manifests_for_a_closed_output_are_no_success() {
    let folder = requests();
    for (args, expected) in [
        ("--user alice -g dev -o manifest >&-", 2),
        ("--user alice -g dev -o name >&-", 2),
        ("--user alice -g dev -o manifest >/dev/null", 0),
        ("--user bob -g dev -o manifest >&-", 1),
        ("--user bob -g dev -o manifest 2>&-", 2),
        ("--user alice -g dev -o manifest 2>&- >/dev/null", 2),
    ] {
        let line = format!("'{}' verify alice.csr.yaml {args}", executable());
        let ended = folder.other("sh", &["-c", &line]);
        assert_eq!(ended.status, expected, "{line}: {}", ended.stderr);
    }
}

#[test]
fn what_nobody_can_read_was_not_said_and_what_is_thrown_away_was() {
    let folder = requests();
    let sh = |line: &str| {
        let line = line.replace("kube-enroll", &format!("'{}'", executable()));
        let ended = folder.other("sh", &["-c", &line]);
        (ended.status, ended.stderr)
    };
    let verify = "kube-enroll verify alice.csr.yaml --user alice -g dev";
    let commands = [
        verify.to_owned(),
        format!("{verify} -o table"),
        format!("{verify} -o json"),
        format!("{verify} -o yaml"),
        "kube-enroll inspect alice.csr.yaml".to_owned(),
        "kube-enroll list alice.csr.yaml".to_owned(),
        "kube-enroll rbac --user alice --cluster-role view".to_owned(),
        "kube-enroll request --roster users.csv --no-passphrase --output-dir many -o csv"
            .to_owned(),
    ];
    for command in commands {
        let (status, said) = sh(&format!("{command} >&-"));
        assert_eq!(status, 2, "{command}: {said}");
        assert!(said.contains("standard output is closed"), "{said}");
        // However it is thrown away: some programs open it for reading as well.
        for thrown_away in ["2>/dev/null >/dev/null", "2>/dev/null 1<>/dev/null"] {
            let (status, said) = sh(&format!("{command} {thrown_away}"));
            assert_eq!(status, 0, "{command} {thrown_away}: {said}");
        }
    }
    // It has nothing to say.
    let quiet = "kube-enroll request carol --algorithm ed25519 --no-passphrase -q >&-";
    assert_eq!(sh(quiet).0, 0);
    // A warning that nobody can read.
    let warned = "kube-enroll rbac --approver --user alice >/dev/null";
    for (to, expected) in [("2>&-", 2), ("2>/dev/full", 2), ("2>/dev/null", 0)] {
        assert_eq!(sh(&format!("{warned} {to}")).0, expected, "{to}");
    }
    // So it is with anything else that is told, and with help.
    let told = "kube-enroll rbac alice.csr.yaml --cluster-role view >/dev/null";
    for (to, expected) in [("2>&-", 2), ("2>/dev/full", 2), ("2>/dev/null", 0)] {
        assert_eq!(sh(&format!("{told} {to}")).0, expected, "{to}");
    }
    for help in ["--help", "-h", "help", "help verify", "verify --help"] {
        for (to, expected) in [(">&-", 2), (">/dev/full", 2), (">/dev/null", 0)] {
            assert_eq!(
                sh(&format!("kube-enroll {help} {to}")).0,
                expected,
                "{help} {to}"
            );
        }
    }
}

#[test]
fn what_was_checked_is_not_delivered_to_whom_the_report_could_not_be_told() {
    let folder = requests();
    for judged in [
        "all.yaml --roster users.csv",
        "alice.csr.yaml --user alice -g dev",
    ] {
        for format in ["manifest", "name"] {
            let verify = format!("'{}' verify {judged} -o {format}", executable());
            let run = |redirected: &str| {
                let line = format!("{verify} {redirected}");
                folder.other("sh", &["-c", &line])
            };
            let told = run("2>/dev/null").good().stdout;
            assert!(!told.is_empty());
            for to in ["", "--out made"] {
                let ended = run(&format!("{to} 2>/dev/full"));
                assert_eq!((ended.status, &*ended.stdout), (2, ""), "{verify}");
                assert!(!folder.has("made"), "{verify}");
            }
            let words: Vec<&str> = judged.split(' ').chain(["-o", format]).collect();
            let (end, writer) = std::io::pipe().unwrap();
            drop(end);
            let mut unheard = Command::new(executable());
            unheard.arg("verify").args(words).current_dir(folder.path());
            let ended = unheard.stderr(writer).output().unwrap();
            assert_eq!((ended.status.code(), &*ended.stdout), (Some(2), &b""[..]));
        }
        let bad = format!("'{}' verify {judged} --fingerprint 0", executable());
        assert_ne!(
            folder
                .other("sh", &["-c", &format!("{bad} 2>/dev/full")])
                .status,
            0
        );
    }
}

#[test]
fn a_report_that_is_cut_off_changes_no_verdict() {
    let folder = requests();
    let cut = Reader::TakesOne { errors_too: true };
    for reader in [Reader::Stays, Reader::Gone, cut] {
        for format in ["text", "table", "json", "yaml"] {
            for (judged, expected) in [(&MANY[..], 0), (&GOOD[..], 0), (&BAD[..], 1)] {
                let found = status(&folder, &[judged, &["-o", format]].concat(), reader);
                assert_eq!(found, expected, "{judged:?} -o {format}: {reader:?}");
            }
        }
    }
    // What cannot be written is told.
    let found = status(&folder, &GOOD, Reader::Device("/dev/full"));
    assert_eq!(found, 2);
}
