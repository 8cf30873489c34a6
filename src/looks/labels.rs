//! Files in PEM, by the label of their first block.

use super::kind::{DSA, IN_A_TPM};
use super::signatures::{OPENPGP, conversion_of};
use super::{Age, Conversion, Form, Look, Sealing, damage, json};
use crate::csr;
use crate::key::EncodedKey;
use crate::pem;

/// What the first label says that a file is, and whether its block is whole.
pub(super) fn by_pem(text: &str) -> Option<Look> {
    const BEGIN: &str = "-----BEGIN ";
    // Inside of an object it is a value of it.
    let is_object = text.trim_start().starts_with('{') && text.contains("\"apiVersion\"");
    if is_object || text.lines().any(|line| line.starts_with("apiVersion:")) {
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
        "PKCS7" | "CMS" => Look::Pkcs7(Form::Pem),
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
        "PGP SIGNATURE" => return Some(Look::Signature(OPENPGP)),
        "PGP PUBLIC KEY BLOCK" => return Some(Look::PgpPublicKey),
        "PGP SIGNED MESSAGE" => return Some(Look::ClearSigned),
        "SSH SIGNATURE" => return Some(Look::Signature("ssh-keygen")),
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
