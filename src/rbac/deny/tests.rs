//! Files of API servers, and what they come to.

use time::OffsetDateTime;
use time::macros::datetime;

use super::authorizer::{AUTHORIZER, PARTS};
use super::certificates::Known;
use super::*;
use crate::key::Fingerprint;

const UNTIL: OffsetDateTime = datetime!(2030-01-02 03:04:05 UTC);

fn id(digit: char) -> CredentialId {
    let text = format!("X509SHA256={}", digit.to_string().repeat(64));
    text.parse().unwrap()
}

fn read(text: &str) -> AuthorizationConfiguration {
    AuthorizationConfiguration::read(text.as_bytes()).unwrap()
}

#[test]
fn a_new_file_denies_first_and_leaves_the_rest_to_node_and_rbac() {
    let mut configuration = AuthorizationConfiguration::default();
    configuration.denied.deny("bob", Some(UNTIL));
    configuration.denied.deny("alice", None);
    configuration
        .denied
        .keep("alice", id('a'), Some(UNTIL), None);
    let text = configuration.to_yaml().unwrap();
    let value = yaml::first_document(text.as_bytes()).unwrap();
    let authorizers = value["authorizers"].as_array().unwrap();
    assert_eq!(authorizers.len(), 3);
    assert_eq!(authorizers[0]["webhook"]["failurePolicy"], "Deny");
    assert_eq!(authorizers[1], json!({"type": "Node", "name": "node"}));
    assert_eq!(authorizers[2], json!({"type": "RBAC", "name": "rbac"}));
    let [first, second, third] = PARTS;
    let expression = format!(
        "{first}'alice',\n'bob', // until 2030-01-02T03:04:05Z\n{second}'X509SHA256={} alice', \
         // until 2030-01-02T03:04:05Z\n{third}",
        "a".repeat(64)
    );
    let conditions = &authorizers[0]["webhook"]["matchConditions"];
    assert_eq!(conditions[0]["expression"], expression);
    // Each has a line of its own, for those who compare versions of the file.
    assert!(text.contains("\n        'alice',\\n\\\n"), "{text}");
    let read = read(&text);
    assert_eq!(read.denied, configuration.denied);
    assert_eq!(read.to_yaml().unwrap(), text);
    assert_eq!(read.kubeconfig_path(), KUBECONFIG);
}

const THEIRS: &str = "
    # ours
    apiVersion: apiserver.config.k8s.io/v1beta1
    kind: AuthorizationConfiguration
    later: {field: 1}
    authorizers:
    - {type: Webhook, name: opa, webhook: {timeout: 3s, matchConditions: [{expression: 'true'}]}}
    - {type: RBAC, name: r}";

#[test]
fn what_is_there_is_kept_behind_it() {
    let mut configuration = read(THEIRS);
    assert!(configuration.has_comments);
    let before = yaml::first_document(THEIRS.as_bytes()).unwrap();
    let unchanged = configuration.to_yaml().unwrap();
    let unchanged = yaml::first_document(unchanged.as_bytes());
    assert_eq!(unchanged, Ok(before.clone()));
    configuration.denied.deny("alice", None);
    let text = configuration.to_yaml().unwrap();
    let mut value = yaml::first_document(text.as_bytes()).unwrap();
    let first = value["authorizers"].as_array_mut().unwrap().remove(0);
    assert_eq!(first["name"], AUTHORIZER);
    assert_eq!(value, before);
}

