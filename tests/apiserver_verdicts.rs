//! The prediction agrees with what an API server (1.36.2) did with each recorded manifest.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use kube_enroll::inspect::{Context, inspect};
use kube_enroll::policy::Agreed;
use serde_json::Value;
use time::OffsetDateTime;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");

fn verdicts(folder: &str) -> serde_json::Map<String, Value> {
    let verdicts = std::fs::read(format!("{VECTORS}/{folder}/verdicts.json")).unwrap();
    serde_json::from_slice(&verdicts).unwrap()
}

fn predicted(case: &str, input: &[u8]) -> Vec<Value> {
    let context = Context {
        now: OffsetDateTime::UNIX_EPOCH,
        agreed: Agreed::default(),
        passphrase: None,
    };
    let objects = inspect(case, input, &context);
    objects
        .iter()
        .map(|object| serde_json::to_value(object).unwrap())
        .collect()
}

/// The identity as recorded, without what the server adds to everyone.
fn recorded_identity(recorded: &Value) -> Value {
    if recorded["unauthenticated"] == true {
        return Value::Null;
    }
    let mut identity = recorded.clone();
    let groups = identity["groups"].as_array_mut().unwrap();
    groups.retain(|group| group != "system:authenticated");
    identity
}

/// Compares one case of a folder with its record; says what differs.
fn differences(folder: &str, case: &str, verdict: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, found: &Value, expected: &Value| {
        if found != expected {
            differences.push(format!("{case}: {what} is {found}, recorded {expected}"));
        }
    };
    let path = format!("{VECTORS}/{folder}/cases/{case}.yaml");
    let objects = predicted(case, &std::fs::read(path).unwrap());
    if verdict["accepted"] == false {
        for object in &objects {
            compare(
                "accepted",
                &object["prediction"]["accepted"],
                &Value::Bool(false),
            );
            compare("identity", &object["identity"], &Value::Null);
        }
        return differences;
    }
    let recorded = verdict["final"].as_array().unwrap();
    compare("count", &objects.len().into(), &recorded.len().into());
    for (object, recorded) in objects.iter().zip(recorded) {
        let prediction = &object["prediction"];
        compare("accepted", &prediction["accepted"], &Value::Bool(true));
        // Null stands for another signer, which the recorded cluster does not have.
        if !prediction["issued"].is_null() {
            compare("issued", &prediction["issued"], &recorded["issued"]);
        }
        if let Some(identity) = recorded.get("identity") {
            let identity = recorded_identity(identity);
            compare("identity", &object["identity"], &identity);
            let authenticates = Value::Bool(!identity.is_null());
            compare(
                "authenticates",
                &prediction["authenticates"],
                &authenticates,
            );
        }
    }
    differences
}

/// What a manifest without anything odd about it is told anyway.
const ALWAYS: [&str; 2] = ["lifetime-unset", "name-without-hash"];

/// The prediction agrees with the record, and the findings are those of the rule.
fn check(case: &str, rule: &str, codes: &[&str]) {
    let verdicts = verdicts("apiserver");
    let differences = differences("apiserver", case, &verdicts[case]);
    assert!(differences.is_empty(), "{rule}: {}", differences.join("\n"));

    let path = format!("{VECTORS}/apiserver/cases/{case}.yaml");
    let mut found = Vec::new();
    for object in predicted(case, &std::fs::read(path).unwrap()) {
        for finding in object["findings"].as_array().unwrap() {
            let code = finding["code"].as_str().unwrap().to_owned();
            if !ALWAYS.contains(&code.as_str()) && !found.contains(&code) {
                found.push(code);
            }
        }
    }
    assert_eq!(found, codes, "{rule}");
}

/// A test for each recorded case: its name, the rule that decides it, and what is found.
macro_rules! recorded {
    ($($name:ident $case:literal $rule:literal $codes:tt;)*) => {
        $(
            #[test]
            fn $name() {
                check($case, $rule, &$codes);
            }
        )*

        #[test]
        fn every_recorded_case_has_its_test() {
            let verdicts = verdicts("apiserver");
            let tested = [$($case),*];
            assert_eq!(verdicts.keys().collect::<Vec<_>>(), tested);
        }
    };
}

