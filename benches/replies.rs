//! What comes back: certificates, read and checked, and replies for many people.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::peer::Program;
use common::{Case, Issued, issue};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use der::Decode as _;
use kube_enroll::certificate::{Certificate, Chain};
use kube_enroll::csr::CertificationRequest;
use kube_enroll::inspect::check_issued;
use kube_enroll::kubeconfig::Cluster;
use kube_enroll::reply::{Reply, write};
use serde::Deserialize as _;
use serde_json::Value;
use x509_parser::prelude::{FromDer as _, X509Certificate};

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read certificate");
    for case in Case::all() {
        let issued = issue(case);
        let der = issued.certificate.der();
        group.bench_function(BenchmarkId::new("kube-enroll", case), |bencher| {
            bencher.iter(|| Certificate::from_der(der).unwrap());
        });
        group.bench_function(BenchmarkId::new("x509-parser", case), |bencher| {
            bencher.iter(|| X509Certificate::from_der(der).unwrap());
        });
        group.bench_function(BenchmarkId::new("x509-cert", case), |bencher| {
            bencher.iter(|| x509_cert::Certificate::from_der(der).unwrap());
        });
    }
}

/// Everything that `kube-enroll kubeconfig` checks, from PEM on.
fn check(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check certificate");
    for case in Case::all() {
        let issued = issue(case);
        let (certificate, request) = (issued.certificate.to_pem(), issued.request.der());
        group.bench_function(BenchmarkId::new("kube-enroll", case), |bencher| {
            bencher.iter(|| is_good(&certificate, request, &issued));
        });
        if let Some(openssl) = Program::find("openssl") {
            let openssl = openssl
                .with("ca.crt", issued.authority.certificate().to_pem())
                .with("alice.crt", &certificate);
            let mut args = vec!["verify", "-CAfile", "ca.crt"];
            args.extend(["-purpose", "sslclient", "alice.crt"]);
            group.bench_function(BenchmarkId::new("openssl, process", case), |bencher| {
                bencher.iter(|| openssl.run(&args));
            });
        }
    }
}

fn is_good(certificate: &str, request: &[u8], issued: &Issued) {
    let chain = Chain::from_pem(certificate.as_bytes()).unwrap();
    let certificate = chain.leaf();
    let request = CertificationRequest::from_der(request).unwrap();
    assert_eq!(certificate.public_key(), issued.key.public_key());
    assert!(check_issued(certificate, &request, &issued.object).is_empty());
    assert!(certificate.client_auth());
    certificate.check_dates(issued.now).unwrap();
    assert!(certificate.is_issued_by(issued.authority.certificate()));
}

fn replies(criterion: &mut Criterion) {
    let issued = issue(Case::usual());
    let authority = issued.authority.certificate().to_pem().into_bytes();
    let cluster = Cluster::new("prod", "https://10.0.0.1:6443", &authority);
    for people in [1, 10, 100, 1000] {
        let requests = vec![&issued.object; people];
        let text = write(&requests, &cluster);
        let mut group = criterion.benchmark_group("write reply");
        group.throughput(Throughput::Elements(people as u64));
        group.bench_function(BenchmarkId::new("kube-enroll", people), |bencher| {
            bencher.iter(|| write(&requests, &cluster));
        });
        group.finish();
        let mut group = criterion.benchmark_group("read reply");
        group.throughput(Throughput::Elements(people as u64));
        group.bench_function(BenchmarkId::new("kube-enroll", people), |bencher| {
            bencher.iter(|| Reply::read(text.as_bytes()).unwrap());
        });
        group.bench_function(BenchmarkId::new("yaml_serde", people), |bencher| {
            bencher.iter(|| {
                let documents = serde_yaml::Deserializer::from_str(&text);
                let values = documents.map(|document| Value::deserialize(document).unwrap());
                values.collect::<Vec<_>>()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, read, check, replies);
criterion_main!(benches);
