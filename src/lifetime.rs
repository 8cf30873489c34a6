//! How long a certificate is asked to be valid.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::text;

/// A lifetime that kube-apiserver takes in `spec.expirationSeconds`: at least ten minutes
/// (k8s.io/kubernetes/pkg/apis/certificates/validation `validateCertificateSigningRequest`), at
/// most 2^31 - 1 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifetime(i32);

/// The shortest lifetime that kube-apiserver takes, in seconds.
pub const MIN_SECONDS: i32 = 600;

const UNITS: [(char, i64); 6] = [
    ('y', 365 * 86_400),
    ('w', 7 * 86_400),
    ('d', 86_400),
    ('h', 3_600),
    ('m', 60),
    ('s', 1),
];

impl Lifetime {
    /// The nearest that somebody would type, where it is no whole number of minutes: in whole days if
    /// it takes ten of them, in hours if it takes ten, else in minutes. Within that, a certificate lasts as
    /// long as was asked; one that was cut lasts until its authority ends.
    #[must_use]
    pub fn rounded(self) -> Self {
        let unit = match self.0 {
            seconds if seconds % 60 == 0 => return self,
            seconds if seconds >= 10 * 86_400 => 86_400,
            seconds if seconds >= 10 * 3_600 => 3_600,
            _ => 60,
        };
        let nearest = (i64::from(self.0) + unit / 2) / unit * unit;
        Self::try_from(nearest).unwrap_or(self)
    }

    /// The lifetime in seconds.
    #[must_use]
    pub fn seconds(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for Lifetime {
    type Error = Error;

    fn try_from(seconds: i64) -> Result<Self, Error> {
        i32::try_from(seconds)
            .ok()
            .filter(|seconds| *seconds >= MIN_SECONDS)
            .map(Self)
            .ok_or_else(|| Error::Malformed {
                what: "lifetime",
                detail: text!(
                    "{} seconds, expected {} to {}",
                    seconds,
                    MIN_SECONDS,
                    i32::MAX
                ),
            })
    }
}

impl FromStr for Lifetime {
    type Err = Error;

    /// Takes seconds (`3600`) or numbers with units (`90d`, `1d12h`): y (365 d), w, d, h, m, s.
    fn from_str(typed: &str) -> Result<Self, Error> {
        let seconds = seconds(typed)?;
        let is_too_short = (1..i64::from(MIN_SECONDS)).contains(&seconds);
        if is_too_short && typed.parse() == Ok(seconds) {
            return Err(Error::Malformed {
                what: "lifetime",
                detail: text!(
                    "a number alone is seconds, and {} are needed; is {}d meant?",
                    MIN_SECONDS,
                    seconds
                ),
            });
        }
        Self::try_from(seconds)
    }
}

/// A span of time of any length, in seconds, typed as a [`Lifetime`] is.
///
/// # Errors
/// [`Error::Malformed`] for another unit, and for more seconds than 64 bits hold.
pub fn seconds(typed: &str) -> Result<i64, Error> {
    let seconds = match typed.parse::<i64>() {
        Ok(seconds) => Some(seconds),
        Err(_) => sum_of_units(typed),
    };
    seconds.ok_or_else(|| Error::Malformed {
        what: "lifetime",
        detail: text!("expected 90d, 12h, 1d12h or a number of seconds"),
    })
}

fn sum_of_units(mut typed: &str) -> Option<i64> {
    let mut seconds = 0_i64;
    while !typed.is_empty() {
        let end = typed.find(|c: char| !c.is_ascii_digit())?;
        let (number, rest) = typed.split_at(end);
        let unit = rest.chars().next()?;
        let (_, factor) = UNITS.iter().find(|(letter, _)| *letter == unit)?;
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(*factor)?)?;
        typed = rest.get(1..)?;
    }
    Some(seconds)
}

impl fmt::Display for Lifetime {
    /// In days, hours, minutes and seconds, without the parts that are zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = i64::from(self.0);
        for (letter, factor) in UNITS.into_iter().skip_while(|(letter, _)| *letter != 'd') {
            if rest >= factor {
                write!(f, "{}{letter}", rest / factor)?;
                rest %= factor;
            }
        }
        Ok(())
    }
}

text::show_escaped!(Lifetime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_read_in_every_unit_and_shown_in_days() {
        for (typed, seconds, shown) in [
            ("3600", 3_600, "1h"),
            ("90d", 7_776_000, "90d"),
            ("1d12h", 129_600, "1d12h"),
            ("1w", 604_800, "7d"),
            ("1y", 31_536_000, "365d"),
            ("601", 601, "10m1s"),
        ] {
            let lifetime: Lifetime = typed.parse().unwrap();
            assert_eq!(lifetime.seconds(), seconds, "{typed}");
            assert_eq!(lifetime.to_string(), shown, "{typed}");
        }
    }

    #[test]
    fn what_nobody_would_type_is_rounded_to_what_somebody_would() {
        for (granted, rounded) in [
            ("30d2m25s", "30d"),
            ("29d23h59m58s", "30d"),
            ("364d12h", "364d12h"),
            ("1d12h", "1d12h"),
            ("1d12h3s", "1d12h"),
            ("59m59s", "1h"),
            ("601", "10m"),
            ("2147483647", "24855d"),
        ] {
            let granted: Lifetime = granted.parse().unwrap();
            assert_eq!(granted.rounded().to_string(), rounded, "{granted}");
        }
    }

    #[test]
    fn what_the_api_server_refuses_is_refused() {
        for typed in [
            "",
            "599",
            "-1",
            "9m",
            "2147483648",
            "12",
            "d",
            "1x",
            "1h2",
            "99999999999y",
        ] {
            assert!(typed.parse::<Lifetime>().is_err(), "{typed}");
        }
    }
}
