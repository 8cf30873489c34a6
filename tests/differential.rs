//! What was checked is what is applied: whatever was done to a file, what `verify -o manifest` writes of
//! it is decoded by the real kubectl to exactly what the report showed.
//!
//! `KUBE_ENROLL_MUTATIONS` says how many files are tried, `KUBE_ENROLL_MUTATION_SEED` which.

#![allow(clippy::indexing_slicing, clippy::print_stderr, clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::{Folder, have};
use kube_enroll::parallel;
use serde_json::{Deserializer, Value, json};

const DICTIONARY: &str = include_str!("../fuzz/dictionaries/yaml.dict");

/// A number from the environment.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

/// `SplitMix64`: the same numbers for the same start, on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below another one, which may be 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % (end as u64).max(1)).unwrap()
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// The words of a libFuzzer dictionary.
fn words(dictionary: &str) -> Vec<Vec<u8>> {
    let quoted = dictionary.lines().filter_map(|line| {
        let (_, word) = line.split_once("=\"")?;
        word.strip_suffix('"')
    });
    quoted.map(unescaped).collect()
}

fn unescaped(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = word.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            bytes.extend(c.to_string().bytes());
            continue;
        }
        match rest.next().unwrap() {
            'x' => {
                let digits: String = rest.by_ref().take(2).collect();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            other => bytes.extend(other.to_string().bytes()),
        }
    }
    bytes
}

/// Does one thing to a file that a hostile sender or a broken mailer could do.
fn damage(input: &mut Vec<u8>, dice: &mut Dice, words: &[Vec<u8>], others: &[Vec<u8>]) {
    let at = dice.below(input.len() + 1);
    let starts: Vec<usize> = std::iter::once(0)
        .chain(
            (0..input.len())
                .filter(|at| input[*at] == b'\n')
                .map(|at| at + 1),
        )
        .collect();
    let line = *dice.of(&starts);
    let line_end = starts.iter().copied().find(|start| *start > line);
    let line_end = line_end.unwrap_or(input.len());
    match dice.below(18) {
        0 | 1 => drop(input.splice(at..at, dice.of(words).iter().copied())),
        2 | 3 => drop(input.splice(line..line, dice.of(words).iter().copied())),
        // A field under the same parent, before or behind the one that is there.
        4 => {
            let copy = input[line..line_end].to_vec();
            let place = *dice.of(&starts);
            input.splice(place..place, copy);
        }
        5 => drop(input.drain(line..line_end)),
        6 => {
            let end = at + dice.below((input.len() - at).min(9));
            input.drain(at..end);
        }
        7 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = u8::try_from(dice.below(256)).unwrap();
            }
        }
        8 => {
            let other = dice.of(others).clone();
            let separator = *dice.of(&["\n---\n", "\n", "", "\n...\n", ",", " "]);
            let joined = [separator.as_bytes(), &other].concat();
            let place = *dice.of(&[line, input.len()]);
            input.splice(place..place, joined);
        }
        // A line of another file.
        9 => {
            let other = dice.of(others);
            let lines: Vec<&[u8]> = other.split_inclusive(|byte| *byte == b'\n').collect();
            if !lines.is_empty() {
                input.splice(line..line, dice.of(&lines).to_vec());
            }
        }
        10 => {
            let mark = *dice.of(&["\u{FEFF}", "\u{85}", "\u{2028}", "\r", "\t", "\0", "# "]);
            let place = *dice.of(&[0, line, at]);
            input.splice(place..place, mark.bytes());
        }
        11 => {
            let text = String::from_utf8_lossy(input).into_owned();
            let units = text.encode_utf16();
            *input = match dice.below(2) {
                0 => units.flat_map(u16::to_le_bytes).collect(),
                _ => units.flat_map(u16::to_be_bytes).collect(),
            };
        }
        12 => {
            let text = String::from_utf8_lossy(input).into_owned();
            let (from, to) = *dice.of(&[
                ("\n", "\r\n"),
                ("\"", ""),
                ("\"", "'"),
                (": ", ":\n    "),
                ("\n  ", "\n    "),
                ("- ", "-   "),
                ("alice", "mallory"),
                ("metadata", "\"met\\u0061data\""),
                ("spec:", "Spec:"),
                ("spec", "status"),
            ]);
            *input = text.replacen(from, to, 1 + dice.below(40)).into_bytes();
        }
        13 => input.truncate(at),
        // A field more, most often where it belongs.
        _ => {
            let neighbours = input[line..].iter().take_while(|byte| **byte == b' ');
            let indent = match dice.below(4) {
                0 => dice.below(5),
                _ => neighbours.count(),
            };
            let indent = " ".repeat(indent);
            let field = format!("{indent}{}\n", dice.of(&FIELDS));
            input.splice(line..line, field.into_bytes());
        }
    }
}

