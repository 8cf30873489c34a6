//! Whole files: lines of `name: value` that say what must come of a file, an empty line, the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kube_enroll::error::{Error, Result};
use kube_enroll::inspect::{Context, Object, inspect};
use kube_enroll::key::{EncodedKey, PrivateKey};
use kube_enroll::policy::{Agreed, Prediction};
use kube_enroll::secret::Passphrase;
use time::OffsetDateTime;

type Facts = BTreeMap<&'static str, String>;

/// What a file can be recorded to be, in the order of its lines.
const FACTS: [&str; 11] = [
    "kind",
    "encoding",
    "key",
    "fingerprint",
    "subject",
    "signature",
    "prediction",
    "user",
    "groups",
    "findings",
    "refused",
];

struct Vector {
    path: PathBuf,
    passphrase: Option<Passphrase>,
    expected: Facts,
    contents: Vec<u8>,
}

impl Vector {
    fn read(path: PathBuf) -> Self {
        let bytes = std::fs::read(&path).unwrap();
        let end = bytes.windows(2).position(|pair| pair == b"\n\n");
        let end = end.unwrap_or_else(|| panic!("{}: no outcome", path.display()));
        let header = std::str::from_utf8(&bytes[..end]).unwrap();
        let lines = header.lines().map(|line| line.split_once(": ").unwrap());
        let mut lines: BTreeMap<_, _> = lines.collect();
        let made = lines.remove("made");
        assert!(made.is_some(), "{}: of unknown origin", path.display());
        let passphrase = lines.remove("passphrase");
        let expected: Facts = FACTS
            .into_iter()
            .filter_map(|fact| Some((fact, lines.remove(fact)?.to_owned())))
            .collect();
        assert!(lines.is_empty(), "{}: {lines:?}", path.display());
        Self {
            passphrase: passphrase.map(|text| Passphrase::new(text.into())),
            expected,
            contents: bytes[end + 2..].to_vec(),
            path,
        }
    }

    fn check(&self) {
        let objects = inspected(&self.contents);
        let [object] = objects.as_slice() else {
            panic!("{}: {} objects", self.path.display(), objects.len());
        };
        let mut found = facts(object);
        if object.is_private_key() {
            found.extend(opened_facts(self.open()));
        }
        assert_eq!(found, self.expected, "{}", self.path.display());
    }

    fn open(&self) -> Result<PrivateKey> {
        EncodedKey::find(&self.contents)?.open(self.passphrase.as_ref())
    }

    fn is_readable(&self) -> bool {
        !self.expected.contains_key("refused")
    }
}

fn inspected(contents: &[u8]) -> Vec<Object> {
    let context = Context {
        now: OffsetDateTime::UNIX_EPOCH,
        agreed: Agreed::default(),
        passphrase: None,
    };
    inspect("a file", contents, &context)
}

/// What comes of opening a key. One that opens has to sign, and to come back from a file of ours.
fn opened_facts(opened: Result<PrivateKey>) -> Facts {
    let key = match opened {
        Ok(key) => key,
        Err(error) => return Facts::from([("refused", error.to_string())]),
    };
    key.sign(b"message", &mut getrandom::SysRng).unwrap();
    let public = key.public_key();
    assert_eq!(reread(&key).public_key(), public);
    let fingerprint = public.fingerprint().to_string();
    Facts::from([("key", public.to_string()), ("fingerprint", fingerprint)])
}

fn reread(key: &PrivateKey) -> PrivateKey {
    let pem = key.to_pkcs8_pem().unwrap();
    let encoded = EncodedKey::find(pem.expose().as_bytes()).unwrap();
    encoded.open(None).unwrap()
}

