//! Kubeconfigs by number of contexts: assembled, read, and merged into. A kubeconfig is a secret:
//! what is written here is wiped, and wiping has its price.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::peer::Program;
use common::{Case, Issued, issue};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kube_enroll::kubeconfig::{Cluster, Credential, Kubeconfig, NewEntry, assemble, merge};
use kube_enroll::yaml;
use serde_json::{Value, json};

const CONTEXTS: [usize; 4] = [1, 10, 100, 1000];

/// The entry of a person in a cluster of this name, with certificate and key in it.
fn entry(issued: &Issued, cluster: &str) -> NewEntry {
    let authority = issued.authority.certificate().to_pem().into_bytes();
    NewEntry {
        cluster: Cluster::new(cluster, "https://10.0.0.1:6443", &authority),
        user: format!("alice@{cluster}"),
        context: format!("alice@{cluster}"),
        namespace: None,
        credential: Credential::Embedded {
            certificate: issued.certificate.to_pem(),
            key: issued.key.to_pkcs8_pem().unwrap(),
        },
        certificate: issued.certificate.clone(),
    }
}

/// A kubeconfig with so many contexts, each with a cluster and a user of its own.
fn kubeconfig(issued: &Issued, contexts: usize) -> String {
    let mut lists = [const { Vec::new() }; 3];
    for number in 0..contexts {
        let one = assemble(&entry(issued, &format!("cluster-{number:04}")));
        let mut one = yaml::first_document(one.expose().as_bytes()).unwrap();
        for (list, name) in lists.iter_mut().zip(["clusters", "users", "contexts"]) {
            list.extend(one.pointer_mut(&format!("/{name}/0")).map(Value::take));
        }
    }
    let [clusters, users, all] = lists;
    let last = format!("alice@cluster-{:04}", contexts - 1);
    yaml::to_string(&json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": clusters, "users": users, "contexts": all, "current-context": last,
    }))
}

fn assemble_one(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("assemble kubeconfig");
    let entry = entry(&issue(Case::usual()), "prod");
    group.bench_function("kube-enroll", |bencher| bencher.iter(|| assemble(&entry)));
    let value = yaml::first_document(assemble(&entry).expose().as_bytes()).unwrap();
    group.bench_function("yaml_serde, no base64", |bencher| {
        bencher.iter(|| serde_yaml::to_string(&value).unwrap());
    });
}

fn read(criterion: &mut Criterion) {
    let issued = issue(Case::usual());
    for contexts in CONTEXTS {
        let text = kubeconfig(&issued, contexts);
        let mut group = criterion.benchmark_group("read kubeconfig");
        group.throughput(Throughput::Elements(contexts as u64));
        group.bench_function(BenchmarkId::new("kube-enroll", contexts), |bencher| {
            bencher.iter(|| Kubeconfig::read(text.as_bytes()).unwrap());
        });
        group.bench_function(BenchmarkId::new("yaml_serde", contexts), |bencher| {
            bencher.iter(|| serde_yaml::from_str::<Value>(&text).unwrap());
        });
        if let Some(kubectl) = Program::find("kubectl") {
            let kubectl = kubectl.with("config", &text);
            let args = ["config", "get-contexts", "--kubeconfig", "config"];
            group.bench_function(BenchmarkId::new("kubectl, process", contexts), |bencher| {
                bencher.iter(|| kubectl.run(&args));
            });
        }
        group.finish();
        let kubeconfig = Kubeconfig::read(text.as_bytes()).unwrap();
        let mut group = criterion.benchmark_group("find current cluster");
        group.bench_function(BenchmarkId::new("kube-enroll", contexts), |bencher| {
            bencher.iter(|| kubeconfig.cluster(None).unwrap());
        });
    }
}

/// From the text of the old kubeconfig to that of the new one.
fn merge_one(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge into kubeconfig");
    let issued = issue(Case::usual());
    let entry = entry(&issued, "prod");
    for contexts in CONTEXTS {
        let text = kubeconfig(&issued, contexts);
        group.throughput(Throughput::Elements(contexts as u64));
        group.bench_function(BenchmarkId::new("kube-enroll", contexts), |bencher| {
            bencher.iter(|| {
                let kubeconfig = Kubeconfig::read(text.as_bytes()).unwrap();
                merge(kubeconfig, &entry).unwrap()
            });
        });
        let id = BenchmarkId::new("yaml_serde, read and written", contexts);
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                let value = serde_yaml::from_str::<Value>(&text).unwrap();
                serde_yaml::to_string(&value).unwrap()
            });
        });
        if let Some(kubectl) = Program::find("kubectl") {
            let kubectl = kubectl.with("config", &text);
            let mut args = vec!["config", "set-context", "new", "--user", "alice"];
            args.extend(["--kubeconfig", "config"]);
            group.bench_function(BenchmarkId::new("kubectl, process", contexts), |bencher| {
                bencher.iter(|| kubectl.run(&args));
            });
        }
    }
}

criterion_group!(benches, assemble_one, read, merge_one);
criterion_main!(benches);
