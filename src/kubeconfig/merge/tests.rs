//! What a merge keeps, replaces and refuses.

use super::*;
use crate::csr::CertificationRequest;
use crate::kubeconfig::{Cluster, Credential};
use crate::lifetime::Lifetime;
use crate::manifest::CertificateSigningRequest;
use crate::name::Subject;
use crate::yaml;
use crate::{key, rehearsal};
use serde_json::json;
use std::sync::LazyLock;
use time::{Duration, OffsetDateTime};

struct Signer {
    authority: rehearsal::Authority,
    key: key::PrivateKey,
    now: OffsetDateTime,
}

static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let random = &mut getrandom::SysRng;
    Signer {
        authority: rehearsal::Authority::new(now, random).unwrap(),
        key: key::PrivateKey::generate(key::Algorithm::EcdsaP256, random).unwrap(),
        now,
    }
});

/// A certificate for alice in these groups, for so many days from that day on.
fn certificate(groups: &[&str], from: i64, days: i64) -> Certificate {
    certificate_of("alice", groups, from, days)
}

fn certificate_of(user: &str, groups: &[&str], from: i64, days: i64) -> Certificate {
    let random = &mut getrandom::SysRng;
    let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
    let subject = Subject::new(user, &groups, false).unwrap();
    let csr = CertificationRequest::build(&subject, &[], &SIGNER.key, random).unwrap();
    let lifetime = Lifetime::try_from(days * 86_400).unwrap();
    let object = CertificateSigningRequest {
        expiration_seconds: Some(lifetime.seconds()),
        ..CertificateSigningRequest::default()
    };
    let then = SIGNER.now + Duration::days(from);
    SIGNER.authority.sign(&csr, &object, then, random).unwrap()
}

fn authority() -> String {
    SIGNER.authority.certificate().to_pem()
}

fn other_authority() -> String {
    let authority = rehearsal::Authority::new(SIGNER.now, &mut getrandom::SysRng).unwrap();
    authority.certificate().to_pem()
}

/// What `kube-enroll kubeconfig` adds for alice.
fn entry(certificate: Certificate) -> NewEntry {
    NewEntry {
        cluster: Cluster::new("prod", "https://a", authority().as_bytes()),
        user: "alice@prod".to_owned(),
        context: "alice".to_owned(),
        namespace: None,
        credential: Credential::Embedded {
            certificate: certificate.to_pem(),
            key: Secret::new("k".to_owned()),
        },
        certificate,
    }
}

fn alice() -> NewEntry {
    entry(certificate(&["dev"], 0, 100))
}

const CONTEXT: Decided = Decided {
    context: true,
    authority: false,
};
const AUTHORITY: Decided = Decided {
    context: false,
    authority: true,
};

type Added = Result<(Value, Vec<Change>), MergeError>;

fn added(into: Value, entry: &NewEntry, decided: Decided) -> Added {
    let Value::Object(value) = into else {
        panic!("{into}")
    };
    let mut kubeconfig = Kubeconfig::from_object(value).unwrap();
    let before = kubeconfig.clone().into_text();
    let added = kubeconfig.add(entry, decided, NamedBy::nothing());
    let text = kubeconfig.into_text();
    match added {
        Ok(changes) => {
            let value = yaml::first_document(text.expose().as_bytes()).unwrap();
            Ok((value, changes))
        }
        Err(error) => {
            assert_eq!(text.expose(), before.expose());
            Err(error)
        }
    }
}

fn merged(into: Value, entry: &NewEntry) -> Value {
    added(into, entry, Decided::default()).unwrap().0
}

