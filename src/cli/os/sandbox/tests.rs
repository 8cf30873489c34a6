//! What an attacker inside the process would try, each in a process of its own.

#![allow(clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, exit};

use super::process::{Limits, limit};
use super::{Reach, enter};

/// Names the test whose deed is to be done in this process.
const INSIDE: &str = "KUBE_ENROLL_TEST_INSIDE";

/// Runs this test program again for the one test `name`, where `deed` is done in the sandbox.
/// It exits with 0 if the deed tells that all is as it should be.
fn in_sandbox(name: &str, deed: fn() -> bool) -> ExitStatus {
    if std::env::var(INSIDE).is_ok_and(|inside| inside == name) {
        limit(Limits::for_input(1, 1 << 20, 1));
    }
    in_sandbox_alone(name, deed)
}

/// The same with the limits that every command has.
fn in_sandbox_alone(name: &str, deed: fn() -> bool) -> ExitStatus {
    if std::env::var(INSIDE).is_ok_and(|inside| inside == name) {
        enter(Reach::default);
        exit(i32::from(!deed()));
    }
    let test = format!("cli::os::sandbox::tests::{name}");
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &test])
        .env(INSIDE, name)
        .output()
        .unwrap()
        .status
}

/// Whether the kernel or the container that tests run in does not have what is tested. Unlike a
/// program that is missing, nobody can install that.
fn lacks(what: &str) -> bool {
    let shown = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "cli::os::sandbox::tests::what_is_in_force",
            "--nocapture",
        ])
        .env(INSIDE, "what_is_in_force")
        .output()
        .unwrap();
    let lacks = String::from_utf8_lossy(&shown.stdout).contains(&format!("{what}: NOT"));
    if lacks {
        eprintln!("skipped: {what} is missing");
    }
    lacks
}

#[test]
fn what_is_in_force() {
    let status = in_sandbox("what_is_in_force", || {
        for restriction in enter(Reach::default) {
            println!("{}: {}", restriction.name, restriction.state);
        }
        true
    });
    assert!(status.success());
}

#[test]
fn no_other_program_takes_over() {
    if lacks("system calls (seccomp)") {
        return;
    }
    let status = in_sandbox("no_other_program_takes_over", || {
        Command::new("/bin/true").exec().raw_os_error() == Some(libc::ENOSYS)
    });
    assert!(status.success(), "{status}");
}

#[test]
fn no_process_is_forked() {
    if lacks("system calls (seccomp)") {
        return;
    }
    let status = in_sandbox("no_process_is_forked", || {
        Command::new("/bin/true").status().is_err()
    });
    assert!(status.success(), "{status}");
}

#[test]
fn sockets_are_refused() {
    if lacks("system calls (seccomp)") {
        return;
    }
    let status = in_sandbox("sockets_are_refused", || {
        TcpListener::bind("127.0.0.1:0").is_err()
            && UdpSocket::bind("127.0.0.1:0").is_err()
            && UnixStream::pair().is_err()
    });
    assert!(status.success(), "{status}");
}

#[test]
fn threads_work() {
    let status = in_sandbox("threads_work", || {
        let threads: Vec<_> = (0..8).map(|n| std::thread::spawn(move || n)).collect();
        let sum: i32 = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum();
        sum == 28
    });
    assert!(status.success(), "{status}");
}

#[test]
fn files_that_were_not_named_stay_closed() {
    if lacks("files (landlock)") {
        return;
    }
    let status = in_sandbox("files_that_were_not_named_stay_closed", || {
        let folder = std::env::temp_dir();
        fs::read("/etc/passwd").is_err()
            && fs::read_dir(&folder).is_err()
            && fs::write(folder.join("kube-enroll-not-named"), "").is_err()
            && fs::create_dir(folder.join("kube-enroll-not-named")).is_err()
            && nameless_file_in(&folder).is_err()
    });
    assert!(status.success(), "{status}");
}

fn nameless_file_in(folder: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).custom_flags(libc::O_TMPFILE);
    options.open(folder)
}

#[test]
fn no_file_is_made_by_what_writes_none() {
    if lacks("system calls (seccomp)") {
        return;
    }
    let status = in_sandbox("no_file_is_made_by_what_writes_none", || {
        let folder = std::env::temp_dir();
        let refused = |error: std::io::Error| error.raw_os_error() == Some(libc::ENOSYS);
        nameless_file_in(&folder).is_err_and(refused)
            && fs::write(folder.join("kube-enroll-not-made"), "").is_err_and(refused)
    });
    assert!(status.success(), "{status}");
}

#[test]
fn limits_leave_room_for_the_largest_replies_and_grow_with_the_input() {
    let large = Limits::for_input(1, 256 << 20, 2);
    assert!(large.address_space > 11 * (256 << 20) * 2);
    let small = Limits::for_input(1, 1 << 20, 2);
    assert!(small.address_space < 4 << 30 && small.address_space < large.address_space);
    assert!(small.cpu < large.cpu && large.cpu < Limits::for_input(10_000, 1 << 20, 2).cpu);
    let most = Limits::for_input(usize::MAX, u64::MAX, usize::MAX);
    assert_eq!((most.address_space, most.cpu), (u64::MAX, u64::MAX));
}

#[test]
fn every_command_has_limits() {
    use rustix::process::{Resource, getrlimit};
    let status = in_sandbox_alone("every_command_has_limits", || {
        let is_limited = |resource| getrlimit(resource).maximum.is_some();
        is_limited(Resource::As) && is_limited(Resource::Cpu)
    });
    assert!(status.success(), "{status}");
}

#[test]
fn limits_go_down_and_are_heeded() {
    let status = in_sandbox("limits_go_down_and_are_heeded", || {
        let mut more: Vec<u8> = Vec::new();
        more.try_reserve_exact(4 << 30).is_err()
    });
    assert!(status.success(), "{status}");
}
