//! Whether API servers take a certificate by its authorities: `openssl verify` says the same, but for
//! what crypto/x509, which API servers use, judges otherwise.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::slice::from_ref;

use Openssl::{Agrees, Differs};
use common::{Folder, have};
use kube_enroll::certificate::{Certificate, Chain, NoPath};
use kube_enroll::text::Show as _;
use time::{Duration, OffsetDateTime};

/// A certificate to make: its file, subject and issuer, its extensions, and what else openssl(1) is
/// told.
struct Made<'a> {
    file: &'a str,
    subject: &'a str,
    issuer: &'a str,
    extensions: &'a str,
    more: &'a [&'a str],
}

const CA: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n";
const CLIENT: &str = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
                      extendedKeyUsage=clientAuth\n";

const ROOT: Made<'_> = Made {
    file: "root",
    subject: "/CN=root",
    issuer: "root",
    extensions: CA,
    more: &[],
};
const MIDDLE: Made<'_> = Made {
    file: "middle",
    subject: "/CN=middle",
    issuer: "root",
    extensions: CA,
    more: &[],
};
const LEAF: Made<'_> = Made {
    file: "leaf",
    subject: "/O=developers/CN=alice",
    issuer: "middle",
    extensions: CLIENT,
    more: &[],
};

/// Makes it, with a key of its own unless there is one, valid for a hundred days unless told otherwise.
fn make(folder: &Folder, made: &Made<'_>) {
    let Made { file, issuer, .. } = made;
    let key = format!("{file}.key");
    if !folder.has(&key) {
        let curve = ["-pkeyopt", "ec_paramgen_curve:P-256"];
        let rsa = ["-pkeyopt", "rsa_keygen_bits:2048"];
        let (algorithm, option) = if *file == "rsa" || made.more.contains(&"-md5") {
            ("RSA", rsa)
        } else {
            ("EC", curve)
        };
        let genpkey = ["genpkey", "-algorithm", algorithm, "-out", &key];
        folder.peer("openssl", &[&genpkey[..], &option].concat());
    }
    folder.write("extensions", made.extensions);
    let request = [
        "req",
        "-new",
        "-key",
        &key,
        "-subj",
        made.subject,
        "-out",
        "request",
    ];
    folder.peer("openssl", &request);
    let (issuer_certificate, issuer_key) = (format!("{issuer}.crt"), format!("{issuer}.key"));
    let by = if file == issuer {
        vec!["-signkey", &key]
    } else {
        vec!["-CA", &issuer_certificate, "-CAkey", &issuer_key]
    };
    let days = ["-days", "100"];
    let days = if made.more.contains(&"-days") {
        &[][..]
    } else {
        &days
    };
    let certificate = format!("{file}.crt");
    let sign = [
        "x509",
        "-req",
        "-in",
        "request",
        "-out",
        &certificate,
        "-set_serial",
        "7",
    ];
    let extensions = ["-extfile", "extensions"];
    let extensions = if made.extensions.is_empty() {
        &[][..]
    } else {
        &extensions
    };
    folder.peer(
        "openssl",
        &[&sign[..], extensions, &by, days, made.more].concat(),
    );
}

fn read(folder: &Folder, files: &[&str]) -> Vec<Certificate> {
    let read = |file: &&str| {
        let pem = folder.read(&format!("{file}.crt"));
        Certificate::all_from_pem(pem.as_bytes()).unwrap().remove(0)
    };
    files.iter().map(read).collect()
}

/// What we say of the leaf, sent with `sent`, and whether openssl(1) finds it good.
fn judged(folder: &Folder, sent: &[&str], days: i64) -> (Result<(), NoPath>, bool) {
    let now = OffsetDateTime::now_utc() + Duration::days(days);
    let chain = read(folder, &[&["leaf"], sent].concat());
    let chain = Chain::try_from(chain).unwrap();
    let ours = chain.verify_client(&read(folder, &["root"]), now);
    let intermediates: Vec<_> = chain.rest().iter().map(Certificate::to_pem).collect();
    folder.write("intermediates", intermediates.concat());
    let at = now.unix_timestamp().to_string();
    let verify = [
        "verify",
        "-auth_level",
        "1",
        "-purpose",
        "sslclient",
        "-attime",
        &at,
        "-CAfile",
        "root.crt",
        "-untrusted",
        "intermediates",
        "leaf.crt",
    ];
    (ours, folder.other("openssl", &verify).status == 0)
}

/// What openssl(1) says where crypto/x509 says something else.
#[derive(Clone, Copy, PartialEq)]
enum Openssl {
    Agrees,
    Differs,
}

/// Certificates to make, what we say of the last one, nothing where it is good, and whether openssl(1)
/// agrees.
type Row<'a> = ([Made<'a>; 3], &'a str, Openssl);

