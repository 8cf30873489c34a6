//! OpenSSL is the judge of what a request configuration means: for each of these, `openssl req`
//! makes a request, and its user, groups and extensions are those that are read here.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "this is a test")]

use std::path::Path;
use std::process::{Command, Stdio};

use der::asn1::{OctetString, PrintableStringRef, Utf8StringRef};
use der::oid::ObjectIdentifier;
use der::{Decode, Tagged};
use kube_enroll::config;
use proptest::prelude::*;
use x509_cert::ext::{Extension, Extensions};
use x509_cert::request::CertReq;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");

/// A user, its groups and the extensions of a request; `None` where there is no request.
type Meaning = Option<(Option<String>, Vec<String>, Vec<Extension>)>;

struct OpenSsl {
    directory: tempfile::TempDir,
}

impl OpenSsl {
    /// `None` where there is no OpenSSL, which is an error where `CI` is `true`.
    fn find() -> Option<Self> {
        let found = Command::new("openssl").arg("version").output().is_ok();
        if !found {
            assert_ne!(
                std::env::var("CI").as_deref(),
                Ok("true"),
                "openssl is missing"
            );
            eprintln!("skipped: openssl is missing");
            return None;
        }
        let openssl = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        let key = openssl.directory.path().join("key.pem");
        let status = Command::new("openssl")
            .args([
                "ecparam",
                "-genkey",
                "-name",
                "prime256v1",
                "-noout",
                "-out",
            ])
            .arg(key)
            .status();
        assert!(status.unwrap().success());
        Some(openssl)
    }

    fn request(&self, configuration: &str) -> Meaning {
        let path = self.directory.path().join("request.cnf");
        std::fs::write(&path, configuration).unwrap();
        let output = self.req(&path).output().unwrap();
        output.status.success().then(|| meaning(&output.stdout))
    }

    fn req(&self, configuration: &Path) -> Command {
        let mut command = Command::new("openssl");
        command
            .args([
                "req", "-new", "-batch", "-outform", "DER", "-key", "key.pem", "-config",
            ])
            .arg(configuration)
            .current_dir(self.directory.path())
            .env("WHO", "alice")
            .stdin(Stdio::null());
        command
    }
}

fn meaning(der: &[u8]) -> (Option<String>, Vec<String>, Vec<Extension>) {
    let request = CertReq::from_der(der).unwrap();
    let texts = |oid| {
        let attributes = request
            .info
            .subject
            .as_ref()
            .iter()
            .flat_map(|rdn| rdn.as_ref().iter());
        attributes
            .filter(move |attribute| attribute.oid == oid)
            .map(|attribute| match attribute.value.tag() {
                der::Tag::Utf8String => attribute
                    .value
                    .decode_as::<Utf8StringRef<'_>>()
                    .unwrap()
                    .to_string(),
                _ => attribute
                    .value
                    .decode_as::<PrintableStringRef<'_>>()
                    .unwrap()
                    .to_string(),
            })
            .collect::<Vec<_>>()
    };
    let extensions = request
        .info
        .attributes
        .iter()
        .filter(|attribute| attribute.oid == EXTENSION_REQUEST)
        .flat_map(|attribute| attribute.values.iter())
        .flat_map(|value| value.decode_as::<Extensions>().unwrap())
        .collect();
    (texts(COMMON_NAME).pop(), texts(ORGANIZATION), extensions)
}

fn ours(configuration: &str) -> Meaning {
    let defaults = config::read(configuration.as_bytes()).ok()?;
    let encoded = defaults.extensions.into_iter().map(|extension| Extension {
        extn_id: extension.oid,
        critical: extension.critical,
        extn_value: OctetString::new(extension.value).unwrap(),
    });
    Some((
        defaults.settings.user,
        defaults.settings.groups,
        encoded.collect(),
    ))
}

/// The configuration of the hand-made flow, with these lines in its `[ dn ]`.
fn with_subject(lines: &str) -> String {
    format!("[ req ]\nprompt = no\nutf8 = yes\ndistinguished_name = dn\n[ dn ]\n{lines}\n")
}

fn with_extensions(lines: &str) -> String {
    let sections = "[ alt ]\nDNS.1 = a.example\nIP.1 = 10.0.0.1\nIP.2 = fd00::1\nemail.x = a@b.c\nURI = spiffe://x,y\n\
        [ use ]\ndigitalSignature =\nkeyEncipherment = yes\n[ empty ]\n[ ca ]\nCA = yes\npathlen = 1\n";
    format!(
        "[ req ]\nprompt = no\ndistinguished_name = dn\nreq_extensions = v3\n[ dn ]\nCN = alice\n{sections}[ v3 ]\n{lines}\n"
    )
}

