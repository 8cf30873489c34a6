//! What unknown bytes look like, so that a wrong file is called by its name, with a next step. Nothing
//! of what is in a file is told but its kind.

use std::path::Path;

use crate::certificate::Certificate;
use crate::csr::CertificationRequest;
use crate::key::{EncodedKey, PublicKey};
use crate::pem;
use crate::shell::quoted;
use crate::text;
use crate::text::{Show, Text};

/// What a file looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing in it.
    Empty,
    /// A private key that can be read here.
    PrivateKey,
    /// `BEGIN OPENSSH PRIVATE KEY`.
    OpenSshKey,
    /// `PuTTY-User-Key-File-3`.
    PuttyKey,
    /// `ssh-ed25519 AAAA...`.
    SshPublicKey,
    /// `{"kty": ...}`.
    Jwk,
    /// `BEGIN PGP ...`.
    Pgp,
    /// PKCS#12 (RFC 7292).
    Pkcs12,
    /// A Java key store.
    Jks,
    /// PKCS#7 (RFC 2315).
    Pkcs7,
    /// PEM or DER.
    PublicKey,
    /// PEM or DER.
    Certificate,
    /// PEM or DER.
    Request,
    /// A `CertificateSigningRequest` object.
    Object,
    /// A kubeconfig.
    Kubeconfig,
    /// A list without items.
    EmptyList,
    /// An object of another kind.
    OtherObject,
    /// What `kubectl get` prints without `-o`.
    Table,
    /// What `kubectl describe` prints.
    Description,
    /// What kubectl prints when it finds nothing.
    NotFound,
    /// What kubectl prints when it fails.
    KubectlError,
    /// Places that were not filled in.
    Template,
    /// A request of cfssl.
    Cfssl,
    /// A configuration of OpenSSL.
    OpensslConfig,
    /// PEM without its end.
    CutPem(usize),
    /// PEM that cannot be decoded.
    BrokenPem,
    /// gzip.
    Gzip,
    /// zip, which office documents are too.
    Zip,
    /// PDF.
    Pdf,
    /// A picture.
    Image,
    /// HTML.
    Html,
    /// A mail.
    Mail,
    /// UTF-16.
    Utf16,
    /// One word or line.
    Line,
    /// Text of no kind that is known here.
    Text,
    /// Bytes of no kind that is known here.
    Binary,
}

impl Show for Look {
    fn show(&self) -> Text {
        match self {
            Self::Empty => "there is nothing in it".into(),
            Self::PrivateKey => "a private key".into(),
            Self::OpenSshKey => "a private key in the format of OpenSSH".into(),
            Self::PuttyKey => "a private key of PuTTY (PPK)".into(),
            Self::SshPublicKey => "a public key of SSH".into(),
            Self::Jwk => "a key in JSON (JWK)".into(),
            Self::Pgp => "a key or message of OpenPGP (GnuPG)".into(),
            Self::Pkcs12 => "a PKCS#12 file (PFX)".into(),
            Self::Jks => "a Java key store (JKS)".into(),
            Self::Pkcs7 => "a PKCS#7 file (P7B)".into(),
            Self::PublicKey => "a public key".into(),
            Self::Certificate => "a certificate".into(),
            Self::Request => "a certification request (CSR)".into(),
            Self::Object => "a CertificateSigningRequest object".into(),
            Self::Kubeconfig => "a kubeconfig".into(),
            Self::EmptyList => "a list with nothing in it".into(),
            Self::OtherObject => "a Kubernetes object of another kind".into(),
            Self::Table => "the table that kubectl get prints for people".into(),
            Self::Description => "what kubectl describe prints for people".into(),
            Self::NotFound => "an error message of kubectl: NotFound".into(),
            Self::KubectlError => "an error message of kubectl".into(),
            Self::Template => "a template with places that are not filled in".into(),
            Self::Cfssl => "a request of cfssl in JSON".into(),
            Self::OpensslConfig => "a configuration of OpenSSL".into(),
            Self::CutPem(line) => text!(
                "PEM that is cut off behind line {}: its END line is missing",
                *line
            ),
            Self::BrokenPem => {
                "PEM that is damaged: what stands between BEGIN and END is not base64".into()
            }
            Self::Gzip => "compressed with gzip".into(),
            Self::Zip => "a zip archive or office document".into(),
            Self::Pdf => "a PDF document".into(),
            Self::Image => "an image (a picture such as PNG or JPEG)".into(),
            Self::Html => "a web page (HTML)".into(),
            Self::Mail => "a mail".into(),
            Self::Utf16 => "text in UTF-16 without a byte order mark, or with NUL bytes".into(),
            Self::Line => "one line of text".into(),
            Self::Text => "text of no kind that is known here".into(),
            Self::Binary => "binary data of no kind that is known here".into(),
        }
    }
}

