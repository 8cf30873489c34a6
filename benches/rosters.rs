//! What a team lead does for many at once, each as one command from its start to its end: keys and
//! requests made on one core and on all, beside as many runs for one person each; requests verified;
//! replies and kubeconfigs written. `KUBE_ENROLL_ROSTER_FOLDER`, if that is set, is left with the
//! requests of 10,000 people, for `/usr/bin/time -v kube-enroll verify`, which tells the memory.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::groups;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use getrandom::SysRng;
use kube_enroll::csr::CertificationRequest;
use kube_enroll::inspect::signing_requests;
use kube_enroll::key::{Algorithm, PrivateKey};
use kube_enroll::manifest::{Condition, Manifest, Status};
use kube_enroll::name::Subject;
use kube_enroll::parallel;
use kube_enroll::rehearsal::Authority;
use kube_enroll::{kubeconfig, reply, yaml};
use tempfile::TempDir;
use time::OffsetDateTime;

/// Keys of each kind.
const KEYS: [(Algorithm, usize); 2] = [(Algorithm::EcdsaP256, 1_000), (Algorithm::Rsa2048, 200)];
/// Runs for one person each, which take longer: their time is that of one.
const SINGLE: usize = 20;
/// Requests that are verified, as files and as one.
const REQUESTS: [usize; 2] = [1_000, 10_000];
/// People who get replies and kubeconfigs.
const PEOPLE: [usize; 2] = [100, 1_000];

fn user(number: usize) -> String {
    format!("robot-{number:05}")
}

fn roster(folder: &Path, people: usize) {
    let row = |number| format!("{},{}\n", user(number), groups(2).join(";"));
    let rows: Vec<String> = (0..people).map(row).collect();
    fs::write(
        folder.join("roster.csv"),
        "user,groups\n".to_owned() + &rows.concat(),
    )
    .unwrap();
}

fn run(folder: &Path, words: &[&str]) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_kube-enroll"));
    let program = program.args(words).current_dir(folder);
    let program = program.stdout(Stdio::null()).stderr(Stdio::null());
    assert!(program.status().unwrap().success(), "{words:?}");
}

/// On the first of the cores that this program may use, which those that it starts inherit.
#[cfg(target_os = "linux")]
fn on_one_core(work: impl FnOnce()) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let all = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|core| all.is_set(*core));
    let mut one = CpuSet::new();
    one.set(first.unwrap());
    sched_setaffinity(None, &one).unwrap();
    work();
    sched_setaffinity(None, &all).unwrap();
}

fn request(criterion: &mut Criterion) {
    for (algorithm, count) in KEYS {
        let mut group = criterion.benchmark_group(format!("request --roster, {algorithm}"));
        group.sample_size(10);
        let kind = algorithm.to_string();
        let options = [
            "--no-passphrase",
            "--algorithm",
            &kind,
            "--output-dir",
            "keys",
        ];
        let folder = || {
            let folder = tempfile::tempdir().unwrap();
            roster(folder.path(), count);
            folder
        };
        let many = |folder: TempDir| {
            run(
                folder.path(),
                &[&["request", "--roster", "roster.csv"], &options[..]].concat(),
            );
            folder
        };
        let name = format!("process, {count}");
        group.throughput(Throughput::Elements(count as u64));
        #[cfg(target_os = "linux")]
        group.bench_function(BenchmarkId::new("one core", &name), |bencher| {
            on_one_core(|| bencher.iter_batched(folder, many, BatchSize::PerIteration));
        });
        group.bench_function(BenchmarkId::new("all cores", &name), |bencher| {
            bencher.iter_batched(folder, many, BatchSize::PerIteration);
        });
        group.throughput(Throughput::Elements(SINGLE as u64));
        let name = format!("{SINGLE} processes");
        group.bench_function(
            BenchmarkId::new("without roster, all cores", name),
            |bencher| {
                let single = |folder: TempDir| {
                    for number in 0..SINGLE {
                        let user = user(number);
                        run(folder.path(), &[&["request", &user], &options[..]].concat());
                    }
                    folder
                };
                bencher.iter_batched(folder, single, BatchSize::PerIteration);
            },
        );
    }
}

/// A key and a request for each.
fn people(count: usize) -> Vec<(String, PrivateKey, CertificationRequest)> {
    let numbers: Vec<usize> = (0..count).collect();
    parallel::map(&numbers, |number| {
        let user = user(*number);
        let subject = Subject::new(&user, &groups(2), false).unwrap();
        let key = PrivateKey::generate(Algorithm::EcdsaP256, &mut SysRng).unwrap();
        let request = CertificationRequest::build(&subject, &[], &key, &mut SysRng).unwrap();
        (user, key, request)
    })
}

