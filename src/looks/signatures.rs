//! Files that are told by their first bytes: those of other programs, none of which is read here.

use super::{Conversion, Look, Packing, Sealing};
use crate::pem;

/// The first bytes, and what starts with them.
const SIGNATURES: [(&[u8], Look); 37] = [
    (b"\xFF\xFE\0\0", Look::Utf32),
    (b"\0\0\xFE\xFF", Look::Utf32),
    (b"\0\x05\x16\x07", Look::Companion),
    (b"LUKS\xBA\xBE", Look::Sealed(Sealing::Luks)),
    (b"SKUL\xBA\xBE", Look::Sealed(Sealing::Luks)),
    (
        b"\x78\x9F\x3E\x22",
        Look::Document("what Outlook puts attachments into (winmail.dat)"),
    ),
    (
        b"\x07\x02\0\0",
        Look::OtherKey("a private key of Windows (MSBLOB)"),
    ),
    (
        b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY",
        Look::OtherKey("a private key of ssh.com (SSH2)"),
    ),
    (b"<RSAKeyValue", Look::XmlKey),
    (b"<?xml", Look::Xml),
    (b"\x1F\x8B", Look::Packed(Packing::Gzip)),
    (b"PK\x03\x04", Look::Packed(Packing::Zip)),
    (b"PK\x05\x06", Look::Packed(Packing::Zip)),
    (b"BZh", Look::Packed(Packing::Bzip2)),
    (b"\xFD7zXZ\0", Look::Packed(Packing::Xz)),
    (b"\x28\xB5\x2F\xFD", Look::Packed(Packing::Zstd)),
    (b"7z\xBC\xAF\x27\x1C", Look::Packed(Packing::SevenZip)),
    (b"%PDF", Look::Document("a PDF document")),
    (
        b"{\\rtf",
        Look::Document("a document of a word processor (RTF)"),
    ),
    (
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        Look::Document("an office document or a message of Outlook"),
    ),
    (b"\x89PNG", Look::Image),
    (b"\xFF\xD8\xFF", Look::Image),
    (b"GIF8", Look::Image),
    (b"II*\0", Look::Image),
    (b"MM\0*", Look::Image),
    (b"\x7FELF", Look::Program),
    (b"MZ\x90\0", Look::Program),
    (b"#!", Look::Program),
    (b"\xFE\xED\xFE\xED", Look::Jks),
    (b"\xCE\xCE\xCE\xCE", Look::Jks),
    (b"---- BEGIN SSH2 PUBLIC KEY", Look::SshPublicKey),
    (b"-----BEGIN PGP MESSAGE", Look::Sealed(Sealing::Pgp)),
    (b"Salted__", Look::Sealed(Sealing::Openssl)),
    (b"U2FsdGVkX1", Look::Sealed(Sealing::Openssl)),
    (b"$ANSIBLE_VAULT", Look::Sealed(Sealing::Ansible)),
    (b"version https://git-lfs", Look::LfsPointer),
    (b"-----BEGIN PGP SIGNED MESSAGE", Look::ClearSigned),
];

/// What the first bytes of a file, or a few behind them, say that it is.
pub(super) fn by_magic(bytes: &[u8]) -> Option<Look> {
    if bytes.starts_with(b"PuTTY-User-Key-File-") {
        let line = bytes
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        return Some(Look::PuttyKey(conversion_of(line)));
    }
    if bytes.starts_with(b"age-encryption.org/")
        || bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE")
    {
        let decoded = pem::first(bytes).map(|block| block.contents);
        let head = decoded.as_ref().map_or(bytes, |decoded| decoded);
        let head = head.get(..200.min(head.len())).unwrap_or_default();
        let is_for_key = memchr::memmem::find(head, b"\n-> ").is_some()
            && memchr::memmem::find(head, b"\n-> scrypt ").is_none();
        return Some(Look::Sealed(if is_for_key {
            Sealing::AgeForKey
        } else {
            Sealing::Age
        }));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(Look::Packed(Packing::Tar));
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")
        || bytes.get(4..8) == Some(b"ftyp")
    {
        return Some(Look::Image);
    }
    if bytes.starts_with(b"PK\x03\x04")
        && let name = bytes.get(30..).unwrap_or_default()
        && [&b"[Content_Types].xml"[..], b"word/", b"mimetype"]
            .iter()
            .any(|first| name.starts_with(first))
    {
        return Some(Look::Document(
            "a document of an office program (such as docx)",
        ));
    }
    let found = SIGNATURES
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic));
    found.map(|(_, look)| *look).or_else(|| by_packet(bytes))
}

/// What makes signatures of `OpenPGP`.
pub(super) const OPENPGP: &str = "OpenPGP (GnuPG)";

/// Signatures and keys of `OpenPGP` in binary, by the tag of their first packet (RFC 9580 section 4.2) and
/// the version behind its length.
fn by_packet(bytes: &[u8]) -> Option<Look> {
    let (tag, body) = match *bytes {
        [first @ 0x80..=0xBF, ref rest @ ..] => (first >> 2 & 0xF, rest.get(1 << (first & 3)..)?),
        [first @ 0xC0..=0xFF, length, ref rest @ ..] => match length {
            0..192 => (first & 0x3F, rest),
            192..224 => (first & 0x3F, rest.get(1..)?),
            255 => (first & 0x3F, rest.get(4..)?),
            _ => return None,
        },
        _ => return None,
    };
    match (tag, body.first()?) {
        (2, 3..=6) => Some(Look::Signature(OPENPGP)),
        (5, 3..=6) => Some(Look::Pgp),
        (6, 3..=6) => Some(Look::PgpPublicKey),
        _ => None,
    }
}

/// What can become of an SSH key, by the name of its algorithm.
pub(super) fn conversion_of(head: &[u8]) -> Conversion {
    let names: [&[u8]; 2] = [b"ssh-ed25519", b"sk-"];
    let is_bound = names
        .iter()
        .any(|name| memchr::memmem::find(head, name).is_some());
    if is_bound {
        Conversion::Impossible
    } else {
        Conversion::Possible
    }
}
