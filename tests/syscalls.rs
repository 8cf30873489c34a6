//! Every command under strace: no network, no other program, no file but what was named.

#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod common;

use std::path::{Path, PathBuf};

use common::{Folder, admin_kubeconfig, authority, have, issue};

/// System calls that nothing here may make.
const FORBIDDEN: &[&str] = &[
    "execve",
    "execveat",
    "fork",
    "vfork",
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "recvfrom",
    "recvmsg",
    "ptrace",
    "process_vm_readv",
    "unshare",
    "setns",
    "mount",
    "io_uring_setup",
    "bpf",
    "memfd_create",
];

/// What the loader, the C library, prompts and the count of cores open.
const ALLOWED: &[&str] = &[
    "/etc/ld.so.",
    "/lib",
    "/usr/lib",
    "/proc/self/maps",
    "/proc/self/status",
    "/proc/sys/vm/overcommit_memory",
    "/proc/self/cgroup",
    "/proc/self/mountinfo",
    "/sys/fs/cgroup/",
    "/dev/tty",
];

/// One run: the command line, and what it names.
struct Run {
    args: &'static str,
    input: &'static str,
    /// Files to read and folders to list.
    reads: &'static [&'static str],
    /// Where new files go.
    creates: &'static [&'static str],
    /// How it ends.
    status: i32,
}

impl Run {
    const fn ends(self, status: i32) -> Self {
        Self { status, ..self }
    }
}

const fn run(
    args: &'static str,
    reads: &'static [&'static str],
    creates: &'static [&'static str],
) -> Run {
    Run {
        args,
        input: "",
        reads,
        creates,
        status: 0,
    }
}

/// In the order of the journey; each finds what those before it wrote.
const RUNS: &[Run] = &[
    run("--version -v", &[], &[]),
    run(
        "request alice -g dev --algorithm ecdsa-p256 --passphrase-file pass --output-dir out/a",
        &["pass"],
        &["out/a"],
    ),
    run(
        "request bob --algorithm ecdsa-p256 --no-passphrase",
        &[],
        &["."],
    ),
    run(
        "request --key bob.key --config team.yaml --output-dir again",
        &[
            "bob.key",
            "team.yaml",
            "again/bob.csr",
            "again/bob.csr.yaml",
        ],
        &["again"],
    ),
    run("request carol", &[], &[]).ends(2),
    run(
        "inspect out/a/alice.csr.yaml bob.key missing.key",
        &["out/a/alice.csr.yaml", "bob.key", "missing.key"],
        &[],
    )
    .ends(2),
    Run {
        args: "inspect -o json",
        input: "nothing",
        reads: &[],
        creates: &[],
        status: 1,
    },
    run(
        "inspect out/a/alice.key --passphrase-file pass",
        &["out/a/alice.key", "pass"],
        &[],
    ),
    run(
        "list out/a bob.csr",
        &[
            "out/a",
            "out/a/alice.csr",
            "out/a/alice.csr.yaml",
            "bob.csr",
        ],
        &[],
    ),
    run(
        "verify out/a/alice.csr.yaml bob.csr --user alice --no-groups",
        &["out/a/alice.csr.yaml", "bob.csr"],
        &[],
    )
    .ends(1),
    run(
        "reply issued.yaml --kubeconfig admin.kubeconfig --out out/alice.reply.yaml",
        &["issued.yaml", "admin.kubeconfig", "pki/ca.crt"],
        &["out"],
    ),
    run(
        "kubeconfig out/alice.reply.yaml --key out/a --embed --passphrase-file pass",
        &[
            "out/alice.reply.yaml",
            "out/a",
            "out/a/alice.key",
            "out/a/alice.csr",
            "out/a/alice.csr.yaml",
            "out",
            ".",
            "bob.csr",
            "bob.csr.yaml",
            "pass",
        ],
        &["out/a"],
    ),
    run(
        "kubeconfig issued.yaml --cluster admin.kubeconfig --key out/a/alice.key --exec \
         --passphrase-file pass --output-dir files",
        &[
            "issued.yaml",
            "admin.kubeconfig",
            "pki/ca.crt",
            "out/a/alice.key",
            "out/a/alice.csr",
            "out/a/alice.csr.yaml",
            "out/a",
            ".",
            "bob.csr",
            "bob.csr.yaml",
            "files/alice@prod.crt",
            "pass",
        ],
        &["files"],
    ),
    run(
        "kubeconfig out/alice.reply.yaml --key out/a/alice.key --embed --passphrase-file pass \
         --merge config",
        &[
            "out/alice.reply.yaml",
            "out/a/alice.key",
            "out/a/alice.csr",
            "out/a/alice.csr.yaml",
            "out",
            "out/a",
            ".",
            "bob.csr",
            "bob.csr.yaml",
            "pass",
            "config",
        ],
        &["."],
    ),
    run(
        "kubeconfig out/alice.reply.yaml",
        &[
            "out/alice.reply.yaml",
            "out",
            ".",
            "bob.key",
            "bob.csr",
            "bob.csr.yaml",
        ],
        &[],
    )
    .ends(1),
    run(
        "renew files/alice.kubeconfig --no-passphrase --output-dir second",
        &[
            "files/alice.kubeconfig",
            "files/alice@prod.crt",
            "files",
            ".",
            // What tells for how long was asked.
            "bob.csr.yaml",
            "out/a/alice.csr.yaml",
        ],
        &["second"],
    ),
    run("rbac --user alice --cluster-role view", &[], &[]),
    run(
        "rbac out/a/alice.csr.yaml --revoke",
        &["out/a/alice.csr.yaml"],
        &[],
    ),
    run(
        "rbac --revoke files/alice.kubeconfig --output-dir revoked",
        &["files/alice.kubeconfig", "files/alice@prod.crt", "."],
        &["revoked"],
    ),
    run(
        "rehearse --algorithm ecdsa-p256 --dir rehearsal",
        &[],
        &[".", "rehearsal"],
    ),
    run(
        "rehearse --csr bob.csr --dir brought",
        &["bob.csr"],
        &[".", "brought"],
    ),
    run(
        "credential --certificate files/alice@prod.crt --key out/a/alice.key --passphrase-file pass",
        &["files/alice@prod.crt", "out/a/alice.key", "pass"],
        &[],
    ),
    run(
        "passphrase out/a/alice.key --passphrase-file pass --new-passphrase-file pass",
        &["out/a/alice.key", "pass"],
        &["out/a"],
    ),
    run(
        "unlock out/a/alice.key --passphrase-file pass --for 1s",
        &["out/a/alice.key", "pass"],
        &[],
    ),
    run("lock", &["/proc/keys"], &[]),
    run("qr bob.csr", &["bob.csr"], &[]),
    run(
        "qr bob.csr -o svg --output-dir codes",
        &["bob.csr", "codes"],
        &["codes", "."],
    ),
    run("completions bash", &[], &[]),
    run(
        "__complete reply --kubeconfig config --context a",
        &["config"],
        &[],
    ),
    run("man", &[], &[]),
    run("man --output-dir out", &[], &["out"]),
];

