//! Trial division of candidates by all odd primes up to a bound, exactly.
//!
//! Odd primes are multiplied together as long as the product stays below 2^52. The candidate is
//! reduced modulo the product, in Montgomery form and hence times an unimportant unit, and then
//! the one residue is tested for divisibility by each prime: x is a multiple of p if and only if
//! `x / p mod 2^52`, computed with the inverse of p, is at most `(2^52 - 1) / p`.

/// 2^52 - 1: the numbers that IFMA multiplies.
pub(super) const MASK: u64 = (1 << 52) - 1;

/// How many products are worked on together: eight vectors of eight lanes hide the latency of the
/// multiplications.
pub(super) const ROWS: usize = 8;
/// The lanes of one vector.
pub(super) const LANES: usize = 8;

/// One number for each product of a group.
pub(super) type Columns = [[u64; LANES]; ROWS];

/// The primes to divide by.
pub(super) struct Sieve {
    pub(super) groups: Vec<Group>,
}

/// As many products of primes as are worked on together.
pub(super) struct Group {
    /// The products: m below `2^52 - 1`.
    pub(super) modulus: Columns,
    /// -1/m modulo 2^64.
    pub(super) negated_inverse: Columns,
    /// The primes: the first factor of each product, the second of each, and so on.
    pub(super) factors: Vec<Factors>,
}

/// One prime factor of each product.
pub(super) struct Factors {
    /// 1/p modulo 2^64.
    pub(super) inverse: Columns,
    /// The largest multiple of p below 2^52, divided by p.
    pub(super) limit: Columns,
}

impl Sieve {
    /// Divides by every odd prime below `bound`.
    pub(super) fn new(bound: usize) -> Self {
        let primes = odd_primes(bound);
        let mut rest = primes.as_slice();
        let mut groups = Vec::new();
        while let Some(last) = rest.last() {
            let (group, used) = Group::new(rest, *last);
            groups.push(group);
            rest = rest.get(used..).unwrap_or_default();
        }
        Self { groups }
    }

    /// Whether no prime below the bound divides the odd number of these little-endian words.
    pub(super) fn passes(&self, words: &[u64]) -> bool {
        self.groups.iter().all(|group| group.passes(words))
    }
}

impl Group {
    /// Takes the first of the ascending `primes`, and says how many. Each product takes every
    /// 64th of them; where primes run out, `last` stands in.
    fn new(primes: &[u64], last: u64) -> (Self, usize) {
        const COUNT: usize = ROWS * LANES;
        let prime = |index: usize| primes.get(index).copied().unwrap_or(last);
        let largest = (1..=MASK.count_ones() as usize)
            .scan(1_u64, |product, factors| {
                *product = product.checked_mul(prime(factors * COUNT - 1))?;
                (*product < MASK).then_some(factors)
            })
            .last();
        let count = largest.unwrap_or(1).min(primes.len().div_ceil(COUNT));
        let factor = |factor: usize| columns(|index| prime(factor * COUNT + index));
        let modulus = columns(|index| (0..count).map(|f| prime(f * COUNT + index)).product());
        let group = Self {
            modulus,
            negated_inverse: map(&modulus, |m| inverse(m).wrapping_neg()),
            factors: (0..count).map(factor).map(|p| Factors::new(&p)).collect(),
        };
        (group, count * COUNT)
    }

    fn passes(&self, words: &[u64]) -> bool {
        let residues = self.residues(words);
        !self.factors.iter().any(|factors| factors.divide(&residues))
    }

    /// The number times a power of two modulo each product m, at most m + 1.
    fn residues(&self, words: &[u64]) -> Columns {
        let mut residues = Columns::default();
        let constants = self.modulus.iter().zip(&self.negated_inverse);
        for (row, (moduli, inverses)) in residues.iter_mut().zip(constants) {
            for word in words {
                let constants = moduli.iter().zip(inverses);
                for (residue, (modulus, inverse)) in row.iter_mut().zip(constants) {
                    *residue = reduce(*residue, *word, *modulus, *inverse);
                }
            }
        }
        residues
    }
}

/// `(residue + word) / 2^64` modulo m, at most m + 1 where the residue is.
fn reduce(residue: u64, word: u64, modulus: u64, negated_inverse: u64) -> u64 {
    let quotient = residue.wrapping_add(word).wrapping_mul(negated_inverse);
    let sum = u128::from(quotient) * u128::from(modulus) + u128::from(residue) + u128::from(word);
    (sum >> 64) as u64
}

impl Factors {
    fn new(primes: &Columns) -> Self {
        Self {
            inverse: map(primes, inverse),
            limit: map(primes, |prime| MASK / prime),
        }
    }