#[test]
fn what_is_there_stays_and_the_entries_come_behind() {
    let there = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "mine", "unknown": [1],
        "clusters": [{"name": "other", "cluster": {"server": "https://o"}}], "users": null,
    });
    let result = merged(there.clone(), &alice());
    assert_eq!(result["unknown"], there["unknown"]);
    assert_eq!(result["current-context"], "mine");
    assert_eq!(result["clusters"][0], there["clusters"][0]);
    assert_eq!(result["clusters"][1], alice().cluster.to_value());
    assert_eq!(result["users"][0]["name"], "alice@prod");
    assert_eq!(
        result["contexts"][0]["context"],
        json!({"cluster": "prod", "user": "alice@prod"})
    );
}

#[test]
fn an_empty_kubeconfig_becomes_a_whole_one() {
    let result = merged(json!({}), &alice());
    let head = ["apiVersion", "kind", "current-context"].map(|field| result[field].clone());
    assert_eq!(head, ["v1", "Config", "alice"]);
}

#[test]
fn an_entry_without_a_name_is_replaced_and_not_doubled() {
    let mut first = merged(json!({}), &alice());
    first["contexts"][0]["context"]["user"].take();
    first["users"][0].as_object_mut().unwrap().remove("name");
    let renewed = entry(certificate(&["dev"], 50, 100));
    let result = merged(first, &renewed);
    assert_eq!(result["users"].as_array().unwrap().len(), 1);
    let expected = &merged(json!({}), &renewed)["users"][0]["user"];
    assert_eq!(result["users"][0]["user"], *expected);
}

#[test]
fn a_certificate_of_the_same_holder_that_ends_later_is_taken_in_place() {
    let first = merged(json!({}), &alice());
    let renewed = entry(certificate(&["dev"], 50, 100));
    let (result, changes) = added(first, &renewed, Decided::default()).unwrap();
    assert_eq!(changes, []);
    assert_eq!(result, merged(json!({}), &renewed));
}

#[test]
fn a_certificate_that_says_more_is_replaced_only_where_its_context_was_named() {
    let first = merged(json!({}), &entry(certificate(&["dev", "ops"], 0, 100)));
    for new in [
        certificate(&["dev"], 10, 100),
        certificate(&["ops", "dev"], 0, 50),
    ] {
        let new = entry(new);
        let refused = added(first.clone(), &new, Decided::default()).unwrap_err();
        assert!(
            matches!(refused, MergeError::Credential { .. }),
            "{refused}"
        );
        let (result, changes) = added(first.clone(), &new, CONTEXT).unwrap();
        assert_eq!(result, merged(json!({}), &new));
        assert!(
            matches!(&changes[..], [Change::Credential { .. }]),
            "{changes:?}"
        );
    }
    // What has ended before says nothing any more.
    let later = entry(certificate(&["dev"], 101, 10));
    assert_eq!(merged(first, &later), merged(json!({}), &later));
}

#[test]
fn another_context_of_the_same_user_has_a_certificate_of_its_own_where_it_says_other_things() {
    let first = merged(json!({}), &alice());
    let mut second = entry(certificate(&["ops"], 0, 100));
    second.context = "alice-ops".to_owned();
    let (both, changes) = added(first.clone(), &second, CONTEXT).unwrap();
    assert_eq!(changes, []);
    assert_eq!(both["users"][0], first["users"][0]);
    assert_eq!(both["contexts"][0], first["contexts"][0]);
    let user = both["contexts"][1]["context"]["user"].as_str().unwrap();
    assert!(user.starts_with("alice@prod-"), "{user}");
    assert_eq!(both["users"][1]["name"], user);
    // Again, and renewed: in its place.
    assert_eq!(added(both.clone(), &second, CONTEXT).unwrap().0, both);
    let mut renewed = entry(certificate(&["ops"], 9, 100));
    renewed.context = "alice-ops".to_owned();
    let (result, _) = added(both.clone(), &renewed, CONTEXT).unwrap();
    assert_eq!(result["users"][0], both["users"][0]);
    assert_eq!(result["contexts"], both["contexts"]);
    assert_ne!(result["users"][1], both["users"][1]);

    // The same holder needs no second user; one that two contexts share is not taken from either.
    let mut same = alice();
    same.context = "alice-dev".to_owned();
    let (shared, _) = added(first, &same, CONTEXT).unwrap();
    assert_eq!(shared["users"].as_array().unwrap().len(), 1);
    second.context = "alice-dev".to_owned();
    let (apart, _) = added(shared, &second, CONTEXT).unwrap();
    assert_eq!(apart["contexts"][0]["context"]["user"], "alice@prod");
    assert_ne!(apart["contexts"][1]["context"]["user"], "alice@prod");
    assert_eq!(apart["users"].as_array().unwrap().len(), 2);
}

