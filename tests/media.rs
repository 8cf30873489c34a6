//! Media without second names, modes and owners: a FAT file system, as sticks have it.

#![allow(clippy::print_stderr, clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::process::Command;
use std::time::Duration;

use common::{Ended, Folder, admin_kubeconfig, authority, have, issue};

/// A folder in which `stick` is one.
struct Stick {
    folder: Folder,
}

impl Stick {
    /// Nothing, where none can be mounted.
    fn mount() -> Option<Self> {
        if !have("fusefat") || !have("mkfs.vfat") {
            return None;
        }
        let folder = Folder::new();
        let image = File::create(folder.file("image")).unwrap();
        image.set_len(8 << 20).unwrap();
        folder.peer("mkfs.vfat", &["image"]);
        std::fs::create_dir(folder.file("stick")).unwrap();
        let stick = Self { folder };
        let mounted = stick
            .folder
            .other("fusefat", &["-o", "rw+", "image", "stick"]);
        // It goes on in the background, and is there in a moment.
        for _ in 0..100 {
            if std::fs::read_to_string("/proc/mounts")
                .unwrap()
                .contains(stick.path())
            {
                return Some(stick);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        eprintln!("skipped: nothing can be mounted here: {}", mounted.stderr);
        None
    }

    fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn run(&self, command: &str) -> Ended {
        let words: Vec<_> = command.split(' ').collect();
        self.folder.run(&words)
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.file("stick")).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Stick {
    fn drop(&mut self) {
        let stick = self.folder.file("stick");
        let _ = Command::new("fusermount").arg("-u").arg(stick).status();
    }
}

#[test]
fn the_journey_goes_over_a_stick_and_nothing_on_it_is_overwritten() {
    let Some(stick) = Stick::mount() else { return };
    let request = "request alice --no-passphrase --algorithm ecdsa-p256 --output-dir stick";
    let ended = stick.run(request).good();
    assert!(
        ended.stderr.contains("cannot put a file under a name"),
        "{}",
        ended.stderr
    );
    assert_eq!(stick.names(), ["alice.csr", "alice.csr.yaml", "alice.key"]);
    assert_eq!(stick.folder.mode("stick/alice.key") & 0o077, 0);

    // A second request is written beside the first, and beside what somebody else has there.
    let key = stick.folder.read("stick/alice.key");
    stick.run(request).good();
    std::fs::write(stick.folder.file("stick/bob.csr"), "theirs").unwrap();
    stick.run(&request.replace("alice", "bob")).good();
    assert_eq!(stick.folder.read("stick/alice.key"), key);
    assert_eq!(stick.folder.read("stick/bob.csr"), "theirs");
    assert_eq!(stick.names().len(), 10);

    let authority = authority();
    stick.folder.write("admin", admin_kubeconfig(&authority));
    let object = issue(&stick.folder.read("stick/alice.csr.yaml"), &authority);
    stick.folder.write("object", object);
    std::fs::remove_file(stick.folder.file("stick/bob.csr")).unwrap();
    stick
        .run("reply object --kubeconfig admin --out stick/alice.reply.yaml")
        .good();
    for style in ["--files", "--exec", "--embed"] {
        let write = "kubeconfig stick/alice.reply.yaml --key stick/alice.key";
        stick.run(&format!("{write} {style}")).good();
        let report = stick
            .run("inspect -o json stick/alice.kubeconfig")
            .good()
            .json();
        let context = report.pointer("/objects/0/kubeconfig/contexts/0").unwrap();
        assert_eq!(
            context.get("usable"),
            Some(&true.into()),
            "{style}: {context}"
        );
    }
    assert!(
        stick.names().iter().all(|name| !name.starts_with('.')),
        "{:?}",
        stick.names()
    );
}
