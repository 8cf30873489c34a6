//! RSA keys from given seeds: the same on every back end and any number of threads, in keeping
//! with FIPS 186-5, and good in the eyes of OpenSSL; and the filters against the library.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod common;

use std::num::NonZero;

use common::{Folder, have};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{
    BoxedUint, ConcatenatingMul as _, ConcatenatingSquare as _, Gcd as _, Odd, Resize as _,
};
use crypto_primes::hazmat::MillerRabin;
use kube_enroll::key::PrivateKey;
use kube_enroll::key::rsa::Size;
use kube_enroll::key::rsa::harness::{
    Backend, Batch, Options, candidates, generate, generate_from, lanes,
};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};

type Seed = [u8; 32];

fn backends() -> impl Iterator<Item = Backend> {
    Backend::ALL.into_iter().filter(|it| it.is_available())
}

fn options(backend: Backend, threads: usize) -> Options {
    Options {
        threads: NonZero::new(threads).unwrap(),
        backend,
        sieve_bound: None,
    }
}

fn number(words: &[u64]) -> BoxedUint {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    BoxedUint::from_le_slice_vartime(&bytes)
}

/// 2^(n-1) = 1 modulo n, by the arithmetic of `crypto-bigint`.
fn passes_fermat(words: &[u64]) -> bool {
    let n = number(words);
    let exponent = n.wrapping_sub(BoxedUint::one());
    let params = BoxedMontyParams::new_vartime(Odd::new(n).unwrap());
    let two = BoxedUint::from_be_slice(&[2], params.bits_precision()).unwrap();
    let power = BoxedMontyForm::new(two, &params).pow(&exponent);
    power.retrieve() == BoxedUint::one_with_precision(params.bits_precision())
}

fn passes_miller_rabin(words: &[u64]) -> bool {
    let n = Odd::new(number(words)).unwrap();
    MillerRabin::new(n).test_base_two().is_probably_prime()
}

/// What `backend` says of each of the numbers.
fn verdicts(size: Size, backend: Backend, numbers: &[Vec<u64>]) -> Vec<bool> {
    numbers
        .chunks(lanes(backend))
        .flat_map(|numbers| {
            let passed = Batch::new(size, backend, numbers)
                .probable_primes()
                .unwrap();
            (0..numbers.len()).map(move |lane| (passed >> lane) & 1 == 1)
        })
        .collect()
}

/// Demands that the vector filters say what Fermat's test says, and the library's what Miller and
/// Rabin's says.
fn assert_agreement(size: Size, numbers: &[Vec<u64>]) {
    let fermat: Vec<_> = numbers.iter().map(|it| passes_fermat(it)).collect();
    let miller_rabin: Vec<_> = numbers.iter().map(|it| passes_miller_rabin(it)).collect();
    for backend in backends() {
        let expected = match backend {
            Backend::Portable => &miller_rabin,
            _ => &fermat,
        };
        let found = verdicts(size, backend, numbers);
        for ((words, found), expected) in numbers.iter().zip(found).zip(expected) {
            assert_eq!(found, *expected, "{backend}, {size:?}: {words:x?}");
        }
    }
}

/// How many draws leave 4000, 1000 and 500 candidates, or four times as many in a release build.
fn draws(size: Size) -> u64 {
    let draws = match size {
        Size::Rsa2048 => 100_000,
        Size::Rsa3072 => 25_000,
        Size::Rsa4096 => 12_500,
    };
    if cfg!(debug_assertions) {
        draws
    } else {
        4 * draws
    }
}

#[test]
fn filters_say_what_the_library_says_of_candidates() {
    for size in Size::ALL {
        let numbers = candidates(size, &[1; 32], Backend::Portable, 1 << 12, draws(size));
        assert_agreement(size, &numbers);
    }
}