/// Fields that a sender could hope are read by one reader alone.
const FIELDS: [&str; 20] = [
    "# user: mallory",
    "uid: \"1\"",
    "namespace: default",
    "username: mallory",
    "metadata: {name: other}",
    "name: other",
    "Name: other",
    "generateName: other-",
    "labels: {a: b}",
    "annotations: {a: \"b\"}",
    "signerName: kubernetes.io/kubelet-serving",
    "SIGNERNAME: kubernetes.io/kubelet-serving",
    "usages: [\"server auth\"]",
    "expirationSeconds: 31536000",
    "expirationSeconds: 0x2000",
    "expirationSeconds: 1_000_000",
    "items: []",
    "kind: List",
    "status: {certificate: \"\"}",
    "request: \"\"",
];

/// Files that are good as they are: a manifest as people and programs write it, and a bare request.
fn good_files(folder: &Folder) -> Vec<Vec<u8>> {
    let args = ["request", "alice", "-g", "dev", "--no-passphrase"];
    let args = [
        &args[..],
        &["--algorithm", "ecdsa-p256", "--expires-in", "90d"],
    ]
    .concat();
    folder.run(&args).good();
    let manifest = folder.read("alice.csr.yaml");
    let value = kube_enroll::yaml::first_document(manifest.as_bytes()).unwrap();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [value]});
    let literal = kube_enroll::yaml::to_string(&value).replace('"', "");
    vec![
        manifest.into_bytes(),
        literal.into_bytes(),
        value.to_string().into_bytes(),
        format!("{value:#}\n").into_bytes(),
        format!("{list:#}\n").into_bytes(),
        kube_enroll::yaml::to_string(&list).into_bytes(),
        folder.read("alice.csr").into_bytes(),
    ]
}

/// Files to take pieces of: another person's request for the same name, a binding, damaged ones.
fn other_files(folder: &Folder) -> Vec<Vec<u8>> {
    let mallory = Folder::new();
    let args = ["request", "alice", "-g", "dev", "--no-passphrase"];
    let args = [&args[..], &["--algorithm", "ecdsa-p256"]].concat();
    mallory.run(&args).good();
    let binding = folder
        .run(&[
            "rbac",
            "--user",
            "mallory",
            "--cluster-role",
            "cluster-admin",
        ])
        .good();
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/manifest");
    let seeds = std::fs::read_dir(seeds).unwrap();
    let seeds = seeds.map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let mut files: Vec<_> = seeds.collect();
    files.extend([
        mallory.read("alice.csr.yaml").into_bytes(),
        mallory.read("alice.csr").into_bytes(),
        binding.stdout.into_bytes(),
    ]);
    files
}

/// What is created, from a report or from what kubectl decoded.
#[derive(Debug, PartialEq)]
struct Created {
    name: Value,
    signer: Value,
    usages: Value,
    expiration: Value,
    /// Nobody, where it is another signer's and nothing is known of what it makes of the names.
    identity: Option<(String, Vec<String>)>,
    fingerprint: String,
}

impl Created {
    fn of_report(object: &Value) -> Self {
        let identity = &object["identity"];
        let identity = identity["username"].as_str().map(|user| {
            let groups = identity["groups"].as_array().unwrap().iter();
            let groups = groups.map(|it| it.as_str().unwrap().to_owned());
            (user.to_owned(), groups.collect())
        });
        Self {
            name: object["name"].clone(),
            signer: object["signerName"].clone(),
            usages: object["usages"].clone(),
            expiration: object["expirationSeconds"].clone(),
            identity,
            fingerprint: object["publicKey"]["fingerprint"]
                .as_str()
                .unwrap()
                .to_owned(),
        }
    }

    /// The request is read by another library than ours.
    fn of_kubectl(object: &Value) -> Self {
        use x509_parser::prelude::{FromDer as _, X509CertificationRequest};
        let spec = &object["spec"];
        let request = BASE64_STANDARD
            .decode(spec["request"].as_str().unwrap())
            .unwrap();
        let block = x509_parser::pem::Pem::iter_from_buffer(&request)
            .next()
            .unwrap();
        let block = block.unwrap();
        let (rest, request) = X509CertificationRequest::from_der(&block.contents).unwrap();
        assert!(rest.is_empty());
        let info = &request.certification_request_info;
        let text = |value: &x509_parser::x509::AttributeTypeAndValue<'_>| {
            value.as_str().unwrap().to_owned()
        };
        let mut groups: Vec<_> = info.subject.iter_organization().map(text).collect();
        groups.sort();
        let hash = <sha2::Sha256 as sha2::Digest>::digest(info.subject_pki.raw);
        let is_for_clients = spec["signerName"] == kube_enroll::manifest::CLIENT_SIGNER;
        let fields = object.as_object().unwrap().keys().map(String::as_str);
        let known = ["apiVersion", "kind", "metadata", "spec", "status"];
        assert!(
            fields.clone().all(|field| known.contains(&field)),
            "{object:#}"
        );
        Self {
            name: object["metadata"]["name"].clone(),
            signer: spec["signerName"].clone(),
            usages: spec["usages"].clone(),
            expiration: spec["expirationSeconds"].clone(),
            identity: is_for_clients.then(|| {
                let user = info.subject.iter_common_name().last().unwrap();
                (text(user), groups)
            }),
            fingerprint: format!("SHA256:{}", BASE64_STANDARD.encode(hash)),
        }
    }
}

