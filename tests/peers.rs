//! Programs and libraries that nobody here wrote read what we write, and we read what they write.

#![allow(clippy::unwrap_used)]

mod common;

use base64::Engine as _;
use common::{Folder, authority, have, issue};
use der::{Decode as _, Encode as _};
use kube_enroll::csr::CertificationRequest;
use kube_enroll::key::{Algorithm, PrivateKey};
use kube_enroll::name::Subject;
use x509_cert::request::CertReq;

const ALGORITHMS: [&str; 4] = ["rsa-2048", "ecdsa-p256", "ecdsa-p384", "ed25519"];

fn made(algorithm: &str) -> Folder {
    let folder = Folder::new();
    let args = [
        "request",
        "alice",
        "-g",
        "developers",
        "-g",
        "on, call",
        "--algorithm",
        algorithm,
        "--no-passphrase",
        "--expires-in",
        "30d",
    ];
    folder.run(&args).good();
    folder
}

#[test]
fn openssl_reads_every_key_request_and_certificate() {
    if !have("openssl") {
        return;
    }
    for algorithm in ALGORITHMS {
        let folder = made(algorithm);
        folder.peer("openssl", &["pkey", "-in", "alice.key", "-check", "-noout"]);
        let subject = folder.peer(
            "openssl",
            &[
                "req",
                "-in",
                "alice.csr",
                "-noout",
                "-verify",
                "-subject",
                "-nameopt",
                "RFC2253",
            ],
        );
        assert_eq!(subject.trim(), "subject=CN=alice,O=on\\, call,O=developers");
        let authority = authority();
        let object = issue(&folder.read("alice.csr.yaml"), &authority);
        let object = kube_enroll::yaml::first_document(object.as_bytes()).unwrap();
        let pem = base64::prelude::BASE64_STANDARD
            .decode(
                object
                    .pointer("/status/certificate")
                    .unwrap()
                    .as_str()
                    .unwrap(),
            )
            .unwrap();
        folder.write("alice.crt", pem);
        folder.write("ca.crt", authority.certificate().to_pem());
        let verify = [
            "verify",
            "-purpose",
            "sslclient",
            "-x509_strict",
            "-CAfile",
            "ca.crt",
            "alice.crt",
        ];
        folder.peer("openssl", &verify);
        let text = folder.peer("openssl", &["x509", "-in", "alice.crt", "-noout", "-text"]);
        for words in [
            "CA:FALSE",
            "TLS Web Client Authentication",
            "CN = alice",
            "O = developers",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}

#[test]
fn openssl_prints_the_fingerprint_that_we_show() {
    if !have("openssl") {
        return;
    }
    let folder = made("ecdsa-p256");
    let theirs = folder.peer("sh", &["-c",
        "openssl pkey -in alice.key -pubout -outform der | openssl dgst -sha256 -binary | base64"]);
    let ours = folder
        .run(&["inspect", "-o", "json", "alice.csr"])
        .good()
        .stdout;
    assert!(
        ours.contains(&format!("SHA256:{}", theirs.trim())),
        "{ours}"
    );
}

#[test]
fn certtool_reads_every_key_and_request() {
    if !have("certtool") {
        return;
    }
    for algorithm in ALGORITHMS {
        let folder = made(algorithm);
        folder.peer("certtool", &["--key-info", "--infile", "alice.key"]);
        let text = folder.peer("certtool", &["--crq-info", "--infile", "alice.csr"]);
        for words in ["CN=alice", "O=developers", "Self signature: verified"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}

#[test]
fn keys_and_requests_of_certtool_are_read() {
    if !have("certtool") {
        return;
    }
    let folder = Folder::new();
    folder.write("template", "cn = alice\norganization = developers\n");
    for (kind, bits) in [
        ("rsa", "--bits=2048"),
        ("ecdsa", "--curve=secp256r1"),
        ("ed25519", ""),
    ] {
        let key_type = format!("--key-type={kind}");
        let mut args = vec!["--generate-privkey", &key_type, "--outfile", "k.pem"];
        args.extend((!bits.is_empty()).then_some(bits));
        folder.peer("certtool", &args);
        folder.peer(
            "certtool",
            &[
                "--generate-request",
                "--load-privkey",
                "k.pem",
                "--template",
                "template",
                "--outfile",
                "r.csr",
            ],
        );
        // certtool writes the old label, which the API server refuses, and text before it.
        folder
            .run(&["verify", "r.csr", "--user", "alice", "-g", "developers"])
            .fails(1, &["pem-label"]);
        let text = folder
            .read("r.csr")
            .replace("NEW CERTIFICATE", "CERTIFICATE");
        let start = text.find("-----BEGIN").unwrap();
        folder.write("r.csr", text.split_at(start).1);
        folder
            .run(&[
                "verify",
                "r.csr",
                "--user",
                "alice",
                "--group",
                "developers",
            ])
            .good();
        folder.run(&["request", kind, "--key", "k.pem"]).good();
    }
}

#[test]
fn the_hand_made_way_and_ours_can_be_mixed_at_each_step() {
    if !have("openssl") {
        return;
    }
    let folder = Folder::new();
    folder.peer("openssl", &["genrsa", "-out", "alice.key", "2048"]);
    folder.peer(
        "openssl",
        &[
            "req",
            "-new",
            "-key",
            "alice.key",
            "-subj",
            "/O=developers/CN=alice",
            "-out",
            "alice.csr",
        ],
    );
    folder
        .run(&[
            "verify",
            "alice.csr",
            "--user",
            "alice",
            "--group",
            "developers",
        ])
        .good();
    folder.peer(
        "sh",
        &[
            "-c",
            "cat > by-hand.yaml <<EOF
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata:
  name: alice
spec:
  request: $(base64 alice.csr | tr -d '\\n')
  signerName: kubernetes.io/kube-apiserver-client
  usages:
  - client auth
EOF",
        ],
    );
    folder
        .run(&[
            "verify",
            "by-hand.yaml",
            "--user",
            "alice",
            "--group",
            "developers",
        ])
        .good();
    let authority = authority();
    folder.write(
        "object.yaml",
        issue(&folder.read("by-hand.yaml"), &authority),
    );
    folder.write("admin.kubeconfig", common::admin_kubeconfig(&authority));
    folder
        .run(&["kubeconfig", "object.yaml", "--cluster", "admin.kubeconfig"])
        .good();
    assert!(folder.has("alice.kubeconfig"));
}

/// rcgen's own encoder, over our key.
struct Signer(PrivateKey, Vec<u8>);

impl rcgen::PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        &self.1
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0
            .sign(message, &mut getrandom::SysRng)
            .map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

#[test]
fn rcgen_encodes_the_same_request_to_the_same_bytes() {
    let key = PrivateKey::generate(Algorithm::EcdsaP256, &mut getrandom::SysRng).unwrap();
    let subject = Subject::new("alice", &["developers".to_owned()], false).unwrap();
    let ours = CertificationRequest::build(&subject, &[], &key, &mut getrandom::SysRng).unwrap();
    let ours = CertReq::from_der(ours.der()).unwrap();
    let point = ours.info.public_key.subject_public_key.raw_bytes().to_vec();
    let mut parameters = rcgen::CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    let name = &mut parameters.distinguished_name;
    name.push(
        rcgen::DnType::OrganizationName,
        rcgen::DnValue::Utf8String("developers".to_owned()),
    );
    name.push(
        rcgen::DnType::CommonName,
        rcgen::DnValue::Utf8String("alice".to_owned()),
    );
    let theirs = parameters.serialize_request(&Signer(key, point)).unwrap();
    let theirs = CertReq::from_der(theirs.der()).unwrap();
    assert_eq!(ours.info.to_der().unwrap(), theirs.info.to_der().unwrap());
}
