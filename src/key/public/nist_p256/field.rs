//! The prime field of NIST P-256 (SP 800-186 section 3.2.1.3), for public values only: the time
//! that it takes depends on them.

/// The bytes of an element, most significant first.
pub type Bytes = [u8; 32];

/// Four limbs of 64 bits, least significant first.
type Limbs = [u64; 4];

/// p = 2^256 - 2^224 + 2^192 + 2^96 - 1.
const P: Limbs = [u64::MAX, 0xFFFF_FFFF, 0, 0xFFFF_FFFF_0000_0001];

/// 2^512 modulo p, which takes a number into Montgomery form.
const R_SQUARED: Element = Element([
    3,
    0xFFFF_FFFB_FFFF_FFFF,
    0xFFFF_FFFF_FFFF_FFFE,
    0x0000_0004_FFFF_FFFD,
]);

/// A number below p in Montgomery form: multiplied by 2^256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element(Limbs);

impl Element {
    pub const ZERO: Self = Self([0; 4]);

    /// 2^256 modulo p stands for 1.
    pub const ONE: Self = Self([
        1,
        0xFFFF_FFFF_0000_0000,
        0xFFFF_FFFF_FFFF_FFFF,
        0x0000_0000_FFFF_FFFE,
    ]);

    /// Reads a number; `None` unless it is below p.
    pub fn from_bytes(bytes: &Bytes) -> Option<Self> {
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
            *limb = u64::from_be_bytes(*chunk);
        }
        let (_, is_below) = subtract(limbs, P);
        is_below.then(|| Self(limbs).times(&R_SQUARED))
    }

    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    #[inline]
    pub fn plus(&self, other: &Self) -> Self {
        let (sum, carry) = add(self.0, other.0);
        Self(reduce(sum, carry))
    }

    #[inline]
    pub fn minus(&self, other: &Self) -> Self {
        let (difference, borrow) = subtract(self.0, other.0);
        let (sum, _) = add(difference, P.map(|limb| limb & mask(borrow)));
        Self(sum)
    }

    #[inline]
    pub fn doubled(&self) -> Self {
        self.plus(self)
    }

    /// The product: one row of limbs after the other, each reduced at once (Montgomery).
    #[inline]
    pub fn times(&self, other: &Self) -> Self {
        let mut sum = [0; 5];
        for limb in self.0 {
            sum = reduce_row(add_row(sum, limb, other.0));
        }
        let [a, b, c, d, carry] = sum;
        Self(reduce([a, b, c, d], carry != 0))
    }

    #[inline]
    pub fn squared(&self) -> Self {
        self.times(self)
    }
}

/// `sum + limb * row`, in six limbs.
#[inline]
fn add_row(sum: [u64; 5], limb: u64, row: Limbs) -> [u64; 6] {
    let [s0, s1, s2, s3, s4] = sum;
    let [r0, r1, r2, r3] = row;
    let (s0, carry) = limb.carrying_mul_add(r0, s0, 0);
    let (s1, carry) = limb.carrying_mul_add(r1, s1, carry);
    let (s2, carry) = limb.carrying_mul_add(r2, s2, carry);
    let (s3, carry) = limb.carrying_mul_add(r3, s3, carry);
    let (s4, carry) = s4.carrying_add(carry, false);
    [s0, s1, s2, s3, s4, u64::from(carry)]
}

/// Adds the multiple of p that clears the lowest limb, and drops that limb. Since p is -1 modulo
/// 2^64 the multiple is the limb itself, and most of p is shifts.
#[inline]
fn reduce_row(sum: [u64; 6]) -> [u64; 5] {
    let [m, s1, s2, s3, s4, s5] = sum;
    let (s1, carry) = s1.carrying_add(m << 32, false);
    let (s2, carry) = s2.carrying_add(m >> 32, carry);
    let (s3, high) = m.carrying_mul_add(P[3], s3, u64::from(carry));
    let (s4, carry) = s4.carrying_add(high, false);
    [s1, s2, s3, s4, s5 + u64::from(carry)]
}

/// A number below 2p, brought below p.
#[inline]
fn reduce(limbs: Limbs, carry: bool) -> Limbs {
    let (mut reduced, borrow) = subtract(limbs, P);
    let keep = mask(borrow && !carry);
    for (reduced, limb) in reduced.iter_mut().zip(limbs) {
        *reduced = (limb & keep) | (*reduced & !keep);
    }
    reduced
}

/// All ones or all zeros, in place of a branch that would be guessed wrong half of the time.
#[inline]
fn mask(condition: bool) -> u64 {
    u64::from(condition).wrapping_neg()
}

/// The sum modulo 2^256, and whether it was larger.
#[inline]
fn add(one: Limbs, other: Limbs) -> (Limbs, bool) {
    let mut sum = [0; 4];
    let mut carry = false;
    for ((sum, a), b) in sum.iter_mut().zip(one).zip(other) {
        (*sum, carry) = a.carrying_add(b, carry);
    }
    (sum, carry)
}

/// The difference modulo 2^256, and whether it was negative.
#[inline]
fn subtract(from: Limbs, what: Limbs) -> (Limbs, bool) {
    let mut difference = [0; 4];
    let mut borrow = false;
    for ((difference, a), b) in difference.iter_mut().zip(from).zip(what) {
        (*difference, borrow) = a.borrowing_sub(b, borrow);
    }
    (difference, borrow)
}

#[cfg(test)]
mod tests {
    use dashu_int::UBig;
    use proptest::prelude::*;

    use super::*;

    fn number(limbs: Limbs) -> UBig {
        let words = limbs.iter().rev();
        words.fold(UBig::ZERO, |sum, limb| (sum << 64) + *limb)
    }

    /// Numbers near the ends and the powers of two are as likely as all others together.
    fn any_element() -> impl Strategy<Value = Element> {
        let limb = prop_oneof![
            any::<u64>(),
            0..3_u64,
            u64::MAX - 2..=u64::MAX,
            (0..64_u32).prop_map(|bit| 1 << bit),
        ];
        prop::array::uniform4(limb).prop_map(|limbs| Element(reduce(limbs, false)))
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_numbers_modulo_p(a in any_element(), b in any_element()) {
            let p = number(P);
            let (x, y) = (number(a.0), number(b.0));
            prop_assert_eq!(number(a.plus(&b).0), (&x + &y) % &p);
            prop_assert_eq!(number(a.minus(&b).0), (&x + &p - &y) % &p);
            let product = number(a.times(&b).0);
            prop_assert_eq!((product << 256) % &p, x * y % &p);
        }
    }

    #[test]
    fn numbers_of_p_and_above_are_not_elements() {
        let bytes = |number: UBig| {
            let mut bytes = number.to_be_bytes().to_vec();
            bytes.splice(0..0, vec![0; 32 - bytes.len()]);
            Bytes::try_from(bytes).unwrap()
        };
        assert!(Element::from_bytes(&bytes(number(P))).is_none());
        assert!(Element::from_bytes(&[0xFF; 32]).is_none());
        assert!(Element::from_bytes(&bytes(number(P) - 1_u8)).is_some());
        assert_eq!(Element::from_bytes(&bytes(UBig::ONE)), Some(Element::ONE));
    }
}
