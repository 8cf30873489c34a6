//! The filters of RSA key generation: each says of any candidate what the arithmetic of
//! `crypto-bigint` and `crypto-primes` says, whatever stands in the lanes beside it.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use crypto_primes::hazmat::MillerRabin;
use kube_enroll::key::rsa::Size;
use kube_enroll::key::rsa::harness::{Backend, Batch, lanes};

/// How many candidates at most, which fills the widest filter.
const MAX_LANES: usize = 8;

/// Takes the first byte for the size of the key, the second for the lanes that hold a prime, and
/// the others for the candidates in the other lanes.
pub fn check(data: &[u8]) {
    let [size, primes, numbers @ ..] = data else {
        return;
    };
    let (size, words, distance) = match size % 3 {
        0 => (Size::Rsa2048, 16, 105),
        1 => (Size::Rsa3072, 24, 3453),
        _ => (Size::Rsa4096, 32, 1557),
    };
    let mut candidates: Vec<_> = numbers
        .chunks(words * 8)
        .take(MAX_LANES)
        .map(|bytes| candidate(bytes, words))
        .collect();
    for (lane, candidate) in candidates.iter_mut().enumerate() {
        if primes >> lane & 1 == 1 {
            *candidate = largest_prime(words, distance);
        }
    }
    let fermat: Vec<_> = candidates.iter().map(|it| passes_fermat(it)).collect();
    let strong: Vec<_> = candidates
        .iter()
        .map(|it| passes_miller_rabin(it))
        .collect();
    for (lane, (fermat, strong)) in fermat.iter().zip(&strong).enumerate() {
        // What passes the stronger test passes the weaker one, and a prime passes both.
        assert!(*fermat || !strong);
        assert!(*strong || primes >> lane & 1 == 0);
    }
    for backend in Backend::ALL.into_iter().filter(|it| it.is_available()) {
        let expected = match backend {
            Backend::Portable => &strong,
            Backend::Ifma | Backend::Avx2 => &fermat,
        };
        let found = verdicts(size, backend, &candidates);
        assert_eq!(&found, expected, "{backend}: {candidates:x?}");
    }
}

/// Little-endian, odd and of full length.
fn candidate(bytes: &[u8], words: usize) -> Vec<u64> {
    let mut candidate: Vec<u64> = bytes
        .chunks(8)
        .map(|bytes| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(word)
        })
        .collect();
    candidate.resize(words, 0);
    candidate[0] |= 1;
    candidate[words - 1] |= 1 << 63;
    candidate
}

/// The largest prime of so many words, which lies this far below the power of two above it.
fn largest_prime(words: usize, distance: u64) -> Vec<u64> {
    let mut prime = vec![u64::MAX; words];
    prime[0] -= distance - 1;
    prime
}

/// What a filter says of each candidate.
fn verdicts(size: Size, backend: Backend, candidates: &[Vec<u64>]) -> Vec<bool> {
    let batches = candidates.chunks(lanes(backend));
    batches
        .flat_map(|candidates| {
            let batch = Batch::new(size, backend, candidates);
            let passed = batch.probable_primes().unwrap();
            (0..candidates.len()).map(move |lane| passed >> lane & 1 == 1)
        })
        .collect()
}

fn odd(words: &[u64]) -> Odd<BoxedUint> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    Odd::new(BoxedUint::from_le_slice_vartime(&bytes)).unwrap()
}

/// In base 2.
fn passes_miller_rabin(words: &[u64]) -> bool {
    MillerRabin::new(odd(words))
        .test_base_two()
        .is_probably_prime()
}

/// 2^(n-1) = 1 modulo n.
fn passes_fermat(words: &[u64]) -> bool {
    let n = odd(words);
    let exponent = n.wrapping_sub(BoxedUint::one());
    let params = BoxedMontyParams::new_vartime(n);
    let two = BoxedUint::from_be_slice(&[2], params.bits_precision()).unwrap();
    let power = BoxedMontyForm::new(two, &params).pow(&exponent).retrieve();
    power == BoxedUint::one_with_precision(params.bits_precision())
}
