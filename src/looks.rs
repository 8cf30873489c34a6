//! What unknown bytes look like, so that a wrong file is called by its name, with a next step. Nothing
//! of what is in a file is told but its kind, and the line that something is in.

use crate::carrier;
use crate::certificate::Certificate;
use crate::csr::{self, CertificationRequest};
use crate::key::{EncodedKey, PublicKey};
use crate::pem;
use crate::qr::parts;
use crate::text;
use crate::text::{Show, Text};

mod damage;
mod hex;
mod json;
mod signatures;
mod steps;

pub use damage::Damage;
pub use hex::Dump;
pub use json::PemFields;
pub use steps::{IsFree, Want, new_name};

use signatures::{by_magic, conversion_of};

/// How much of a file is searched for words of people, in bytes: what they write is short.
const SEARCHED: usize = 1 << 20;

/// What is longer and base64 is no word of people, in bytes.
const LONG: usize = 40;

/// What a file looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing in it.
    Empty,
    /// A private key that can be read here.
    PrivateKey,
    /// `BEGIN OPENSSH PRIVATE KEY`.
    OpenSshKey(Conversion),
    /// `PuTTY-User-Key-File-3`.
    PuttyKey(Conversion),
    /// `ssh-ed25519 AAAA...`.
    SshPublicKey,
    /// `{"kty": ...}`.
    Jwk,
    /// `BEGIN PGP ... KEY BLOCK`.
    Pgp,
    /// PKCS#12 (RFC 7292).
    Pkcs12(Age),
    /// PKCS#8 under the label of OpenSSH.
    MislabelledKey,
    /// A Java key store.
    Jks,
    /// PKCS#7 (RFC 2315).
    Pkcs7,
    /// PEM or DER.
    PublicKey,
    /// PEM or DER.
    Certificate,
    /// PEM under a label of other programs.
    LabelledCertificate,
    /// PEM or DER.
    Request,
    /// A list of revoked certificates (RFC 5280 section 5).
    Crl,
    /// `EC PARAMETERS` or `DH PARAMETERS`, and nothing else.
    Parameters,
    /// What `openssl x509 -text` prints above the PEM.
    OpensslText,
    /// A `CertificateSigningRequest` object.
    Object,
    /// A kubeconfig.
    Kubeconfig,
    /// A list without items.
    EmptyList,
    /// An object of another kind: which, where that is a known one.
    OtherObject(Option<&'static str>),
    /// What `kubectl get` prints without `-o`.
    Table,
    /// What `kubectl describe` prints.
    Description,
    /// What kubectl prints when it finds nothing.
    NotFound,
    /// What kubectl or a shell prints when it fails.
    ErrorMessage,
    /// Places that were not filled in, the first of them in this line.
    Template(usize),
    /// A request of cfssl.
    Cfssl,
    /// A configuration of OpenSSL.
    OpensslConfig,
    /// An INF file of certreq.
    Certreq,
    /// PEM without its end; its last line.
    CutPem(usize),
    /// PEM that cannot be decoded; the line of its BEGIN.
    BrokenPem(usize),
    /// Damaged in another way.
    Damaged(Damage),
    /// JSON of another program with PEM in its fields.
    PemInJson(PemFields),
    /// A key of .NET.
    XmlKey,
    /// XML.
    Xml,
    /// A key of another program that is not read here.
    OtherKey(&'static str),
    /// DER or a dump of it in hexadecimal digits.
    Hex(Dump),
    /// The address of something.
    Url,
    /// Base64 of something.
    Base64,
    /// What macOS writes beside a file on other media.
    Companion,
    /// UTF-32.
    Utf32,
    /// Comments and nothing else.
    Comments,
    /// Compressed, or an archive.
    Packed(Packing),
    /// Encrypted as a whole by another program.
    Sealed(Sealing),
    /// A document of an office program, or PDF.
    Document(&'static str),
    /// A picture.
    Image,
    /// HTML.
    Html,
    /// A mail.
    Mail,
    /// A program or script.
    Program,
    /// What Git LFS has in place of a file.
    LfsPointer,
    /// `<<<<<<<`, in this line.
    Conflict(usize),
    /// A JSON Web Token (RFC 7519).
    Token,
    /// Parts of QR codes that [`crate::qr`] made, with something else around them.
    Parts,
    /// UTF-16.
    Utf16,
    /// One word or line.
    Line,
    /// Text of no kind that is known here.
    Text,
    /// Bytes of no kind that is known here.
    Binary,
}

/// Whether `ssh-keygen` writes such a key in another form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// RSA, ECDSA.
    Possible,
    /// Ed25519 and keys of hardware, which exist in the form of OpenSSH alone.
    Impossible,
}

/// Whether OpenSSL 3 opens a store as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// With the ciphers of today.
    Recent,
    /// RC2 or RC4, for which it has to be asked.
    Old,
}

