//! Kubeconfigs: what is assembled is read back, and merging adds and never takes away.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kube_enroll::certificate::{Certificate, Chain};
use kube_enroll::kubeconfig::{
    Authority, Cluster, Credential, ExecEntry, Kubeconfig, MergeError, NewEntry, assemble, merge,
};
use kube_enroll::secret::Secret;
use kube_enroll::{rehearsal, yaml};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::cases;

pub static CA: LazyLock<String> = LazyLock::new(|| {
    let authority = rehearsal::Authority::new(OffsetDateTime::UNIX_EPOCH, &mut getrandom::SysRng);
    authority.unwrap().certificate().to_pem()
});

static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(|| {
    let chain = Chain::from_pem(CA.as_bytes()).unwrap();
    chain.leaf().clone()
});

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z0-9./:@-]{1,20}", 1 => "\\PC{1,20}", 1 => "(no|on|~|0x1F|1e3|null|: |# )"]
}

pub fn any_cluster() -> impl Strategy<Value = Cluster> {
    let authority = prop_oneof![
        Just(Authority::None),
        any_text().prop_map(Authority::File),
        Just(Authority::Data(CA.clone().into_bytes())),
    ];
    let texts = (
        any_text(),
        any_text(),
        option::of(any_text()),
        option::of(any_text()),
    );
    (texts, authority).prop_map(
        |((name, host, tls_server_name, proxy_url), authority)| Cluster {
            name,
            server: format!("https://{host}"),
            authority,
            tls_server_name,
            proxy_url,
            insecure: false,
        },
    )
}

/// What a [`NewEntry`] is made of, which itself shows nothing of its credential.
#[derive(Debug, Clone)]
struct Entry {
    cluster: Cluster,
    user: String,
    context: String,
    namespace: Option<String>,
    kind: usize,
    credential: [String; 2],
}

impl Entry {
    fn made(&self) -> NewEntry {
        NewEntry {
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            credential: self.credential(),
            certificate: CERTIFICATE.clone(),
        }
    }

    fn credential(&self) -> Credential {
        let [first, second] = self.credential.clone();
        match self.kind {
            0 => Credential::Embedded {
                certificate: first,
                key: Secret::new(second),
            },
            1 => Credential::Files {
                certificate: first,
                key: second,
            },
            _ => Credential::Exec(ExecEntry::new(format!("{first}-enroll"), first, second)),
        }
    }
}

prop_compose! {
    fn any_entry()(
        cluster in any_cluster(),
        user in any_text(),
        context in any_text(),
        namespace in option::of(any_text()),
        kind in 0..3_usize,
        credential in [any_text(), any_text()],
    ) -> Entry {
        Entry { cluster, user, context, namespace, kind, credential }
    }
}

/// Some JSON, as other tools keep it in their fields.
fn any_field() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((any_text(), inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Fields that no one here knows.
fn any_fields() -> impl Strategy<Value = Map<String, Value>> {
    vec(("x-[a-z]{1,6}", any_field()), 0..3).prop_map(|fields| fields.into_iter().collect())
}

/// A list of entries with names of their own, and fields beside and inside the body.
fn any_list(body: &'static str) -> impl Strategy<Value = Value> {
    vec((any_text(), any_fields(), any_fields()), 0..4).prop_map(move |entries| {
        let mut seen = Vec::new();
        let mut list = Vec::new();
        for (name, mut entry, fields) in entries {
            if !seen.contains(&name) {
                seen.push(name.clone());
                entry.insert("name".to_owned(), name.into());
                entry.insert(body.to_owned(), fields.into());
                list.push(Value::Object(entry));
            }
        }
        list.into()
    })
}

prop_compose! {
    /// Somebody's kubeconfig.
    fn any_kubeconfig()(
        mut top in any_fields(),
        clusters in any_list("cluster"),
        users in any_list("user"),
        contexts in any_list("context"),
        current in option::of(any_text()),
        leave_out in 0..4_usize,
    ) -> Map<String, Value> {
        for (list, entries) in [("clusters", clusters), ("users", users), ("contexts", contexts)] {
            top.insert(list.to_owned(), entries);
        }
        top.extend(current.map(|name| ("current-context".to_owned(), name.into())));
        if let Some(list) = ["clusters", "users", "contexts"].get(leave_out) {
            top.insert((*list).to_owned(), Value::Null);
        }
        top
    }
}

pub fn read(text: &str) -> Map<String, Value> {
    let value = yaml::first_document(text.as_bytes()).unwrap();
    value.as_object().unwrap().clone()
}

fn entries<'a>(kubeconfig: &'a Map<String, Value>, list: &str) -> &'a [Value] {
    kubeconfig
        .get(list)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn named<'a>(kubeconfig: &'a Map<String, Value>, list: &str, name: &str) -> Option<&'a Value> {
    entries(kubeconfig, list)
        .iter()
        .find(|entry| entry["name"] == name)
}

fn merged(kubeconfig: &Map<String, Value>, entry: &Entry) -> Result<String, MergeError> {
    let kubeconfig = Kubeconfig::from_object(kubeconfig.clone()).unwrap();
    merge(kubeconfig, &entry.made()).map(|text| text.expose().clone())
}

const LISTS: [&str; 3] = ["clusters", "users", "contexts"];