impl Look {
    /// Whether it tells more than that there is text or data.
    #[must_use]
    pub fn is_telling(self) -> bool {
        !matches!(self, Self::Text | Self::Binary | Self::Line)
    }

    /// What to do with such a file where a private key is wanted.
    #[must_use]
    pub fn to_a_key(self, file: &Path) -> Vec<Text> {
        let name = quoted(file);
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let new = Path::new(&format!("{stem}-pkcs8.key")).to_owned();
        let new = quoted(&new);
        match self {
            Self::OpenSshKey => vec![
                "convert a copy of it; the second command asks for the passphrases:".into(),
                text!("  cp {} {}", name, new),
                text!("  ssh-keygen -p -m PKCS8 -f {}", new),
            ],
            Self::PuttyKey => vec![
                "export it and convert that; both ask for its passphrase:".into(),
                text!("  puttygen {} -O private-openssh -o {}", name, new),
                text!("  ssh-keygen -p -m PKCS8 -f {}", new),
            ],
            Self::Pkcs12 => vec![
                "take the key out of it; it asks for the old passphrase and a new one:".into(),
                text!("  openssl pkcs12 -in {} -nocerts -out {}", name, new),
            ],
            Self::Jks => vec![
                "convert the store, then take the key out of it:".into(),
                text!(
                    "  keytool -importkeystore -srckeystore {} -destkeystore store.p12 -deststoretype PKCS12",
                    name
                ),
                text!("  openssl pkcs12 -in store.p12 -nocerts -out {}", new),
            ],
            Self::SshPublicKey | Self::PublicKey => {
                vec!["the private key is needed, the other file of the pair".into()]
            }
            Self::Certificate | Self::Request => {
                vec!["the private key that it belongs to is needed, a file of its own".into()]
            }
            Self::Pgp | Self::Jwk => {
                vec!["it cannot be used here: make a new key, leave --key out".into()]
            }
            Self::CutPem(_) | Self::BrokenPem => {
                vec!["take it from where it came once more, whole".into()]
            }
            Self::Gzip => vec![text!("unpack it: gunzip {}", name)],
            Self::Empty => vec!["it may be the wrong file, or a copy that failed".into()],
            _ => vec!["a private key is PKCS#8, PKCS#1 or SEC1, in PEM or DER".into()],
        }
    }

    /// What to do with such a file where a reply, an issued object or a certificate is wanted.
    #[must_use]
    pub fn to_a_reply(self, file: &Path) -> Vec<Text> {
        let name = quoted(file);
        let get = "  kubectl get csr NAME -o yaml";
        match self {
            Self::Table | Self::Description => vec![
                "the object itself is needed; the administrator runs:".into(),
                get.into(),
            ],
            Self::NotFound | Self::EmptyList => vec![
                "a request is deleted one hour after it was issued, denied or failed, and 24 \
                 hours after it was created if nobody approved it; or the name is another one:"
                    .into(),
                "  kubectl get csr".into(),
            ],
            Self::KubectlError => vec!["ask the administrator to run it again, until it prints an object".into()],
            Self::Request => vec![
                "it is what is sent to the administrator; the reply is what comes back".into(),
            ],
            Self::Kubeconfig => vec![
                "it names a cluster: give it with --cluster, beside the certificate or object".into(),
            ],
            Self::Gzip => vec![text!("unpack it: gunzip {}", name)],
            Self::Zip => vec![text!("unpack it: unzip {}", name)],
            Self::Pkcs7 => vec![
                "take the certificates out of it:".into(),
                text!("  openssl pkcs7 -print_certs -in {} -out certificates.pem", name),
            ],
            Self::Pdf | Self::Image | Self::Html | Self::Mail => {
                vec!["ask for the file itself, as an attachment".into()]
            }
            Self::CutPem(_) | Self::BrokenPem | Self::Empty => {
                vec!["ask for the file once more, whole".into()]
            }
            Self::PrivateKey | Self::OpenSshKey | Self::PuttyKey | Self::Pkcs12 => {
                vec!["keys are given with --key".into()]
            }
            Self::Line => vec![
                "the name of an object is not the object; the administrator runs:".into(),
                get.into(),
            ],
            _ => vec![
                "a reply is what kube-enroll reply wrote, or what kubectl get csr NAME -o yaml printed, \
                 or a certificate"
                    .into(),
            ],
        }
    }
}