impl Show for Age {
    fn show(&self) -> Text {
        match self {
            Self::Recent => "",
            Self::Old => " -legacy",
        }
        .into()
    }
}

/// What a key in a TPM is called.
const IN_A_TPM: &str = "a private key that only a TPM can use (TSS2)";
/// What a key of DSA is called.
const DSA: &str = "a key of DSA, which Kubernetes does not take";

/// A compression or archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// What office documents are too.
    Zip,
    /// POSIX.1-1988.
    Tar,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// RFC 8878.
    Zstd,
    /// 7z.
    SevenZip,
}

/// An encryption of whole files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// `age-encryption.org`.
    Age,
    /// `BEGIN PGP MESSAGE`.
    Pgp,
    /// `openssl enc`.
    Openssl,
    /// Ansible Vault.
    Ansible,
    /// PKCS#7 or CMS for one reader (RFC 5652 section 6).
    Smime,
    /// A volume of LUKS.
    Luks,
}

impl Show for Look {
    fn show(&self) -> Text {
        match self {
            Self::Empty => "there is nothing in it".into(),
            Self::PrivateKey => "a private key".into(),
            Self::OpenSshKey(Conversion::Possible) => {
                "a private key in the format of OpenSSH".into()
            }
            Self::OpenSshKey(Conversion::Impossible) => {
                "an Ed25519 or hardware key in the format of OpenSSH".into()
            }
            Self::PuttyKey(_) => "a private key of PuTTY (PPK)".into(),
            Self::SshPublicKey => "a public key of SSH".into(),
            Self::Jwk => "a key in JSON (JWK)".into(),
            Self::Pgp => "a key of OpenPGP (GnuPG)".into(),
            Self::Pkcs12(_) => "a PKCS#12 file (PFX)".into(),
            Self::MislabelledKey => "a private key under the label of OpenSSH".into(),
            Self::Jks => "a Java key store (JKS)".into(),
            Self::Pkcs7 => "a PKCS#7 file (P7B)".into(),
            Self::PublicKey => "a public key".into(),
            Self::Certificate => "a certificate".into(),
            Self::LabelledCertificate => {
                "a certificate under a label of other programs (TRUSTED or X509 CERTIFICATE)".into()
            }
            Self::Request => "a certification request (CSR)".into(),
            Self::Crl => "a list of revoked certificates (CRL)".into(),
            Self::Parameters => "parameters of a curve or of Diffie-Hellman without a key".into(),
            Self::OpensslText => {
                "what openssl prints for people with -text, without the PEM".into()
            }
            Self::Object => "a CertificateSigningRequest object".into(),
            Self::Kubeconfig => "a kubeconfig".into(),
            Self::EmptyList => "a list with nothing in it".into(),
            Self::OtherObject(None) => "a Kubernetes object of another kind".into(),
            Self::OtherObject(Some(kind)) => {
                text!("a Kubernetes object of another kind ({})", *kind)
            }
            Self::Table => "a table that kubectl prints for people".into(),
            Self::Description => "what kubectl describe prints for people".into(),
            Self::NotFound => "what kubectl prints where nothing is there (NotFound)".into(),
            Self::ErrorMessage => "an error message, of kubectl or the shell".into(),
            Self::Template(line) => {
                text!("a template: the place in line {} is not filled in", *line)
            }
            Self::Cfssl => "a request of cfssl in JSON".into(),
            Self::OpensslConfig => "a configuration of OpenSSL".into(),
            Self::Certreq => "an INF file for certreq of Windows".into(),
            Self::CutPem(line) => text!(
                "PEM that is cut off behind line {}: its END line is missing",
                *line
            ),
            Self::BrokenPem(line) => text!(
                "PEM that is damaged: what stands between the BEGIN in line {} and its END is not base64",
                *line
            ),
            Self::Damaged(damage) => damage.show(),
            Self::PemInJson(fields) => fields.show(),
            Self::XmlKey => "a key in XML, as .NET writes it (RSAKeyValue)".into(),
            Self::Xml => "an XML file".into(),
            Self::Hex(_) => "hexadecimal digits of binary data".into(),
            Self::Url => "the address of a file (URL)".into(),
            Self::Base64 => "base64 of something that is not known here".into(),
            Self::Companion => "what macOS writes beside a file (AppleDouble, ._NAME)".into(),
            Self::Utf32 => "text in UTF-32".into(),
            Self::Comments => "nothing but comments (lines that start with #)".into(),
            Self::Packed(packing) => packing.show(),
            Self::Sealed(sealing) => text!("encrypted as a whole, with {}", sealing),
            Self::Document(what) | Self::OtherKey(what) => (*what).into(),
            Self::Image => "an image (a picture such as PNG or JPEG)".into(),
            Self::Html => "a web page (HTML)".into(),
            Self::Mail => "a mail".into(),
            Self::Program => "a program or script".into(),
            Self::LfsPointer => "a pointer of Git LFS in place of the file".into(),
            Self::Conflict(line) => {
                text!(
                    "a file with a conflict of git in line {} that nobody resolved",
                    *line
                )
            }
            Self::Token => "a token (JWT)".into(),
            Self::Parts => "text of QR codes".into(),
            Self::Utf16 => "text in UTF-16".into(),
            Self::Line => "one line of text".into(),
            Self::Text => "text of no kind that is known here".into(),
            Self::Binary => "binary data of no kind that is known here".into(),
        }
    }
}

