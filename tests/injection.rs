//! With a debugger's hand in the process: what code that runs inside it, once it has forbidden
//! itself everything else, can still do outside of what the command needs. Nothing.

#![allow(clippy::print_stderr, clippy::unwrap_used)]
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{Folder, authority, certificate_of, executable, have, issue};

/// Some calls fail whoever asks: on a machine that has no keyrings, or in a container. So many of
/// the attempts must succeed where nothing is forbidden, or the test shows nothing.
const CONTROL: usize = 45;

/// The attempts as a library and as a program.
struct Injected {
    folder: Folder,
    library: PathBuf,
    control: PathBuf,
}

impl Injected {
    /// Nothing where there is no compiler, or no loader that would heed a library.
    fn build() -> Option<Self> {
        if !have("cc") {
            return None;
        }
        let folder = Folder::new();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/injection/attempts.c");
        let compile = |name: &str, options: &[&str]| {
            let built = folder.file(name);
            let status = Command::new("cc")
                .args(["-O1", "-Wall", "-Wno-unused-result", "-Wno-unused-variable"])
                .args(options)
                .arg(&source)
                .arg("-o")
                .arg(&built)
                .status();
            assert!(status.unwrap().success());
            built
        };
        let library = compile("attempts.so", &["-shared", "-fPIC"]);
        let control = compile("attempts", &["-DCONTROL"]);
        Some(Self {
            folder,
            library,
            control,
        })
    }

    /// A folder outside, with something for each attempt.
    fn outside(&self, name: &str) -> PathBuf {
        let outside = self.folder.file(name);
        std::fs::create_dir_all(outside.join("folder")).unwrap();
        for name in ["read", "write", "mode", "rename", "unlink"] {
            std::fs::write(outside.join(name), name).unwrap();
        }
        outside
    }
}

/// What is in a folder, but for what is written to: modes and contents by name.
fn picture(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let is_written = |name: &std::ffi::OsStr| name == "out" || name == "made";
    let files = entries.filter(|entry| !is_written(&entry.file_name()));
    let described = files.map(|entry| {
        let mode = entry.metadata().unwrap().permissions().mode();
        let contents = std::fs::read(entry.path()).unwrap_or_default();
        (entry.file_name().into_string().unwrap(), (mode, contents))
    });
    described.collect()
}

/// Somebody else's process, to be left alone.
struct Other(Child);

impl Other {
    fn new() -> Self {
        let sleeping = Command::new("sleep")
            .arg("600")
            .stdin(Stdio::null())
            .spawn();
        Self(sleeping.unwrap())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The attempts with what came of each; the number at the end is right.
fn attempts(stderr: &str) -> Vec<(&str, i64)> {
    let lines = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("attempt "));
    let attempts: Vec<_> = lines
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, result)| (name, result.parse().unwrap()))
        .collect();
    let counted = format!("attempts {}", attempts.len());
    assert!(stderr.lines().any(|line| line == counted), "{stderr}");
    attempts
}

fn is_static(program: &str) -> bool {
    let program = std::fs::read(program).unwrap();
    !program.windows(8).any(|window| window == b"ld-linux")
}

#[test]
fn code_that_is_injected_does_nothing_outside_of_what_the_command_needs() {
    if is_static(&executable()) {
        eprintln!("skipped: a static program loads no library");
        return;
    }
    let Some(injected) = Injected::build() else {
        return;
    };
    let (work, other) = (Folder::new(), Other::new());
    let in_force = work.run(&["--version", "-v"]).good().stdout;
    if in_force.contains("NOT ") {
        eprintln!("skipped: the kernel or the container lacks something: {in_force}");
        return;
    }
    let pid = other.0.id().to_string();

    let outside = injected.outside("control");
    work.write("input", "");
    let control = Command::new(&injected.control)
        .env("OUTSIDE", &outside)
        .env("TRIGGER", work.file("input"))
        .env("NEEDS", "")
        .env("OTHER", &pid)
        .current_dir(&outside)
        .output()
        .unwrap();
    let control = String::from_utf8_lossy(&control.stderr).into_owned();
    let succeeded = attempts(&control).iter().filter(|(_, it)| *it >= 0).count();
    assert!(succeeded >= CONTROL, "only {succeeded}: {control}");

    let request = "request alice --algorithm ecdsa-p256";
    std::fs::create_dir(work.file("out")).unwrap();
    work.write("pass", "correct horse\n");
    work.write("team.yaml", "groups: [dev]\n");
    let passphrase = format!("{request} --passphrase-file pass");
    work.run(&passphrase.split(' ').collect::<Vec<_>>()).good();
    let issued = issue(&work.read("alice.csr.yaml"), &authority());
    work.write("alice.crt", certificate_of(&issued));
    for (command, trigger, needs) in [
        ("inspect alice.csr.yaml", "alice.csr.yaml", ""),
        (
            "verify alice.csr.yaml --user alice --no-groups",
            "alice.csr.yaml",
            "",
        ),
        ("list alice.csr.yaml", "alice.csr.yaml", ""),
        ("rbac alice.csr.yaml --revoke", "alice.csr.yaml", ""),
        (
            "request bob --algorithm ecdsa-p256 --no-passphrase --config team.yaml --output-dir out",
            "team.yaml",
            "files",
        ),
        (
            "request carol --algorithm ecdsa-p256 --no-passphrase --config team.yaml --output-dir made",
            "team.yaml",
            "files",
        ),
        (
            "renew alice.crt --no-passphrase --output-dir out",
            "alice.crt",
            "files",
        ),
        (
            "credential --certificate alice.crt --key alice.key --passphrase-file pass",
            "alice.crt",
            "keyring",
        ),
    ] {
        let outside = injected.outside("outside");
        let (before, here) = (picture(&outside), picture(work.path()));
        let ended = Command::new(executable())
            .args(command.split(' '))
            .current_dir(work.path())
            .env("LD_PRELOAD", &injected.library)
            .env("OUTSIDE", &outside)
            .env("TRIGGER", trigger)
            .env("NEEDS", needs)
            .env("OTHER", &pid)
            .env("HOME", work.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        let attempts = attempts(&stderr);
        assert!(attempts.len() >= 70, "{stderr}");
        let succeeded: Vec<_> = attempts.iter().filter(|(_, it)| *it >= 0).collect();
        assert!(succeeded.is_empty(), "{command}: {succeeded:?}");
        // And the command did its work all the same.
        assert_eq!(ended.status.code(), Some(0), "{command}: {stderr}");
        let untouched = picture(&outside) == before && picture(work.path()) == here;
        assert!(untouched, "{command}");
    }
}
