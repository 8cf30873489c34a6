//! What unknown bytes look like, so that a wrong file is called by its name, with a next step. Nothing
//! of what is in a file is told but its kind, and the line that something is in.

use crate::carrier;
use crate::pem;
use crate::text::Text;

mod damage;
mod der;
mod hex;
mod json;
mod kind;
mod labels;
mod object;
mod signatures;
mod steps;
mod template;
mod words;

#[cfg(test)]
mod tests;

pub use damage::Damage;
pub use hex::Dump;
pub use json::PemFields;
pub use kind::{Age, Conversion, Form, Look, Packing, Sealing};
pub use steps::{IsFree, Want, new_name};
pub use template::unfilled;

use der::by_der;
use labels::by_pem;
use signatures::by_magic;
use words::by_words;

/// What is longer and base64 is no word of people, in bytes.
const LONG: usize = 40;

/// Tells what the bytes look like, by their first ones, their PEM labels or their words, and where these
/// say nothing, by what is under what the way did to them.
#[must_use]
pub fn look(bytes: &[u8]) -> Look {
    let plain = look_at_surface(bytes);
    if !matches!(plain, Look::Base64 | Look::Line | Look::Text) {
        return plain;
    }
    let inside = under_its_coats(bytes).map(|(look, _)| look);
    inside.filter(|look| look.is_plain()).unwrap_or(plain)
}

/// The same of the bytes as they are.
fn look_at_surface(bytes: &[u8]) -> Look {
    if bytes.trim_ascii().is_empty() {
        return Look::Empty;
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Look::Damaged(Damage::Zeros);
    }
    if let Some(look) = by_magic(bytes).or_else(|| by_der(bytes)) {
        return look;
    }
    let bytes = bytes.strip_prefix(carrier::MARK).unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => text,
        _ if is_wide(bytes) => return Look::Utf16,
        _ => return Look::Binary,
    };
    by_pem(text).or_else(|| by_words(text)).unwrap_or_else(|| {
        let is_made_of = |signs: &str| {
            let text = text.trim().trim_end_matches('=');
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || c.is_whitespace() || signs.contains(c))
        };
        // What age encrypts for, and PEM, are none.
        let is_other = text.trim_start().starts_with("age1") || text.contains("-----");
        let is_long = text.len() >= LONG && !is_other && (is_made_of("+/") || is_made_of("-_"));
        match text.trim().lines().count() {
            _ if is_long && text.split_whitespace().any(|word| word.len() >= LONG) => Look::Base64,
            1 => Look::Line,
            _ => Look::Text,
        }
    })
}

/// Every other byte of ASCII in UTF-16 is zero.
fn is_wide(bytes: &[u8]) -> bool {
    let is_text = |text: &[u8]| {
        let is_of_text = |byte: &u8| !byte.is_ascii_control() || byte.is_ascii_whitespace();
        text.iter().any(u8::is_ascii) && text.iter().all(is_of_text)
    };
    if carrier::utf16(bytes).is_some_and(|text| is_text(&text)) {
        return true;
    }
    let zeros = |start: usize| {
        let bytes = bytes.iter().skip(start).step_by(2);
        bytes.filter(|byte| **byte == 0).count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    even.max(odd) * 3 > bytes.len() && even.min(odd) * 20 < bytes.len()
}

/// Whether a private key in PEM stands anywhere in a file: as it is, or in base64 as in the fields of
/// Kubernetes.
#[must_use]
pub fn holds_private_key(bytes: &[u8]) -> bool {
    const LABEL: &[u8] = b"PRIVATE KEY-----";
    // "-----BEGIN " in base64, but for its last bits.
    const BEGIN: &[u8] = b"LS0tLS1CRUdJTi";
    const HEAD: usize = 64;
    let holds = |bytes: &[u8]| memchr::memmem::find(bytes, LABEL).is_some();
    let is_key = |start: usize| {
        let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/".contains(*byte);
        let rest = bytes.get(start..).unwrap_or_default().iter();
        let head: Vec<u8> = rest.take_while(is_base64).take(HEAD).copied().collect();
        let head = head.get(..head.len() / 4 * 4).unwrap_or_default();
        pem::decode_base64(head).is_ok_and(|decoded| holds(&decoded))
    };
    holds(bytes) || memchr::memmem::find_iter(bytes, BEGIN).any(is_key)
}

/// What a file is under what the way did to it, and what that was: for who judges, and does not take
/// it as it came.
#[must_use]
pub fn under_its_coats(bytes: &[u8]) -> Option<(Look, Text)> {
    let undone = carrier::undo(bytes);
    let is_json = std::str::from_utf8(bytes).is_ok_and(|text| json::pem_fields(text).is_some());
    if undone.steps.is_empty() || is_json {
        return None;
    }
    let look = look_at_surface(&undone.bytes);
    Some((look, undone.coats())).filter(|_| look.is_telling())
}