#[test]
fn a_prime_is_found_in_every_lane_and_its_neighbours_do_not_matter() {
    for size in Size::ALL {
        let numbers = candidates(size, &[2; 32], Backend::Portable, 1 << 12, 3000);
        let is_prime = |words: &&Vec<u64>| passes_miller_rabin(words);
        let prime = numbers.iter().find(is_prime).unwrap();
        let composite = numbers.iter().find(|it| !is_prime(it)).unwrap();
        for backend in backends() {
            let all = ((1_u16 << lanes(backend)) - 1) as u8;
            for pattern in [0_u8, 1, 2, 4, 8, 16, 32, 64, 128, 0x55, 0xaa, 0xff] {
                let lane = |lane: u32| {
                    if pattern >> lane & 1 == 1 {
                        prime
                    } else {
                        composite
                    }
                };
                let numbers: Vec<_> = (0..8).map(|it| lane(it).clone()).collect();
                let passed = Batch::new(size, backend, &numbers).probable_primes();
                assert_eq!(passed, Some(pattern & all), "{backend}, {size:?}");
            }
        }
    }
}

/// Lines of kind, length in bits, what Fermat's test in base 2 says, what Miller and Rabin's says,
/// and the number.
const PSEUDOPRIMES: &str = include_str!("vectors/rsa-pseudoprimes.txt");

#[test]
fn filters_are_fooled_by_exactly_the_composites_that_the_tests_are_fooled_by() {
    let lines = PSEUDOPRIMES.lines().filter(|line| !line.starts_with('#'));
    for line in lines {
        let [kind, bits, fermat, strong, hex] =
            line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let words = from_hex(hex);
        let bits: u32 = bits.parse().unwrap();
        let size = Size::ALL
            .into_iter()
            .find(|it| it.prime_bits() == bits)
            .unwrap();
        assert!(!is_prime(&number(&words)), "a composite: {kind}");
        for backend in backends() {
            let passes = match backend {
                Backend::Portable => strong == "strong",
                _ => fermat == "fermat",
            };
            let batch = vec![words.clone(); lanes(backend)];
            let found = verdicts(size, backend, &batch);
            assert_eq!(
                found,
                vec![passes; lanes(backend)],
                "{backend}: {kind} of {bits} bits"
            );
        }
    }
}

fn from_hex(hex: &str) -> Vec<u64> {
    let words = hex
        .as_bytes()
        .rchunks(16)
        .map(|digits| str::from_utf8(digits).unwrap());
    words
        .map(|digits| u64::from_str_radix(digits, 16).unwrap())
        .collect()
}

/// Baillie-PSW, which no part of the search uses.
fn is_prime(number: &BoxedUint) -> bool {
    crypto_primes::is_prime(crypto_primes::Flavor::Any, number)
}

/// A number with these bits set, beside the highest and the lowest.
fn with_bits(size: Size, is_set: impl Fn(usize) -> bool) -> Vec<u64> {
    let bits = size.prime_bits() as usize;
    let mut words = vec![0; bits / 64];
    for bit in (0..bits).filter(|bit| *bit == 0 || *bit == bits - 1 || is_set(*bit)) {
        words[bit / 64] |= 1 << (bit % 64);
    }
    words
}

#[test]
fn filters_carry_across_every_limb() {
    for size in Size::ALL {
        let bits = size.prime_bits() as usize;
        let mut numbers = vec![with_bits(size, |_| true), with_bits(size, |_| false)];
        for limb in [28, 52, 64, 5 * 28, 5 * 52] {
            numbers.push(with_bits(size, |bit| bit / limb % 2 == 0));
            numbers.push(with_bits(size, |bit| bit / limb % 2 == 1));
            numbers.push(with_bits(size, |bit| bit % limb != 0));
            numbers.push(with_bits(size, |bit| bit % limb == 0));
            numbers.push(with_bits(size, |bit| bit >= limb));
            numbers.push(with_bits(size, |bit| bit < limb));
            numbers.push(with_bits(size, |bit| bit >= bits - limb));
            numbers.push(with_bits(size, |bit| bit < bits - limb));
        }
        for low in (1..128).step_by(2) {
            let mut high = with_bits(size, |_| true);
            high[0] = u64::MAX - low + 1;
            numbers.push(high);
            numbers.push(with_bits(size, |bit| bit < 8 && low >> bit & 1 == 1));
        }
        assert_agreement(size, &numbers);
    }
}

