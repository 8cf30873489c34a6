//! What an attacker finds who takes an image of the whole process as it exits: nothing.
//!
//! gdb stops each command at its last system call and writes a core image, every mapping included.
//! The image is searched, at every byte, for pieces of the private key and the passphrase in all
//! the forms that they went through. The same search has to find them in an image that is taken
//! while the command still works with them.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod common;

use std::collections::HashMap;
use std::ops::Range;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::{Folder, have};
use kube_enroll::key::EncodedKey;
use kube_enroll::pem;
use kube_enroll::secret::Passphrase;
use pkcs8::PrivateKeyInfoRef;

const PASSPHRASE: &str = "vXq7mW2rTz9KpLd4HsNb8YcGf3JuEa6R";

/// Eight bytes that occur by chance once in many thousand images.
type Piece = [u8; 8];

/// Pieces of secrets, and what each is a piece of.
#[derive(Default)]
struct Secrets(HashMap<Piece, &'static str>);

impl Secrets {
    /// The secrets in a key file, and the passphrase.
    fn of(key: &[u8], passphrase: Option<&str>) -> Self {
        let passphrase = passphrase.map(|text| Passphrase::new(text.as_bytes().to_vec()));
        let key = EncodedKey::find(key)
            .unwrap()
            .open(passphrase.as_ref())
            .unwrap();
        let pem_text = key.to_pkcs8_pem().unwrap().expose().clone();
        let der = pem::first(pem_text.as_bytes()).unwrap().contents.to_vec();
        let info = PrivateKeyInfoRef::try_from(der.as_slice()).unwrap();
        let inner = info.private_key.as_bytes();
        let mut secrets = Self::default();
        let secret = if let Ok(rsa) = pkcs1::RsaPrivateKeyRef::try_from(inner) {
            secrets.number("d", rsa.private_exponent.as_bytes());
            secrets.number("p", rsa.prime1.as_bytes());
            secrets.number("q", rsa.prime2.as_bytes());
            secrets.number("dP", rsa.exponent1.as_bytes());
            secrets.number("dQ", rsa.exponent2.as_bytes());
            secrets.number("qInv", rsa.coefficient.as_bytes());
            let start = position(&der, rsa.private_exponent.as_bytes());
            start..der.len()
        } else {
            let scalar = sec1::EcPrivateKey::try_from(inner).unwrap().private_key;
            secrets.number("the scalar", scalar);
            let start = position(&der, scalar);
            start..start + scalar.len()
        };
        secrets.encoded(&pem_text, secret);
        if passphrase.is_some() {
            secrets.bytes("the passphrase", PASSPHRASE.as_bytes());
        }
        secrets
    }

    /// A number in both byte orders and in the limbs of vector arithmetic.
    fn number(&mut self, what: &'static str, big_endian: &[u8]) {
        let mut little_endian = big_endian.to_vec();
        little_endian.reverse();
        self.bytes(what, big_endian);
        self.bytes(what, &little_endian);
        for limb in limbs_of_52_bits(&little_endian) {
            self.bytes(what, &limb.to_le_bytes());
        }
    }

    /// What stands for this part of the DER in PEM, and in the base64 of that in a kubeconfig.
    fn encoded(&mut self, pem_text: &str, der: Range<usize>) {
        let header = pem_text.find('\n').unwrap() + 1;
        let in_text = |position: usize| header + position + position / 64;
        let body = base64_of(der);
        let in_pem = in_text(body.start)..in_text(body.end);
        self.bytes("PEM", pem_text[in_pem.clone()].as_bytes());
        let doubled = BASE64_STANDARD.encode(pem_text);
        self.bytes("base64 of PEM", doubled[base64_of(in_pem)].as_bytes());
    }

    fn bytes(&mut self, what: &'static str, bytes: &[u8]) {
        for piece in bytes.chunks_exact(8) {
            let piece: Piece = piece.try_into().unwrap();
            if !is_ordinary(piece) {
                self.0.insert(piece, what);
            }
        }
    }

    /// What is found in an image, by what it is a piece of.
    fn hits(&self, image: &[u8]) -> HashMap<&'static str, usize> {
        let mut hits = HashMap::new();
        for window in image.windows(8) {
            if let Some(what) = self.0.get(window) {
                *hits.entry(*what).or_default() += 1;
            }
        }
        hits
    }
}

