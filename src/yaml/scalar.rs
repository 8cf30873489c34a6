//! What a scalar means (go.yaml.in/yaml/v2 `resolve`), and what JSON makes of it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Number, Value};

use super::Problem;
use crate::go;

/// A scalar as go-yaml hands it to `encoding/json`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Above the range of [`Self::Int`].
    Uint(u64),
    Float(f64),
    Text(String),
}

impl Scalar {
    pub(super) fn into_value(self) -> Result<Value, Problem> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => value.into(),
            Self::Int(value) => value.into(),
            // Too large for what kubectl reads it back into.
            #[expect(clippy::cast_precision_loss, reason = "as Go converts it")]
            Self::Uint(value) => (value as f64).into(),
            Self::Float(value) => Value::Number(json_number(value).ok_or(Problem::Infinite)?),
            Self::Text(text) => text.into(),
        })
    }
}

/// The value of a plain scalar, or of one with an explicit tag.
pub(super) fn resolve(tag: Option<&str>, text: &str) -> Result<Scalar, Problem> {
    let Some(tag) = tag else {
        return Ok(plain(text));
    };
    let Some(short) = tag.strip_prefix("tag:yaml.org,2002:") else {
        return Ok(Scalar::Text(text.to_owned()));
    };
    if short == "timestamp" {
        return if go::is_yaml_timestamp(text) {
            Ok(Scalar::Text(text.to_owned()))
        } else {
            Err(Problem::TagMismatch)
        };
    }
    match (short, plain(text)) {
        ("binary", _) => binary(text),
        ("bool", value @ Scalar::Bool(_))
        | ("int", value @ (Scalar::Int(_) | Scalar::Uint(_)))
        | ("float", value @ Scalar::Float(_))
        | ("null", value @ Scalar::Null) => Ok(value),
        #[expect(clippy::cast_precision_loss, reason = "as Go converts it")]
        ("float", Scalar::Int(value)) => Ok(Scalar::Float(value as f64)),
        ("bool" | "int" | "float" | "null", _) => Err(Problem::TagMismatch),
        _ => Ok(Scalar::Text(text.to_owned())),
    }
}

fn binary(text: &str) -> Result<Scalar, Problem> {
    let packed: Vec<u8> = text
        .bytes()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    let decoded = BASE64_STANDARD
        .decode(packed)
        .map_err(|_| Problem::TagMismatch)?;
    Ok(Scalar::Text(go::to_text(&decoded)))
}

fn plain(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Scalar::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    number(text).unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

fn number(text: &str) -> Option<Scalar> {
    match text.as_bytes().first()? {
        // strconv.ParseFloat, which takes underscores between digits.
        b'.' => {
            let parts: Vec<&str> = text.split('_').collect();
            let ends_in_digit = |part: &&str| part.ends_with(|c: char| c.is_ascii_digit());
            let starts_with_digit = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
            let inner = parts.len() - 1;
            let are_between = parts.iter().take(inner).all(ends_in_digit)
                && parts.iter().skip(1).all(starts_with_digit);
            are_between.then(|| float(&parts.concat())).flatten()
        }
        b'0'..=b'9' | b'+' | b'-' => {
            let packed = text.replace('_', "");
            integer(&packed)
                .or_else(|| float(&packed))
                .or_else(|| odd_binary(&packed))
        }
        _ => None,
    }
}

/// `strconv.ParseInt` with base 0, or `ParseUint`: `0x`, `0o`, `0b` and a leading 0 for octal.
fn integer(text: &str) -> Option<Scalar> {
    let (sign, digits) = match text.as_bytes().first()? {
        sign @ (b'-' | b'+') => (Some(*sign), text.get(1..)?),
        _ => (None, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', _, ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', _, ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    let magnitude = digits_of(digits, radix)?;
    match sign {
        Some(b'-') => 0_i64.checked_sub_unsigned(magnitude).map(Scalar::Int),
        Some(_) => i64::try_from(magnitude).ok().map(Scalar::Int),
        None => Some(i64::try_from(magnitude).map_or(Scalar::Uint(magnitude), Scalar::Int)),
    }
}

/// Digits without a sign, which Rust would take.
fn digits_of(digits: &str, radix: u32) -> Option<u64> {
    let is_signed = digits.starts_with(['+', '-']);
    (!is_signed).then(|| u64::from_str_radix(digits, radix).ok())?
}

/// `0b` with a sign behind it, which go-yaml reads on its own.
fn odd_binary(text: &str) -> Option<Scalar> {
    let digits = text.strip_prefix("0b")?;
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, digits.strip_prefix('+')?),
    };
    let magnitude = i64::try_from(digits_of(digits, 2)?).ok()?;
    Some(Scalar::Int(if negative { -magnitude } else { magnitude }))
}

/// What `yamlStyleFloat` matches and is finite.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    let exponent_fits = exponent
        .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    if !mantissa_fits || !exponent_fits {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(Scalar::Float(value))
}

/// A float as `encoding/json` writes it and kubectl reads it back: without a fraction, it is an
/// integer.
pub(super) fn json_number(value: f64) -> Option<Number> {
    /// The first float that no `i64` is.
    const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;
    if value.fract() == 0.0 && value.abs() < TOO_LARGE {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number in the range of the type"
        )]
        let whole = value as i64;
        return Some(whole.into());
    }
    Number::from_f64(value)
}

