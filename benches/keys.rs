//! Private keys: signing, and their files. Every signature of ours is verified before it is given
//! out: the ratio to the crate alone is the price.
//! Of an encrypted key, scrypt takes nearly all the time, on purpose: it stands there by itself.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::key;
use common::peer::{Program, signer};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use getrandom::SysRng;
use kube_enroll::key::{Algorithm, EncodedKey};
use kube_enroll::pem;
use kube_enroll::secret::Passphrase;
use pkcs8::pkcs5::scrypt;
use pkcs8::{DecodePrivateKey as _, EncryptedPrivateKeyInfoRef};

/// As long as a request with a few groups.
const MESSAGE: &[u8] = &[0x30; 640];

const PASSPHRASE: &str = "correct horse battery staple";

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.into())
}

fn sign(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sign");
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        group.bench_function(BenchmarkId::new("kube-enroll", algorithm), |bencher| {
            bencher.iter(|| key.sign(MESSAGE, &mut SysRng).unwrap());
        });
        let sign = signer(algorithm, key);
        group.bench_function(
            BenchmarkId::new("crate, unverified", algorithm),
            |bencher| {
                bencher.iter(|| sign(MESSAGE));
            },
        );
        let Some(openssl) = Program::find("openssl") else {
            continue;
        };
        let openssl = openssl
            .with("key", key.to_pkcs8_pem().unwrap().expose())
            .with("message", MESSAGE);
        let mut args = vec!["pkeyutl", "-sign", "-rawin", "-in", "message"];
        args.extend(["-inkey", "key", "-out", "signature"]);
        if algorithm != Algorithm::Ed25519 {
            args.extend(["-digest", "sha256"]);
        }
        group.bench_function(BenchmarkId::new("openssl, process", algorithm), |bencher| {
            bencher.iter(|| openssl.run(&args));
        });
    }
}

fn write(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write key");
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        group.bench_function(BenchmarkId::new("plain", algorithm), |bencher| {
            bencher.iter(|| key.to_pkcs8_pem().unwrap());
        });
    }
    group.sample_size(10);
    let (key, passphrase) = (key(Algorithm::Rsa4096), passphrase());
    group.bench_function("encrypted/rsa-4096", |bencher| {
        bencher.iter(|| {
            key.to_encrypted_pkcs8_pem(&passphrase, &mut SysRng)
                .unwrap()
        });
    });
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read key");
    for algorithm in Algorithm::ALL {
        let pem = key(algorithm).to_pkcs8_pem().unwrap();
        let pem = pem.expose().as_bytes();
        group.bench_function(BenchmarkId::new("kube-enroll", algorithm), |bencher| {
            bencher.iter(|| EncodedKey::find(pem).unwrap().open(None).unwrap());
        });
        if key(algorithm).public_key().rsa().is_some() {
            group.bench_function(BenchmarkId::new("crate", algorithm), |bencher| {
                bencher.iter(|| {
                    let block = pem::first(pem).unwrap();
                    rsa::PrivateKey::from_pkcs8_der(&block.contents).unwrap()
                });
            });
        }
        if let Some(openssl) = Program::find("openssl") {
            let openssl = openssl.with("key", pem);
            group.bench_function(BenchmarkId::new("openssl, process", algorithm), |bencher| {
                bencher.iter(|| openssl.run(&["pkey", "-in", "key", "-noout"]));
            });
        }
    }
}

fn decrypt(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decrypt key");
    group.sample_size(10);
    let key = key(Algorithm::EcdsaP256);
    let pem = key.to_encrypted_pkcs8_pem(&passphrase(), &mut SysRng);
    let pem = pem.unwrap();
    group.bench_function("kube-enroll", |bencher| {
        let key = EncodedKey::find(pem.expose().as_bytes()).unwrap();
        bencher.iter(|| key.open(Some(&passphrase())).unwrap());
    });
    let block = pem::first(pem.expose().as_bytes()).unwrap();
    let parameters = scrypt_parameters(&block.contents);
    group.bench_function("scrypt alone", |bencher| {
        let mut derived = [0; 32];
        bencher.iter(|| {
            scrypt::scrypt(PASSPHRASE.as_bytes(), &[7; 16], &parameters, &mut derived).unwrap();
        });
    });
    if let Some(openssl) = Program::find("openssl") {
        let openssl = openssl.with("key", pem.expose()).with("word", PASSPHRASE);
        group.bench_function("openssl, process", |bencher| {
            let args = ["pkey", "-in", "key", "-passin", "file:word", "-noout"];
            bencher.iter(|| openssl.run(&args));
        });
    }
}

fn scrypt_parameters(der: &[u8]) -> scrypt::Params {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).unwrap();
    let derivation = &info.encryption_algorithm.pbes2().unwrap().kdf;
    derivation.scrypt().unwrap().try_into().unwrap()
}

criterion_group!(benches, sign, write, read, decrypt);
criterion_main!(benches);