fn check(rows: &[Row<'_>]) {
    for (number, (chain, expected, openssl)) in rows.iter().enumerate() {
        let folder = Folder::new();
        for made in chain {
            make(&folder, made);
        }
        let (ours, theirs) = judged(&folder, &["middle"], 1);
        let agrees = ours.is_ok() == theirs;
        let said = ours.map_or_else(|no| no.show().to_string(), |()| String::new());
        let fits = said.contains(expected) && said.is_empty() == expected.is_empty();
        assert!(fits, "row {number}: {said}");
        assert_eq!(agrees, *openssl == Agrees, "row {number}: {said}");
    }
}

fn middle(extensions: &str) -> Made<'_> {
    Made {
        extensions,
        ..MIDDLE
    }
}

fn root(extensions: &str) -> Made<'_> {
    Made { extensions, ..ROOT }
}

fn leaf(extensions: &str) -> Made<'_> {
    Made { extensions, ..LEAF }
}

#[test]
fn those_on_the_way_may_issue_certificates_and_so_many_of_them() {
    if !have("openssl") {
        return;
    }
    let no_authority = "CN=middle: it is not the certificate of an authority";
    let none_itself = "CN=root: it is not the certificate of an authority";
    let no_signing = "keyUsage=digitalSignature,cRLSign\n";
    let unsigning = format!("basicConstraints=CA:TRUE\n{no_signing}");
    check(&[
        ([ROOT, MIDDLE, LEAF], "", Agrees),
        (
            [ROOT, middle("subjectKeyIdentifier=hash\n"), LEAF],
            no_authority,
            Agrees,
        ),
        (
            [ROOT, middle("basicConstraints=CA:FALSE\n"), LEAF],
            no_authority,
            Agrees,
        ),
        (
            [ROOT, middle("basicConstraints=CA:TRUE\n"), LEAF],
            "",
            Agrees,
        ),
        (
            [ROOT, middle("basicConstraints=CA:TRUE,pathlen:0\n"), LEAF],
            "",
            Agrees,
        ),
        (
            [root("basicConstraints=CA:TRUE,pathlen:0\n"), MIDDLE, LEAF],
            "CN=root: 1 authorities stand below it, and it allows 0",
            Agrees,
        ),
        (
            [root("basicConstraints=CA:TRUE,pathlen:1\n"), MIDDLE, LEAF],
            "",
            Agrees,
        ),
        (
            [root("basicConstraints=CA:FALSE\n"), MIDDLE, LEAF],
            none_itself,
            Agrees,
        ),
        (
            [root("subjectKeyIdentifier=hash\n"), MIDDLE, LEAF],
            none_itself,
            Agrees,
        ),
        // The first version has no extensions to say so: an authority that is trusted is one.
        ([root(""), MIDDLE, LEAF], "", Agrees),
        ([ROOT, middle(""), LEAF], no_authority, Agrees),
        (
            [ROOT, middle(&unsigning), LEAF],
            "CN=middle: its key is not for signing certificates",
            Agrees,
        ),
        (
            [root(&unsigning), MIDDLE, LEAF],
            "CN=root: its key is not for signing certificates",
            Agrees,
        ),
    ]);
}

#[test]
fn those_on_the_way_are_for_clients_signed_safely_and_understood() {
    if !have("openssl") {
        return;
    }
    let by_sha1 = |made| Made {
        more: &["-sha1"],
        ..made
    };
    let server = format!("{CA}extendedKeyUsage=serverAuth\n");
    let both = format!("{CA}extendedKeyUsage=serverAuth,clientAuth\n");
    let unknown = format!("{CA}1.2.3.4=critical,ASN1:NULL\n");
    let names = format!("{CA}nameConstraints=permitted;DNS:example.com\n");
    let directory =
        format!("{CA}nameConstraints=critical,permitted;dirName:names\n[names]\nCN=a\n");
    let with_name = format!("{CLIENT}subjectAltName=DNS:example.com\n");
    check(&[
        (
            [ROOT, middle(&server), LEAF],
            "CN=middle: it is not for client auth",
            Agrees,
        ),
        (
            [root(&server), MIDDLE, LEAF],
            "CN=root: it is not for client auth",
            Agrees,
        ),
        ([ROOT, middle(&both), LEAF], "", Agrees),
        (
            [ROOT, MIDDLE, leaf("extendedKeyUsage=serverAuth\n")],
            "CN=alice,O=developers: it is not for client auth",
            Agrees,
        ),
        // Nobody asks how the authority itself is signed.
        (
            [ROOT, MIDDLE, by_sha1(LEAF)],
            "ecdsa-with-SHA1 is insecure",
            Agrees,
        ),
        (
            [ROOT, by_sha1(MIDDLE), LEAF],
            "ecdsa-with-SHA1 is insecure",
            Agrees,
        ),
        ([by_sha1(ROOT), MIDDLE, LEAF], "", Agrees),
        (
            [ROOT, middle(&unknown), LEAF],
            "its critical extension 1.2.3.4",
            Agrees,
        ),
        (
            [root(&unknown), MIDDLE, LEAF],
            "its critical extension 1.2.3.4",
            Agrees,
        ),
        (
            [ROOT, MIDDLE, leaf("1.2.3.4=critical,ASN1:NULL\n")],
            "extension 1.2.3.4",
            Agrees,
        ),
        ([ROOT, MIDDLE, leaf("1.2.3.4=ASN1:NULL\n")], "", Agrees),
        ([ROOT, middle(&names), LEAF], "", Agrees),
        // crypto/x509 and openssl find that it keeps to them.
        (
            [ROOT, middle(&names), leaf(&with_name)],
            "it limits the names",
            Differs,
        ),
        (
            [ROOT, middle(&directory), LEAF],
            "its critical extension 2.5.29.30",
            Agrees,
        ),
    ]);
}

