//! Every finding there is, each from an input that has what it is about, and what the cluster is
//! predicted to do with that input.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::odd_request::{C, CN, EMAIL, O, OU, OddRequest, TITLE, UID, UTF8};
use dashu_int::UBig;
use kube_enroll::agreement::Agreement;
use kube_enroll::csr::CertificationRequest;
use kube_enroll::inspect::{Context, KeysSeen, Object, find_shared_factors, inspect};
use kube_enroll::manifest::contents_hash;
use kube_enroll::policy::{Agreed, CODES};
use kube_enroll::roster::Roster;
use kube_enroll::verdict::{judge, judge_by_roster};
use time::{Duration, OffsetDateTime};

/// What comes of a request: accepted, issued, authenticates.
type Outcome = (bool, Option<bool>, bool);

const FINE: Outcome = (true, Some(true), true);
const ANONYMOUS: Outcome = (true, Some(true), false);
const NOT_ISSUED: Outcome = (true, Some(false), false);
const REFUSED: Outcome = (false, Some(false), false);
const ELSEWHERE: Outcome = (true, None, false);

fn agreed() -> Agreed<'static> {
    Agreed {
        user: Some("alice"),
        groups: &[],
    }
}

fn look(input: &[u8], agreed: Agreed<'_>) -> Vec<Object> {
    look_into("input", input, agreed)
}

fn look_into(file: &str, input: &[u8], agreed: Agreed<'_>) -> Vec<Object> {
    let context = Context {
        now: OffsetDateTime::now_utc(),
        agreed,
        passphrase: None,
    };
    inspect(file, input, &context)
}

fn codes(object: &Object) -> Vec<&'static str> {
    object.findings.iter().map(|finding| finding.code).collect()
}

fn alice() -> OddRequest {
    OddRequest::new(&[(CN, UTF8, "alice")])
}

fn with_user(user: &str) -> String {
    manifest(&OddRequest::new(&[(CN, UTF8, user)]).to_pem())
}

fn with_group(group: &str) -> String {
    manifest(&OddRequest::new(&[(O, UTF8, group), (CN, UTF8, "alice")]).to_pem())
}

fn with_attribute(kind: &[u8], value: &str) -> String {
    manifest(&OddRequest::new(&[(kind, UTF8, value), (CN, UTF8, "alice")]).to_pem())
}

/// A manifest without anything odd about it, around this text.
fn manifest(request: &str) -> String {
    let request = BASE64_STANDARD.encode(request);
    format!(
        "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata:\n  name: \
         alice-0123abcd\nspec:\n  request: {request}\n  signerName: \
         kubernetes.io/kube-apiserver-client\n  expirationSeconds: 7776000\n  usages:\n  - digital \
         signature\n  - client auth\n"
    )
}

/// The same with one thing replaced.
fn changed(from: &str, to: &str) -> String {
    let manifest = manifest(&alice().to_pem());
    assert!(manifest.contains(from), "{from}");
    manifest.replacen(from, to, 1)
}