    /// Whether any of these primes divides its residue.
    fn divide(&self, residues: &Columns) -> bool {
        let inverses = self.inverse.as_flattened().iter();
        let limits = self.limit.as_flattened().iter();
        residues
            .as_flattened()
            .iter()
            .zip(inverses)
            .zip(limits)
            .fold(false, |divides, ((residue, inverse), limit)| {
                divides | (residue.wrapping_mul(*inverse) & MASK <= *limit)
            })
    }
}

fn columns(value: impl Fn(usize) -> u64) -> Columns {
    std::array::from_fn(|row| std::array::from_fn(|lane| value(row * LANES + lane)))
}

fn map(columns: &Columns, function: impl Fn(u64) -> u64) -> Columns {
    columns.map(|row| row.map(&function))
}

/// The inverse of an odd number modulo 2^64, by Newton's iteration from three correct bits.
pub(super) fn inverse(odd: u64) -> u64 {
    (0..5).fold(odd, |x, _| {
        x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x)))
    })
}

/// The odd primes below `bound` in ascending order (the sieve of Eratosthenes).
fn odd_primes(bound: usize) -> Vec<u64> {
    // The number at index i is 2i + 1.
    let mut composite = vec![false; bound / 2];
    for root in (3..).step_by(2).take_while(|root| root * root < bound) {
        if composite.get(root / 2) == Some(&false) {
            let multiples = composite.iter_mut().skip(root * root / 2).step_by(root);
            multiples.for_each(|multiple| *multiple = true);
        }
    }
    let numbers = (1_u64..).step_by(2).zip(composite);
    numbers
        .skip(1)
        .filter_map(|(number, composite)| (!composite).then_some(number))
        .collect()
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)]
mod tests {
    use super::super::candidate::{Draws, SEED_LEN, Size};
    use super::super::filter::{Backend, Filter};
    use super::*;

    fn filters() -> Vec<Box<dyn Filter>> {
        Backend::ALL
            .into_iter()
            .filter_map(Backend::filter)
            .collect()
    }

    fn remainder(words: &[u64], divisor: u64) -> u64 {
        let divisor = u128::from(divisor);
        let remainder = words.iter().rev().fold(0, |remainder, word| {
            ((remainder << 64) | u128::from(*word)) % divisor
        });
        remainder as u64
    }

    /// The largest power of `prime` that has at most `len` words.
    fn largest_power(prime: u64, len: usize) -> Vec<u64> {
        let mut power = vec![0; len];
        power[0] = 1;
        loop {
            let mut carry = 0;
            let next = power.iter().map(|word| {
                let product = u128::from(*word) * u128::from(prime) + carry;
                carry = product >> 64;
                product as u64
            });
            let next = next.collect();
            if carry > 0 {
                return power;
            }
            power = next;
        }
    }

    #[test]
    fn the_primes_are_all_odd_primes_below_the_bound() {
        let plain = |number: &u64| (2..*number).all(|divisor| !number.is_multiple_of(divisor));
        for bound in [4, 9, 10, 121, 122, 1009, 1010] {
            let primes: Vec<u64> = (3..bound as u64).filter(plain).collect();
            assert_eq!(odd_primes(bound), primes, "below {bound}");
        }
        // pi(2^18), without the prime 2.
        assert_eq!(odd_primes(1 << 18).len(), 23_000 - 1);
    }

    #[test]
    fn every_prime_below_the_bound_is_noticed_and_none_above() {
        const BOUND: usize = 1 << 13;
        let sieve = Sieve::new(BOUND);
        for prime in odd_primes(2 * BOUND) {
            let power = largest_power(prime, Size::Rsa2048.words());
            for filter in filters() {
                let passes = filter.sieve(&sieve, &power);
                assert_eq!(passes, prime >= BOUND as u64, "{prime}");
            }
        }
    }

    #[test]
    fn the_sieve_says_what_plain_division_says() {
        for size in Size::ALL {
            let mut draws = Draws::starting_at(0, size, &[5; SEED_LEN]);
            let drawn: Vec<_> = (0..300)
                .filter_map(|_| draws.draw().map(<[u64]>::to_vec))
                .collect();
            for bound in [100, 3000] {
                let sieve = Sieve::new(bound);
                let primes = odd_primes(bound);
                for words in &drawn {
                    let plain = primes.iter().all(|prime| remainder(words, *prime) != 0);
                    for filter in filters() {
                        assert_eq!(filter.sieve(&sieve, words), plain);
                    }
                }
            }
        }
    }

    #[test]
    fn products_of_primes_stay_below_what_ifma_multiplies() {
        let sieve = Sieve::new(1 << 18);
        let moduli = sieve.groups.iter().flat_map(|it| it.modulus.as_flattened());
        assert!(moduli.clone().all(|modulus| *modulus < MASK));
        // Two primes to a product at least: the largest have 18 bits.
        assert!(moduli.count() < 23_000 / 2);
    }
}