impl Show for Packing {
    fn show(&self) -> Text {
        match self {
            Self::Gzip => "compressed with gzip",
            Self::Zip => "a zip archive",
            Self::Tar => "a tar archive",
            Self::Bzip2 => "compressed with bzip2",
            Self::Xz => "compressed with xz",
            Self::Zstd => "compressed with zstd",
            Self::SevenZip => "a 7z archive",
        }
        .into()
    }
}

impl Show for Sealing {
    fn show(&self) -> Text {
        match self {
            Self::Age => "age",
            Self::Pgp => "OpenPGP (GnuPG)",
            Self::Openssl => "openssl enc",
            Self::Ansible => "Ansible Vault",
            Self::Smime => "S/MIME",
            Self::Luks => "LUKS, as a volume",
        }
        .into()
    }
}

impl Look {
    /// Whether it tells more than that there is text or data.
    #[must_use]
    pub fn is_telling(self) -> bool {
        !matches!(self, Self::Text | Self::Binary | Self::Line | Self::Base64)
    }

    /// Whether it is text of this field, for which nothing has to be run that reads the file.
    fn is_plain(self) -> bool {
        matches!(
            self,
            Self::PrivateKey
                | Self::PublicKey
                | Self::Certificate
                | Self::Request
                | Self::Object
                | Self::Kubeconfig
                | Self::EmptyList
                | Self::OtherObject(_)
                | Self::Damaged(_)
                | Self::CutPem(_)
                | Self::BrokenPem(_)
        )
    }

