//! Text, by words that programs and people start it with.

use super::kind::KEY_AS_TEXT;
use super::object::by_object;
use super::template::unfilled;
use super::{Look, Sealing, damage, hex};
use crate::qr::parts;

/// How much of a file is searched for words of people, in bytes: what they write is short.
const SEARCHED: usize = 1 << 20;

/// What the words of a text say that it is.
pub(super) fn by_words(text: &str) -> Option<Look> {
    let mut end = text.len().min(SEARCHED);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end)?;
    let mut lines = text.lines().map(str::trim);
    let first = lines.by_ref().find(|line| !line.is_empty())?;
    if first.starts_with('#') && lines.all(|line| line.is_empty() || line.starts_with('#')) {
        return Some(Look::Comments);
    }
    let words: Vec<&str> = first.split_whitespace().collect();
    let starts = |prefix: &str| first.starts_with(prefix);
    let has_line = |prefix: &str| text.lines().any(|line| line.starts_with(prefix));
    let lower = first.to_ascii_lowercase();
    if text.lines().any(|line| parts::is_parts(line.as_bytes())) {
        return Some(Look::Parts);
    }
    let is_head = [
        "from:",
        "subject:",
        "received:",
        "mime-version:",
        "message-id:",
        "return-path:",
        "delivered-to:",
    ]
    .iter()
    .any(|head| lower.starts_with(head))
        // A folder of mails in one file.
        || starts("From ") && first.contains('@') && words.len() > 4;
    let is_key = ["ssh-ed25519", "ssh-rsa", "ssh-dss"].contains(words.first()?)
        || [
            "ecdsa-sha2-",
            "sk-ssh-",
            "sk-ecdsa-",
            "ssh-ed25519-cert",
            "ssh-rsa-cert",
        ]
        .iter()
        .any(|name| starts(name));
    if is_key && words.len() >= 2 {
        Some(Look::SshPublicKey)
    } else if text.lines().take(5).any(is_not_found) {
        Some(Look::NotFound)
    } else if text.lines().take(5).any(is_error_message)
        || text.contains("\"kind\": \"Status\"") && text.contains("\"Failure\"")
    {
        Some(Look::ErrorMessage)
    } else if text.lines().take(5).any(is_table) {
        Some(Look::Table)
    } else if text.lines().take(5).any(|line| line.starts_with("Name: "))
        && (has_line("Labels:") || has_line("CreationTimestamp:") || has_line("Requesting User:"))
    {
        Some(Look::Description)
    } else if lower.starts_with("<!doctype html")
        || lower.starts_with("<html")
        || is_marked_up(text)
    {
        Some(Look::Html)
    } else if is_head && lower_has(text, "application/pkcs7-mime") {
        Some(Look::Sealed(Sealing::Smime))
    } else if is_head {
        Some(Look::Mail)
    } else if let Some(look) = printed_by_openssl(text) {
        Some(look)
    } else if has_line("AGE-SECRET-KEY-1") {
        Some(Look::OtherKey("an identity (a private key) of age"))
    } else if starts("eyJ") && words.len() == 1 && first.matches('.').count() == 2 {
        Some(Look::Token)
    } else if let Some(position) = text.lines().position(|line| line.starts_with("<<<<<<< ")) {
        Some(Look::Conflict(position + 1))
    } else if starts("{") && text.contains("\"kty\"") {
        Some(Look::Jwk)
    } else if starts("{") && text.contains("\"CN\"") && text.contains("\"algo\"") {
        Some(Look::Cfssl)
    } else if text
        .lines()
        .any(|line| line.trim().eq_ignore_ascii_case("[NewRequest]"))
    {
        Some(Look::Certreq)
    } else if words.len() == 1 && (lower.starts_with("https://") || lower.starts_with("http://")) {
        Some(Look::Url)
    } else if let Some(dump) = hex::dump(text) {
        Some(Look::Hex(dump))
    } else if let Some(damage) = damage::mangled(text).or_else(|| damage::object(text)) {
        Some(Look::Damaged(damage))
    } else if let Some(line) = unfilled(text) {
        Some(Look::Template(line))
    } else if let Some(look) = by_object(text) {
        Some(look)
    } else if text.lines().any(|line| {
        line.trim().trim_matches(['[', ']']).trim() == "req" && line.trim().starts_with('[')
    }) {
        Some(Look::OpensslConfig)
    } else {
        None
    }
}

/// What openssl prints with `-text`, without the PEM.
fn printed_by_openssl(text: &str) -> Option<Look> {
    let starts = ["Certificate:", "Certificate Request:"];
    let begins = |word: &str| text.lines().take(3).any(|line| line.contains(word));
    if begins("Private-Key:") && (text.contains("priv:") || text.contains("privateExponent:")) {
        Some(Look::OtherKey(KEY_AS_TEXT))
    } else if begins("Public-Key:") || starts.iter().any(|it| text.trim_start().starts_with(it)) {
        Some(Look::OpensslText)
    } else {
        None
    }
}

/// Whether it is a piece of a web page.
fn is_marked_up(text: &str) -> bool {
    const ENDS: [&str; 7] = [
        "</div>", "</p>", "</table>", "</td>", "</pre>", "</code>", "</span>",
    ];
    text.trim_start().starts_with('<') && ENDS.iter().any(|end| text.contains(end))
}

/// Whether a line of the head has this in it.
fn lower_has(text: &str, part: &str) -> bool {
    text.lines()
        .take_while(|line| !line.trim().is_empty())
        .any(|line| line.to_ascii_lowercase().contains(part))
}

fn is_not_found(line: &str) -> bool {
    line.starts_with("Error from server (NotFound)") || line.starts_with("No resources found")
}

/// What kubectl, klog and shells start a line of trouble with.
fn is_error_message(line: &str) -> bool {
    const STARTS: [&str; 9] = [
        "Error from server",
        "error: ",
        "Error: ",
        "Unable to connect to the server",
        "The connection to the server",
        "Error in configuration",
        "Error loading config",
        "Unable to use a TTY",
        "Permission denied",
    ];
    const ENDS: [&str; 4] = [
        "command not found",
        "No such file or directory",
        "Permission denied",
        "(Unauthorized)",
    ];
    let is_klog = |line: &str| {
        let mut bytes = line.bytes();
        matches!(bytes.next(), Some(b'E' | b'W' | b'F'))
            && bytes.by_ref().take(4).all(|byte| byte.is_ascii_digit())
            && bytes.next() == Some(b' ')
            && line.contains(".go:")
    };
    STARTS.iter().any(|start| line.starts_with(start))
        || ENDS.iter().any(|end| line.trim_end().ends_with(end))
        || is_klog(line)
}

/// The head of a table, or a row of one about requests.
fn is_table(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let has = |word: &str| words.contains(&word);
    let is_head = has("NAME")
        && ["AGE", "CLUSTER", "STATUS", "CONDITION"]
            .into_iter()
            .any(has);
    let is_row = (4..=8).contains(&words.len())
        && !line.starts_with(['{', '<', '"'])
        && words.get(2).is_some_and(|signer| signer.contains('/'))
        && words.last().is_some_and(|last| {
            ["Pending", "Approved", "Denied", "Failed"]
                .iter()
                .any(|state| last.starts_with(state))
        });
    is_head || is_row
}