/// An entry whose certificate is in a file that is not there.
fn without_its_certificate() -> Value {
    let mut there = merged(json!({}), &alice());
    let user = &mut there["users"][0]["user"];
    user["client-certificate"] = "moved.crt".into();
    let user = user.as_object_mut().unwrap();
    user.remove("client-certificate-data");
    there
}

#[test]
fn a_certificate_that_cannot_be_read_is_replaced_with_a_word() {
    let there = without_its_certificate();
    let (result, changes) = added(there, &alice(), Decided::default()).unwrap();
    assert!(
        matches!(&changes[..], [Change::Unread { .. }]),
        "{changes:?}"
    );
    assert!(
        result["users"][0]["user"]
            .get("client-certificate")
            .is_none()
    );
}

#[test]
fn a_certificate_that_cannot_be_read_is_not_replaced_by_one_for_another_key() {
    let mut there = without_its_certificate();
    let mark = there.pointer_mut("/users/0/user/extensions/0/extension/fingerprint");
    *mark.unwrap() = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    let error = added(there, &alice(), Decided::default()).unwrap_err();
    assert!(matches!(error, MergeError::Unread { .. }), "{error:?}");
}

#[test]
fn a_context_that_is_named_is_not_taken_from_another_user() {
    let there = merged(json!({}), &alice());
    let bob = entry(certificate_of("bob", &["dev"], 1, 100));
    let error = added(there, &bob, CONTEXT).unwrap_err();
    assert!(error.is_of_another_user(), "{error:?}");
}

#[test]
fn what_was_made_to_run_another_program_is_not_ours_any_more() {
    let mut there = merged(json!({}), &alice());
    let user = there["users"][0]["user"].as_object_mut().unwrap();
    user.remove("client-certificate-data");
    user.remove("client-key-data");
    user.insert(
        "exec".to_owned(),
        json!({"command": "sh", "args": ["-c", "kube-enroll credential"]}),
    );
    let error = added(there, &alice(), Decided::default()).unwrap_err();
    assert!(matches!(error, MergeError::Foreign { .. }), "{error:?}");
}

#[test]
fn the_way_to_a_cluster_stays_and_another_one_is_refused() {
    let mut there = merged(json!({}), &alice());
    let cluster = &mut there["clusters"][0]["cluster"];
    cluster["proxy-url"] = "http://me:secret@old".into();
    cluster["extensions"] = json!([{"name": "theirs"}]);
    let kept = there["clusters"][0].clone();
    assert_eq!(merged(there.clone(), &alice())["clusters"][0], kept);
    let mut moved = alice();
    moved.cluster.proxy_url = Some("http://new".to_owned());
    let error = added(there, &moved, Decided::default()).unwrap_err();
    assert!(matches!(
        error,
        MergeError::Way {
            field: "proxy-url",
            ..
        }
    ));
    let words = error.to_string();
    assert!(
        words.contains("http://old") && !words.contains("secret"),
        "{words}"
    );
}