    /// Whether a piece of it is missing or was changed.
    #[must_use]
    pub fn is_damaged(self) -> bool {
        matches!(
            self,
            Self::Empty | Self::CutPem(_) | Self::BrokenPem(_) | Self::Damaged(_)
        )
    }

    /// Whether a file of this kind holds a private key.
    #[must_use]
    pub fn is_key(self) -> bool {
        matches!(
            self,
            Self::PrivateKey
                | Self::OpenSshKey(_)
                | Self::PuttyKey(_)
                | Self::Pkcs12(_)
                | Self::MislabelledKey
                | Self::Jks
                | Self::Jwk
                | Self::Pgp
                | Self::XmlKey
                | Self::OtherKey(_)
        ) || matches!(self, Self::PemInJson(fields) if fields.key.is_some())
    }
}

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
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=-_".contains(c);
        let is_long = text.len() >= LONG && text.chars().all(|c| is_base64(c) || c.is_whitespace());
        match text.trim().lines().count() {
            _ if is_long && text.split_whitespace().any(|word| word.len() >= LONG) => Look::Base64,
            1 => Look::Line,
            _ => Look::Text,
        }
    })
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

/// The line of the first place that is for a program or a person to fill in: `{{ }}`, `${ }`, `$( )`,
/// `<NAME>`.
#[must_use]
pub fn unfilled(text: &str) -> Option<usize> {
    let position = text.lines().position(is_unfilled)?;
    Some(position + 1)
}

/// Whether there is a place to fill in.
fn is_unfilled(line: &str) -> bool {
    let holds = |begin: &str, end: char| {
        line.split_once(begin)
            .is_some_and(|(_, rest)| rest.contains(end))
    };
    let in_brackets = || {
        let inside = line
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'));
        inside.is_some_and(|(name, _)| {
            let is_word = |c: char| c.is_ascii_alphanumeric() || " _-.".contains(c);
            name.len() > 2
                && name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.chars().all(is_word)
        })
    };
    // A command that nobody ran may go on in the next line.
    holds("{{", '}') || holds("{%", '}') || holds("${", '}') || line.contains("$(") || in_brackets()
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

fn by_der(bytes: &[u8]) -> Option<Look> {
    const SIGNED_DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
    const ENVELOPED_DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3];
    if bytes.first() != Some(&0x30) {
        return None;
    }
    let head = bytes.get(..32.min(bytes.len())).unwrap_or_default();
    let has = |part: &[u8]| memchr::memmem::find(head, part).is_some();
    if CertificationRequest::from_der(bytes).is_ok() {
        Some(Look::Request)
    } else if Certificate::from_der(bytes).is_ok() {
        Some(Look::Certificate)
    } else if EncodedKey::find(bytes).is_ok() {
        Some(Look::PrivateKey)
    } else if PublicKey::from_spki_der(bytes).is_ok() {
        Some(Look::PublicKey)
    } else if has(&[2, 1, 3, 0x30]) {
        // PBE with RC2 or RC4 (RFC 7292 appendix C).
        let scheme = |last| [&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 12, 1][..], &[last]].concat();
        let uses = |last| memchr::memmem::find(bytes, &scheme(last)).is_some();
        let is_old = [1, 2, 5, 6].into_iter().any(uses);
        Some(Look::Pkcs12(if is_old { Age::Old } else { Age::Recent }))
    } else if has(SIGNED_DATA) {
        Some(Look::Pkcs7)
    } else if has(ENVELOPED_DATA) {
        Some(Look::Sealed(Sealing::Smime))
    } else {
        damage::length(bytes).map(Look::Damaged)
    }
}

