//! Points of NIST P-256 in Jacobian coordinates: (X, Y, Z) stands for (X/Z^2, Y/Z^3). The formulas
//! are those of the Explicit-Formulas Database for a = -3; every exceptional case is handled, in
//! variable time.

use super::field::{Bytes, Element};

/// A point; Z is zero at infinity.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    x: Element,
    y: Element,
    z: Element,
}

/// The coefficient b of y^2 = x^3 - 3x + b (SP 800-186 section 3.2.1.3).
const B: Bytes = [
    0x5A, 0xC6, 0x35, 0xD8, 0xAA, 0x3A, 0x93, 0xE7, 0xB3, 0xEB, 0xBD, 0x55, 0x76, 0x98, 0x86, 0xBC,
    0x65, 0x1D, 0x06, 0xB0, 0xCC, 0x53, 0xB0, 0xF6, 0x3B, 0xCE, 0x3C, 0x3E, 0x27, 0xD2, 0x60, 0x4B,
];

impl Point {
    pub const INFINITY: Self = Self {
        x: Element::ONE,
        y: Element::ONE,
        z: Element::ZERO,
    };

    /// `None` unless both coordinates are below p and the point is on the curve.
    pub fn from_affine(x: &Bytes, y: &Bytes) -> Option<Self> {
        let (x, y) = (Element::from_bytes(x)?, Element::from_bytes(y)?);
        let b = Element::from_bytes(&B)?;
        let three_x = x.doubled().plus(&x);
        let right = x.squared().times(&x).minus(&three_x).plus(&b);
        let z = Element::ONE;
        (y.squared() == right).then_some(Self { x, y, z })
    }
    pub fn is_infinity(&self) -> bool {
        self.z.is_zero()
    }

    /// Whether the affine x coordinate is this one, without dividing.
    pub fn has_x(&self, x: &Element) -> bool {
        !self.is_infinity() && x.times(&self.z.squared()) == self.x
    }

    pub fn negated(&self) -> Self {
        Self {
            y: Element::ZERO.minus(&self.y),
            ..*self
        }
    }

    /// "dbl-2001-b"; infinity stays what it is, and there is no point of order two.
    pub fn doubled(&self) -> Self {
        let delta = self.z.squared();
        let gamma = self.y.squared();
        let beta = self.x.times(&gamma);
        let product = self.x.minus(&delta).times(&self.x.plus(&delta));
        let alpha = product.doubled().plus(&product);
        let four_beta = beta.doubled().doubled();
        let x = alpha.squared().minus(&four_beta.doubled());
        let z = self.y.plus(&self.z).squared().minus(&gamma).minus(&delta);
        let eight_gamma_squared = gamma.squared().doubled().doubled().doubled();
        let y = alpha
            .times(&four_beta.minus(&x))
            .minus(&eight_gamma_squared);
        Self { x, y, z }
    }

    /// "add-1998-cmo-2".
    pub fn plus(&self, other: &Self) -> Self {
        if self.is_infinity() {
            return *other;
        }
        if other.is_infinity() {
            return *self;
        }
        let z1_squared = self.z.squared();
        let z2_squared = other.z.squared();
        let u1 = self.x.times(&z2_squared);
        let u2 = other.x.times(&z1_squared);
        let s1 = self.y.times(&other.z).times(&z2_squared);
        let s2 = other.y.times(&self.z).times(&z1_squared);
        let z = self.z.times(&other.z);
        self.chord([u1, s1], [u2, s2], &z)
    }

    /// The sum of two points over a common denominator, of which `self` is the first.
    fn chord(&self, [u1, s1]: [Element; 2], [u2, s2]: [Element; 2], common: &Element) -> Self {
        let run = u2.minus(&u1);
        let rise = s2.minus(&s1);
        if run.is_zero() {
            return if rise.is_zero() {
                self.doubled()
            } else {
                Self::INFINITY
            };
        }
        let run_squared = run.squared();
        let run_cubed = run_squared.times(&run);
        let v = u1.times(&run_squared);
        let x = rise.squared().minus(&run_cubed).minus(&v.doubled());
        let y = rise.times(&v.minus(&x)).minus(&s1.times(&run_cubed));
        Self {
            x,
            y,
            z: common.times(&run),
        }
    }
}