#[test]
fn another_authority_is_taken_only_where_that_was_decided() {
    let mut there = merged(json!({}), &alice());
    there["clusters"][0]["cluster"]["tls-server-name"] = "k".into();
    let mut rotated = alice();
    rotated.cluster = Cluster::new("prod", "https://A:443/", other_authority().as_bytes());
    let error = added(there.clone(), &rotated, CONTEXT).unwrap_err();
    assert!(matches!(error, MergeError::Authority { .. }), "{error}");
    let (result, changes) = added(there.clone(), &rotated, AUTHORITY).unwrap();
    assert!(
        matches!(&changes[..], [Change::Authority { .. }]),
        "{changes:?}"
    );
    let cluster = &result["clusters"][0]["cluster"];
    assert_eq!(cluster["tls-server-name"], "k");
    assert_eq!(cluster["server"], "https://a");
    let new = rotated.cluster.to_value();
    let field = "certificate-authority-data";
    assert_eq!(cluster[field], new["cluster"][field]);
    // Where none is given, the one that is there stays.
    rotated.cluster.authority = Authority::None;
    let kept = merged(there.clone(), &rotated);
    assert_eq!(kept["clusters"], there["clusters"]);
}

#[test]
fn an_authority_in_a_file_is_the_same_as_its_contents() {
    let there = json!({"clusters": [{"name": "prod", "cluster": {
        "server": "https://a", "certificate-authority": "ca.crt",
    }}]});
    let kubeconfig = Kubeconfig::from_object(there.as_object().unwrap().clone());
    let read = |path: &Path| {
        (path == Path::new("/f/ca.crt")).then(|| Zeroizing::new(authority().into_bytes()))
    };
    let named = NamedBy {
        folder: Path::new("/f"),
        read: &read,
    };
    let added = kubeconfig.unwrap().add(&alice(), Decided::default(), named);
    assert_eq!(added, Ok(vec![]));
}

#[test]
fn nothing_of_another_origin_is_replaced() {
    let user = |extension: &str| json!({"name": "alice@prod", "user": {"extensions": [{"name": extension}]}});
    let cluster = |server: &str, pem: &str| Cluster::new("prod", server, pem.as_bytes()).to_value();
    let context = |cluster: &str, user: &str| json!({"name": "alice", "context": {"cluster": cluster, "user": user}});
    for (list, entry, is_foreign) in [
        ("users", user("kube-enroll"), false),
        ("users", user("minikube"), true),
        ("users", json!({"name": "alice@prod"}), true),
        ("clusters", cluster("https://a", &authority()), false),
        ("clusters", cluster("https://b", &authority()), true),
        ("clusters", cluster("https://a", &other_authority()), true),
        ("clusters", json!({"name": "prod"}), true),
        ("contexts", context("prod", "alice@prod"), false),
        ("contexts", context("dev", "alice@prod"), true),
        ("contexts", context("prod", "bob"), true),
    ] {
        let there = json!({list: [entry.clone()]});
        let result = added(there.clone(), &alice(), Decided::default());
        assert_eq!(result.is_err(), is_foreign, "{entry}");
        // Naming the context does not make it ours.
        if let Ok((result, _)) = added(there, &alice(), CONTEXT) {
            assert!(!is_foreign || result["users"][0] == entry, "{result}");
        }
    }
}

#[test]
fn contexts_are_found_by_the_key_of_their_certificates() {
    let there = merged(json!({}), &alice());
    let key = alice().certificate.public_key().clone();
    let of_key = |value: &Value| {
        let kubeconfig = Kubeconfig::from_object(value.as_object().unwrap().clone()).unwrap();
        let found = kubeconfig.contexts_of(&key, NamedBy::nothing());
        found
            .iter()
            .map(|(context, cluster)| format!("{context} {cluster}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(of_key(&there), ["alice prod"]);
    let mut unmarked = there.clone();
    unmarked["users"][0]["user"]
        .as_object_mut()
        .unwrap()
        .remove("extensions");
    assert_eq!(of_key(&unmarked), ["alice prod"]);
    let mut other = there;
    other["users"][0]["user"]["extensions"][0]["extension"]["fingerprint"] = "SHA256:x".into();
    assert_eq!(of_key(&other), [""; 0]);
}
