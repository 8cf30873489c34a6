//! Certification requests by kind of key and number of groups: built, read, and verified. What is
//! built here is signed, verified, read back and verified again; no peer does that much.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::peer::{Go, Program, Sign, signer};
use common::{Case, groups, key, request, subject};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use der::Decode as _;
use getrandom::SysRng;
use kube_enroll::csr::CertificationRequest;
use kube_enroll::key::Algorithm;
use rcgen::{CertificateParams, DnType, PublicKeyData, SignatureAlgorithm, SigningKey};
use x509_cert::request::CertReq;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_parser::prelude::{FromDer as _, X509CertificationRequest};

/// rcgen with the crate that signs for us, whose signature it does not verify.
struct RcgenKey {
    algorithm: &'static SignatureAlgorithm,
    public: Vec<u8>,
    sign: Sign,
}

impl RcgenKey {
    fn new(algorithm: Algorithm) -> Self {
        let key = key(algorithm);
        let spki = SubjectPublicKeyInfoOwned::from_der(key.public_key().spki_der()).unwrap();
        Self {
            algorithm: match algorithm {
                Algorithm::Rsa2048 | Algorithm::Rsa3072 | Algorithm::Rsa4096 => {
                    &rcgen::PKCS_RSA_SHA256
                }
                Algorithm::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
                Algorithm::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
                Algorithm::Ed25519 => &rcgen::PKCS_ED25519,
            },
            public: spki.subject_public_key.raw_bytes().to_vec(),
            sign: signer(algorithm, key),
        }
    }
}

impl PublicKeyData for RcgenKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for RcgenKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok((self.sign)(message))
    }
}

fn rcgen_request(groups: &[String], key: &RcgenKey) -> Vec<u8> {
    let mut parameters = CertificateParams::default();
    for group in groups {
        let name = &mut parameters.distinguished_name;
        name.push(DnType::OrganizationName, group.as_str());
    }
    let name = &mut parameters.distinguished_name;
    name.push(DnType::CommonName, "alice");
    parameters.serialize_request(key).unwrap().der().to_vec()
}

fn build(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build request");
    let go = Go::build("make_requests.go");
    for case in Case::all() {
        let key = key(case.algorithm);
        let subject = subject(case.groups);
        group.bench_function(BenchmarkId::new("kube-enroll", case), |bencher| {
            let build = || CertificationRequest::build(&subject, &[], key, &mut SysRng).unwrap();
            bencher.iter(build);
        });
        // rcgen keeps one value of each type.
        if case.groups <= 1 {
            let (groups, key) = (groups(case.groups), RcgenKey::new(case.algorithm));
            group.bench_function(BenchmarkId::new("rcgen, unverified", case), |bencher| {
                bencher.iter(|| rcgen_request(&groups, &key));
            });
        }
        let pem = key.to_pkcs8_pem().unwrap();
        if let Some(go) = &go {
            let groups: Vec<_> = subject.groups().iter().map(String::as_str).collect();
            group.bench_function(BenchmarkId::new("Go", case), |bencher| {
                bencher.iter_custom(|rounds| go.time(rounds, &groups, pem.expose()));
            });
        }
        if let Some(openssl) = Program::find("openssl") {
            let openssl = openssl
                .with("key", pem.expose())
                .with("request.cnf", openssl_config(subject.groups()));
            let args = ["req", "-new", "-key", "key", "-config", "request.cnf"];
            group.bench_function(BenchmarkId::new("openssl, process", case), |bencher| {
                bencher.iter(|| openssl.run(&args));
            });
        }
        if let Some(certtool) = Program::find("certtool") {
            let certtool = certtool
                .with("key", pem.expose())
                .with("template", certtool_template(subject.groups()));
            let mut args = vec!["--generate-request", "--load-privkey", "key"];
            args.extend(["--template", "template"]);
            group.bench_function(BenchmarkId::new("certtool, process", case), |bencher| {
                bencher.iter(|| certtool.run(&args));
            });
        }
    }
}

fn openssl_config(groups: &[String]) -> String {
    let groups = groups.iter().enumerate();
    let groups = groups.map(|(position, group)| format!("{position}.O = {group}\n"));
    let groups: String = groups.collect();
    format!("[req]\nprompt = no\ndistinguished_name = dn\n[dn]\n{groups}CN = alice\n")
}

fn certtool_template(groups: &[String]) -> String {
    let groups = groups.iter();
    let groups = groups.map(|group| format!("organization = {group}\n"));
    groups.collect::<String>() + "cn = alice\n"
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read request");
    for case in Case::all() {
        let request = request(case.algorithm, case.groups);
        let der = request.der();
        group.bench_function(BenchmarkId::new("kube-enroll", case), |bencher| {
            bencher.iter(|| CertificationRequest::from_der(der).unwrap());
        });
        group.bench_function(BenchmarkId::new("x509-parser", case), |bencher| {
            bencher.iter(|| X509CertificationRequest::from_der(der).unwrap());
        });
        group.bench_function(BenchmarkId::new("x509-cert", case), |bencher| {
            bencher.iter(|| CertReq::from_der(der).unwrap());
        });
    }
}

fn verify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read and verify request");
    let go = Go::build("check_requests.go");
    for case in Case::all() {
        let request = request(case.algorithm, case.groups);
        group.bench_function(BenchmarkId::new("kube-enroll", case), |bencher| {
            bencher.iter(|| {
                let request = CertificationRequest::from_der(request.der()).unwrap();
                request.verify().unwrap();
            });
        });
        if let Some(go) = &go {
            let line = BASE64_STANDARD.encode(request.der());
            group.bench_function(BenchmarkId::new("Go", case), |bencher| {
                bencher.iter_custom(|rounds| go.time(rounds, &[], &line));
            });
        }
        if let Some(openssl) = Program::find("openssl") {
            let openssl = openssl.with("request", request.to_pem());
            group.bench_function(BenchmarkId::new("openssl, process", case), |bencher| {
                bencher.iter(|| openssl.run(&["req", "-in", "request", "-verify", "-noout"]));
            });
        }
    }
}

criterion_group!(benches, build, read, verify);
criterion_main!(benches);