/// The characters that stand for these bytes alone.
fn base64_of(bytes: Range<usize>) -> Range<usize> {
    bytes.start.div_ceil(3) * 4..bytes.end / 3 * 4
}

fn position(text: &[u8], part: &[u8]) -> usize {
    text.windows(part.len())
        .position(|window| window == part)
        .unwrap()
}

/// Pieces with few different bytes occur in any image.
fn is_ordinary(piece: Piece) -> bool {
    let mut bytes = piece;
    bytes.sort_unstable();
    bytes.windows(2).filter(|pair| pair[0] != pair[1]).count() < 4
}

fn limbs_of_52_bits(little_endian: &[u8]) -> Vec<u64> {
    let bit = |index: usize| {
        let byte = little_endian.get(index / 8).copied().unwrap_or(0);
        u64::from(byte >> (index % 8) & 1)
    };
    (0..little_endian.len() * 8 / 52)
        .map(|limb| {
            (0..52)
                .map(|offset| bit(limb * 52 + offset) << offset)
                .sum()
        })
        .collect()
}

/// Where the command is stopped.
enum Stop {
    /// Before it exits.
    Exit,
    /// When the first file gets its name: the key is made, and about to be forgotten.
    Name,
}

/// Runs a command and takes an image of it when it comes to a system call.
fn image(folder: &Folder, args: &str, stop: &Stop) -> Vec<u8> {
    let call = match stop {
        Stop::Exit => "exit_group",
        Stop::Name => "linkat",
    };
    // A call is met twice, when it comes and when it has done what it does.
    let go_on = match stop {
        Stop::Exit => "info signals SIGKILL",
        Stop::Name => "continue",
    };
    let core = folder.file("core");
    let _ = std::fs::remove_file(&core);
    let mut gdb = Command::new("gdb");
    gdb.args([
        "-batch",
        "-nx",
        "-iex",
        "set auto-load off",
        "-ex",
        "set debuginfod enabled off",
    ]);
    for command in [
        "set use-coredump-filter off",
        "set dump-excluded-mappings on",
        &format!("catch syscall {call}"),
        &format!("run {args} > out 2> err < /dev/null"),
        go_on,
        &format!("generate-core-file {}", core.display()),
        "kill",
    ] {
        gdb.args(["-ex", command]);
    }
    let said = gdb
        .arg(common::executable())
        .current_dir(folder.path())
        .output();
    let said = said.unwrap();
    let said = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    let told = || format!("{said}{}{}", folder.read("out"), folder.read("err"));
    std::fs::read(&core).unwrap_or_else(|_| panic!("no core image: {}", told()))
}

/// A key that is made, or used, leaves nothing; and the search would have found it.
fn check(folder: &Folder, args: &str, key: &str, passphrase: Option<&str>) {
    let left = image(folder, args, &Stop::Exit);
    let secrets = Secrets::of(folder.read(key).as_bytes(), passphrase);
    assert!(secrets.0.len() > 10);
    let hits = secrets.hits(&left);
    assert!(hits.is_empty(), "{args}: {hits:?} in {} bytes", left.len());
    println!(
        "{args}: 0 hits of {} pieces in {} bytes",
        secrets.0.len(),
        left.len()
    );
}

fn folder() -> Option<Folder> {
    if !have("gdb") {
        return None;
    }
    let folder = Folder::new();
    folder.write("pass", format!("{PASSPHRASE}\n"));
    Some(folder)
}

#[test]
fn the_search_finds_what_is_still_in_use() {
    let Some(folder) = folder() else { return };
    let args = "request alice --algorithm ecdsa-p256 --no-passphrase";
    let used = image(&folder, args, &Stop::Name);
    let keys = folder.names();
    let key = keys.iter().find(|name| name.contains("alice.key")).unwrap();
    let secrets = Secrets::of(folder.read(key).as_bytes(), None);
    let hits = secrets.hits(&used);
    assert!(
        hits.contains_key("the scalar") && hits.contains_key("PEM"),
        "{hits:?}"
    );
}