/// Tells what the bytes look like, by their first ones, their PEM labels or their words.
#[must_use]
pub fn look(bytes: &[u8]) -> Look {
    if bytes.trim_ascii().is_empty() {
        return Look::Empty;
    }
    if let Some(look) = by_magic(bytes).or_else(|| by_der(bytes)) {
        return look;
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return if bytes.contains(&0) && is_wide(bytes) {
            Look::Utf16
        } else {
            Look::Binary
        };
    };
    if text.contains('\0') {
        return if is_wide(bytes) {
            Look::Utf16
        } else {
            Look::Binary
        };
    }
    by_pem(text).or_else(|| by_words(text)).unwrap_or_else(|| {
        if text.trim().lines().count() == 1 {
            Look::Line
        } else {
            Look::Text
        }
    })
}

fn is_wide(bytes: &[u8]) -> bool {
    memchr::memchr_iter(0, bytes).count() * 3 > bytes.len()
}

fn by_magic(bytes: &[u8]) -> Option<Look> {
    const MAGIC: [(&[u8], Look); 9] = [
        (b"\x1F\x8B", Look::Gzip),
        (b"PK\x03\x04", Look::Zip),
        (b"%PDF", Look::Pdf),
        (b"\x89PNG", Look::Image),
        (b"\xFF\xD8\xFF", Look::Image),
        (b"GIF8", Look::Image),
        (b"\xFE\xED\xFE\xED", Look::Jks),
        (b"PuTTY-User-Key-File-", Look::PuttyKey),
        (b"---- BEGIN SSH2 PUBLIC KEY", Look::SshPublicKey),
    ];
    let found = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic));
    found.map(|(_, look)| *look)
}

fn by_der(bytes: &[u8]) -> Option<Look> {
    const SIGNED_DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7];
    if bytes.first() != Some(&0x30) {
        return None;
    }
    let head = bytes.get(..32.min(bytes.len())).unwrap_or_default();
    let has = |part: &[u8]| head.windows(part.len()).any(|window| window == part);
    if CertificationRequest::from_der(bytes).is_ok() {
        Some(Look::Request)
    } else if Certificate::from_der(bytes).is_ok() {
        Some(Look::Certificate)
    } else if EncodedKey::find(bytes).is_ok() {
        Some(Look::PrivateKey)
    } else if PublicKey::from_spki_der(bytes).is_ok() {
        Some(Look::PublicKey)
    } else if has(&[2, 1, 3, 0x30]) {
        Some(Look::Pkcs12)
    } else if has(SIGNED_DATA) {
        Some(Look::Pkcs7)
    } else {
        None
    }
}

fn by_pem(text: &str) -> Option<Look> {
    const BEGIN: &str = "-----BEGIN ";
    let position = text.find(BEGIN)?;
    // Inside of an object it is a value of it.
    if text.lines().any(|line| line.starts_with("apiVersion:")) {
        return None;
    }
    let label = text.get(position + BEGIN.len()..)?.split("-----").next()?;
    let look = match label {
        "OPENSSH PRIVATE KEY" => Look::OpenSshKey,
        "PKCS7" | "CMS" => Look::Pkcs7,
        "PKCS12" => Look::Pkcs12,
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Look::Certificate,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Look::Request,
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Look::PublicKey,
        label if label.starts_with("PGP ") => return Some(Look::Pgp),
        label if label.ends_with("PRIVATE KEY") => Look::PrivateKey,
        _ => return None,
    };
    if !text.contains(&format!("-----END {label}-----")) {
        return Some(Look::CutPem(text.lines().count()));
    }
    Some(if pem::first(text.as_bytes()).is_none() {
        Look::BrokenPem
    } else {
        look
    })
}