/// A float as the key of a mapping: `strconv.FormatFloat(value, 'g', -1, 32)`
/// (sigs.k8s.io/yaml `convertToJSONableObject`).
pub(super) fn key_of_float(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "as Go narrows it")]
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value(tag: Option<&str>, text: &str) -> Result<Value, Problem> {
        resolve(tag, text)?.into_value()
    }

    #[test]
    fn plain_scalars_mean_what_yaml_1_1_says() {
        for (text, expected) in [
            ("y", json!(true)),
            ("No", json!(false)),
            ("oN", json!("oN")),
            ("~", json!(null)),
            ("", json!(null)),
            ("010", json!(8)),
            ("08", json!(8)),
            ("0o7", json!(7)),
            ("0x1F", json!(31)),
            ("-0b11", json!(-3)),
            ("0b-11", json!(-3)),
            ("0b2", json!("0b2")),
            ("1_000", json!(1000)),
            ("+12", json!(12)),
            ("+0x1F", json!(31)),
            ("1e3", json!(1000)),
            ("1e18", json!(1_000_000_000_000_000_000_i64)),
            ("1e19", json!(1e19)),
            (".5", json!(0.5)),
            (".1_0", json!(0.1)),
            (".1_", json!(".1_")),
            ("1.", json!(1)),
            ("1:20", json!("1:20")),
            ("2024-01-01", json!("2024-01-01")),
            ("9223372036854775808", json!(2_f64.powi(63))),
            ("18446744073709551615", json!(2_f64.powi(64))),
            ("+18446744073709551615", json!(2_f64.powi(64))),
            ("-9223372036854775808", json!(i64::MIN)),
            ("1e999", json!("1e999")),
            ("<<", json!("<<")),
            ("0x", json!("0x")),
            ("0", json!(0)),
            ("--1", json!("--1")),
            ("+", json!("+")),
            ("alice", json!("alice")),
        ] {
            assert_eq!(value(None, text), Ok(expected), "{text}");
        }
        for infinite in [".nan", "-.Inf", "+.INF"] {
            assert_eq!(value(None, infinite), Err(Problem::Infinite));
        }
    }

    #[test]
    fn a_tag_of_yaml_says_what_a_scalar_must_be() {
        for (tag, text, expected) in [
            ("bool", "yes", Some(json!(true))),
            ("bool", "1", None),
            ("int", "0x1F", Some(json!(31))),
            ("int", "-7", Some(json!(-7))),
            ("int", "18446744073709551615", Some(json!(2_f64.powi(64)))),
            ("int", "1.5", None),
            ("float", "1.5", Some(json!(1.5))),
            ("float", "7", Some(json!(7))),
            ("float", "18446744073709551615", None),
            ("null", "~", Some(json!(null))),
            ("null", "yes", None),
            ("str", "yes", Some(json!("yes"))),
            ("binary", "YQ==", Some(json!("a"))),
            ("binary", "Y\nQ==", Some(json!("a"))),
            ("binary", "//8=", Some(json!("\u{fffd}\u{fffd}"))),
            ("binary", "YQ", None),
            ("timestamp", "2024-1-2", Some(json!("2024-1-2"))),
            ("timestamp", "x", None),
            ("own", "yes", Some(json!("yes"))),
        ] {
            let full = format!("tag:yaml.org,2002:{tag}");
            assert_eq!(value(Some(&full), text).ok(), expected, "{tag} {text}");
            assert_eq!(value(Some(tag), text), Ok(json!(text)));
        }
    }

    #[test]
    fn floats_as_keys_have_the_digits_of_32_bits() {
        for (float, key) in [
            (1.5, "1.5"),
            (1.0, "1"),
            (-0.5, "-0.5"),
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (1.25e-5, "1.25e-05"),
            (1e-4, "0.0001"),
            (16_777_217.0, "1.6777216e+07"),
            (1e300, ".inf"),
            (f64::NEG_INFINITY, "-.inf"),
            (f64::NAN, ".nan"),
        ] {
            assert_eq!(key_of_float(float), key);
        }
    }
}
