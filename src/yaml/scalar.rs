//! What a scalar means (go.yaml.in/yaml/v2 `resolve`), as the JSON value that comes of it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Number, Value};

const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// The value of a plain scalar, or of one with an explicit tag.
pub(super) fn resolve(tag: Option<&str>, text: &str) -> Result<Value, String> {
    let short = tag.map(|tag| tag.strip_prefix(TAG_PREFIX).unwrap_or(tag));
    let resolved = match short {
        None => return plain(text),
        Some("binary") => return binary(text),
        Some("bool" | "int" | "float" | "null") => plain(text)?,
        // A string, a timestamp, which stays one, or a type that nobody knows.
        Some(_) => return Ok(text.into()),
    };
    let fits = match short {
        Some("bool") => resolved.is_boolean(),
        Some("int") => resolved.is_i64() || resolved.is_u64(),
        Some("float") => resolved.is_number(),
        _ => resolved.is_null(),
    };
    if fits {
        Ok(resolved)
    } else {
        Err(format!(
            "cannot decode `{text}` as a !!{}",
            short.unwrap_or_default()
        ))
    }
}

fn binary(text: &str) -> Result<Value, String> {
    let packed: Vec<u8> = text
        .bytes()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    let decoded = BASE64_STANDARD
        .decode(packed)
        .map_err(|_| "!!binary value contains invalid base64 data".to_owned())?;
    Ok(String::from_utf8_lossy(&decoded).into_owned().into())
}

fn plain(text: &str) -> Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            true.into()
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            false.into()
        }
        _ if is_infinite_or_nan(text) => return Err("unsupported value in JSON".to_owned()),
        _ => number(text).map_or_else(|| text.into(), Value::Number),
    })
}

fn is_infinite_or_nan(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn number(text: &str) -> Option<Number> {
    match text.as_bytes().first()? {
        b'.' => float(text),
        b'0'..=b'9' | b'+' | b'-' => {
            let packed = text.replace('_', "");
            integer(&packed).or_else(|| float(&packed))
        }
        _ => None,
    }
}

/// Go's `strconv.ParseInt` with base 0, or `ParseUint`: `0x`, `0o`, `0b` and a leading 0 for octal.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let signed = digits.len() < text.len();
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        (8, octal)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.get(1..)?)
    } else {
        (10, lower.as_str())
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        let value = 0_i64.checked_sub_unsigned(magnitude)?;
        return Some(value.into());
    }
    if signed && i64::try_from(magnitude).is_err() {
        return None;
    }
    Some(magnitude.into())
}

/// What `yamlStyleFloat` matches and is finite.
fn float(text: &str) -> Option<Number> {
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
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
    json_number(value)
}

/// A float as `encoding/json` writes and reads it back: without a fraction, it is an integer.
pub(super) fn json_number(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number within 2^53"
        )]
        let whole = value as i64;
        return Some(whole.into());
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tag_is_held_to_what_the_scalar_is_without_it() {
        for (tag, text, value) in [
            ("bool", "yes", Some(json!(true))),
            ("bool", "1", None),
            ("int", "0x1F", Some(json!(31))),
            ("int", "1.5", None),
            ("float", "1.5", Some(json!(1.5))),
            ("null", "~", Some(json!(null))),
            ("null", "yes", None),
            ("str", "yes", Some(json!("yes"))),
        ] {
            for prefix in ["", TAG_PREFIX] {
                let tag = format!("{prefix}{tag}");
                assert_eq!(resolve(Some(&tag), text).ok(), value, "!{tag} {text}");
            }
        }
    }

    #[test]
    fn plain_scalars_mean_what_yaml_1_1_says() {
        for (text, value) in [
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
            ("1_000", json!(1000)),
            ("+12", json!(12)),
            ("+0x1F", json!(31)),
            ("1e3", json!(1000)),
            (".5", json!(0.5)),
            ("1.", json!(1)),
            ("1:20", json!("1:20")),
            ("2024-01-01", json!("2024-01-01")),
            ("18446744073709551615", json!(u64::MAX)),
            ("+18446744073709551615", json!(2_f64.powi(64))),
            ("1e999", json!("1e999")),
            ("<<", json!("<<")),
            ("0x", json!("0x")),
            ("--1", json!("--1")),
            ("alice", json!("alice")),
        ] {
            assert_eq!(resolve(None, text), Ok(value), "{text}");
        }
        assert!(resolve(None, ".nan").is_err());
        assert!(resolve(None, "-.Inf").is_err());
    }

    #[test]
    fn a_tag_says_what_a_scalar_must_be() {
        let tag = |name: &str| format!("{TAG_PREFIX}{name}");
        assert_eq!(resolve(Some(&tag("str")), "no"), Ok(json!("no")));
        assert_eq!(resolve(Some(&tag("int")), "7"), Ok(json!(7)));
        assert_eq!(resolve(Some(&tag("int")), "-7"), Ok(json!(-7)));
        assert_eq!(resolve(Some(&tag("binary")), "YQ=="), Ok(json!("a")));
        assert_eq!(resolve(Some("!own"), "no"), Ok(json!("no")));
        assert!(resolve(Some(&tag("int")), "x").is_err());
        assert!(resolve(Some(&tag("bool")), "1").is_err());
        assert_eq!(resolve(Some(&tag("float")), "1.5"), Ok(json!(1.5)));
        assert!(resolve(Some(&tag("float")), "x").is_err());
        assert_eq!(resolve(Some(&tag("null")), "~"), Ok(json!(null)));
        assert!(resolve(Some(&tag("null")), "x").is_err());
    }
}