#[test]
fn it_comes_first_again_and_keeps_what_was_set_in_it() {
    let mut configuration = read(THEIRS);
    configuration.denied.deny("alice", Some(UNTIL));
    let text = configuration.to_yaml().unwrap();
    let mut value = yaml::first_document(text.as_bytes()).unwrap();
    let authorizers = value["authorizers"].as_array_mut().unwrap();
    authorizers.rotate_left(1);
    let webhook = &mut authorizers[2]["webhook"];
    webhook["connectionInfo"]["kubeConfigFile"] = "/elsewhere".into();
    webhook["failurePolicy"] = "NoOpinion".into();
    webhook["matchConditions"][1]["expression"] = "{'': true}['gesperrt']".into();
    let mut moved = read(&yaml::to_string(&value));
    assert_eq!(moved.kubeconfig_path(), "/elsewhere");
    moved.denied.deny("alice", None);
    moved.denied.deny("bob", None);
    let value = yaml::first_document(moved.to_yaml().unwrap().as_bytes()).unwrap();
    let first = &value["authorizers"][0];
    assert_eq!(value["authorizers"].as_array().unwrap().len(), 3);
    assert_eq!(first["name"], AUTHORIZER);
    let webhook = &first["webhook"];
    assert_eq!(webhook["connectionInfo"]["kubeConfigFile"], "/elsewhere");
    assert_eq!(webhook["failurePolicy"], "Deny");
    let refusal = &webhook["matchConditions"][1]["expression"];
    assert_eq!(refusal, "{'': true}['gesperrt']");
    let mut softened = first.clone();
    for bad in [
        "false",
        "{'': true}['']",
        "{'': true}['a'] || true || {'': true}['a']",
    ] {
        softened["webhook"]["matchConditions"][1]["expression"] = bad.into();
        assert_eq!(read_authorizer(&softened), None, "{bad}");
    }
    let read = read_authorizer(first).unwrap();
    assert_eq!(read.users["alice"].until, Some(UNTIL));
    assert!(read.has("bob"));
}

#[test]
fn what_is_kept_is_refused_again_where_it_is_lost_as_well() {
    let mut denied = DeniedCertificates::default();
    denied.deny("alice", None);
    for (user, digit) in [("alice", 'a'), ("alice", 'b'), ("bob", 'a')] {
        denied.keep(user, id(digit), Some(UNTIL), None);
    }
    denied.deny("alice", None);
    assert_eq!(denied.kept("alice").count(), 2);
    denied.refuse("alice", id('b'));
    assert_eq!(denied.kept("alice").collect::<Vec<_>>(), [&id('a')]);
    denied.forget_ended(UNTIL);
    denied.refuse_all("alice");
    assert_eq!(denied.kept("alice").count(), 0);
    assert_eq!(denied.kept("bob").count(), 1);
    denied.forget_ended(UNTIL + time::Duration::SECOND);
    assert_eq!(denied.kept("bob").count(), 0);
    assert!(denied.has("alice"), "nobody is let in again by a clock");
}

#[test]
fn a_key_that_was_lost_stays_lost_and_takes_what_is_kept_with_it() {
    let (lost, other) = (Fingerprint::new([7; 32]), Fingerprint::new([8; 32]));
    let mut configuration = AuthorizationConfiguration::default();
    let denied = &mut configuration.denied;
    denied.deny("alice", Some(UNTIL));
    denied.deny("bob", None);
    // A rewritten copy, before anybody knew that there was one.
    denied.keep("alice", id('a'), Some(UNTIL), Some(lost));
    denied.keep("alice", id('b'), Some(UNTIL), Some(other));
    denied.lose("alice", lost);
    denied.lose("bob", lost);
    let read = read(&configuration.to_yaml().unwrap()).denied;
    assert_eq!(read, configuration.denied);
    assert_eq!(read.kept("alice").collect::<Vec<_>>(), [&id('b')]);
    assert_eq!(read.loser_of(&lost), Some("alice"));
    assert_eq!(read.loser_of(&other), None);
    let expression = read.expression().unwrap();
    let line = format!("'alice', // until 2030-01-02T03:04:05Z {lost}\n'bob', // {lost}\n");
    assert!(expression.contains(&line), "{expression}");
    assert_eq!(DeniedCertificates::read(&expression), Some(read));
    let cut = expression.replace(&lost.to_string(), "SHA256:BwcH");
    assert_eq!(DeniedCertificates::read(&cut), None);
}

#[test]
fn with_the_last_user_the_authorizer_goes() {
    let mut configuration = read(THEIRS);
    configuration.denied.deny("alice", None);
    configuration.denied = DeniedCertificates::default();
    assert!(!configuration.to_yaml().unwrap().contains(AUTHORIZER));
}

