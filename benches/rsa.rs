//! What an RSA key costs: the filters against each other and against the floor, keys of fixed
//! seeds, and whole keys against the `rsa` crate and OpenSSL.
//!
//! The time of a key varies by half of its mean, with the luck of the search. So compare the cost
//! per candidate, or keys of the same seeds; the last group, of random keys, is for the whole
//! picture and needs many samples.
//!
//! To compare with what others measure, there are lists of candidates with the luck of the mean: those
//! of C2SP's CCTV (<https://github.com/C2SP/CCTV>, `keygen/rsa.bench.NNNN.txt`, under 0BSD or CC0). They
//! are larger than all the benches, and so are not here: `KUBE_ENROLL_CCTV` names the folder that they
//! lie in.

#![allow(
    missing_docs,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::hint::black_box;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group,
    criterion_main, measurement::WallTime,
};
use getrandom::SysRng;
use kube_enroll::key::rsa::Size;
use kube_enroll::key::rsa::harness::{
    Backend, Batch, Options, candidates, generate, generate_from, lanes, spin_ifma,
};
use kube_enroll::key::{Algorithm, PrivateKey};

fn backends() -> impl Iterator<Item = Backend> {
    Backend::ALL.into_iter().filter(|it| it.is_available())
}

fn algorithm(size: Size) -> Algorithm {
    match size {
        Size::Rsa2048 => Algorithm::Rsa2048,
        Size::Rsa3072 => Algorithm::Rsa3072,
        Size::Rsa4096 => Algorithm::Rsa4096,
    }
}

/// A batch that fills the lanes of `backend`.
fn batch(size: Size, backend: Backend) -> Batch {
    let numbers = candidates(size, &[7; 32], Backend::Portable, 1 << 12, 2048);
    Batch::new(size, backend, &numbers)
}

/// Time per candidate, by back end and size.
fn filters(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("filter");
    for size in Size::ALL {
        for backend in backends() {
            let batch = batch(size, backend);
            group.throughput(Throughput::Elements(lanes(backend) as u64));
            let id = BenchmarkId::new(backend.to_string(), size.prime_bits());
            group.bench_function(id, |bencher| bencher.iter(|| batch.probable_primes()));
        }
    }
}

/// Time of the draws and trial divisions that leave one candidate, by back end and size.
fn sieves(criterion: &mut Criterion) {
    const DRAWS: u64 = 4096;
    let mut group = criterion.benchmark_group("sieve to 2^17");
    for size in Size::ALL {
        for backend in backends() {
            let sieve = || candidates(size, &[7; 32], backend, 1 << 17, DRAWS);
            group.throughput(Throughput::Elements(sieve().len() as u64));
            let id = BenchmarkId::new(backend.to_string(), size.prime_bits());
            group.bench_function(id, |bencher| bencher.iter(sieve));
        }
    }
}

/// The IFMA filter against the rate at which the machine multiplies when it does nothing else.
fn floor(_: &mut Criterion) {
    const ROUNDS: u32 = 4_000_000;
    let Some(multiplications) = spin_ifma(ROUNDS) else {
        return;
    };
    let seconds = shortest(|| spin_ifma(ROUNDS));
    let rate = multiplications as f64 / seconds;
    println!("peak: {:.2} IFMA instructions per ns", rate / 1e9);
    for size in Size::ALL {
        let batch = batch(size, Backend::Ifma);
        let measured = shortest(|| batch.probable_primes());
        let floor = instructions(size) / rate;
        let per_candidate = |seconds: f64| seconds * 1e6 / lanes(Backend::Ifma) as f64;
        println!(
            "{} bits: {:.1} us per candidate, floor {:.1} us, {:.0} % of peak",
            size.prime_bits(),
            per_candidate(measured),
            per_candidate(floor),
            100.0 * floor / measured
        );
    }
}