fn by_pem(text: &str) -> Option<Look> {
    const BEGIN: &str = "-----BEGIN ";
    // Inside of an object it is a value of it.
    if text.lines().any(|line| line.starts_with("apiVersion:")) {
        return None;
    }
    if let Some(fields) = json::pem_fields(text) {
        return Some(Look::PemInJson(fields));
    }
    let Some(position) = text.find(BEGIN) else {
        return damage::ends_of_pem(text).map(Look::Damaged);
    };
    let (before, rest) = text.split_at(position);
    let label = rest.get(BEGIN.len()..)?.split("-----").next()?;
    let look = match label {
        "OPENSSH PRIVATE KEY" => {
            let block = pem::first(text.as_bytes());
            let contents = block.map(|block| block.contents);
            let head = contents
                .as_ref()
                .map_or(&[][..], |it| it.get(..200).unwrap_or(it));
            if contents
                .as_ref()
                .is_some_and(|it| EncodedKey::find(it).is_ok())
            {
                return Some(Look::MislabelledKey);
            }
            if memchr::memmem::find(head, b"ssh-dss").is_some() {
                return Some(Look::OtherKey(DSA));
            }
            Look::OpenSshKey(contents.map_or(Conversion::Possible, |contents| {
                conversion_of(contents.get(..200.min(contents.len())).unwrap_or_default())
            }))
        }
        "PKCS7" | "CMS" => Look::Pkcs7,
        "PKCS12" => Look::Pkcs12(Age::Recent),
        "TSS2 PRIVATE KEY" => Look::OtherKey(IN_A_TPM),
        "DSA PRIVATE KEY" => Look::OtherKey(DSA),
        "ANY PRIVATE KEY" => {
            Look::OtherKey("a private key under a label that says of no kind (ANY)")
        }
        "CERTIFICATE" => Look::Certificate,
        "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Look::LabelledCertificate,
        csr::PEM_LABEL | csr::LEGACY_PEM_LABEL => Look::Request,
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Look::PublicKey,
        "X509 CRL" => Look::Crl,
        // A key may stand behind its parameters.
        "EC PARAMETERS" if text.contains("PRIVATE KEY-----") => Look::PrivateKey,
        "EC PARAMETERS" | "DH PARAMETERS" | "DSA PARAMETERS" => Look::Parameters,
        "PGP MESSAGE" => return Some(Look::Sealed(Sealing::Pgp)),
        label if label.starts_with("PGP ") => return Some(Look::Pgp),
        label if label.ends_with("PRIVATE KEY") => Look::PrivateKey,
        _ => return None,
    };
    let end = memchr::memmem::find(
        rest.as_bytes(),
        [b"-----END ", label.as_bytes(), b"-----"]
            .concat()
            .as_slice(),
    );
    if end.is_none() {
        let cut = Look::CutPem(text.lines().count());
        return Some(damage::ends_of_pem(text).map_or(cut, Look::Damaged));
    }
    let Some(block) = pem::first(text.as_bytes()) else {
        return Some(Look::BrokenPem(before.matches('\n').count() + 1));
    };
    let damage = match look {
        Look::Certificate => damage::certificate(&block.contents),
        _ => None,
    };
    Some(damage.map_or(look, Look::Damaged))
}

