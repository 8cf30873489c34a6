//! Manifests by number of groups, and files by number of manifests: written, read, and judged by
//! the rules of the cluster. A YAML library does less than reading does here: go-yaml's scalars,
//! comments and duplicate keys, and typed fields.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Case, manifest, object, request};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kube_enroll::inspect::signing_requests;
use kube_enroll::key::Algorithm;
use kube_enroll::manifest::Manifest;
use kube_enroll::policy::{Agreed, review};
use kube_enroll::yaml;
use serde::Deserialize as _;
use serde_json::Value;

fn write(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write manifest");
    for case in Case::by_groups() {
        let request = request(case.algorithm, case.groups);
        group.bench_function(BenchmarkId::new("kube-enroll", case), |bencher| {
            bencher.iter(|| Manifest::new("alice", &request).to_yaml());
        });
        let value = yaml::first_document(manifest(&request).as_bytes()).unwrap();
        group.bench_function(BenchmarkId::new("yaml_serde, no base64", case), |bencher| {
            bencher.iter(|| serde_yaml::to_string(&value).unwrap());
        });
    }
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read manifest");
    for case in Case::by_groups() {
        let text = manifest(&request(case.algorithm, case.groups));
        group.bench_function(BenchmarkId::new("kube-enroll", case), |bencher| {
            bencher.iter(|| object(&text));
        });
        group.bench_function(BenchmarkId::new("yaml_serde, no base64", case), |bencher| {
            bencher.iter(|| serde_yaml::from_str::<Value>(&text).unwrap());
        });
    }
}

fn read_many(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read file of manifests");
    let manifest = manifest(&request(Algorithm::EcdsaP256, 1));
    for count in [1, 10, 100, 1000] {
        let text = vec![manifest.as_str(); count].join("---\n");
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("kube-enroll", count), |bencher| {
            bencher.iter(|| signing_requests(&yaml::documents(text.as_bytes())));
        });
        group.bench_function(BenchmarkId::new("yaml_serde", count), |bencher| {
            bencher.iter(|| {
                let documents = serde_yaml::Deserializer::from_str(&text);
                let values = documents.map(|document| Value::deserialize(document).unwrap());
                values.collect::<Vec<_>>()
            });
        });
    }
}

/// The request is read and verified as well; benches/requests.rs has the time of that alone.
fn predict(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("predict");
    for case in Case::all() {
        let object = object(&manifest(&request(case.algorithm, case.groups)));
        let groups = common::groups(case.groups);
        let agreed = Agreed {
            user: Some("alice"),
            groups: &groups,
        };
        group.bench_function(BenchmarkId::new("kube-enroll", case), |bencher| {
            bencher.iter(|| review(&object, &[], &agreed));
        });
    }
}

criterion_group!(benches, write, read, read_many, predict);
criterion_main!(benches);