/// How many multiplications a batch takes at least: each squaring of `l` limbs has `l (l + 1) / 2`
/// products, its reduction `l^2`, and each product has two halves.
fn instructions(size: Size) -> f64 {
    let (limbs, squarings) = match size {
        Size::Rsa2048 => (20, 1014),
        Size::Rsa3072 => (30, 1527),
        Size::Rsa4096 => (40, 2037),
    };
    f64::from(squarings * (limbs * (limbs + 1) + 2 * limbs * limbs))
}

/// The shortest of many runs, in seconds: what disturbs a run only makes it longer.
fn shortest<T>(run: impl Fn() -> T) -> f64 {
    let time = || {
        let start = Instant::now();
        black_box(run());
        start.elapsed().as_secs_f64()
    };
    (0..50).map(|_| time()).fold(f64::INFINITY, f64::min)
}

/// Keys of eight fixed seeds in turn, by back end and threads.
fn fixed_seeds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("eight fixed seeds");
    slow(&mut group);
    let all = available_parallelism().unwrap();
    for size in Size::ALL {
        for backend in backends() {
            for threads in [NonZero::<usize>::MIN, all] {
                let options = Options {
                    threads,
                    backend,
                    sieve_bound: None,
                };
                let id = format!("{backend}, {threads} threads");
                let keys = || {
                    for seed in 0..8 {
                        black_box(generate(size, &[seed; 32], options).unwrap());
                    }
                };
                group.throughput(Throughput::Elements(8));
                group.bench_function(BenchmarkId::new(id, size.modulus_bits()), |bencher| {
                    bencher.iter(keys);
                });
            }
        }
    }
}

/// Keys of the lists of C2SP, on one thread, by back end.
fn public_lists(criterion: &mut Criterion) {
    let Some(folder) = std::env::var_os("KUBE_ENROLL_CCTV").map(PathBuf::from) else {
        println!("skipped: KUBE_ENROLL_CCTV names no folder with rsa.bench.2048.txt and the like");
        return;
    };
    let mut group = criterion.benchmark_group("list of C2SP");
    slow(&mut group);
    for size in Size::ALL {
        let list = folder.join(format!("rsa.bench.{}.txt", size.modulus_bits()));
        let list = std::fs::read_to_string(&list).unwrap();
        let numbers: Vec<Vec<u64>> = list.lines().map(words).collect();
        for backend in backends() {
            let id = BenchmarkId::new(backend.to_string(), size.modulus_bits());
            group.bench_function(id, |bencher| {
                bencher.iter(|| generate_from(size, backend, &numbers).unwrap());
            });
        }
    }
}

/// The little-endian words of big-endian hexadecimal digits.
fn words(digits: &str) -> Vec<u64> {
    let words = digits.as_bytes().rchunks(16);
    words
        .map(|word| u64::from_str_radix(std::str::from_utf8(word).unwrap(), 16).unwrap())
        .collect()
}

/// Random keys, in the order of the peers.
fn peers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("random keys");
    slow(&mut group);
    let have_openssl = Command::new("openssl").arg("version").output().is_ok();
    for size in Size::ALL {
        let bits = size.modulus_bits();
        group.bench_function(BenchmarkId::new("kube-enroll", bits), |bencher| {
            bencher.iter(|| PrivateKey::generate(algorithm(size), &mut SysRng).unwrap());
        });
        group.bench_function(BenchmarkId::new("rsa crate", bits), |bencher| {
            bencher.iter(|| rsa::PrivateKey::new(&mut SysRng, bits as usize).unwrap());
        });
        if have_openssl {
            group.bench_function(BenchmarkId::new("openssl genrsa", bits), |bencher| {
                let mut genrsa = Command::new("openssl");
                genrsa.args(["genrsa", &bits.to_string()]);
                bencher.iter(|| genrsa.output().unwrap());
            });
        }
    }
}

fn slow(group: &mut BenchmarkGroup<WallTime>) {
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .measurement_time(Duration::from_secs(10));
}

criterion_group!(
    benches,
    floor,
    filters,
    sieves,
    fixed_seeds,
    public_lists,
    peers
);
criterion_main!(benches);
