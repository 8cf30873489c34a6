//! ECDSA verification on NIST P-256 (FIPS 186-5 section 6.4.2), which most requests are signed
//! with. A run over thousands of requests spends its time here, and all that is seen is public, so
//! that it may take time that depends on it. The `p256` crate, which makes and uses private keys,
//! keeps to constant time, and its answers are what the tests compare with.

use std::sync::LazyLock;

use p256::elliptic_curve::ff::PrimeField as _;
use p256::elliptic_curve::ops::{Invert as _, Reduce as _};
use p256::{FieldBytes, NonZeroScalar, Scalar};

use field::{Bytes, Element};
use point::Point;

mod field;
mod point;

/// A public key: a point on the curve.
#[derive(Debug, Clone)]
pub struct VerifyingKey(Point);

/// n, the order of the base point, most significant byte first.
const ORDER: Bytes = [
    0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6,
    0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];

/// The base point's coordinates (SP 800-186 section 3.2.1.3).
const BASE: [Bytes; 2] = [
    [
        0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5, 0x63, 0xA4, 0x40,
        0xF2, 0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98,
        0xC2, 0x96,
    ],
    [
        0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E,
        0x16, 0x2B, 0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF,
        0x51, 0xF5,
    ],
];

impl VerifyingKey {
    /// Reads the two coordinates of an uncompressed point (SEC 1 section 2.3.3, without the 4).
    /// `None` unless the point is on the curve.
    pub fn from_coordinates(coordinates: &[u8]) -> Option<Self> {
        let ([x, y], []) = coordinates.as_chunks::<32>() else {
            return None;
        };
        Point::from_affine(x, y).map(Self)
    }

    /// Whether `r` and `s`, 32 bytes each, are a signature over `hash`, which is 32 bytes or more.
    pub fn verifies(&self, hash: &[u8], signature: &[u8]) -> bool {
        self.check(hash, signature).unwrap_or(false)
    }

    fn check(&self, hash: &[u8], signature: &[u8]) -> Option<bool> {
        let (r, s) = signature.split_at_checked(32)?;
        let (r, s) = (FieldBytes::try_from(r).ok()?, FieldBytes::try_from(s).ok()?);
        let s: NonZeroScalar = Option::from(NonZeroScalar::from_repr(s))?;
        let r_scalar: NonZeroScalar = Option::from(NonZeroScalar::from_repr(r))?;
        let hash = FieldBytes::try_from(hash.get(..32)?).ok()?;
        let inverse = *s.invert_vartime();
        let u1 = Scalar::reduce(&hash) * inverse;
        let u2 = *r_scalar * inverse;
        let sum = combine(&u1, &u2, self.0);
        Some(candidates(&r.into()).iter().any(|x| sum.has_x(x)))
    }
}

/// The coordinates that are r modulo n: r, and r + n where it is below p.
fn candidates(r: &Bytes) -> Vec<Element> {
    let mut sum = [0; 32];
    let mut carry = 0;
    for ((sum, r), n) in sum.iter_mut().zip(r).zip(ORDER).rev() {
        let [high, low] = (u16::from(*r) + u16::from(n) + carry).to_be_bytes();
        (*sum, carry) = (low, u16::from(high));
    }
    let second = (carry == 0).then(|| Element::from_bytes(&sum)).flatten();
    Element::from_bytes(r).into_iter().chain(second).collect()
}

/// Width of the windows in which multiples of the base point are added.
const BASE_WINDOW: usize = 8;
/// The same for other points, whose multiples have to be made first.
const POINT_WINDOW: usize = 5;

static BASE_MULTIPLES: LazyLock<Vec<Point>> = LazyLock::new(|| {
    let [x, y] = BASE;
    Point::from_affine(&x, &y).map_or_else(Vec::new, |base| odd_multiples(base, BASE_WINDOW))
});

/// `base_scalar` times the base point plus `scalar` times `point`, doubling for both at once.
fn combine(base_scalar: &Scalar, scalar: &Scalar, point: Point) -> Point {
    let multiples = odd_multiples(point, POINT_WINDOW);
    let base_digits = non_adjacent_form(base_scalar, BASE_WINDOW);
    let digits = non_adjacent_form(scalar, POINT_WINDOW);
    let mut sum = Point::INFINITY;
    for (base_digit, digit) in base_digits.iter().zip(digits).rev() {
        sum = sum.doubled();
        sum = add_multiple(sum, *base_digit, &BASE_MULTIPLES);
        sum = add_multiple(sum, digit, &multiples);
    }
    sum
}

/// 1, 3, 5, ... times the point: as many as a window needs.
fn odd_multiples(point: Point, window: usize) -> Vec<Point> {
    let step = point.doubled();
    std::iter::successors(Some(point), |last| Some(last.plus(&step)))
        .take(1 << (window - 2))
        .collect()
}