#[test]
fn what_was_edited_by_hand_is_read_or_refused() {
    let [first, second, third] = PARTS;
    let lines = |text: &str| DeniedCertificates::read(&[first, text, second, third].concat());
    for good in [
        "'alice',\n",
        "'alice'",
        "\n   'alice'  , // lost in a train\n\n// nobody else\n",
        "'alice', // until tomorrow\n",
    ] {
        let read = lines(good).unwrap();
        assert_eq!(read.users().collect::<Vec<_>>(), ["alice"], "{good}");
        assert_eq!(read.users["alice"], Known::default());
    }
    assert!(lines("").unwrap().is_empty());
    for bad in [
        "alice,",
        "'a' + 'b',",
        "'a', 'b'",
        "'a",
        r"'\x41'",
        r"'\U11111111'",
    ] {
        assert_eq!(lines(bad), None, "{bad}");
    }
    assert_eq!(DeniedCertificates::read("true"), None);
    let kept = |text: &str| DeniedCertificates::read(&[first, second, text, third].concat());
    assert_eq!(kept("'alice',"), None);
    assert_eq!(kept("'X509SHA256=00 alice',"), None);
}

#[test]
fn a_name_is_denied_to_the_letter_and_cannot_leave_its_quotes() {
    for name in [
        "x'\n], true // ",
        "a//b until 2030",
        r"\'",
        "é🙂\u{2028}\r",
        " a ",
        "] && has(request.extra) &&\n",
        PARTS[1],
    ] {
        let mut configuration = AuthorizationConfiguration::default();
        configuration.denied.deny(name, Some(UNTIL));
        configuration.denied.keep(name, id('a'), Some(UNTIL), None);
        let text = configuration.to_yaml().unwrap();
        assert_eq!(read(&text).denied, configuration.denied, "{text}");
        let expression = configuration.denied.expression().unwrap();
        assert_eq!(expression.lines().count(), 10, "{expression}");
        let is_plain = |b: u8| b == b'\n' || b == b' ' || b.is_ascii_graphic();
        assert!(expression.bytes().all(is_plain));
    }
}

#[test]
fn other_files_are_refused_without_a_word_of_theirs() {
    let config = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\n";
    for (text, said) in [
        (String::new(), "found 0 objects"),
        ("a: [".to_owned(), "line 2: a value"),
        ("- secret".to_owned(), "found something else"),
        (
            "kind: Config\ntoken: secret".to_owned(),
            "found something else",
        ),
        (config.replace("/v1", "/v1alpha1"), "another version"),
        (config.to_owned(), "found none"),
        (format!("{config}authorizers: []"), "found none"),
        (format!("{config}authorizers: [secret]"), "found none"),
        (
            format!("{config}authorizers: [{{}}]\n---\n{config}"),
            "found 2 objects",
        ),
        (
            format!("{config}kind: secret\n"),
            "line 3: a key that comes twice",
        ),
        (
            format!("{config}authorizers: [{{name: {AUTHORIZER}, type: secret}}]"),
            "was changed by hand",
        ),
    ] {
        let error = AuthorizationConfiguration::read(text.as_bytes()).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(said) && !error.contains("secret"),
            "{text}: {error}"
        );
    }
}

#[test]
fn more_than_api_servers_read_is_refused() {
    let mut denied = DeniedCertificates::default();
    for number in 0..2_000 {
        denied.deny(&format!("user-{number}"), Some(UNTIL));
    }
    assert!(denied.expression().is_ok());
    for number in 0..2_000 {
        denied.deny(&format!("another-{number}"), Some(UNTIL));
    }
    assert_eq!(denied.expression(), Err(DenyError::TooMany(4_000)));
}

#[test]
fn an_id_is_what_api_servers_log() {
    let good = format!("X509SHA256={}", "0A".repeat(32));
    let id: CredentialId = good.parse().unwrap();
    assert_eq!(id.as_str(), good.replace("0A", "0a"));
    for bad in [
        "",
        "X509SHA256=",
        &good[11..],
        &format!("{good}0"),
        &good.replace('A', "g"),
    ] {
        assert_eq!(bad.parse::<CredentialId>(), Err(DenyError::Id));
    }
}