fn agree(openssl: &OpenSsl, configuration: &str) {
    assert_eq!(
        ours(configuration),
        openssl.request(configuration),
        "{configuration}"
    );
}

#[test]
fn the_file_of_the_hand_made_flow_means_the_same() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    let file = "[ req ]\ndefault_bits = 2048\nprompt = no\ndefault_md = sha256\ndistinguished_name = dn\n\
        [ dn ]\nCN = alice\nO = developers\n[ v3_ext ]\nauthorityKeyIdentifier=keyid,issuer:always\n\
        basicConstraints=CA:FALSE\nkeyUsage=keyEncipherment,dataEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n";
    let expected = (Some("alice".into()), vec!["developers".into()], vec![]);
    assert_eq!(ours(file), Some(expected));
    agree(&openssl, file);
}

#[test]
fn the_grammar_means_the_same() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    for lines in [
        "CN = alice # a comment",
        "CN = alice\\# not a comment",
        "CN = \"alice # quoted\"",
        "CN = 'alice # quoted' # and not",
        "CN = `alice # quoted`",
        "CN = a\"b c\"d'e f'g",
        "CN = \"a\\\"b\"",
        "CN = \"a\"\"b\"",
        "CN = \"never closed # 1",
        "CN = a\\\\",
        "CN = a\\nb\\tc\\rd\\be\\qf",
        "CN = \"a\\nb\"",
        "CN = al\\\nice",
        "CN = al\\\r\nice\r",
        "CN = alice \\",
        "CN = alice \\\\\nO = dev",
        "# a comment that continues \\\nCN = alice\nO = dev",
        "CN=alice\n\n   \n\t#\nO=dev",
        "  CN\t=\t alice \t ",
        "CN = a=b",
        "CN = a;b",
        "; CN = alice",
        "CN = alice\n;O = dev",
        "CN = alice\n; not a comment",
        "CN alice",
        "CN: alice",
        "= alice",
        "CN = alice ]",
        "CN = alice\n[ dn",
        "CN = alice\n[ ]",
        "CN = alice\n[]",
        "CN = alice\n[ a b ]\nx = y",
        "CN = alice\n[ a $ ]",
        "CN = alice\n[ a(b) ]",
        "CN = alice\n[ x ] O = ignored\n[ dn ]\nO = dev",
        "CN = alice\n[ d\\n ]\n[ \\d\\n ]\nO = dev",
        "CN = alice\n[ dn ]\nO = dev",
        "CN = alice\nx::y = z\ndn::O = dev",
        "CN = alice\n[ late ]\ndn::O = dev",
        "CN = $dn::x\ndn::x = alice",
        "name = alice\nCN = $name",
        "CN = alice\nO. = dev",
        "CN = alice\n0.O = dev",
        "UID = alice\nCN = ${UID}",
        "UID = alice\nCN = $(UID)-${dn::UID}.$dn::UID.x$UID",
        "UID = alice\nCN = ${UID",
        "UID = alice\nCN = ${UID)",
        "UID = alice\nCN = '$UID' \"$UID\" \\$UID",
        "CN = $missing",
        "CN = $",
        "CN = $req::prompt",
        "CN = ${ req::prompt }",
        "CN = alice\n.pragma = something:else",
        "CN = alice\n.pragma nothing",
        "CN = alice\n.pragma = :else",
        "CN = alice\n.pragma = something:",
        "CN = alice\n.pragma",
        "CN = alice\nO = Zoë's, 日本 🦀",
        "CN = alice\n\u{b}O = dev",
        "CN = alice\u{c}",
        "CN = alice\u{a0}",
    ] {
        agree(&openssl, &with_subject(lines));
    }
}