recorded! {
    api_v1beta1 "api-v1beta1" "certificates.k8s.io/v1beta1 is served no more" ["wrong-kind"];
    bad_signature "bad-signature" "ValidateCertificateRequestSignature: the CSR must be signed by its own key" ["bad-signature"];
    ber_indef "ber-indef" "encoding/asn1: lengths are definite" ["bad-request"];
    ca_false "ca-false" "the signer drops basicConstraints and sets CA:FALSE itself" ["extension-dropped"];
    ca_true "ca-true" "the signer drops basicConstraints and sets CA:FALSE itself" ["extension-dropped"];
    challenge_password "challenge-password" "attributes other than extensionRequest are passed over" [];
    cn_bmp "cn-bmp" "encoding/asn1 reads BMPString" [];
    cn_colon "cn-colon" "a common name may hold a colon" [];
    cn_empty_string "cn-empty-string" "CommonNameUserConversion: an empty common name is no user" ["no-user"];
    cn_esc "cn-esc" "control characters in a name are taken as they are" ["deceptive-characters"];
    cn_first "cn-first" "the order of common name and organization does not matter" [];
    cn_ia5 "cn-ia5" "encoding/asn1 reads IA5String" [];
    cn_kube_controller_manager "cn-kube-controller-manager" "no admission plugin guards the names of components" ["system-identity"];
    cn_long200 "cn-long200" "the upper bound of 64 characters is not enforced" ["long-name"];
    cn_node "cn-node" "no admission plugin guards node names at this signer" ["system-identity"];
    cn_quote "cn-quote" "a common name may hold quotes" [];
    cn_rtl "cn-rtl" "bidirectional characters in a name are taken as they are" ["deceptive-characters"];
    cn_slash "cn-slash" "a common name may hold a slash" [];
    cn_t61 "cn-t61" "encoding/asn1 reads T61String" [];
    crlf "crlf" "encoding/pem reads lines that end in CRLF" [];
    der_trailing "der-trailing" "crypto/x509: no data behind the request" ["bad-request"];
    double_base64 "double-base64" "spec.request is decoded once" ["bad-base64"];
    dsa2048 "dsa2048" "CheckSignature: DSA is not implemented" ["bad-signature"];
    dup_key "dup-key" "encoding/json: of a key that comes twice the last counts" ["second-meaning"];
    ec_secp224r1 "ec-secp224r1" "crypto/tls does not take P-224" ["unusable-key"];
    ec_secp256k1 "ec-secp256k1" "crypto/x509 knows four curves" ["bad-request"];
    ec_sha384 "ec-sha384" "any hash may go with any curve" [];
    ec_sha512 "ec-sha512" "any hash may go with any curve" [];
    ed448 "ed448" "CheckSignature: Ed448 is not implemented" ["bad-signature"];
    eku_server_only "eku-server-only" "extended key usages in the CSR do not matter, spec.usages do" ["extension-dropped"];
    empty "empty" "encoding/pem: a block is needed" ["no-request"];
    exp_minus_1 "exp--1" "validateCertificateSigningRequest: 600 seconds or more" ["bad-lifetime"];
    exp_1h "exp-1h" "expirationSeconds is an int32, not a duration" ["wrong-type"];
    exp_2147483647 "exp-2147483647" "the signer caps the lifetime, it does not refuse it" ["lifetime-long"];
    exp_2147483648 "exp-2147483648" "expirationSeconds is an int32" ["wrong-type"];
    exp_31536000 "exp-31536000" "a year may be asked for" [];
    exp_599 "exp-599" "validateCertificateSigningRequest: 600 seconds or more" ["bad-lifetime"];
    exp_600 "exp-600" "validateCertificateSigningRequest: 600 seconds or more" [];
    exp_86400 "exp-86400" "a day may be asked for" [];
    generate_name "generate-name" "metadata.generateName stands in for a name" ["bad-name"];
    groups_masters_set "groups-masters-set" "the server replaces spec.groups by the submitter's" ["submitter-fields"];
    groups_set "groups-set" "the server replaces spec.groups by the submitter's" ["submitter-fields"];
    headers_harmless "headers-harmless" "encoding/pem reads headers and the server ignores them" ["text-around-block"];
    json "json" "JSON is YAML" [];
    ku_certsign "ku-certsign" "the signer drops keyUsage" ["extension-dropped"];
    label_bad "label-bad" "ValidateLabels: the syntax of label values" ["bad-metadata"];
    label_lower "label-lower" "ParseCSR: the label is CERTIFICATE REQUEST, in upper case" ["pem-label"];
    label_new "label-new" "ParseCSR: NEW CERTIFICATE REQUEST is another label" ["pem-label"];
    leading_blank "leading-blank" "encoding/pem skips blank lines" [];
    leading_text "leading-text" "encoding/pem skips text before the block" ["text-around-block"];
    masters "masters" "CertificateSubjectRestriction: system:masters is refused" ["system-masters"];
    masters_case "masters-case" "CertificateSubjectRestriction compares exactly" ["system-masters"];
    masters_in_ou "masters-in-ou" "an organizational unit is no group" ["looks-like-identity"];
    masters_second "masters-second" "CertificateSubjectRestriction looks at every organization" ["system-masters"];
    masters_space "masters-space" "CertificateSubjectRestriction compares exactly" ["system-masters", "outer-space"];
    name_colon "name-colon" "ValidatePathSegmentName: a colon is fine" [];
    name_dotdot "name-dotdot" "ValidatePathSegmentName: not '..'" ["bad-name"];
    name_long253 "name-long253" "ValidatePathSegmentName has no bound on length" [];
    name_long254 "name-long254" "ValidatePathSegmentName has no bound on length" [];
    name_percent "name-percent" "ValidatePathSegmentName: no percent sign" ["bad-name"];
    name_slash "name-slash" "ValidatePathSegmentName: no slash" ["bad-name"];
    name_underscore "name-underscore" "ValidatePathSegmentName: an underscore is fine" [];
    name_unicode "name-unicode" "ValidatePathSegmentName: any script is fine" [];
    namespace_set "namespace-set" "kubectl sends objects of cluster scope without their namespace" ["namespace-ignored"];
    no_cn "no-cn" "CommonNameUserConversion: no common name is no user" ["no-user"];
    no_group "no-group" "a user needs no group" [];
    one_line "one-line" "encoding/pem reads base64 on one line" [];
    only_begin "only-begin" "encoding/pem: a block has an end" ["no-request"];
    other_block_first "other-block-first" "ParseCSR: the first block counts, and it is another" ["second-block", "pem-label"];
    plain "plain" "an ordinary request" [];
    plain_rsa4096 "plain-rsa4096" "an ordinary request" [];
    request_binary_prefix "request-binary-prefix" "encoding/pem skips bytes before the block" ["text-around-block"];
    request_not_base64_pem "request-not-base64-pem" "spec.request is base64, not PEM" ["bad-base64", "no-request"];
    request_unpadded "request-unpadded" "encoding/base64: padding is required" ["bad-base64", "no-request"];
    request_wrapped_plain "request-wrapped-plain" "encoding/base64: a line that YAML folded has spaces in it" ["bad-base64", "no-request"];
    rsa_sha224 "rsa-sha224" "CheckSignature: SHA-224 is not implemented" ["bad-signature"];
    rsa_sha384 "rsa-sha384" "SHA-384 is implemented" [];
    san_email "san-email" "SANs are copied" ["subject-alt-names"];
    seed_v3ext "seed-v3ext" "the signer drops the extensions of the hand-made instructions" ["extension-dropped"];
    signer_custom "signer-custom" "another signer decides" ["other-signer"];
    signer_long "signer-long" "ValidateSignerName: 571 characters or less" ["bad-signer"];
    signer_nodomaindot "signer-nodomaindot" "ValidateSignerName: the domain has a dot" ["bad-signer"];
    signer_noslash "signer-noslash" "ValidateSignerName: domain and path" ["bad-signer"];
    signer_serving "signer-serving" "validateKubeletServingCSR: the subject of a node" ["subject-refused", "other-signer"];
    tabs_inside "tabs-inside" "encoding/pem skips tabs within base64" [];
    trailing_text "trailing-text" "ParseCSR passes over what is behind the block" ["text-around-block"];
    two_blocks "two-blocks" "ParseCSR: the first block counts" ["second-block"];
    two_cn "two-cn" "pkix.Name: the last common name counts" ["several-users"];
    two_docs "two-docs" "each document is an object" [];
    two_groups "two-groups" "each organization is a group" [];
    uid_attr_twice "uid-attr-twice" "the signer drops attributes that pkix.Name has no field for" ["attribute-dropped"];
    unknown_critical_ext "unknown-critical-ext" "the signer drops critical extensions too" ["extension-dropped"];
    usages_both "usages-both" "validateAPIServerClientUsages: client auth alone" ["usages-refused"];
    usages_case "usages-case" "validateCertificateSigningRequest: usages are known words, in lower case" ["bad-usages", "usages-refused"];
    usages_ds_ke_ca "usages-ds-ke-ca" "validateAPIServerClientUsages: key encipherment may be there" ["usages-unfit"];
    usages_dup "usages-dup" "validateCertificateSigningRequest: no usage twice" ["bad-usages"];
    usages_signing "usages-signing" "validateAPIServerClientUsages: client auth is required" ["usages-refused"];
    usages_unknown "usages-unknown" "validateCertificateSigningRequest: usages are known words" ["bad-usages", "usages-refused"];
    username_set "username-set" "the server replaces spec.username by the submitter's" ["submitter-fields"];
    width76 "width76" "encoding/pem reads lines of any width" [];
    with_country "with-country" "the signer keeps what pkix.Name has a field for, and no user is made of it" ["attribute-dropped"];
}

