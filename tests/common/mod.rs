//! What the tests of the command line share: a folder, the program, and the programs that judge.

#![allow(
    dead_code,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

pub mod commands;
pub mod killed;
pub mod odd_request;

use base64::Engine as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Asks for alice with a key that is not encrypted.
pub const REQUEST: [&str; 7] = [
    "request",
    "alice",
    "-g",
    "dev",
    "--algorithm",
    "ecdsa-p256",
    "--no-passphrase",
];

/// What kubectl runs for alice.
pub const CREDENTIAL: [&str; 5] = [
    "credential",
    "--certificate",
    "alice@prod.crt",
    "--key",
    "alice.key",
];

/// A folder of its own for each test, removed afterwards.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file that nobody else can read: it may be a key or a passphrase.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.file(name), contents).unwrap();
        self.set_mode(name, 0o600);
    }

    pub fn set_mode(&self, name: &str, mode: u32) {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.file(name), permissions).unwrap();
    }

    pub fn mode(&self, name: &str) -> u32 {
        let metadata = std::fs::metadata(self.file(name)).unwrap();
        metadata.permissions().mode() & 0o7777
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    pub fn has(&self, name: &str) -> bool {
        self.file(name).exists()
    }

    /// Whether there is no such folder, or nothing in it: the one that output is to go to is made before
    /// anything is read.
    pub fn has_nothing_in(&self, name: &str) -> bool {
        std::fs::read_dir(self.file(name)).map_or(true, |mut entries| entries.next().is_none())
    }

    /// The names of all files, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs kube-enroll in the folder, without a terminal.
    pub fn run(&self, args: &[&str]) -> Ended {
        self.run_with(args, b"")
    }

    /// The same for words with blanks between them.
    pub fn typed(&self, words: &str) -> Ended {
        self.run(&words.split_whitespace().collect::<Vec<_>>())
    }

    /// Asks for alice, and writes what is issued to `issued.yaml` and an admin's kubeconfig to `admin`;
    /// what `request` said, and who issued.
    pub fn issue_to_alice(&self) -> (Ended, kube_enroll::rehearsal::Authority) {
        let asked = self.run(&REQUEST).good();
        let authority = authority();
        let issued = issue(&self.read("alice.csr.yaml"), &authority);
        self.write("issued.yaml", issued);
        self.write("admin", admin_kubeconfig(&authority));
        (asked, authority)
    }

    /// The same with something on standard input.
    pub fn run_with(&self, args: &[&str], input: &[u8]) -> Ended {
        feed(self.program(&executable(), args), input)
    }

    /// Runs kube-enroll under strace, which takes these options and writes to `trace`.
    pub fn traced(&self, options: &[&str], trace: &Path, args: &[&str], input: &[u8]) -> Ended {
        let trace = trace.to_str().unwrap();
        let executable = executable();
        let mut all = vec!["-f", "-qq", "-s", "4096", "-o", trace];
        all.extend(options);
        all.extend(["--", &executable]);
        all.extend(args);
        feed(self.program("strace", &all), input)
    }

    /// Types at a shell's prompt, and answers; what was on the screen. Each step is what to wait for and
    /// what to type then.
    pub fn on_terminal(&self, command: &str, steps: &[(&str, &str)]) -> String {
        let mut script =
            "set timeout 60\nset env(PS1) \"READY>\"\nspawn -noecho bash --norc --noprofile -i\n\
             expect \"READY>\"\nsend \"bind 'set enable-bracketed-paste off'; stty -echo\\r\"\n\
             expect \"READY>\"\n"
                .to_owned();
        let command = command.replace('$', "\\$").replace('[', "\\[");
        script.extend([format!("send \"{}\\r\"\n", command.replace('"', "\\\""))]);
        for (seen, answer) in steps {
            script.extend([format!(
                "expect {{\n    -ex \"{seen}\" {{}}\n    timeout {{ puts \"NOT SEEN: {seen}\"; exit 3 }}\n}}\n\
                 after 300\nsend \"{answer}\"\n"
            )]);
        }
        script.push_str("expect \"READY>\"\nsend \"exit\\r\"\nexpect eof\n");
        self.write("typed.exp", script);
        let ended = self.other("expect", &["typed.exp"]);
        assert!(!ended.stdout.contains("NOT SEEN"), "{}", ended.stdout);
        ended.stdout
    }

    /// Runs another program in the folder, and demands that it succeeds.
    pub fn peer(&self, program: &str, args: &[&str]) -> String {
        let ended = feed(self.program(program, args), b"");
        assert_eq!(ended.status, 0, "{program} {args:?}: {}", ended.stderr);
        ended.stdout
    }

    /// Runs another program in the folder, however it ends.
    pub fn other(&self, program: &str, args: &[&str]) -> Ended {
        feed(self.program(program, args), b"")
    }

    fn program(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.path())
            .env("NO_COLOR", "1")
            .env("HOME", self.path())
            // Cargo's, where the loader would look.
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("KUBECONFIG");
        command
    }
}

