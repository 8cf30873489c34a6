//! Lists of folders with certificates and kubeconfigs: in the library on one core and on all, and the
//! program from its start to its end. The folder that this leaves at `KUBE_ENROLL_LIST_FOLDER`, if that
//! is set, is for `/usr/bin/time -v kube-enroll list FOLDER`, which tells the memory.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use common::{groups, key};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use getrandom::SysRng;
use kube_enroll::csr::CertificationRequest;
use kube_enroll::key::Algorithm;
use kube_enroll::kubeconfig::{Cluster, Credential, NewEntry, assemble};
use kube_enroll::list::{Keys, Layout, Row, contents, sort};
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::name::Subject;
use kube_enroll::parallel;
use kube_enroll::rehearsal::Authority;
use time::OffsetDateTime;

/// Certificates and kubeconfigs.
const FOLDERS: [(usize, usize); 2] = [(1_000, 100), (10_000, 1_000)];

/// A folder with so many of each, every one of a person of its own.
fn fill(folder: &Path, (certificates, kubeconfigs): (usize, usize)) -> Vec<PathBuf> {
    let now = OffsetDateTime::now_utc();
    let authority = Authority::new(now, &mut SysRng).unwrap();
    let pem = authority.certificate().to_pem().into_bytes();
    let key = key(Algorithm::EcdsaP256);
    let numbers: Vec<usize> = (0..certificates.max(kubeconfigs)).collect();
    let paths = parallel::map(&numbers, |number| {
        let user = format!("user-{number:05}");
        let subject = Subject::new(&user, &groups(2), false).unwrap();
        let request = CertificationRequest::build(&subject, &[], key, &mut SysRng).unwrap();
        let object = CertificateSigningRequest::default();
        let issued = authority.sign(&request, &object, now, &mut SysRng).unwrap();
        let mut paths = Vec::new();
        let mut write = |name: String, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            paths.push(path);
        };
        if *number < certificates {
            write(format!("{user}.crt"), &issued.to_pem());
        }
        if *number < kubeconfigs {
            let entry = NewEntry {
                cluster: Cluster::new("prod", "https://10.0.0.1:6443", &pem),
                user: format!("{user}@prod"),
                context: format!("{user}@prod"),
                namespace: None,
                credential: Credential::Embedded {
                    certificate: issued.to_pem(),
                    key: key.to_pkcs8_pem().unwrap(),
                },
                certificate: issued.clone(),
            };
            write(format!("{user}.kubeconfig"), assemble(&entry).expose());
        }
        paths
    });
    paths.concat()
}

fn rows_of(path: &PathBuf, now: OffsetDateTime) -> Vec<Row> {
    let input = fs::read(path).unwrap();
    let unread = |_: &Path| Err("nothing is named here".into());
    contents(&input, Keys::Compared, Path::new(""), &unread, now)
        .unwrap()
        .rows
}

fn list(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("list folder");
    group.sample_size(10);
    for size in FOLDERS {
        let temporary = tempfile::tempdir().unwrap();
        let kept = env::var_os("KUBE_ENROLL_LIST_FOLDER").map(PathBuf::from);
        let kept = kept.filter(|_| Some(&size) == FOLDERS.last());
        let folder = kept.as_deref().unwrap_or(temporary.path());
        fs::create_dir_all(folder).unwrap();
        let paths = fill(folder, size);
        let name = format!("{} certificates, {} kubeconfigs", size.0, size.1);
        group.throughput(Throughput::Elements(paths.len() as u64));
        let now = OffsetDateTime::now_utc();
        let written = |mut rows: Vec<Row>| {
            assert_eq!(rows.len(), paths.len());
            sort(&mut rows);
            Layout::Table.write(&rows)
        };
        group.bench_function(BenchmarkId::new("one core", &name), |bencher| {
            bencher.iter(|| written(paths.iter().flat_map(|path| rows_of(path, now)).collect()));
        });
        group.bench_function(BenchmarkId::new("all cores", &name), |bencher| {
            bencher.iter(|| written(parallel::map(&paths, |path| rows_of(path, now)).concat()));
        });
        group.bench_function(BenchmarkId::new("process", &name), |bencher| {
            bencher.iter(|| {
                let mut program = Command::new(env!("CARGO_BIN_EXE_kube-enroll"));
                let program = program.arg("list").arg(folder).stdout(Stdio::null());
                assert!(program.status().unwrap().success());
            });
        });
    }
}

criterion_group!(benches, list);
criterion_main!(benches);
