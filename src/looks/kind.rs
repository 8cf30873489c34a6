//! The kinds of files that are told apart here, and what each is called.

use super::{Damage, Dump, PemFields};
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
    OpenSshKey(Conversion),
    /// `PuTTY-User-Key-File-3`.
    PuttyKey(Conversion),
    /// `ssh-ed25519 AAAA...`.
    SshPublicKey,
    /// `{"kty": ...}`.
    Jwk,
    /// `BEGIN PGP PRIVATE KEY BLOCK`.
    Pgp,
    /// `BEGIN PGP PUBLIC KEY BLOCK`.
    PgpPublicKey,
    /// `BEGIN PGP SIGNED MESSAGE`: text with its signature.
    ClearSigned,
    /// A signature that belongs to another file; what made it.
    Signature(&'static str),
    /// PKCS#12 (RFC 7292).
    Pkcs12(Age),
    /// PKCS#8 under the label of OpenSSH.
    MislabelledKey,
    /// A Java key store.
    Jks,
    /// PKCS#7 (RFC 2315).
    Pkcs7(Form),
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

/// How a structure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// RFC 7468.
    Pem,
    /// X.690, which openssl reads where it is told so.
    Der,
}

impl Show for Form {
    fn show(&self) -> Text {
        match self {
            Self::Pem => "",
            Self::Der => " -inform DER",
        }
        .into()
    }
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

/// What `openssl pkey -text -noout` prints of a key is called.
pub(super) const KEY_AS_TEXT: &str = "a private key as openssl prints it for people (-text)";
/// What a key in a TPM is called.
pub(super) const IN_A_TPM: &str = "a private key that only a TPM can use (TSS2)";
/// What a key of DSA is called.
pub(super) const DSA: &str = "a key of DSA, which Kubernetes does not take";

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
    /// `age-encryption.org`, with a passphrase.
    Age,
    /// The same for those who have a key.
    AgeForKey,
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
            Self::Empty => "there is nothing in it",
            Self::PrivateKey => "a private key",
            Self::OpenSshKey(Conversion::Possible) => "a private key in the format of OpenSSH",
            Self::OpenSshKey(Conversion::Impossible) => "an Ed25519 or hardware key in the format of OpenSSH",
            Self::PuttyKey(_) => "a private key of PuTTY (PPK)",
            Self::SshPublicKey => "a public key of SSH",
            Self::Jwk => "a key in JSON (JWK)",
            Self::Pgp => "a private key of OpenPGP (GnuPG)",
            Self::PgpPublicKey => "a public key of OpenPGP (GnuPG)",
            Self::ClearSigned => "text that is signed with OpenPGP (GnuPG), its signature below it",
            Self::Signature(of) => {
                return text!("a signature, made with {}, of another file", *of)
            }
            Self::Pkcs12(_) => "a PKCS#12 file (PFX)",
            Self::MislabelledKey => "a private key under the label of OpenSSH",
            Self::Jks => "a Java key store (JKS)",
            Self::Pkcs7(_) => "a PKCS#7 file (P7B)",
            Self::PublicKey => "a public key",
            Self::Certificate => "a certificate",
            Self::LabelledCertificate => {
                "a certificate under a label of other programs (TRUSTED or X509 CERTIFICATE)"
            }
            Self::Request => "a certification request (CSR)",
            Self::Crl => "a list of revoked certificates (CRL)",
            Self::Parameters => "parameters of a curve or of Diffie-Hellman without a key",
            Self::OpensslText => "what openssl prints for people with -text, without the PEM",
            Self::Object => "a CertificateSigningRequest object",
            Self::Kubeconfig => "a kubeconfig",
            Self::EmptyList => "a list with nothing in it",
            Self::OtherObject(None) => "a Kubernetes object of another kind",
            Self::OtherObject(Some(kind)) => {
                return text!("a Kubernetes object of another kind ({})", *kind)
            }
            Self::Table => "a table that kubectl prints for people",
            Self::Description => "what kubectl describe prints for people",
            Self::NotFound => "what kubectl prints where nothing is there (NotFound)",
            Self::ErrorMessage => "an error message, of kubectl or the shell",
            Self::Template(line) => {
                return text!("a template: the place in line {} is not filled in", *line)
            }
            Self::Cfssl => "a request of cfssl in JSON",
            Self::OpensslConfig => "a configuration of OpenSSL",
            Self::Certreq => "an INF file for certreq of Windows",
            Self::CutPem(line) => {
                return text!(
                    "PEM that is cut off behind line {}: its END line is missing",
                    *line
                );
            }
            Self::BrokenPem(line) => {
                return text!(
                    "PEM that is damaged: what stands between the BEGIN in line {} and its END is not \
                     base64",
                    *line
                );
            }
            Self::Damaged(damage) => return damage.show(),
            Self::PemInJson(fields) => return fields.show(),
            Self::XmlKey => "a key in XML, as .NET writes it (RSAKeyValue)",
            Self::Xml => "an XML file",
            Self::Hex(_) => "hexadecimal digits of binary data",
            Self::Url => "the address of a file (URL)",
            Self::Base64 => "base64 of something that is not known here",
            Self::Companion => "what macOS writes beside a file (AppleDouble, ._NAME)",
            Self::Utf32 => "text in UTF-32",
            Self::Comments => "nothing but comments (lines that start with #)",
            Self::Packed(packing) => return packing.show(),
            Self::Sealed(sealing) => return text!("encrypted as a whole, with {}", sealing),
            Self::Document(what) | Self::OtherKey(what) => what,
            Self::Image => "an image (a picture such as PNG or JPEG)",
            Self::Html => "a web page (HTML)",
            Self::Mail => "a mail",
            Self::Program => "a program or script",
            Self::LfsPointer => "a pointer of Git LFS in place of the file",
            Self::Conflict(line) => {
                return text!(
                    "a file with a conflict of git in line {} that nobody resolved",
                    *line
                )
            }
            Self::Token => "a token (JWT)",
            Self::Parts => "text of QR codes",
            Self::Utf16 => "text in UTF-16",
            Self::Line => "one line of text",
            Self::Text => "text of no kind that is known here",
            Self::Binary => "binary data of no kind that is known here",
        }
        .into()
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
            Self::Age | Self::AgeForKey => "age",
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
    pub(super) fn is_plain(self) -> bool {
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