fn verify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verify --roster");
    group.sample_size(10);
    for count in REQUESTS {
        let temporary = tempfile::tempdir().unwrap();
        let kept = env::var_os("KUBE_ENROLL_ROSTER_FOLDER").map(PathBuf::from);
        let kept = kept.filter(|_| Some(&count) == REQUESTS.last());
        let folder = kept.as_deref().unwrap_or(temporary.path());
        fs::create_dir_all(folder.join("requests")).unwrap();
        roster(folder, count);
        let manifests: Vec<String> = people(count)
            .iter()
            .map(|(user, _, request)| {
                let manifest = Manifest::new(user, request).to_yaml();
                let path = folder.join("requests").join(format!("{user}.csr.yaml"));
                fs::write(path, &manifest).unwrap();
                manifest
            })
            .collect();
        fs::write(folder.join("requests.csr.yaml"), manifests.join("---\n")).unwrap();
        group.throughput(Throughput::Elements(count as u64));
        for file in ["requests", "requests.csr.yaml"] {
            let words = ["verify", file, "--roster", "roster.csv", "-o", "manifest"];
            let name = format!("process, {count}");
            #[cfg(target_os = "linux")]
            group.bench_function(
                BenchmarkId::new(format!("{file}, one core"), &name),
                |bencher| {
                    on_one_core(|| bencher.iter(|| run(folder, &words)));
                },
            );
            group.bench_function(
                BenchmarkId::new(format!("{file}, all cores"), &name),
                |bencher| {
                    bencher.iter(|| run(folder, &words));
                },
            );
        }
    }
}

fn send_back(criterion: &mut Criterion) {
    let now = OffsetDateTime::now_utc();
    let authority = Authority::new(now, &mut SysRng).unwrap();
    let pem = authority.certificate().to_pem().into_bytes();
    let cluster = kubeconfig::Cluster::new("prod", "https://10.0.0.1:6443", &pem);
    for count in PEOPLE {
        let mut group = criterion.benchmark_group(format!("--output-dir, {count} people"));
        group.sample_size(10);
        group.throughput(Throughput::Elements(count as u64));
        let people = people(count);
        let objects = parallel::map(&people, |(user, _, request)| {
            let manifest = Manifest::new(user, request).to_yaml();
            let mut object = signing_requests(&yaml::documents(manifest.as_bytes())).remove(0);
            let issued = authority.sign(request, &object, now, &mut SysRng).unwrap();
            let certificate = Some(issued.to_pem().into_bytes());
            let approved = Condition {
                kind: "Approved".to_owned(),
                status: "True".to_owned(),
                ..Condition::default()
            };
            object.status = Some(Status {
                conditions: vec![approved],
                certificate,
            });
            object
        });
        let all = reply::write(&objects.iter().collect::<Vec<_>>(), &cluster);
        let admin = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             contexts: [{{name: c, context: {{cluster: prod, user: u}}}}]\nclusters:\n\
             - name: prod\n  cluster:\n    server: https://10.0.0.1:6443\n    \
             certificate-authority-data: {}\n",
            BASE64_STANDARD.encode(&pem)
        );
        let folder = || {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("keys")).unwrap();
            for (user, key, request) in &people {
                let path = folder.path().join("keys").join(user);
                let key = key.to_pkcs8_pem().unwrap();
                fs::write(path.with_extension("key"), key.expose()).unwrap();
                fs::write(path.with_extension("csr"), request.to_pem()).unwrap();
            }
            fs::write(folder.path().join("all.reply.yaml"), &all).unwrap();
            fs::write(folder.path().join("admin"), &admin).unwrap();
            folder
        };
        for command in ["reply", "kubeconfig"] {
            let words = match command {
                "reply" => "reply all.reply.yaml --kubeconfig admin --output-dir out",
                _ => "kubeconfig all.reply.yaml --key keys --embed --output-dir out",
            };
            group.bench_function(BenchmarkId::new(command, "process"), |bencher| {
                let written = |folder: TempDir| {
                    run(folder.path(), &words.split(' ').collect::<Vec<_>>());
                    folder
                };
                bencher.iter_batched(folder, written, BatchSize::PerIteration);
            });
        }
    }
}

criterion_group!(benches, request, verify, send_back);
criterion_main!(benches);
