//! The peers: the crates underneath, without what is added to them here, and programs. The time
//! of a program is that of the whole process, which the names of its benchmarks say; that of a Go
//! program is what it measures itself.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ed25519_dalek::Signer;
use getrandom::SysRng;
use kube_enroll::key::{Algorithm, PrivateKey};
use kube_enroll::pem;
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::SignatureEncoding;
use sha2::{Digest as _, Sha256};

/// Signs as our key does, and gives out what it made without a look.
pub type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// The crate that signs for a key of ours.
pub fn signer(algorithm: Algorithm, key: &PrivateKey) -> Sign {
    let der = pem::first(key.to_pkcs8_pem().unwrap().expose().as_bytes());
    let der = der.unwrap().contents;
    match algorithm {
        Algorithm::Rsa2048 | Algorithm::Rsa3072 | Algorithm::Rsa4096 => {
            let key = rsa::PrivateKey::from_pkcs8_der(&der).unwrap();
            Box::new(move |message| {
                let padding = rsa::Pkcs1v15Sign::new::<Sha256>();
                let digest = Sha256::digest(message);
                key.sign_with_rng(&mut SysRng, padding, &digest).unwrap()
            })
        }
        Algorithm::EcdsaP256 => ecdsa::<p256::ecdsa::SigningKey, p256::ecdsa::DerSignature>(&der),
        Algorithm::EcdsaP384 => ecdsa::<p384::ecdsa::SigningKey, p384::ecdsa::DerSignature>(&der),
        Algorithm::Ed25519 => {
            let key = ed25519_dalek::SigningKey::from_pkcs8_der(&der).unwrap();
            Box::new(move |message| key.sign(message).to_vec())
        }
    }
}

fn ecdsa<K, S>(der: &[u8]) -> Sign
where
    K: DecodePrivateKey + Signer<S> + 'static,
    S: SignatureEncoding,
{
    let key = K::from_pkcs8_der(der).unwrap();
    Box::new(move |message| key.sign(message).to_vec())
}

/// A program, and the folder that it finds its files in.
pub struct Program {
    name: &'static str,
    folder: tempfile::TempDir,
}

impl Program {
    /// Finds it, or says that it is not here.
    pub fn find(name: &'static str) -> Option<Self> {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {name}")])
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !found {
            eprintln!("skipped: {name} is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        Some(Self { name, folder })
    }

    /// Gives it a file to work on.
    pub fn with(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(name), contents).unwrap();
        self
    }

    /// Runs it, and demands that it succeeds.
    pub fn run(&self, args: &[&str]) {
        let output = Command::new(self.name)
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {args:?}: {said}", self.name);
    }
}

/// A Go program of `benches/peers`, compiled.
pub struct Go {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Go {
    /// Compiles it, or says that there is no compiler.
    pub fn build(source: &str) -> Option<Self> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("peer");
        let built = Command::new("go")
            .arg("build")
            .args([Path::new("-o"), &path, &sources.join(source)])
            .status();
        match built {
            Ok(status) => assert!(status.success(), "{source} does not compile"),
            Err(_) => {
                eprintln!("skipped: go is not installed");
                return None;
            }
        }
        Some(Self {
            path,
            _folder: folder,
        })
    }

    /// The time that it measures for so many rounds over `input`.
    pub fn time(&self, rounds: u64, args: &[&str], input: &str) -> Duration {
        let mut child = Command::new(&self.path)
            .arg(rounds.to_string())
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", self.path.display());
        let nanoseconds = String::from_utf8(output.stdout).unwrap();
        Duration::from_nanos(nanoseconds.trim().parse().unwrap())
    }
}