#[test]
fn making_a_key_leaves_nothing_of_it() {
    let Some(folder) = folder() else { return };
    for algorithm in ["ecdsa-p256", "rsa-2048", "rsa-4096"] {
        let user = format!("plain-{algorithm}");
        let args = format!("request {user} --algorithm {algorithm} --no-passphrase");
        check(&folder, &args, &format!("{user}.key"), None);
        let user = format!("locked-{algorithm}");
        let args = format!("request {user} --algorithm {algorithm} --passphrase-file pass");
        check(&folder, &args, &format!("{user}.key"), Some(PASSPHRASE));
    }
}

/// Somebody with a key, and the certificate for it in `issued.yaml`; their name.
fn issued(folder: &Folder, algorithm: &str, passphrase: Option<&str>) -> String {
    let (kind, option) = match passphrase {
        Some(_) => ("locked", "--passphrase-file=pass"),
        None => ("plain", "--no-passphrase"),
    };
    let user = format!("{kind}-{algorithm}");
    let new = ["request", &user, "--algorithm", algorithm, option];
    folder.run(&new).good();
    let authority = common::authority();
    let issued = common::issue(&folder.read(&format!("{user}.csr.yaml")), &authority);
    folder.write("issued.yaml", issued);
    folder.write("admin.kubeconfig", common::admin_kubeconfig(&authority));
    user
}

#[test]
fn using_a_key_leaves_nothing_of_it() {
    let Some(folder) = folder() else { return };
    for (algorithm, passphrase) in [
        ("ecdsa-p256", None),
        ("rsa-4096", None),
        ("ecdsa-p256", Some(PASSPHRASE)),
        ("rsa-4096", Some(PASSPHRASE)),
    ] {
        let user = issued(&folder, algorithm, passphrase);
        let open = passphrase.map_or("", |_| "--passphrase-file pass");
        let key = format!("{user}.key");
        let args = format!("kubeconfig issued.yaml --cluster admin.kubeconfig --embed {open}");
        check(&folder, &args, &key, passphrase);
        let args = format!("credential --certificate issued.crt --key {key} {open}");
        let certificate = folder.read("issued.yaml");
        folder.write("issued.crt", common::certificate_of(&certificate));
        check(&folder, &args, &key, passphrase);
        let args = format!("inspect {key} {open}");
        check(&folder, &args, &key, passphrase);
    }
}

#[test]
fn the_second_year_leaves_nothing_of_either_key() {
    let Some(folder) = folder() else { return };
    for (algorithm, passphrase) in [
        ("ecdsa-p256", None),
        ("rsa-2048", Some(PASSPHRASE)),
        ("ecdsa-p256", Some(PASSPHRASE)),
    ] {
        let user = issued(&folder, algorithm, passphrase);
        let open = passphrase.map_or("", |_| "--passphrase-file=pass");
        let kubeconfig = "kubeconfig issued.yaml --cluster admin.kubeconfig --exec";
        let words = format!("{kubeconfig} {open}");
        let words: Vec<&str> = words.split_whitespace().collect();
        folder.run(&words).good();

        let (key, config) = (format!("{user}.key"), format!("{user}.kubeconfig"));
        let option = passphrase.map_or("--no-passphrase", |_| open);
        let args = format!("renew {config} {option} --output-dir renewed-{user}");
        check(&folder, &args, &format!("renewed-{user}/{key}"), passphrase);
        let args = format!("renew {config} --keep-key {open} --output-dir kept-{user}");
        check(&folder, &args, &key, passphrase);
        assert!(folder.has(&format!("kept-{user}/{user}.csr.yaml")));
        let args = format!("unlock {config} --for 5s {open}");
        check(&folder, &args, &key, passphrase);
        let (out, err) = (folder.read("out"), folder.read("err"));
        let is_done = out.contains("is unlocked") || out.contains("nothing to unlock");
        assert!(is_done || err.contains("keyring"), "{out}{err}");
    }
}