/// A file with requests that were found good, as the report showed them, and what was written.
struct Good {
    file: Vec<u8>,
    /// Nothing in the file is not good.
    is_good_as_a_whole: bool,
    shown: Vec<Value>,
    written: String,
}

/// `None` where no request was found good; then nothing must have been written.
fn judged(folder: &Folder, index: usize, file: &[u8]) -> Option<Good> {
    let name = format!("file-{index}");
    folder.write(&name, file);
    let args = ["verify", &name, "--user", "alice", "-g", "dev"];
    let manifest = folder.run(&[&args[..], &["-o", "manifest"]].concat());
    let report = folder.run(&[&args[..], &["-o", "json"]].concat());
    std::fs::remove_file(folder.file(&name)).unwrap();
    assert_eq!(manifest.status, report.status);
    assert!([0, 1].contains(&report.status), "{}", report.stderr);
    let objects = report.json()["objects"].as_array().unwrap().clone();
    let (shown, others): (Vec<Value>, Vec<Value>) = objects
        .into_iter()
        .partition(|object| object["verdict"] == "good");
    let is_good_as_a_whole = report.status == 0;
    assert_eq!(is_good_as_a_whole, others.is_empty() && !shown.is_empty());
    if shown.is_empty() {
        assert_eq!(manifest.stdout, "", "{}", String::from_utf8_lossy(file));
        return None;
    }
    Some(Good {
        file: file.to_vec(),
        is_good_as_a_whole,
        shown,
        written: manifest.stdout,
    })
}

#[test]
fn kubectl_reads_what_was_shown_out_of_what_was_written_whatever_was_done_to_the_file() {
    if !have("kubectl") {
        return;
    }
    let tries = setting("KUBE_ENROLL_MUTATIONS", 400);
    let seed = setting("KUBE_ENROLL_MUTATION_SEED", 1);
    let folder = Folder::new();
    let good = good_files(&folder);
    let mut others = other_files(&folder);
    others.extend(good.iter().cloned());
    let words = words(DICTIONARY);
    assert!(words.len() > 30 && words.contains(&b"\n---\n".to_vec()));
    let mut files = good.clone();
    files.extend((0..tries).map(|number| {
        let mut dice = Dice(seed.wrapping_mul(1 << 32).wrapping_add(number));
        let mut file = dice.of(&good).clone();
        for _ in 0..=dice.below(3) {
            damage(&mut file, &mut dice, &words, &others);
        }
        file
    }));
    let numbered: Vec<_> = files.iter().enumerate().collect();
    let results = parallel::map(&numbered, |(index, file)| judged(&folder, *index, file));
    let is_whole = |result: &Option<Good>| result.as_ref().is_some_and(|it| it.is_good_as_a_whole);
    assert!(results[..good.len()].iter().all(is_whole));
    let found: Vec<Good> = results.into_iter().flatten().collect();

    // kubectl decodes each manifest once, all in one go.
    let mut manifests: BTreeMap<&str, Vec<&Good>> = BTreeMap::new();
    for good in &found {
        manifests.entry(&good.written).or_default().push(good);
    }
    folder.write("all.yaml", manifests.keys().copied().collect::<String>());
    let args = [
        "annotate",
        "--local",
        "-f",
        "all.yaml",
        "-o",
        "json",
        "checked=yes",
    ];
    let decoded = folder.peer("kubectl", &args);
    let decoded = Deserializer::from_str(&decoded).into_iter::<Value>();
    let mut decoded = decoded.map(|object| Created::of_kubectl(&object.unwrap()));
    for (written, files) in &manifests {
        let count = written.matches("\n---\n").count() + 1;
        let created: Vec<Created> = decoded.by_ref().take(count).collect();
        for good in files {
            let shown: Vec<Created> = good.shown.iter().map(Created::of_report).collect();
            assert_eq!(created, shown, "{}", String::from_utf8_lossy(&good.file));
        }
    }
    assert!(decoded.next().is_none());
    eprintln!(
        "{tries} files, {} with a good request, {} good as a whole, {} different manifests",
        found.len(),
        found.iter().filter(|it| it.is_good_as_a_whole).count(),
        manifests.len()
    );
}