#[test]
fn an_authority_of_rsa_that_signs_with_md5_or_sha1_is_not_taken() {
    if !have("openssl") {
        return;
    }
    let rsa = Made {
        file: "rsa",
        ..MIDDLE
    };
    for (digest, taken) in [("-sha256", true), ("-sha1", false), ("-md5", false)] {
        let folder = Folder::new();
        make(&folder, &ROOT);
        make(&folder, &rsa);
        make(
            &folder,
            &Made {
                issuer: "rsa",
                more: &[digest],
                ..LEAF
            },
        );
        let (ours, theirs) = judged(&folder, &["rsa"], 1);
        assert_eq!((ours.is_ok(), theirs), (taken, taken), "{digest}: {ours:?}");
    }
}

#[test]
fn an_authority_that_has_ended_or_is_not_the_issuer_is_not_taken() {
    if !have("openssl") {
        return;
    }
    let folder = Folder::new();
    make(&folder, &ROOT);
    make(
        &folder,
        &Made {
            more: &["-days", "9"],
            ..MIDDLE
        },
    );
    make(&folder, &LEAF);
    for (days, said) in [
        (1, ""),
        (20, "CN=middle: the certificate was valid until"),
        (-1, "is valid from"),
    ] {
        let (ours, theirs) = judged(&folder, &["middle"], days);
        let found = ours.map_or_else(|no| no.show().to_string(), |()| String::new());
        assert!(
            found.contains(said) && found.is_empty() == said.is_empty(),
            "{found}"
        );
        assert_eq!(theirs, said.is_empty());
    }
    // Not sent; of another name; of the same name with another key, beside the right one or alone.
    assert!(matches!(
        judged(&folder, &[], 1),
        (Err(NoPath::NotIssued { .. }), false)
    ));
    make(
        &folder,
        &Made {
            file: "named",
            subject: "/CN=Middle",
            ..MIDDLE
        },
    );
    make(
        &folder,
        &Made {
            file: "keyed",
            ..MIDDLE
        },
    );
    for other in ["named", "keyed"] {
        assert!(matches!(
            judged(&folder, &[other], 1),
            (Err(NoPath::NotIssued { .. }), false)
        ));
        assert!(matches!(
            judged(&folder, &[other, "middle"], 1),
            (Ok(()), true)
        ));
    }
}

#[test]
fn more_authorities_than_one_stand_in_the_way_as_far_as_each_allows() {
    if !have("openssl") {
        return;
    }
    for (allowed, good) in [("0", false), ("1", true)] {
        let folder = Folder::new();
        let limited = format!("basicConstraints=critical,CA:TRUE,pathlen:{allowed}\n");
        make(&folder, &ROOT);
        make(
            &folder,
            &Made {
                file: "upper",
                subject: "/CN=upper",
                extensions: &limited,
                ..MIDDLE
            },
        );
        make(
            &folder,
            &Made {
                issuer: "upper",
                ..MIDDLE
            },
        );
        make(&folder, &LEAF);
        for sent in [["middle", "upper"], ["upper", "middle"]] {
            let (ours, theirs) = judged(&folder, &sent, 1);
            assert_eq!((ours.is_ok(), theirs), (good, good), "{ours:?}");
        }
    }
}

#[test]
fn a_hundred_certificates_of_one_name_are_looked_at_and_no_more() {
    if !have("openssl") {
        return;
    }
    let folder = Folder::new();
    make(&folder, &ROOT);
    make(&folder, &MIDDLE);
    make(&folder, &LEAF);
    make(
        &folder,
        &Made {
            file: "other",
            ..MIDDLE
        },
    );
    let files = read(&folder, &["leaf", "other", "middle", "root"]);
    let [leaf, other, middle, root] = &files[..] else {
        unreachable!()
    };
    let now = OffsetDateTime::now_utc();
    for (others, good) in [(98, true), (200, false)] {
        let mut chain = vec![leaf.clone()];
        chain.extend(std::iter::repeat_n(other.clone(), others));
        chain.push(middle.clone());
        let judged = Chain::try_from(chain)
            .unwrap()
            .verify_client(from_ref(root), now);
        assert_eq!(judged.is_ok(), good, "{judged:?}");
    }
    // One that is trusted itself needs nobody else.
    let alone = Chain::from(leaf.clone());
    assert_eq!(alone.verify_client(from_ref(leaf), now), Ok(()));
    assert!(alone.verify_client(from_ref(root), now).is_err());
}