fn by_words(text: &str) -> Option<Look> {
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
    .any(|head| lower.starts_with(head));
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
    } else if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        Some(Look::Html)
    } else if is_head && lower_has(text, "application/pkcs7-mime") {
        Some(Look::Sealed(Sealing::Smime))
    } else if is_head {
        Some(Look::Mail)
    } else if starts("Certificate:") || starts("Certificate Request:") {
        Some(Look::OpensslText)
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

fn lower_has(text: &str, part: &str) -> bool {
    text.lines()
        .take_while(|line| !line.trim().is_empty())
        .any(|line| line.to_ascii_lowercase().contains(part))
}

/// Objects and lists of Kubernetes.
fn by_object(text: &str) -> Option<Look> {
    let has_line = |prefix: &str| text.lines().any(|line| line.starts_with(prefix));
    if kind_of(text) == Some("Config") || has_line("clusters:") {
        Some(Look::Kubeconfig)
    } else if has_line("items: []")
        || text.contains("\"items\": []")
        || text.contains("\"items\":[]")
    {
        Some(Look::EmptyList)
    } else if text.contains("CertificateSigningRequest") {
        Some(Look::Object)
    } else if has_line("apiVersion:") && has_line("kind:")
        || text.trim_start().starts_with('{')
            && text.contains("\"apiVersion\"")
            && text.contains("\"kind\"")
    {
        Some(Look::OtherObject(kind_of(text).and_then(known_kind)))
    } else {
        None
    }
}

/// The kind that the first object in YAML or JSON says it is.
fn kind_of(text: &str) -> Option<&str> {
    let in_yaml = text.lines().find_map(|line| line.strip_prefix("kind:"));
    let in_json = || {
        let (_, rest) = text.split_once("\"kind\"")?;
        let rest = rest.trim_start().strip_prefix(':')?;
        let rest = rest.trim_start().strip_prefix('"')?;
        rest.split('"').next()
    };
    let kind = in_yaml.or_else(in_json)?;
    Some(kind.trim().trim_matches(['"', '\'']))
}

/// A kind whose name may be said: what a file says for itself may be anything.
fn known_kind(kind: &str) -> Option<&'static str> {
    const KINDS: [&str; 22] = [
        "Secret",
        "ConfigMap",
        "Pod",
        "Deployment",
        "Namespace",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
        "CertificateRequest",
        "Certificate",
        "Issuer",
        "ClusterIssuer",
        "ClusterTrustBundle",
        "ExecCredential",
        "Preference",
        "AuthenticationConfiguration",
        "AuthorizationConfiguration",
        "EncryptionConfiguration",
        "Cluster",
        "List",
    ];
    let known = KINDS.iter().find(|known| **known == kind).copied();
    let is_misspelt = kind.eq_ignore_ascii_case("CertificateSigningRequest");
    known.or(is_misspelt.then_some("CertificateSigningRequest, misspelt"))
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
    let is_row = words.len() >= 4
        && words.get(2).is_some_and(|signer| signer.contains('/'))
        && words.last().is_some_and(|last| {
            ["Pending", "Approved", "Denied", "Failed"]
                .iter()
                .any(|state| last.starts_with(state))
        });
    is_head || is_row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_by_its_name() {
        let tar = [&[b'x'; 257][..], b"ustar\0"].concat();
        let openssh = |name: &[u8]| {
            pem::encode(
                "OPENSSH PRIVATE KEY",
                &[&b"openssh-key-v1\0none"[..], name].concat(),
            )
        };
        for (bytes, look) in [
            (&b" \n"[..], Look::Empty),
            (b"\x1F\x8B\x08", Look::Packed(Packing::Gzip)),
            (b"BZh91AY", Look::Packed(Packing::Bzip2)),
            (&tar, Look::Packed(Packing::Tar)),
            (b"%PDF-1.7", Look::Document("a PDF document")),
            (b"\x89PNG\r\n", Look::Image),
            (b"RIFF\0\0\0\0WEBP", Look::Image),
            (
                b"PuTTY-User-Key-File-3: ssh-rsa\n",
                Look::PuttyKey(Conversion::Possible),
            ),
            (
                b"PuTTY-User-Key-File-2: ssh-ed25519\r\n",
                Look::PuttyKey(Conversion::Impossible),
            ),
            (b"ssh-ed25519 AAAA alice@x\n", Look::SshPublicKey),
            (
                openssh(b"ssh-rsa").as_bytes(),
                Look::OpenSshKey(Conversion::Possible),
            ),
            (
                openssh(b"ssh-ed25519").as_bytes(),
                Look::OpenSshKey(Conversion::Impossible),
            ),
            (b"-----BEGIN PRIVATE KEY-----\nYQ==\n", Look::CutPem(2)),
            (
                b"\n-----BEGIN PRIVATE KEY-----\nY!==\n-----END PRIVATE KEY-----\n",
                Look::BrokenPem(2),
            ),
            (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nx\n", Look::Pgp),
            (
                b"-----BEGIN PGP MESSAGE-----\n\nx\n",
                Look::Sealed(Sealing::Pgp),
            ),
            (b"age-encryption.org/v1\n", Look::Sealed(Sealing::Age)),
            (b"NAME  AGE  SIGNERNAME\na  1d  b\n", Look::Table),
            (
                b"$ kubectl get csr\nNAME  AGE  SIGNERNAME\na  1d  b\n",
                Look::Table,
            ),
            (
                b"alice 58s kubernetes.io/kube-apiserver-client admin 90d Approved,Issued\n",
                Look::Table,
            ),
            (b"CURRENT NAME CLUSTER AUTHINFO\n", Look::Table),
            (b"Name: a\nLabels: <none>\n", Look::Description),
            (b"Error from server (NotFound): a\n", Look::NotFound),
            (b"No resources found\n", Look::NotFound),
            (b"Error from server (Forbidden): a\n", Look::ErrorMessage),
            (b"bash: kubectl: command not found\n", Look::ErrorMessage),
            (
                b"E1127 10:00:00.1 12 memcache.go:265] a\n",
                Look::ErrorMessage,
            ),
            (b"<!DOCTYPE html>\n", Look::Html),
            (b"{\"kty\":\"RSA\"}", Look::Jwk),
            (b"{\"CN\":\"a\",\"key\":{\"algo\":\"rsa\"}}", Look::Cfssl),
            (b"a: b\nc: {{ .b }}\n", Look::Template(2)),
            (b"request: $(cat a.csr\n", Look::Template(1)),
            (b"request: <BASE64_CSR>\n", Look::Template(1)),
            (b"Certificate:\n    Data:\n", Look::OpensslText),
            (b"[NewRequest]\r\nSubject=\"CN=a\"\r\n", Look::Certreq),
            (b"apiVersion: v1\nkind: Config\n", Look::Kubeconfig),
            (
                b"apiVersion: v1\nkind: Pod\n",
                Look::OtherObject(Some("Pod")),
            ),
            (b"[ req ]\nprompt = no\n", Look::OpensslConfig),
            (b"eyJhbGciOiJub25lIn0.e30.x\n", Look::Token),
            (b"a: 1\n<<<<<<< HEAD\n", Look::Conflict(2)),
            (b"Hello,\n1qrz0101\n", Look::Parts),
            (b"s3cret", Look::Line),
            (b"a\0b\0c\0d\0", Look::Utf16),
            (b"\xFF\xFF\xFF", Look::Binary),
        ] {
            assert_eq!(super::look(bytes), look, "{look:?}");
        }
    }

    #[test]
    fn a_private_key_is_found_wherever_it_stands() {
        use base64::Engine as _;
        let key = pem::encode("PRIVATE KEY", b"a key that is long enough for a line");
        let base64 = base64::prelude::BASE64_STANDARD.encode(&key);
        let rsa = base64::prelude::BASE64_STANDARD.encode(key.replace("PRIV", "RSA PRIV"));
        for text in [
            key.clone(),
            format!("{{\"key\": \"{}\"}}", key.replace('\n', "\\n")),
            format!("data:\n  tls.key: {base64}\n"),
            format!("spec:\n  request: \"{rsa}\"\n"),
        ] {
            assert!(holds_private_key(text.as_bytes()), "{text}");
        }
        let request = pem::encode("CERTIFICATE REQUEST", b"a request that is long enough");
        let base64 = base64::prelude::BASE64_STANDARD.encode(&request);
        assert!(!holds_private_key(base64.as_bytes()));
    }

    #[test]
    fn what_the_way_did_is_named_to_who_judges() {
        let pem = pem::encode("CERTIFICATE REQUEST", b"a request that is long enough");
        let (look, _) = under_its_coats(pem.replace('\n', " ").as_bytes()).unwrap();
        assert_eq!(look, Look::Request);
        assert!(under_its_coats(pem.as_bytes()).is_none());
    }
}
