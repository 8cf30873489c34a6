//! Reading and judging requests, by kind of key: from the manifest to the rendered report on one
//! core, beside a Go program that only parses the same requests and checks their signatures, and
//! on all cores.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::hint::black_box;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::peer::Go;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use getrandom::SysRng;
use kube_enroll::csr::CertificationRequest;
use kube_enroll::inspect::{Context, Look, Style, inspect};
use kube_enroll::key::{Algorithm, PrivateKey};
use kube_enroll::manifest::Manifest;
use kube_enroll::name::Subject;
use kube_enroll::parallel;
use kube_enroll::policy::Agreed;
use time::OffsetDateTime;

/// Requests of each kind, all with the same key.
const COUNT: usize = 256;

const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::EcdsaP256,
    Algorithm::EcdsaP384,
    Algorithm::Ed25519,
    Algorithm::Rsa2048,
    Algorithm::Rsa4096,
];

struct Requests {
    manifests: Vec<String>,
    /// Base64 DER, one a line.
    lines: String,
}

fn requests(algorithm: Algorithm) -> Requests {
    let key = PrivateKey::generate(algorithm, &mut SysRng).unwrap();
    let mut requests = Requests {
        manifests: Vec::new(),
        lines: String::new(),
    };
    for number in 0..COUNT {
        let subject = Subject::new(&format!("user-{number}"), &["developers".to_owned()], false);
        let subject = subject.unwrap();
        let csr = CertificationRequest::build(&subject, &[], &key, &mut SysRng).unwrap();
        requests.lines += &(BASE64_STANDARD.encode(csr.der()) + "\n");
        requests
            .manifests
            .push(Manifest::new(subject.user(), &csr).to_yaml());
    }
    requests
}

fn report(manifest: &str) -> String {
    let context = Context {
        now: OffsetDateTime::UNIX_EPOCH,
        agreed: Agreed::default(),
        passphrase: None,
    };
    let objects = inspect("request.csr.yaml", manifest.as_bytes(), &context);
    objects
        .iter()
        .map(|object| {
            Style::Text(Look {
                width: 80,
                fingerprints: true,
            })
            .object(object)
        })
        .collect()
}

fn verify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verify");
    group.sample_size(20);
    group.throughput(Throughput::Elements(COUNT as u64));
    let go = Go::build("check_requests.go");
    for algorithm in ALGORITHMS {
        let requests = requests(algorithm);
        group.bench_function(BenchmarkId::new("one core", algorithm), |bencher| {
            bencher.iter(|| {
                requests
                    .manifests
                    .iter()
                    .map(|text| report(text).len())
                    .sum::<usize>()
            });
        });
        if let Some(go) = &go {
            group.bench_function(BenchmarkId::new("one core, Go", algorithm), |bencher| {
                bencher.iter_custom(|rounds| go.time(rounds, &[], &requests.lines));
            });
        }
        group.bench_function(BenchmarkId::new("all cores", algorithm), |bencher| {
            bencher.iter(|| black_box(parallel::map(&requests.manifests, |text| report(text))));
        });
    }
    group.finish();
}

criterion_group!(benches, verify);
criterion_main!(benches);
