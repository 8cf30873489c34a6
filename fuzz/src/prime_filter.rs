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
            assert!(is_strong_probable_prime(candidate));
        }
    }
    for backend in Backend::ALL.into_iter().filter(|it| it.is_available()) {
        assert_agreement(size, backend, &candidates);
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

fn assert_agreement(size: Size, backend: Backend, candidates: &[Vec<u64>]) {
    for candidates in candidates.chunks(lanes(backend)) {
        let passed = Batch::new(size, backend, candidates)
            .probable_primes()
            .unwrap();
        for (lane, candidate) in candidates.iter().enumerate() {
            let expected = match backend {
                Backend::Portable => is_strong_probable_prime(candidate),
                Backend::Ifma | Backend::Avx2 => is_fermat_probable_prime(candidate),
            };
            assert_eq!(
                passed >> lane & 1 == 1,
                expected,
                "{backend}: {candidate:x?}"
            );
            // What the library passes, no filter loses.
            assert!(expected || !is_strong_probable_prime(candidate));
        }
    }
}

fn odd(words: &[u64]) -> Odd<BoxedUint> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    Odd::new(BoxedUint::from_le_slice_vartime(&bytes)).unwrap()
}

/// Miller and Rabin's test in base 2.
fn is_strong_probable_prime(words: &[u64]) -> bool {
    MillerRabin::new(odd(words))
        .test_base_two()
        .is_probably_prime()
}

/// Fermat's test in base 2: 2^(n-1) = 1 modulo n.
fn is_fermat_probable_prime(words: &[u64]) -> bool {
    let n = odd(words);
    let exponent = n.wrapping_sub(BoxedUint::one());
    let params = BoxedMontyParams::new_vartime(n);
    let two = BoxedUint::from_be_slice(&[2], params.bits_precision()).unwrap();
    let power = BoxedMontyForm::new(two, &params).pow(&exponent).retrieve();
    power == BoxedUint::one_with_precision(params.bits_precision())
}