/// A code, an input that has what it is about, and what comes of it.
type Case = (&'static str, String, Outcome);

/// What shows in the object around the request.
fn objects() -> Vec<Case> {
    vec![
        (
            "wrong-kind",
            changed("CertificateSigningRequest", "Secret"),
            REFUSED,
        ),
        ("wrong-kind", changed("v1", "v1beta1"), REFUSED),
        ("unknown-field", changed("usages", "usage"), REFUSED),
        ("wrong-type", changed("7776000", "90d"), REFUSED),
        ("wrong-type", changed("- client auth", "- 1"), REFUSED),
        (
            "bad-base64",
            changed("request: LS0t", "request: LS0 t"),
            REFUSED,
        ),
        (
            "bad-metadata",
            changed("  name:", "  labels: {a: ' '}\n  name:"),
            REFUSED,
        ),
        ("bad-name", changed("alice-0123abcd", "alice/x"), REFUSED),
        ("bad-name", changed("alice-0123abcd", ".."), REFUSED),
        (
            "namespace-ignored",
            changed("  name:", "  namespace: dev\n  name:"),
            FINE,
        ),
        (
            "submitter-fields",
            changed("spec:", "spec:\n  username: bob"),
            FINE,
        ),
        (
            "bad-signer",
            changed("kubernetes.io/kube-apiserver-client", "client"),
            REFUSED,
        ),
        (
            "other-signer",
            changed("kubernetes.io/kube", "example.com/kube"),
            ELSEWHERE,
        ),
        ("bad-usages", changed("client auth", "Client Auth"), REFUSED),
        (
            "bad-usages",
            changed("digital signature", "client auth"),
            REFUSED,
        ),
        (
            "usages-refused",
            changed("client auth", "server auth"),
            NOT_ISSUED,
        ),
        (
            "usages-unfit",
            changed("digital signature", "key encipherment"),
            FINE,
        ),
        (
            "subject-refused",
            changed("apiserver-client", "apiserver-client-kubelet"),
            NOT_ISSUED,
        ),
        ("bad-lifetime", changed("7776000", "599"), REFUSED),
        (
            "lifetime-unset",
            changed("  expirationSeconds: 7776000\n", ""),
            FINE,
        ),
        ("lifetime-long", changed("7776000", "31536001"), FINE),
        ("csr-prefix", changed("alice-0123abcd", "csr-alice"), FINE),
        (
            "name-without-hash",
            changed("alice-0123abcd", "alice"),
            FINE,
        ),
        ("unreadable", "a: b: c".to_owned(), REFUSED),
        (
            "bad-kubeconfig",
            "apiVersion: v1\nkind: Config\nclusters: 1\n".to_owned(),
            REFUSED,
        ),
        (
            "plugin-refused",
            "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\ncredentialPluginPolicy: x\n"
                .to_owned(),
            REFUSED,
        ),
        ("redacted", redacted_kubeconfig(), REFUSED),
    ]
}

/// What shows in how the request is wrapped.
fn blocks() -> Vec<Case> {
    let pem = alice().to_pem();
    vec![
        ("no-request", manifest("no block"), REFUSED),
        (
            "pem-label",
            manifest(&pem.replace("CERTIFICATE REQUEST", "CERTIFICATE")),
            REFUSED,
        ),
        (
            "text-around-block",
            manifest(&format!("CN=bob\n{pem}")),
            FINE,
        ),
        (
            "text-around-block",
            manifest(&format!("{pem}CN=bob\n")),
            FINE,
        ),
        ("second-block", manifest(&pem.repeat(2)), FINE),
        (
            "bad-request",
            manifest(&kube_enroll::pem::encode("CERTIFICATE REQUEST", b"0")),
            REFUSED,
        ),
    ]
}

/// What shows in who is asked for.
fn subjects() -> Vec<Case> {
    vec![
        ("system-masters", with_group("system:masters"), REFUSED),
        ("system-masters", with_group("System:Masters"), FINE),
        ("system-masters", with_group("system: masters"), FINE),
        ("system-identity", with_group("system:nodes"), FINE),
        (
            "system-identity",
            with_group("kubeadm:cluster-admins"),
            FINE,
        ),
        ("system-identity", with_group(" System:Nodes"), FINE),
        ("system-identity", with_user("system:node:worker-1"), FINE),
        (
            "system-identity",
            with_user("system:serviceaccount:kube-system:default"),
            FINE,
        ),
        ("system-identity", with_user("system:kube-scheduler"), FINE),
        (
            "no-user",
            manifest(&OddRequest::new(&[(O, UTF8, "dev")]).to_pem()),
            ANONYMOUS,
        ),
        ("no-user", with_user(""), ANONYMOUS),
        ("several-users", with_attribute(CN, "bob"), FINE),
        ("empty-group", with_group(""), FINE),
        (
            "looks-like-identity",
            with_attribute(OU, "system:masters"),
            FINE,
        ),
        ("looks-like-identity", with_attribute(UID, "bob"), FINE),
        (
            "looks-like-identity",
            with_attribute(EMAIL, "bob@example.com"),
            FINE,
        ),
        ("attribute-dropped", with_attribute(TITLE, "Dr"), FINE),
        ("attribute-dropped", with_attribute(C, "NP"), FINE),
        ("deceptive-characters", with_user("ali\u{1b}[2Kce"), FINE),
        ("deceptive-characters", with_user("ali\rce"), FINE),
        ("deceptive-characters", with_user("alice\n"), FINE),
        ("deceptive-characters", with_user("alice\u{7}"), FINE),
        ("deceptive-characters", with_user("\u{202e}ecila"), FINE),
        ("deceptive-characters", with_user("ali\u{200b}ce"), FINE),
        ("deceptive-characters", with_user("ali\u{2028}ce"), FINE),
        ("deceptive-characters", with_group("\u{feff}dev"), FINE),
        (
            "deceptive-characters",
            changed("name: alice-", "name: \u{200b}alice-"),
            FINE,
        ),
        ("outer-space", with_user("alice "), FINE),
        ("outer-space", with_group(" dev"), FINE),
        ("name-syntax", with_user("CN=alice"), FINE),
        ("name-syntax", with_group("${TEAM}"), FINE),
        ("mixed-scripts", with_group("develop\u{435}rs"), FINE),
        ("look-alike", with_user("\u{430}lice"), FINE),
        ("look-alike", with_user("Alice"), FINE),
        ("long-name", with_user(&"a".repeat(65)), FINE),
        (
            "misleading-comment",
            changed("spec:", "# user: bob\nspec:"),
            FINE,
        ),
        (
            "subject-alt-names",
            manifest(&alice().with_extensions().to_pem()),
            FINE,
        ),
        (
            "extension-dropped",
            manifest(&alice().with_extensions().to_pem()),
            FINE,
        ),
        ("too-large", with_user(&"a".repeat(1_200_000)), REFUSED),
        ("too-large", with_user(&"a".repeat(700_000)), NOT_ISSUED),
        ("too-large", with_user(&"a".repeat(270_000)), ANONYMOUS),
        ("long-name", with_user(&"a".repeat(260_000)), FINE),
    ]
}

fn rsa(modulus: &UBig, exponent: u32) -> String {
    manifest(&alice().with_rsa(&modulus.to_be_bytes(), exponent).to_pem())
}

/// What shows in the key.
fn keys() -> Vec<Case> {
    let power = |exponent: usize| UBig::ONE << exponent;
    // 2^521 - 1 and 2^607 - 1 are primes, and so are 2^512 - 569 and 2^512 - 629.
    let honest = (power(521) - 1_u8) * (power(607) - 1_u8);
    let close = (power(512) - 569_u16) * (power(512) - 629_u16);
    vec![
        ("bad-signature", rsa(&honest, 65_537), REFUSED),
        ("weak-key", rsa(&honest, 65_537), REFUSED),
        ("weak-key", rsa(&(power(2203) - 1_u8), 3), REFUSED),
        ("unusable-key", rsa(&(power(1023) - 1_u8), 65_537), REFUSED),
        ("unusable-key", rsa(&(power(8200) + 1_u8), 65_537), REFUSED),
        ("broken-key", rsa(&close, 65_537), REFUSED),
        ("broken-key", rsa(&(honest * 97_u8), 65_537), REFUSED),
        (
            "broken-key",
            rsa(&UBig::from(65_537_u32).pow(125), 65_537),
            REFUSED,
        ),
    ]
}

/// Everything that shows in a request alone.
fn requests() -> Vec<Case> {
    [objects(), blocks(), subjects(), keys()].concat()
}

fn redacted_kubeconfig() -> String {
    "apiVersion: v1\nkind: Config\nclusters:\n- name: a\n  cluster:\n    server: https://a\n    \
     certificate-authority-data: DATA+OMITTED\n"
        .to_owned()
}

/// The object that comes back: its status, and when the certificate is looked at.
fn returned() -> Vec<(&'static str, Vec<Object>)> {
    let manifest = manifest(&alice().to_pem());
    let other = with_user("bob");
    let decided = |condition: &str| {
        let status = format!(
            "status:\n  conditions:\n  - type: {condition}\n    status: \"True\"\n    reason: r\n    \
             message: m\n"
        );
        look((manifest.clone() + &status).as_bytes(), agreed())
    };
    let authority = common::authority();
    let now = OffsetDateTime::now_utc();
    let issued_at = |manifest: &str, days: i64| {
        common::issue_at(manifest, &authority, now + Duration::days(days))
    };
    let swapped = issued_at(&other, 0)
        .split_once("status:")
        .unwrap()
        .1
        .to_owned();
    let swapped = format!("{manifest}status:{swapped}");
    let long = manifest.replace("7776000", "315360000");
    let looked = |text: &str| look(text.as_bytes(), agreed());
    vec![
        ("denied", decided("Denied")),
        ("failed", decided("Failed")),
        ("not-issued", decided("Approved")),
        ("certificate-mismatch", looked(&swapped)),
        ("expired", looked(&issued_at(&manifest, -200))),
        ("not-yet-valid", looked(&issued_at(&manifest, 2))),
        (
            "no-client-auth",
            looked(&for_servers(&issued_at(&manifest, 0))),
        ),
        (
            "unknown-extension",
            looked(&with_unknown_extension(&issued_at(&manifest, 0))),
        ),
        (
            "other-certificates",
            looked(&with_copy(&issued_at(&manifest, 0))),
        ),
        ("lifetime-cut", looked(&issued_at(&long, 0))),
        (
            "lifetime-exceeded",
            looked(&issued_at(&manifest, 0).replace("7776000", "3600")),
        ),
        ("unusable-uid", with_uids(&["1", "2"])),
        (
            "expired",
            look(
                &common::certificate_of(&issued_at(&manifest, -200)),
                agreed(),
            ),
        ),
    ]
}

/// A certificate of another issuer than the cluster, with these user UIDs; its signature is not
/// looked at.
fn with_uids(uids: &[&str]) -> Vec<Object> {
    const USER_UID: &[u8] = &[0x2B, 6, 1, 4, 1, 0x83, 0xC2, 0x53, 2];
    // The type is six bytes longer than the one that the signer keeps.
    let units: Vec<String> = uids.iter().map(|uid| format!("......{uid}")).collect();
    let mut subject: Vec<_> = units.iter().map(|unit| (OU, UTF8, &**unit)).collect();
    subject.push((CN, UTF8, "alice"));
    let request = manifest(&OddRequest::new(&subject).to_pem());
    let issued = common::certificate_of(&common::issue(&request, &common::authority()));
    let mut der = kube_enroll::pem::first(&issued).unwrap().contents.to_vec();
    for (uid, unit) in uids.iter().zip(&units) {
        let length = |text: &str| u8::try_from(text.len()).unwrap();
        let kept = [
            &[6, 3, 0x55, 4, 11][..],
            &[der_tag(&der, unit), length(unit)],
            unit.as_bytes(),
        ];
        let wanted = [&[6, 9], USER_UID, &[UTF8, length(uid)], uid.as_bytes()].concat();
        let kept = kept.concat();
        let at = der.windows(kept.len()).position(|it| it == kept).unwrap();
        der[at..at + kept.len()].copy_from_slice(&wanted);
    }
    look(&der, agreed())
}

/// The tag before a string of a certificate.
fn der_tag(der: &[u8], text: &str) -> u8 {
    let at = der.windows(text.len()).position(|it| it == text.as_bytes());
    der[at.unwrap() - 2]
}

#[test]
fn a_user_uid_is_shown_and_refused_unless_it_is_one_string() {
    let one = &with_uids(&["4f2b"])[0];
    assert_eq!(one.to_value()["identity"]["uid"], "4f2b");
    assert!(codes(one).is_empty());
    for refused in [&["1", "2"][..], &[""]] {
        let refused = &with_uids(refused)[0];
        assert_eq!(codes(refused), ["unusable-uid"]);
        assert!(refused.identity.is_none());
    }
}

/// An object whose certificate is for server authentication; its signature is not looked at.
fn for_servers(object: &str) -> String {
    with_other_end(object, &[0x2B, 6, 1, 5, 5, 7, 3, 2], 1)
}

/// An object whose certificate has a critical extension that nobody knows in place of `basicConstraints`.
fn with_unknown_extension(object: &str) -> String {
    with_other_end(object, &[6, 3, 0x55, 0x1D, 19], 99)
}

/// The same object, but for the last of these bytes of its certificate.
fn with_other_end(object: &str, bytes: &[u8], end: u8) -> String {
    let (before, _) = object.split_once("certificate: ").unwrap();
    let pem = common::certificate_of(object);
    let mut der = kube_enroll::pem::first(&pem).unwrap().contents.to_vec();
    let position = der.windows(bytes.len()).position(|window| window == bytes);
    der[position.unwrap() + bytes.len() - 1] = end;
    let pem = kube_enroll::pem::encode("CERTIFICATE", &der);
    format!("{before}certificate: {}\n", BASE64_STANDARD.encode(pem))
}

/// An object in whose status the certificate stands twice.
fn with_copy(object: &str) -> String {
    let (before, _) = object.split_once("certificate: ").unwrap();
    let pem = common::certificate_of(object).repeat(2);
    format!("{before}certificate: {}\n", BASE64_STANDARD.encode(pem))
}

/// What shows against what was agreed on, or against other requests.
fn compared() -> Vec<(&'static str, Vec<Object>)> {
    let manifest = manifest(&alice().to_pem());
    let agreement = Agreement {
        user: Some("bob".to_owned()),
        groups: Some(vec!["dev".to_owned()]),
        fingerprint: Some(format!("SHA256:{}", "A".repeat(43)).parse().unwrap()),
        max_lifetime: Some("1d".parse().unwrap()),
    };
    let mut against = look(manifest.as_bytes(), agreed());
    judge(&mut against[0], &agreement);

    let first = alice();
    let second = OddRequest::new(&[(CN, UTF8, "bob")]).with_key_of(&first);
    let mut same_key = look(first.to_pem().as_bytes(), agreed());
    same_key.extend(look(second.to_pem().as_bytes(), agreed()));
    let mut keys = KeysSeen::default();
    for object in &mut same_key {
        keys.look_at(object);
    }

    let prime = |exponent: usize| (UBig::ONE << exponent) - 1_u8;
    let mut shared: Vec<Object> = [(1279, 2203), (2281, 1279), (3217, 4253)]
        .iter()
        .flat_map(|(p, q)| {
            let modulus = (prime(*p) * prime(*q)).to_be_bytes();
            let key = alice().with_rsa(&modulus, 65_537).public_key_pem();
            look(key.as_bytes(), agreed())
        })
        .collect();
    find_shared_factors(&mut shared, false);
    assert!(!codes(&shared[2]).contains(&"shared-factor"));
    shared.pop();

    let mismatches = [
        "user-mismatch",
        "group-mismatch",
        "fingerprint-mismatch",
        "lifetime-mismatch",
    ];
    let mut compared: Vec<_> = mismatches.map(|code| (code, against.clone())).into();
    let roster = Roster::read(b"user,groups\nbob,dev\nalice,dev\n", false).unwrap();
    let mut carol = look(
        OddRequest::new(&[(CN, UTF8, "carol")]).to_pem().as_bytes(),
        agreed(),
    );
    judge_by_roster(&mut carol[0], &roster);
    compared.push(("not-in-roster", carol));
    let mut several = look(alice().to_pem().as_bytes(), agreed());
    several.extend(several.clone());
    several[0].is_one_of_several(2, "alice");
    several[1].is_second_to("alice-0123abcd", "alice");
    compared.push(("second-request", several));
    let mut claimed = look(manifest.as_bytes(), agreed());
    claimed[0].claims_a_decision();
    compared.push(("claimed-status", claimed));
    compared.push(("same-key", same_key.split_off(1)));
    compared.push(("shared-factor", shared));
    let look = |input: &str| look(input.as_bytes(), agreed());
    let twice = manifest.replace("metadata:", "kind: CertificateSigningRequest\nmetadata:");
    compared.push(("second-meaning", look(&twice)));
    let mut same_name = look(&format!("{manifest}---\n{manifest}"));
    compared.push(("same-name", same_name.split_off(1)));
    for unusual in [
        alice().with_unsorted_set(),
        alice().with_shifted_key(),
        alice().with_shifted_signature(),
    ] {
        let mut unusual = look(&unusual.to_pem());
        assert!(!codes(&unusual[0]).contains(&"bad-signature"));
        judge(&mut unusual[0], &Agreement::default());
        compared.push(("unusual-encoding", unusual));
    }
    let mut company = look(&format!("{manifest}---\napiVersion: v1\nkind: Secret\n"));
    company.truncate(1);
    compared.push(("not-alone", company));
    compared
}

#[test]
fn each_input_is_told_and_predicted() {
    for (code, input, outcome) in requests() {
        let objects = look(input.as_bytes(), agreed());
        let found = codes(&objects[0]);
        assert!(
            found.contains(&code),
            "no {code}, but {found:?}, in {input}"
        );
        if let Some(prediction) = objects[0].prediction {
            let predicted = (
                prediction.accepted,
                prediction.issued,
                prediction.authenticates,
            );
            assert_eq!(predicted, outcome, "{code}: {input}");
        }
        assert_eq!(
            objects[0].identity.is_some(),
            outcome == FINE,
            "{code}: {input}"
        );
    }
}

#[test]
fn rsa_keys_of_1024_to_8192_bits_are_of_use_in_tls() {
    for (bits, usable) in [(1023, false), (1024, true), (8192, true), (8193, false)] {
        let request = rsa(&((UBig::ONE << bits) - 1_u8), 65_537);
        let found = codes(&look(request.as_bytes(), agreed())[0]);
        assert_eq!(
            !found.contains(&"unusable-key"),
            usable,
            "{bits}: {found:?}"
        );
    }
}

#[test]
fn what_shows_in_company_is_told_of_each_object() {
    for (code, objects) in returned().into_iter().chain(compared()) {
        assert!(!objects.is_empty());
        for object in &objects {
            let found = codes(object);
            assert!(found.contains(&code), "no {code}, but {found:?}");
        }
    }
}

#[test]
fn a_key_that_is_met_again_is_told_with_the_place_of_the_first_unless_its_user_is_the_same() {
    let request = |file, input: &str| look_into(file, input.as_bytes(), agreed()).remove(0);
    let first = alice();
    let other_user = OddRequest::new(&[(CN, UTF8, "bob")]).with_key_of(&first);
    let mut keys = KeysSeen::default();
    let mut objects = [
        request("first.yaml", &manifest(&first.to_pem())),
        request("again.pem", &first.to_pem()),
        request("other.pem", &other_user.to_pem()),
    ];
    for object in &mut objects {
        keys.look_at(object);
    }
    let [_, again, other] = objects;
    assert!(!codes(&again).contains(&"same-key"));
    let mut findings = other.findings.iter();
    let message = &findings.find(|it| it.code == "same-key").unwrap().message;
    assert!(message.contains("alice-0123abcd (first.yaml)"), "{message}");
}

#[test]
fn a_lifetime_is_cut_where_more_than_ten_minutes_are_missing() {
    const YEAR: i64 = 365 * 24 * 3_600;
    let authority = common::authority();
    for (missing, is_cut) in [(300, false), (600, false), (601, true)] {
        let asked = (YEAR + missing).to_string();
        let manifest = manifest(&alice().to_pem()).replace("7776000", &asked);
        let object = common::issue(&manifest, &authority);
        let found = look(object.as_bytes(), agreed()).remove(0);
        assert_eq!(codes(&found).contains(&"lifetime-cut"), is_cut, "{missing}");
    }
}

#[test]
fn what_is_there_in_place_of_a_request_is_told() {
    for (request, words) in [
        ("", "there is no request in it"),
        ("0\u{1}", "DER where PEM is needed"),
        ("no block", "no PEM block"),
    ] {
        let objects = look(manifest(request).as_bytes(), agreed());
        let mut findings = objects[0].findings.iter();
        let said = findings.find(|it| it.code == "no-request").unwrap();
        assert!(said.message.contains(words), "{}", said.message);
    }
}

#[test]
fn only_rsa_keys_are_counted_as_such() {
    let modulus = ((UBig::ONE << 2047) + 1_u8).to_be_bytes();
    let rsa = alice().with_rsa(&modulus, 65_537).to_pem();
    assert!(look(rsa.as_bytes(), agreed())[0].has_rsa_key());
    assert!(!look(alice().to_pem().as_bytes(), agreed())[0].has_rsa_key());
}

#[test]
fn nothing_is_said_of_an_ordinary_request_with_the_hash_of_its_contents() {
    let pem = alice().to_pem();
    let object = look(manifest(&pem).as_bytes(), agreed()).remove(0);
    let block = kube_enroll::pem::first(pem.as_bytes()).unwrap();
    let request = CertificationRequest::from_der(&block.contents).unwrap();
    let usages = object.usages.unwrap();
    let signer = object.signer_name.unwrap();
    let name = contents_hash(&request, &signer, &usages, object.expiration_seconds);
    let manifest = manifest(&pem).replace("0123abcd", &name);
    assert!(codes(&look(manifest.as_bytes(), agreed())[0]).is_empty());
}

#[test]
fn no_finding_is_without_its_input() {
    let mut covered: BTreeSet<&str> = requests().iter().map(|(code, ..)| *code).collect();
    covered.extend(returned().iter().chain(&compared()).map(|(code, _)| *code));
    // These take a signature by another algorithm; see `reading.rs`.
    covered.insert("weak-signature");
    let all: BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(covered, all);
}

/// Written anew with `KUBE_ENROLL_WRITE_DOCS=1`.
#[test]
fn the_page_of_findings_is_what_the_catalogue_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/findings.md");
    let page = kube_enroll::policy::markdown();
    if std::env::var_os("KUBE_ENROLL_WRITE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == page,
        "docs/findings.md is old"
    );
}

/// Compared each with each, they would take minutes; once each, milliseconds.
#[test]
fn thousands_of_groups_are_compared_with_thousands_that_were_agreed_on() {
    let groups: Vec<String> = (0..5000).map(|n| format!("team-{n:04}")).collect();
    let mut subject: Vec<_> = groups.iter().map(|group| (O, UTF8, &**group)).collect();
    subject.extend([(O, UTF8, "Team-0007"), (CN, UTF8, "alice")]);
    let request = manifest(&OddRequest::new(&subject).to_pem());
    let agreed = Agreed {
        user: Some("alice"),
        groups: &groups,
    };
    let start = Instant::now();
    let findings = look(request.as_bytes(), agreed).remove(0).findings;
    assert!(start.elapsed() < Duration::seconds(10));
    let messages: Vec<_> = findings
        .iter()
        .filter(|finding| finding.code == "look-alike")
        .map(|finding| finding.message.as_str())
        .collect();
    let message = "group \"Team-0007\" only looks like \"team-0007\"; it is another name";
    assert_eq!(messages, [message]);
}