fn add_multiple(sum: Point, digit: i8, odd_multiples: &[Point]) -> Point {
    match odd_multiples.get(usize::from(digit.unsigned_abs() / 2)) {
        Some(multiple) if digit > 0 => sum.plus(multiple),
        Some(multiple) if digit < 0 => sum.plus(&multiple.negated()),
        _ => sum,
    }
}

/// Digits for the powers of two from the lowest on, zero or odd and below 2^(window - 1) in
/// amount, with at least `window - 1` zeros after each.
fn non_adjacent_form(scalar: &Scalar, window: usize) -> [i8; 257] {
    let mut digits = [0; 257];
    let mut bytes: Bytes = scalar.to_repr().into();
    bytes.reverse();
    let mut carry = 0;
    let mut position = 0;
    while let Some(digit) = digits.get_mut(position) {
        let value = bits(&bytes, position, window) + carry;
        if value & 1 == 0 {
            position += 1;
            continue;
        }
        carry = value >> (window - 1);
        *digit = i8::try_from(value - (carry << window)).unwrap_or_default();
        position += window;
    }
    digits
}

/// Up to eight bits of a little-endian number from a position on.
fn bits(number: &Bytes, position: usize, count: usize) -> i16 {
    let byte = |index: usize| number.get(index).copied().unwrap_or(0);
    let [low, high] = [position / 8, position / 8 + 1].map(byte);
    let from_here = u16::from_le_bytes([low, high]) >> (position % 8);
    i16::try_from(from_here & ((1 << count) - 1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
    use p256::ecdsa::{Signature, SigningKey};
    use p256::elliptic_curve::Generate as _;
    use proptest::prelude::*;

    use super::*;

    fn public(key: &SigningKey) -> VerifyingKey {
        let point = key.verifying_key().to_sec1_point(false);
        VerifyingKey::from_coordinates(&point.as_bytes()[1..]).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn answers_are_those_of_the_p256_crate(hash: [u8; 32], flipped in 0..96_usize, bit in 0..8_u32) {
            let key = SigningKey::generate();
            let signature: Signature = key.sign_prehash(&hash).unwrap();
            let mut signature = signature.to_bytes().to_vec();
            prop_assert!(public(&key).verifies(&hash, &signature));

            let mut hash = hash;
            let byte = if flipped < 64 { &mut signature[flipped] } else { &mut hash[flipped - 64] };
            *byte ^= 1_u8 << bit;
            let theirs = Signature::from_slice(&signature)
                .is_ok_and(|signature| key.verifying_key().verify_prehash(&hash, &signature).is_ok());
            prop_assert_eq!(public(&key).verifies(&hash, &signature), theirs);
        }
    }

    /// A key of 1 and equal halves of the sum meet every exceptional case of the addition.
    #[test]
    fn keys_that_are_small_multiples_of_the_base_point_work() {
        for small in 1..=20_u8 {
            let mut scalar = FieldBytes::default();
            scalar[31] = small;
            let key = SigningKey::from_bytes(&scalar).unwrap();
            for hash in [[0; 32], [1; 32], ORDER, [0xFF; 32]] {
                let signature: Signature = key.sign_prehash(&hash).unwrap();
                assert!(
                    public(&key).verifies(&hash, &signature.to_bytes()),
                    "{small}"
                );
            }
        }
    }

    /// p - n is the smallest r for which r + n is no coordinate.
    #[test]
    fn a_small_r_stands_for_two_coordinates() {
        let mut difference = [0; 32];
        difference[16..].copy_from_slice(&[
            0x43, 0x19, 0x05, 0x53, 0x58, 0xE8, 0x61, 0x7B, 0x0C, 0x46, 0x35, 0x3D, 0x03, 0x9C,
            0xDA, 0xAE,
        ]);
        assert_eq!(candidates(&difference).len(), 1);
        difference[31] -= 1;
        let below: Vec<_> = candidates(&difference);
        assert_eq!(below.len(), 2);
        assert!(below[1].plus(&Element::ONE).is_zero());
        assert_eq!(candidates(&ORDER).len(), 1);
    }

    #[test]
    fn numbers_outside_of_their_range_are_refused() {
        let key = public(&SigningKey::generate());
        assert!(!key.verifies(&[1; 32], &[0; 64]));
        assert!(!key.verifies(&[1; 32], &[ORDER, ORDER].concat()));
        assert!(!key.verifies(&[1; 32], &[1; 63]));
        assert!(!key.verifies(&[1; 31], &[1; 64]));
        assert!(VerifyingKey::from_coordinates(&[1; 64]).is_none());
        assert!(VerifyingKey::from_coordinates(&[0; 64]).is_none());
        assert!(VerifyingKey::from_coordinates(&[]).is_none());
    }
}