fn by_words(text: &str) -> Option<Look> {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let words: Vec<&str> = first.split_whitespace().collect();
    let starts = |prefix: &str| first.starts_with(prefix);
    let has_line = |prefix: &str| text.lines().any(|line| line.starts_with(prefix));
    let lower = first.to_ascii_lowercase();
    let is_head = [
        "from:",
        "subject:",
        "received:",
        "mime-version:",
        "message-id:",
    ]
    .iter()
    .any(|head| lower.starts_with(head));
    let is_key =
        ["ssh-ed25519", "ssh-rsa", "ssh-dss"].contains(words.first()?) || starts("ecdsa-sha2-");
    if is_key && words.len() >= 2 {
        Some(Look::SshPublicKey)
    } else if starts("Error from server (NotFound)") || text.contains("(NotFound)") {
        Some(Look::NotFound)
    } else if starts("Error from server")
        || starts("error:")
        || starts("Unable to connect to the server")
    {
        Some(Look::KubectlError)
    } else if words.contains(&"NAME") && words.contains(&"AGE") {
        Some(Look::Table)
    } else if starts("Name:")
        && (has_line("Labels:") || has_line("CreationTimestamp:") || has_line("Requesting User:"))
    {
        Some(Look::Description)
    } else if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        Some(Look::Html)
    } else if is_head {
        Some(Look::Mail)
    } else if starts("{") && text.contains("\"kty\"") {
        Some(Look::Jwk)
    } else if starts("{") && text.contains("\"CN\"") && text.contains("\"algo\"") {
        Some(Look::Cfssl)
    } else if text.contains("{{") && text.contains("}}")
        || text.contains("${")
        || text.contains("$(")
    {
        Some(Look::Template)
    } else if has_line("kind: Config")
        || has_line("clusters:")
        || text.contains("\"kind\": \"Config\"")
    {
        Some(Look::Kubeconfig)
    } else if has_line("items: []") || text.contains("\"items\": []") {
        Some(Look::EmptyList)
    } else if text.contains("CertificateSigningRequest") {
        Some(Look::Object)
    } else if has_line("apiVersion:") && has_line("kind:") {
        Some(Look::OtherObject)
    } else if text.lines().any(|line| {
        line.trim().trim_matches(['[', ']']).trim() == "req" && line.trim().starts_with('[')
    }) {
        Some(Look::OpensslConfig)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_by_its_name() {
        for (bytes, look) in [
            (&b" \n"[..], Look::Empty),
            (b"\x1F\x8B\x08", Look::Gzip),
            (b"%PDF-1.7", Look::Pdf),
            (b"\x89PNG\r\n", Look::Image),
            (b"PuTTY-User-Key-File-3: ssh-rsa", Look::PuttyKey),
            (b"ssh-ed25519 AAAA alice@x\n", Look::SshPublicKey),
            (
                b"-----BEGIN OPENSSH PRIVATE KEY-----\nYQ==\n-----END OPENSSH PRIVATE KEY-----\n",
                Look::OpenSshKey,
            ),
            (b"-----BEGIN PRIVATE KEY-----\nYQ==\n", Look::CutPem(2)),
            (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nx\n", Look::Pgp),
            (b"NAME  AGE  SIGNERNAME\na  1d  b\n", Look::Table),
            (b"Name: a\nLabels: <none>\n", Look::Description),
            (b"Error from server (NotFound): a\n", Look::NotFound),
            (b"Error from server (Forbidden): a\n", Look::KubectlError),
            (b"<!DOCTYPE html>\n", Look::Html),
            (b"{\"kty\":\"RSA\"}", Look::Jwk),
            (b"{\"CN\":\"a\",\"key\":{\"algo\":\"rsa\"}}", Look::Cfssl),
            (b"a: {{ .b }}\n", Look::Template),
            (b"apiVersion: v1\nkind: Config\n", Look::Kubeconfig),
            (b"apiVersion: v1\nkind: Pod\n", Look::OtherObject),
            (b"[ req ]\nprompt = no\n", Look::OpensslConfig),
            (b"s3cret", Look::Line),
            (b"a\0b\0c\0d\0", Look::Utf16),
            (b"\xFF\xFF\xFF", Look::Binary),
        ] {
            assert_eq!(super::look(bytes), look, "{look:?}");
        }
    }
}