/// The program that is tested: cargo's, or another build of it that the environment names.
pub fn executable() -> String {
    std::env::var("KUBE_ENROLL_EXECUTABLE")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_kube-enroll").to_owned())
}

/// How a program ended and what it said.
pub struct Ended {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Demands success.
    pub fn good(self) -> Self {
        assert_eq!(self.status, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    /// Demands success, and these words.
    pub fn says(self, words: &[&str]) -> Self {
        self.fails(0, words);
        self
    }

    /// Demands this exit status, and these words on standard error.
    pub fn fails(&self, status: i32, words: &[&str]) {
        let said = format!("{}{}", self.stdout, self.stderr);
        assert_eq!(self.status, status, "{said}");
        for word in words {
            assert!(said.contains(word), "no {word:?} in: {said}");
        }
        assert!(!said.contains("panicked"), "{said}");
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

fn feed(mut command: Command, input: &[u8]) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // Whoever does not read its input to the end has its reasons.
        let _ = stdin.write_all(&input);
    });
    let output: Output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ended {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Whether a program is there to judge. Where it has to be, its absence is a failure.
pub fn have(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        assert!(std::env::var("CI").is_err(), "{program} is missing");
        eprintln!("skipped: {program} is missing");
    }
    found
}

/// Signs the request in a manifest as kube-controller-manager would and returns the object as
/// `kubectl get csr -o yaml` prints it.
pub fn issue(manifest: &str, authority: &kube_enroll::rehearsal::Authority) -> String {
    issue_at(manifest, authority, time::OffsetDateTime::now_utc())
}

/// [`issue`] at another time.
pub fn issue_at(
    manifest: &str,
    authority: &kube_enroll::rehearsal::Authority,
    now: time::OffsetDateTime,
) -> String {
    let documents = kube_enroll::yaml::documents(manifest.as_bytes());
    let object = kube_enroll::inspect::signing_requests(&documents).remove(0);
    let block = kube_enroll::pem::first(object.request.as_ref().unwrap()).unwrap();
    let csr = kube_enroll::csr::CertificationRequest::from_der(&block.contents).unwrap();
    let certificate = authority
        .sign(&csr, &object, now, &mut getrandom::SysRng)
        .unwrap();
    let mut value = documents[0].content.clone().unwrap();
    value["status"] = serde_json::json!({
        "conditions": [{"type": "Approved", "status": "True", "reason": "KubectlApprove",
            "message": "This CSR was approved by kubectl certificate approve."}],
        "certificate": base64::prelude::BASE64_STANDARD.encode(certificate.to_pem()),
    });
    kube_enroll::yaml::to_string(&value)
}

/// The certificate in an issued object, in PEM.
pub fn certificate_of(object: &str) -> Vec<u8> {
    let value = kube_enroll::yaml::first_document(object.as_bytes()).unwrap();
    let pem = value["status"]["certificate"].as_str().unwrap();
    base64::prelude::BASE64_STANDARD.decode(pem).unwrap()
}

/// An authority for issued certificates.
pub fn authority() -> kube_enroll::rehearsal::Authority {
    kube_enroll::rehearsal::Authority::new(time::OffsetDateTime::now_utc(), &mut getrandom::SysRng)
        .unwrap()
}

/// A kubeconfig of an admin, with a token that must never leave it.
pub fn admin_kubeconfig(authority: &kube_enroll::rehearsal::Authority) -> String {
    let ca = base64::prelude::BASE64_STANDARD.encode(authority.certificate().to_pem());
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters:\n- name: prod\n  cluster:\n    \
         server: https://10.0.0.1:6443\n    certificate-authority-data: {ca}\nusers:\n- name: admin\n  \
         user:\n    token: top-secret-token\ncontexts:\n- name: prod\n  context:\n    cluster: prod\n    \
         user: admin\n"
    )
}