#[test]
fn no_command_reaches_the_network_other_programs_or_files_that_were_not_named() {
    if !have("strace") {
        return;
    }
    let folder = Folder::new();
    let elsewhere = Folder::new();
    let trace = elsewhere.file("trace");
    folder.write("pass", "correct horse\n");
    folder.write("not-named.txt", "nobody reads this");
    folder.write("team.yaml", "user: bob\ngroup: [dev]\n");
    folder.write("config", "apiVersion: v1\nkind: Config\n");
    let authority = authority();
    std::fs::create_dir(folder.file("pki")).unwrap();
    folder.write("pki/ca.crt", authority.certificate().to_pem());
    folder.write(
        "admin.kubeconfig",
        with_authority_file(&admin_kubeconfig(&authority)),
    );
    for run in RUNS {
        if run.args.starts_with("reply") {
            folder.write(
                "issued.yaml",
                issue(&folder.read("out/a/alice.csr.yaml"), &authority),
            );
        }
        let args: Vec<_> = run.args.split_whitespace().collect();
        let ended = folder.traced(&[], &trace, &args, run.input.as_bytes());
        assert_eq!(
            ended.status, run.status,
            "{}: {}{}",
            run.args, ended.stdout, ended.stderr
        );
        let lines = std::fs::read_to_string(&trace).unwrap();
        for line in lines.lines().skip(1) {
            check(line, run, folder.path());
        }
    }
}

/// The same kubeconfig, whose certificate authority is in a file beside it.
fn with_authority_file(kubeconfig: &str) -> String {
    let lines = kubeconfig.lines().map(|line| {
        if line.contains("certificate-authority-data") {
            "    certificate-authority: pki/ca.crt\n".to_owned()
        } else {
            format!("{line}\n")
        }
    });
    lines.collect()
}

/// `PID name(arguments) = result`
fn check(line: &str, run: &Run, folder: &Path) {
    let call = line
        .split_once(' ')
        .map_or("", |(_, call)| call.trim_start());
    let Some((name, arguments)) = call.split_once('(') else {
        return;
    };
    assert!(!FORBIDDEN.contains(&name), "{}: {line}", run.args);
    if name == "clone" || name == "clone3" {
        assert!(
            line.contains("CLONE_THREAD") || line.contains("ENOSYS"),
            "{}: {line}",
            run.args
        );
    }
    // O_PATH opens a place in the tree, as Landlock's rules need, and not the file.
    if ["open", "openat", "openat2"].contains(&name) && !arguments.contains("O_PATH") {
        let path = arguments.split('"').nth(1).unwrap_or_default();
        let named = if arguments.contains("O_CREAT") {
            creates(run, folder, path)
        } else if arguments.contains("O_TMPFILE") {
            creates(run, folder, &format!("{path}/nameless"))
        } else {
            reads(run, folder, path)
        };
        assert!(named, "{} was not to open {path}: {line}", run.args);
    }
}

fn reads(run: &Run, folder: &Path, path: &str) -> bool {
    let target = absolute(folder, path);
    let mut named = run.reads.iter().chain(run.creates);
    ALLOWED.iter().any(|allowed| path.starts_with(allowed))
        || named.any(|name| absolute(folder, name) == target)
        || is_above_created(run, folder, &target)
}

/// New folders are synced by the folders they are in.
fn is_above_created(run: &Run, folder: &Path, target: &Path) -> bool {
    let mut created = run.creates.iter().map(|name| absolute(folder, name));
    target.starts_with(absolute(folder, "")) && created.any(|path| path.starts_with(target))
}

fn creates(run: &Run, folder: &Path, path: &str) -> bool {
    let target = absolute(folder, path);
    run.creates
        .iter()
        .any(|name| Some(absolute(folder, name).as_path()) == target.parent())
}

fn absolute(folder: &Path, path: &str) -> PathBuf {
    folder.join(path).components().collect()
}