#[test]
fn look_ups_fall_back_to_the_default_section() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    for file in [
        "who = alice\n[ req ]\nprompt = no\ndistinguished_name = dn\n[ dn ]\nCN = $who\n",
        "prompt = no\ndistinguished_name = dn\n[ dn ]\nCN = alice\n",
        "prompt = no\ndistinguished_name = dn\n[ req ]\n[ dn ]\nCN = alice\n",
        "[ default ]\nprompt = no\n[ req ]\ndistinguished_name = dn\n[ dn ]\nCN = alice\n",
        "CN_default = alice\n[ req ]\ndistinguished_name = dn\n[ dn ]\nCN = Name\n",
        "CN = alice\n[ req ]\nprompt = no\ndistinguished_name = dn\n[ dn ]\nO = dev\n",
        "[ ENV ]\nwho = alice\n[ req ]\nprompt = no\ndistinguished_name = dn\n[ dn ]\nCN = $ENV::who\n",
        "\u{feff}[ req ]\nprompt = no\ndistinguished_name = dn\n[ dn ]\nCN = alice\n",
        "[ req ]\nprompt = no\ndistinguished_name = nowhere\n[ dn ]\nCN = alice\n",
        "[ req ]\nprompt = no\ndistinguished_name = dn\nreq_extensions = nowhere\n[ dn ]\nCN = alice\n",
        "[ req ]\nprompt = no\ndistinguished_name = dn\nreq_extensions = v3\n[ dn ]\nCN = alice\n[ v3 ]\n",
    ] {
        agree(&openssl, file);
    }
}

#[test]
fn a_subject_means_the_same() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    for lines in [
        "CN = alice\nO = dev",
        "commonName = alice\norganizationName = dev",
        "2.5.4.3 = alice",
        "0.2.5.4.3 = alice\nOID.2.5.4.10 = dev",
        "O = dev\nCN = alice",
        "CN = alice\nO = dev\nO = ops",
        "CN = alice\n0.O = dev\n1.O = ops\n2.organizationName = qa",
        "CN = alice\nO = dev\n1.O = ops",
        "CN = alice\nfirst.O = dev\nanother,O = ops",
        "CN = alice\nO = dev\n1.+O = ops",
        "CN = alice\n+O = dev",
        "0.CN = alice\n1.CN = bob",
        "CN = alice\nO =",
        "CN =\nO = dev",
        "cn = alice",
        "CN = alice\no = dev",
        "CN = alice\ncommonname = bob",
        "CN = alice\nO.0 = dev",
        "CN = alice\nC = DE\nST = BY\nL = M\nOU = x\nemailAddress = a@b.c\nDC = example\nstreet = s",
    ] {
        agree(&openssl, &with_subject(lines));
    }
}

#[test]
fn a_prompting_form_means_what_openssl_takes_without_asking() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    for lines in [
        "CN = Name\nCN_default = alice",
        "CN = Name\nCN_default = alice\n0.O = Group\n0.O_default = dev\n1.O = Group\n1.O_default = ops",
        "CN = Name\nCN_default = alice\nO = Group",
        "CN = Name\nCN_default = alice\nO = Group\nO_default =",
        "CN = Name\nCN_default = alice\nO = Group\n0.O_default = dev",
        "CN = Name\nCN_default = alice\nCN_max = 5",
        "CN = Name\nCN_default = alice\nCN_max = 4",
        "CN = Name\nCN_default = alice\nCN_min = 5",
        "CN = Name\nCN_default = alice\nCN_min = 6",
        "CN = Name\nCN_default = alice\nCN_max = 64 characters",
        "CN = Name\nCN_default = alice\nFOO = Unknown\nFOO_default = x",
        "CN = Name\nCN_value = alice\nCN_default = bob",
        "CN = Name\nCN_default = bob\nCN_value =",
        "CN = Name\nCN_default = alice\nO = Group\nO_value = .\nO_default = dev",
    ] {
        agree(
            &openssl,
            &format!("[ req ]\ndistinguished_name = dn\n[ dn ]\n{lines}\n"),
        );
        agree(
            &openssl,
            &format!("[ req ]\nprompt = No\ndistinguished_name = dn\n[ dn ]\n{lines}\n"),
        );
    }
}

