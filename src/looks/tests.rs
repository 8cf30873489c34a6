//! Kinds of files, by the shortest of each.

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