#[test]
fn whether_a_manifest_can_be_created_is_predicted() {
    let verdicts = verdicts("created");
    assert_eq!(verdicts.len(), 350);
    for (case, verdict) in &verdicts {
        let manifest = verdict["manifest"].as_str().unwrap();
        let objects = predicted(case, manifest.as_bytes());
        let accepted = objects
            .iter()
            .all(|object| object["prediction"]["accepted"] == true);
        assert_eq!(
            Value::Bool(accepted),
            verdict["accepted"],
            "{case}: {verdict}"
        );
        let told = objects.iter().any(|object| {
            let findings = object["findings"].as_array().unwrap();
            findings.iter().any(|finding| finding["level"] == "error")
        });
        assert!(accepted || told, "{case}: refused without a word");
    }
}

/// What kubectl does with it depends on the order of a Go map: said to be unknown, and not good.
const CANNOT_BE_TOLD: [&str; 1] = ["dup-true-yes"];

/// Corners of encodings, YAML, JSON, lists, times, names and sizes. A file is accepted when all that
/// is in it is.
#[test]
fn the_prediction_agrees_with_every_recorded_corner() {
    let verdicts = verdicts("corners");
    assert_eq!(verdicts.len(), 363);
    let mut found = Vec::new();
    for (case, verdict) in &verdicts {
        if verdict["accepted"] == true {
            found.extend(differences("corners", case, verdict));
            continue;
        }
        let path = format!("{VECTORS}/corners/cases/{case}.yaml");
        let objects = predicted(case, &std::fs::read(path).unwrap());
        let is_accepted = |object: &Value| object["prediction"]["accepted"] == true;
        if objects.iter().all(is_accepted) {
            found.push(format!("{case}: accepted, recorded {}", verdict["error"]));
        }
    }
    let told = |line: &String| CANNOT_BE_TOLD.iter().any(|case| line.starts_with(case));
    found.retain(|line| !told(line));
    assert!(found.is_empty(), "{}", found.join("\n"));
}