/// What an object is found to be, in the words of the records.
fn facts(object: &Object) -> Facts {
    let mut facts = Facts::new();
    let kind = object.kind.as_deref().unwrap_or("none");
    facts.insert("kind", kind.to_owned());
    if let Some(key) = &object.private_key {
        facts.insert("encoding", key.encoding.clone());
    }
    if let Some(key) = &object.public_key {
        let bits = key.bits.map(|bits| bits.to_string()).unwrap_or_default();
        let shown = match key.algorithm.as_str() {
            "RSA" => format!("RSA {bits}"),
            "ECDSA" => format!("ECDSA P-{bits}"),
            other => other.to_owned(),
        };
        facts.insert("key", shown);
        facts.insert("fingerprint", key.fingerprint.to_string());
    }
    if let Some(csr) = &object.csr {
        let valid = ["not valid", "valid"][usize::from(csr.signature_valid)];
        facts.insert("subject", csr.subject.clone());
        facts.insert("signature", format!("{}, {valid}", csr.signature_algorithm));
        facts.insert(
            "prediction",
            predicted(object.prediction.unwrap()).to_owned(),
        );
        facts.insert("findings", codes(object));
    } else if let [finding] = object.findings.as_slice() {
        facts.insert("refused", finding.message.clone());
    }
    if let Some(identity) = &object.identity {
        facts.insert("user", identity.username.clone());
        if !identity.groups.is_empty() {
            facts.insert("groups", identity.groups.join(", "));
        }
    }
    facts
}

/// How far the request comes.
fn predicted(prediction: Prediction) -> &'static str {
    match prediction {
        Prediction {
            authenticates: true,
            ..
        } => "authenticates",
        Prediction {
            issued: Some(true), ..
        } => "issued",
        Prediction { accepted: true, .. } => "accepted",
        _ => "refused",
    }
}

fn codes(object: &Object) -> String {
    let findings = serde_json::to_value(&object.findings).unwrap();
    let codes = findings.as_array().unwrap().iter();
    let codes: Vec<_> = codes
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    if codes.is_empty() {
        "none".to_owned()
    } else {
        codes.join(" ")
    }
}

/// Every file of a folder but the tables, which have tests of their own.
fn vectors(folder: &str) -> Vec<Vector> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let entries = std::fs::read_dir(tests.join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_none());
    files.map(Vector::read).collect()
}

fn check_folder(folder: &str, count: usize) {
    let vectors = vectors(folder);
    assert_eq!(vectors.len(), count, "files in {folder}");
    for vector in vectors {
        vector.check();
    }
}

#[test]
fn keys_and_requests_of_openssl_are_what_is_recorded() {
    check_folder("peers/openssl", 106);
}

#[test]
fn keys_and_requests_of_go_are_what_is_recorded() {
    check_folder("peers/go", 60);
}

#[test]
fn keys_and_requests_of_gnutls_are_what_is_recorded() {
    check_folder("peers/gnutls", 75);
}

#[test]
fn keys_and_requests_of_java_are_what_is_recorded() {
    check_folder("peers/java", 35);
}

#[test]
fn keys_and_requests_of_step_are_what_is_recorded() {
    check_folder("peers/step", 65);
}

#[test]
fn examples_of_the_rfcs_are_what_is_recorded() {
    check_folder("rfc", 7);
}

#[test]
fn encrypted_keys_of_others_open_with_their_passphrase_alone() {
    let folders = ["openssl", "gnutls", "java", "step"].map(|peer| format!("peers/{peer}"));
    let vectors = folders.iter().flat_map(|folder| vectors(folder));
    let mut count = 0;
    for vector in vectors.filter(|it| it.passphrase.is_some() && it.is_readable()) {
        let path = vector.path.display();
        let key = EncodedKey::find(&vector.contents).unwrap();
        assert!(key.is_encrypted(), "{path}");
        assert_eq!(key.open(None).err(), Some(Error::PassphraseRequired));
        let wrong = Passphrase::new(b"another passphrase".to_vec());
        let refused = key.open(Some(&wrong)).err();
        assert_eq!(refused, Some(Error::PassphraseWrong), "{path}");
        count += 1;
    }
    assert!(count > 50, "{count}");
}