#[test]
fn extensions_have_the_same_encoding() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    for lines in [
        "basicConstraints = CA:FALSE",
        "basicConstraints = critical,CA:true,pathlen:0",
        "basicConstraints = critical,   CA:YES , pathlen:255",
        "basicConstraints = pathlen:3",
        "basicConstraints = @ca",
        "basicConstraints = CA:maybe",
        "basicConstraints = CA:True",
        "basicConstraints = ca:FALSE",
        "basicConstraints = CA",
        "basicConstraints = critical",
        "basicConstraints = CA : FALSE",
        "keyUsage = digitalSignature, keyEncipherment",
        "keyUsage = keyEncipherment,dataEncipherment",
        "keyUsage = Digital Signature",
        "keyUsage = @use",
        "keyUsage = @empty",
        "keyUsage = @nowhere",
        "keyUsage = critical,  digitalSignature",
        "keyUsage = critical , digitalSignature",
        "keyUsage = critical digitalSignature",
        "keyUsage = digitalSignature,critical",
        "keyUsage = digitalSignature,,keyEncipherment",
        "keyUsage = digitalSignature,",
        "keyUsage = contentCommitment",
        "keyUsage = nonRepudiation,keyAgreement,keyCertSign,cRLSign,encipherOnly,decipherOnly",
        "keyUsage = digitalSignature,digitalSignature",
        "keyUsage =",
        "extendedKeyUsage = serverAuth,clientAuth,1.2.3.4",
        "extendedKeyUsage = critical,TLS Web Client Authentication",
        "extendedKeyUsage = x:clientAuth",
        "extendedKeyUsage = codeSigning,emailProtection,timeStamping,OCSPSigning,ipsecIKE,anyExtendedKeyUsage",
        "extendedKeyUsage = Code Signing,E-mail Protection,Time Stamping,OCSP Signing,ipsec Internet Key Exchange,Any Extended Key Usage",
        "extendedKeyUsage = clientauth",
        "subjectAltName = @alt",
        "subjectAltName = @nowhere",
        "subjectAltName = DNS:a, IP:::1,URI:http://x:80/y",
        "subjectAltName = critical,email:a@b.c",
        "subjectAltName = dns:a",
        "subjectAltName = DNS.7:a",
        "subjectAltName = DNS7:a",
        "subjectAltName = IP:300.1.1.1",
        "subjectAltName = IP:1.2.3.4/24",
        "subjectAltName = IP:fe80::1%eth0",
        "subjectAltName = IP:::ffff:1.2.3.4",
        "subjectAltName = DNS:",
        "subjectAltName = DNS",
        "subjectAltName = a.example",
        "subjectAltName = DNS:a;DNS:b",
        "keyUsage = digitalSignature\nextendedKeyUsage = clientAuth\nsubjectAltName = DNS:a\nbasicConstraints = CA:FALSE",
    ] {
        agree(&openssl, &with_extensions(lines));
    }
}

#[test]
fn what_is_refused_here_though_openssl_takes_it() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    for file in [
        with_subject("CN = $ENV::WHO"),
        with_subject("CN = alice\n.include nothing"),
        with_subject("CN = alice\n.pragma = dollarid:true"),
        with_subject("CN = alice\n[ req ]\noutput_password = secret"),
        with_extensions("basicConstraints = pathlen:-1"),
        with_extensions("basicConstraints = pathlen:0x10"),
        with_extensions("basicConstraints = pathlen:256"),
        with_extensions("extendedKeyUsage = 1.2."),
        with_extensions("subjectAltName = IP:01.2.3.4"),
        with_extensions("subjectAltName = DNS:Zoë"),
    ] {
        assert!(openssl.request(&file).is_some(), "{file}");
        assert!(config::read(file.as_bytes()).is_err(), "{file}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_mean_the_same(
        lines in proptest::collection::vec(
            prop_oneof![
                4 => "(CN|O|1\\.O|1\\.\\+O|UID|dn::O|req::UID) ?= ?[abrn $\\\\\"'`#=;.:{}()\\[\\]\t@,_1x]{0,12}",
                1 => "(CN|O|UID) ?= ?[a]{0,2}(\\$UID|\\$\\{UID\\}|\\$\\(dn::UID\\)|\\$req::prompt)[a ]{0,2}\\\\?",
                1 => "[ \t]*\\[[ a.\\\\n\\]dnx]{0,6}\\]?[a ]{0,2}",
                1 => "[NOx=# \\\\;a]{0,8}",
            ],
            1..6,
        ),
        ending in "\n|\r\n|\r\r\n",
    ) {
        let Some(openssl) = &*OPENSSL else { return Ok(()) };
        let file = with_subject(&format!("CN = alice\nUID = y\n{}", lines.join(&ending)));
        let theirs = openssl.request(&file);
        let longest = theirs.iter().flat_map(|(user, groups, _)| user.iter().chain(groups));
        prop_assume!(longest.map(String::len).max() < Some(60));
        prop_assert_eq!(sorted(ours(&file)), sorted(theirs), "{:?}", file);
    }
}

/// Joined relative distinguished names are sorted by their encoding: order tells nothing.
fn sorted(mut meaning: Meaning) -> Meaning {
    if let Some((_, groups, _)) = &mut meaning {
        groups.sort();
    }
    meaning
}

static OPENSSL: std::sync::LazyLock<Option<OpenSsl>> = std::sync::LazyLock::new(OpenSsl::find);

/// `PROPTEST_CASES`, or few enough to make a request each.
fn cases() -> u32 {
    let cases = std::env::var("PROPTEST_CASES").ok();
    cases.and_then(|cases| cases.parse().ok()).unwrap_or(128)
}
