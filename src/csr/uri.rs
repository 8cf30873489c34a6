//! Which URIs Go's `net/url` `Parse` takes, since crypto/x509 refuses a request over one it does
//! not, and over a host that is no domain name (`domainNameValid`).

use std::net::Ipv6Addr;

use crate::asn1::Problem;

const INVALID: Problem = "cannot parse URI";

/// Checks a URI of ASCII characters.
pub(super) fn check(uri: &str) -> Result<(), Problem> {
    let (uri, fragment) = uri.split_once('#').unwrap_or((uri, ""));
    let host = authority_host(uri)?;
    unescape(fragment, Part::Other)?;
    if host_is_domain(&host) {
        Ok(())
    } else {
        Err("URI with an invalid domain")
    }
}

/// The host that a URI without fragment names, decoded; empty where it names none.
fn authority_host(uri: &str) -> Result<Vec<u8>, Problem> {
    if uri.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(INVALID);
    }
    if uri == "*" {
        return Ok(Vec::new());
    }
    let (scheme, rest) = split_scheme(uri);
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    if !rest.starts_with('/') {
        let segment = rest.split('/').next().unwrap_or_default();
        return if !scheme.is_empty() || !segment.contains(':') {
            // Opaque with a scheme, else a relative path.
            let path = if scheme.is_empty() { rest } else { "" };
            unescape(path, Part::Other).map(|_| Vec::new())
        } else {
            Err(INVALID)
        };
    }
    // Go takes three slashes without a scheme for a path, which names no host either.
    let Some(rest) = rest.strip_prefix("//") else {
        return unescape(rest, Part::Other).map(|_| Vec::new());
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority_to_host(scheme, authority)?;
    unescape(path, Part::Other)?;
    Ok(host)
}

/// The scheme, or nothing where the URI does not start like one, and what follows (`getScheme`).
fn split_scheme(uri: &str) -> (&str, &str) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let end = uri.find(|c: char| !allowed(c)).unwrap_or(uri.len());
    let (scheme, rest) = uri.split_at(end);
    match rest.strip_prefix(':') {
        Some(rest) if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => (scheme, rest),
        _ => ("", uri),
    }
}

fn authority_to_host(scheme: &str, authority: &str) -> Result<Vec<u8>, Problem> {
    let Some((user, host)) = authority.rsplit_once('@') else {
        return decode_host(scheme, authority);
    };
    let host = decode_host(scheme, host)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    if !user.chars().all(allowed) {
        return Err(INVALID);
    }
    unescape(user, Part::Other)?;
    Ok(host)
}

/// The host with its port, percent-decoded (`parseHost`).
fn decode_host(scheme: &str, host: &str) -> Result<Vec<u8>, Problem> {
    match host.rfind('[') {
        Some(0) => return decode_ip_literal(host),
        Some(_) => return Err(INVALID),
        None => {}
    }
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let colon = if web { host.find(':') } else { host.rfind(':') };
    if let Some(colon) = colon {
        check_port(host.get(colon..).unwrap_or_default())?;
    }
    unescape(host, Part::Host)
}

fn decode_ip_literal(host: &str) -> Result<Vec<u8>, Problem> {
    let (literal, port) = host
        .get(1..)
        .and_then(|rest| rest.rsplit_once(']'))
        .ok_or(INVALID)?;
    check_port(port)?;
    let address = match literal.find("%25") {
        Some(zone) => {
            let (address, zone) = literal.split_at(zone);
            let mut address = unescape(address, Part::Host)?;
            address.extend(unescape(zone, Part::Zone)?);
            address
        }
        None => unescape(literal, Part::Host)?,
    };
    let text = String::from_utf8_lossy(&address);
    let (number, zone) = match text.split_once('%') {
        Some((number, zone)) => (number, Some(zone)),
        None => (text.as_ref(), None),
    };
    if number.parse::<Ipv6Addr>().is_err() || zone == Some("") {
        return Err(INVALID);
    }
    Ok([b"[", address.as_slice(), b"]", port.as_bytes()].concat())
}

fn check_port(port: &str) -> Result<(), Problem> {
    let digits = port.strip_prefix(':').unwrap_or(port);
    let valid = (port.is_empty() || port.starts_with(':'))
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then_some(()).ok_or(INVALID)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Zone,
    Other,
}

/// Percent-decodes one part of a URI, with the rules of `net/url` `unescape` for hosts and zones.
fn unescape(text: &str, part: Part) -> Result<Vec<u8>, Problem> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            if part != Part::Other && !allowed_in_host(byte) {
                return Err(INVALID);
            }
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(INVALID);
        };
        let value = u8::try_from(high << 4 | low).unwrap_or_default();
        let fits = match part {
            Part::Host => high >= 8 || value == b'%',
            Part::Zone => matches!(value, b'%' | b' ') || allowed_in_host(value),
            Part::Other => true,
        };
        if !fits {
            return Err(INVALID);
        }
        decoded.push(value);
    }
    Ok(decoded)
}

fn allowed_in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"".contains(&byte)
}

/// crypto/x509 `domainNameValid`: printable, no empty label, no final dot.
fn host_is_domain(host: &[u8]) -> bool {
    host.is_empty()
        || (host.iter().all(u8::is_ascii_graphic)
            && host
                .split(|byte| *byte == b'.')
                .all(|label| !label.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_that_go_takes() {
        for good in [
            "",
            "*",
            "spiffe://cluster.local/ns/x",
            "https://a.b:443/p?q#f",
            "mailto:alice",
            "/path",
            "relative/path:x",
            "http://[::1]:80/",
            "http://[fe80::1%25en0]/",
            "x://",
            "http://user:pw@host/",
            "///three",
            "///a b",
            "a%20b",
            "foo://host:1:2",
            "http://host:",
            "http://a%25b/",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn uris_that_go_refuses() {
        for bad in [
            ":x",
            "1:x",
            "a b:c",
            "%zz",
            "http://a b/",
            "http://host:x/",
            "http://[::1",
            "http://x[::1]/",
            "http://[1.2.3.4]/",
            "http://us er@host/",
            "http://host%20/",
            "http://%41b/",
            "http://a^b/",
            "//a b/",
            "http://a..b/",
            "http://host./",
            "http://host#%",
            "http://a:1:2/",
            "\u{7f}",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