#[test]
fn the_largest_prime_of_1024_bits_passes_every_filter() {
    let mut words = vec![u64::MAX; 16];
    words[0] = u64::MAX - 104;
    for backend in backends() {
        let found = verdicts(Size::Rsa2048, backend, std::slice::from_ref(&words));
        assert_eq!(found, [true], "2^1024 - 105 on {backend}");
    }
}

fn decoded(key: &PrivateKey) -> rsa::PrivateKey {
    rsa::PrivateKey::from_pkcs8_pem(key.to_pkcs8_pem().unwrap().expose()).unwrap()
}

fn fingerprint(key: &PrivateKey) -> String {
    key.public_key().fingerprint().to_string()
}

#[test]
fn a_seed_stands_for_one_key_whatever_makes_it() {
    for (size, expected) in [
        (
            Size::Rsa2048,
            "SHA256:cMzbCtMdlGNjid9hFUuw1+xaPASzOzoIPMdqpoN2lFo=",
        ),
        (
            Size::Rsa3072,
            "SHA256:WmzWVmbopzQQRuG3Z2uLt4yVt56hMjYQlp3L4ifMemg=",
        ),
        (
            Size::Rsa4096,
            "SHA256:DbedzyMsJMsjvh/BJiAT8QqW5MQHV+5OoTP5Hi4j9YY=",
        ),
    ] {
        let seed: Seed = std::array::from_fn(|i| i as u8);
        for backend in backends() {
            for (threads, sieve_bound) in [(1, None), (2, Some(1 << 10)), (5, Some(1 << 15))] {
                let options = Options {
                    sieve_bound,
                    ..options(backend, threads)
                };
                let key = generate(size, &seed, options).unwrap();
                assert_eq!(fingerprint(&key), expected, "{options:?}");
            }
        }
    }
}

#[test]
fn a_list_of_the_draws_of_a_seed_stands_for_its_key_too() {
    const SEED: Seed = [4; 32];
    let size = Size::Rsa2048;
    let expected = generate(size, &SEED, options(Backend::Portable, 1)).unwrap();
    let list = candidates(size, &SEED, Backend::Portable, 1 << 8, 32_768);
    for backend in backends() {
        let found = generate_from(size, backend, &list).unwrap();
        assert_eq!(fingerprint(&found), fingerprint(&expected), "{backend}");
    }
    assert!(generate_from(size, Backend::Portable, &list[..1]).is_err());
}

#[test]
fn other_seeds_and_sizes_stand_for_other_keys() {
    for backend in backends() {
        let key = |seed: u8, size| generate(size, &[seed; 32], options(backend, 2)).unwrap();
        let [first, second] = [1, 2].map(|seed| key(seed, Size::Rsa2048));
        let longer = key(1, Size::Rsa3072);
        let ([p, q], [r, s]) = (primes(&first), primes(&second));
        assert!(p != r && p != s && q != r && q != s);
        let fingerprints = [&first, &second, &longer].map(fingerprint);
        assert_ne!(fingerprints[0], fingerprints[1]);
        assert_ne!(fingerprints[0], fingerprints[2]);
    }
}

fn primes(key: &PrivateKey) -> [BoxedUint; 2] {
    let key = decoded(key);
    let [p, q] = key.primes() else {
        panic!("two primes")
    };
    [p.as_ref().clone(), q.as_ref().clone()]
}