/// Each list with the field that holds what an entry says.
const BODIES: [(&str, &str); 3] = [
    ("clusters", "cluster"),
    ("users", "user"),
    ("contexts", "context"),
];

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_assembled_is_read_back(entry in any_entry()) {
        let text = assemble(&entry.made());
        let kubeconfig = Kubeconfig::read(text.expose().as_bytes()).unwrap();
        prop_assert_eq!(&kubeconfig.cluster(None).unwrap(), &entry.cluster);
        prop_assert_eq!(kubeconfig.current_context(), &entry.context);
        let contexts: Vec<_> = kubeconfig.contexts().collect();
        prop_assert_eq!(contexts, [(&*entry.context, &*entry.cluster.name, &*entry.user)]);
        let field = |name| kubeconfig.user_field(&entry.user, name).map(str::to_owned);
        match entry.credential() {
            Credential::Embedded { certificate, key } => {
                let base64 = |text: &String| Some(BASE64_STANDARD.encode(text));
                prop_assert_eq!(field("client-certificate-data"), base64(&certificate));
                prop_assert_eq!(field("client-key-data"), base64(key.expose()));
            }
            Credential::Files { certificate, key } => {
                prop_assert_eq!(field("client-certificate"), Some(certificate));
                prop_assert_eq!(field("client-key"), Some(key));
            }
            Credential::Exec(entry_of) => {
                let value = read(text.expose());
                let exec = &named(&value, "users", &entry.user).unwrap()["user"]["exec"];
                prop_assert_eq!(&exec["command"], &entry_of.command);
                prop_assert_eq!(&exec["args"], &json!(entry_of.arguments()));
            }
        }
        let second: Value = serde_yaml::from_str(text.expose()).unwrap();
        prop_assert_eq!(second, Value::Object(read(text.expose())));
    }

    #[test]
    fn merging_keeps_every_entry_and_every_field(old in any_kubeconfig(), entry in any_entry()) {
        let Ok(text) = merged(&old, &entry) else { return Ok(()) };
        let new = read(&text);
        for (field, value) in &old {
            let is_list = LISTS.contains(&field.as_str());
            let is_unset = field == "current-context" && value == "";
            prop_assert!(is_list || is_unset || new.get(field) == Some(value), "{}", field);
        }
        for (list, added) in LISTS.into_iter().zip([&entry.cluster.name, &entry.user, &entry.context]) {
            for value in entries(&old, list).iter().filter(|it| it["name"] != **added) {
                prop_assert!(entries(&new, list).contains(value), "{}: {}", list, value);
            }
            prop_assert!(named(&new, list, added).is_some());
            let was_there = named(&old, list, added).is_some();
            prop_assert_eq!(entries(&new, list).len(), entries(&old, list).len() + usize::from(!was_there));
        }
    }

    #[test]
    fn merging_never_replaces_what_something_else_wrote(
        mut old in any_kubeconfig(),
        entry in any_entry(),
        fields in any_fields(),
        list in 0..3_usize,
    ) {
        let names = [&entry.cluster.name, &entry.user, &entry.context];
        let (name, (list, body)) = (names[list], BODIES[list]);
        let others = entries(&old, list).iter().filter(|it| it["name"] != **name).cloned();
        let mut with_theirs: Vec<Value> = others.collect();
        with_theirs.push(json!({"name": name, body: fields}));
        old.insert(list.to_owned(), with_theirs.into());
        let refused = merged(&old, &entry);
        prop_assert!(refused.is_err(), "{:?}", refused);
    }

    #[test]
    fn merging_twice_is_merging_once(old in any_kubeconfig(), entry in any_entry()) {
        let Ok(once) = merged(&old, &entry) else { return Ok(()) };
        prop_assert_eq!(merged(&read(&once), &entry), Ok(once));
    }

    #[test]
    fn merging_anew_keeps_what_others_added_to_our_entries(
        old in any_kubeconfig(),
        entry in any_entry(),
        beside in any_fields(),
        inside in any_fields(),
    ) {
        let Ok(text) = merged(&old, &entry) else { return Ok(()) };
        let mut with_theirs = read(&text);
        let extension = json!({"name": "another tool", "extension": inside});
        for (list, body) in BODIES {
            for ours in with_theirs[list].as_array_mut().unwrap() {
                ours.as_object_mut().unwrap().extend(beside.clone());
                let body = ours[body].as_object_mut().unwrap();
                body.extend(inside.clone());
                let extensions = body.entry("extensions").or_insert(json!([]));
                extensions.as_array_mut().unwrap().push(extension.clone());
            }
        }
        let again = read(&merged(&with_theirs, &entry).unwrap());
        prop_assert_eq!(again, with_theirs);
    }

    #[test]
    fn a_renewed_credential_takes_the_place_of_the_old_one(
        old in any_kubeconfig(),
        mut entry in any_entry(),
        renewed in any_entry(),
    ) {
        let Ok(before) = merged(&old, &entry) else { return Ok(()) };
        (entry.kind, entry.credential) = (renewed.kind, renewed.credential);
        let after = read(&merged(&read(&before), &entry).unwrap());
        for list in LISTS {
            prop_assert_eq!(entries(&after, list).len(), entries(&read(&before), list).len());
        }
        let alone = read(assemble(&entry.made()).expose());
        prop_assert_eq!(named(&after, "users", &entry.user), named(&alone, "users", &entry.user));
    }
}