#[test]
fn keys_meet_the_conditions_of_fips_186_5() {
    let made = |size, backend| generate(size, &[4; 32], options(backend, 2)).unwrap();
    let sizes = Size::ALL.into_iter();
    for (size, backend) in sizes.flat_map(|size| backends().map(move |it| (size, it))) {
        let key = made(size, backend);
        let [p, q] = primes(&key);
        let key = decoded(&key);
        let bits = size.prime_bits();
        let one = BoxedUint::one_with_precision(size.modulus_bits());
        assert_eq!(key.n().bit_width(), size.modulus_bits());
        assert_eq!(*key.n().as_ref(), p.concatenating_mul(&q));
        assert_eq!(*key.e(), BoxedUint::from(65537_u32));
        for prime in [&p, &q] {
            assert!(is_prime(prime));
            // At least the root of 2^(nlen - 1), so that the square has nlen bits.
            assert_eq!(prime.bit_width(), bits);
            assert_eq!(
                prime.concatenating_square().bit_width(),
                size.modulus_bits()
            );
            let e = BoxedUint::from(65537_u32).to_nz().unwrap();
            assert!(!bool::from(
                prime.wrapping_sub(BoxedUint::one()).rem(&e).is_zero()
            ));
        }
        assert!(
            p.wrapping_sub(&q).bit_width() > bits - 100,
            "far apart, the larger first"
        );
        let (a, b) = (
            p.wrapping_sub(BoxedUint::one()),
            q.wrapping_sub(BoxedUint::one()),
        );
        let gcd = a.gcd(&b).resize(size.modulus_bits()).to_nz().unwrap();
        let lcm = a.concatenating_mul(&b).wrapping_div(&gcd);
        assert!(key.d().bit_width() > bits, "d > 2^(nlen/2)");
        assert!(*key.d() < lcm, "d < lcm(p - 1, q - 1)");
        let product = key
            .d()
            .mul_mod(&key.e().resize(lcm.bits_precision()), &lcm.to_nz().unwrap());
        assert_eq!(product, one, "e d = 1");
    }
}

#[test]
fn openssl_finds_every_key_good() {
    if !have("openssl") {
        return;
    }
    let folder = Folder::new();
    for size in Size::ALL {
        for (number, backend) in (10..).zip(backends()) {
            let key = generate(size, &[number; 32], options(backend, 2)).unwrap();
            folder.write("key.pem", key.to_pkcs8_pem().unwrap().expose());
            folder.peer("openssl", &["rsa", "-check", "-noout", "-in", "key.pem"]);
        }
    }
}

/// Pearson's statistic for counts that ought to be equal.
fn chi_square(counts: &[u32]) -> f64 {
    let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    let squares = counts.iter().map(|it| (f64::from(*it) - expected).powi(2));
    squares.sum::<f64>() / expected
}

/// The statistic that uniform choices exceed once in 10 000 times, for this many classes
/// (Wilson and Hilferty's approximation).
fn limit(classes: usize) -> f64 {
    let freedom = classes as f64 - 1.0;
    let spread = 2.0 / (9.0 * freedom);
    freedom * (1.0 - spread + 3.719 * spread.sqrt()).powi(3)
}

#[test]
fn primes_look_like_primes_chosen_uniformly() {
    for backend in backends() {
        let key = |seed| generate(Size::Rsa2048, &[seed; 32], options(backend, 2)).unwrap();
        let keys = (0..120).map(key);
        assert_uniform(&keys.flat_map(|key| primes(&key)).collect::<Vec<_>>());
    }
}

fn assert_uniform(primes: &[BoxedUint]) {
    let remainder = |prime: &BoxedUint, modulus: u32| {
        let modulus = BoxedUint::from(modulus).to_nz().unwrap();
        usize::from(prime.rem(&modulus).to_le_bytes()[0])
    };
    for modulus in [8, 3, 5, 7, 11, 13] {
        let mut counts = vec![0_u32; modulus as usize];
        for prime in primes {
            counts[remainder(prime, modulus)] += 1;
        }
        let is_unit = |(class, _): &(usize, &u32)| modulus != 8 || class % 2 == 1;
        let classes = counts
            .iter()
            .enumerate()
            .filter(is_unit)
            .map(|(_, count)| *count);
        let classes: Vec<u32> = classes.skip(usize::from(modulus != 8)).collect();
        assert!(
            chi_square(&classes) < limit(classes.len()),
            "modulo {modulus}: {classes:?}"
        );
    }
    // Where between the root of 1/2 and 1 the leading bits lie: even, the density of primes
    // changes by one part in 2000 over the range.
    let mut counts = vec![0_u32; 10];
    for prime in primes {
        let top = prime.to_be_bytes()[..8]
            .iter()
            .fold(0.0, |top, byte| top * 256.0 + f64::from(*byte));
        let place = (top / 2_f64.powi(64) - 0.5_f64.sqrt()) / (1.0 - 0.5_f64.sqrt());
        counts[((place * 10.0) as usize).min(9)] += 1;
    }
    assert!(chi_square(&counts) < limit(10), "leading bits: {counts:?}");
}
