//! Adding a person's entries to a kubeconfig that holds others.

use serde_json::{Map, Value};

use super::assemble::{EXTENSION, wipe, write_and_wipe};
use super::{Cluster, Kubeconfig, NewEntry, text};
use crate::secret::Secret;

/// Why the entries cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// An entry of the same name was not made by this tool for the same purpose.
    #[error("{list} already has an entry \"{name}\" that was made by something else")]
    Foreign {
        /// `clusters`, `users` or `contexts`.
        list: &'static str,
        /// The name of the entry.
        name: String,
    },
    /// A list is not one.
    #[error("{0} is not a list")]
    NotAList(&'static str),
}

/// Adds the entries to `kubeconfig` and keeps everything else in it, unknown fields included. The
/// current context stays, unless there is none.
///
/// # Errors
/// [`MergeError::Foreign`] rather than replacing what something else wrote.
pub fn merge(mut kubeconfig: Kubeconfig, entry: &NewEntry) -> Result<Secret<String>, MergeError> {
    let merged = add_entries(&mut kubeconfig, entry);
    let mut value = Value::Object(kubeconfig.value);
    match merged {
        Ok(()) => Ok(write_and_wipe(value)),
        Err(error) => {
            wipe(&mut value);
            Err(error)
        }
    }
}

fn add_entries(kubeconfig: &mut Kubeconfig, entry: &NewEntry) -> Result<(), MergeError> {
    let top = &mut kubeconfig.value;
    top.entry("apiVersion").or_insert_with(|| "v1".into());
    top.entry("kind").or_insert_with(|| super::KIND.into());
    for (list, new) in entry.values() {
        let entries = top.entry(list).or_insert(Value::Null);
        if entries.is_null() {
            *entries = Value::Array(Vec::new());
        }
        let entries = entries.as_array_mut().ok_or(MergeError::NotAList(list))?;
        add(list, entries, new)?;
    }
    if text(top, "current-context").is_empty() {
        top.insert("current-context".to_owned(), entry.context.as_str().into());
    }
    Ok(())
}

fn add(list: &'static str, entries: &mut Vec<Value>, new: Value) -> Result<(), MergeError> {
    let name = new.get("name").cloned();
    let old = entries
        .iter_mut()
        .find(|old| old.get("name") == name.as_ref());
    match old {
        None => entries.push(new),
        Some(old) if is_same_place(list, old, &new) => update(list, old, new),
        Some(_) => {
            let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
            let name = name.to_owned();
            return Err(MergeError::Foreign { list, name });
        }
    }
    Ok(())
}

/// The fields of a cluster that the new entry decides.
const ADDRESS: [&str; 6] = [
    "server",
    "certificate-authority",
    "certificate-authority-data",
    "insecure-skip-tls-verify",
    "tls-server-name",
    "proxy-url",
];

/// The fields of a user that this tool writes.
const CREDENTIAL: [&str; 6] = [
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "exec",
    "extensions",
];

/// Writes the new entry over the old one. What others added to it stays.
fn update(list: &str, old: &mut Value, mut new: Value) {
    let (body, decided): (_, &[&str]) = match list {
        "clusters" => ("cluster", &ADDRESS),
        "users" => ("user", &CREDENTIAL),
        _ => ("context", &[]),
    };
    let new = new.get_mut(body).map(Value::take);
    let (Some(Value::Object(old)), Some(Value::Object(mut new))) = (old.get_mut(body), new) else {
        return;
    };
    if let Some(extensions) = new.get_mut("extensions").and_then(Value::as_array_mut) {
        extensions.extend(extensions_of(old).filter(|it| !is_ours(it)).cloned());
    }
    for field in decided {
        old.shift_remove(*field).iter_mut().for_each(wipe);
    }
    for (field, value) in new {
        old.insert(field, value).iter_mut().for_each(wipe);
    }
}

fn extensions_of(body: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let extensions = body.get("extensions").and_then(Value::as_array);
    extensions.into_iter().flatten()
}

fn is_ours(extension: &Value) -> bool {
    extension.get("name") == Some(&EXTENSION.into())
}

/// Whether the new entry may take the place of the old one: a user of this tool is renewed, a
/// cluster keeps its address, a context its cluster and user.
fn is_same_place(list: &str, old: &Value, new: &Value) -> bool {
    let same = |pointer: &str| old.pointer(pointer) == new.pointer(pointer);
    match list {
        "users" => body(old, "user").is_some_and(|user| extensions_of(user).any(is_ours)),
        "clusters" => {
            let old = Cluster::read("", body(old, "cluster"));
            let new = Cluster::read("", body(new, "cluster"));
            old.server == new.server && old.authority == new.authority
        }
        _ => same("/context/cluster") && same("/context/user"),
    }
}

fn body<'a>(entry: &'a Value, field: &str) -> Option<&'a Map<String, Value>> {
    entry.get(field)?.as_object()
}

crate::text::show_raw!(MergeError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubeconfig::cluster::tests::certificate;
    use crate::kubeconfig::{Cluster, Credential};
    use crate::yaml;
    use serde_json::json;
    use std::sync::LazyLock;

    static AUTHORITY: LazyLock<String> = LazyLock::new(certificate);

    /// What `kube-enroll kubeconfig` adds for alice.
    fn alice() -> NewEntry {
        NewEntry {
            cluster: Cluster::new("prod", "https://a", AUTHORITY.as_bytes()),
            user: "alice@prod".to_owned(),
            context: "alice".to_owned(),
            namespace: None,
            credential: Credential::Files {
                certificate: "/a.crt".to_owned(),
                key: "/a.key".to_owned(),
            },
            fingerprint: format!("SHA256:{}", "A".repeat(43)).parse().unwrap(),
        }
    }

    fn merged(into: Value, entry: &NewEntry) -> Result<Value, MergeError> {
        let Value::Object(value) = into else {
            panic!("{into}")
        };
        let kubeconfig = Kubeconfig::from_object(value).unwrap();
        merge(kubeconfig, entry).map(|text| yaml::first_document(text.expose().as_bytes()).unwrap())
    }

    #[test]
    fn what_is_there_stays_and_the_entries_come_behind() {
        let there = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "mine", "unknown": [1],
            "clusters": [{"name": "other", "cluster": {"server": "https://o"}}], "users": null,
        });
        let result = merged(there.clone(), &alice()).unwrap();
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
        let result = merged(json!({}), &alice()).unwrap();
        let head = ["apiVersion", "kind", "current-context"].map(|field| result[field].clone());
        assert_eq!(head, ["v1", "Config", "alice"]);
    }

    #[test]
    fn a_user_of_this_tool_is_renewed_in_its_place() {
        let first = merged(json!({}), &alice()).unwrap();
        let renewed = NewEntry {
            credential: Credential::Files {
                certificate: "/new.crt".to_owned(),
                key: "/new.key".to_owned(),
            },
            ..alice()
        };
        let result = merged(first, &renewed).unwrap();
        assert_eq!(result["users"].as_array().unwrap().len(), 1);
        assert_eq!(result["users"][0]["user"]["client-key"], "/new.key");
    }

    #[test]
    fn a_cluster_is_reached_as_the_new_entry_says_and_keeps_what_others_added() {
        let mut there = merged(json!({}), &alice()).unwrap();
        let cluster = &mut there["clusters"][0]["cluster"];
        cluster["proxy-url"] = "http://old".into();
        cluster["extensions"] = json!([{"name": "theirs"}]);
        let mut moved = alice();
        moved.cluster.tls_server_name = Some("api.prod".to_owned());
        let result = merged(there, &moved).unwrap();
        let cluster = &result["clusters"][0]["cluster"];
        assert_eq!(cluster["tls-server-name"], "api.prod");
        assert_eq!(cluster["proxy-url"], Value::Null);
        assert_eq!(cluster["extensions"], json!([{"name": "theirs"}]));
    }

    #[test]
    fn nothing_of_another_origin_is_replaced() {
        let user = |extension: &str| json!({"name": "alice@prod", "user": {"extensions": [{"name": extension}]}});
        let cluster =
            |server: &str, pem: &str| Cluster::new("prod", server, pem.as_bytes()).to_value();
        let context = |cluster: &str, user: &str| json!({"name": "alice", "context": {"cluster": cluster, "user": user}});
        for (list, entry, foreign) in [
            ("users", user("kube-enroll"), false),
            ("users", user("minikube"), true),
            ("users", json!({"name": "alice@prod"}), true),
            ("clusters", cluster("https://a", &AUTHORITY), false),
            ("clusters", cluster("https://b", &AUTHORITY), true),
            ("clusters", cluster("https://a", &certificate()), true),
            ("contexts", context("prod", "alice@prod"), false),
            ("contexts", context("dev", "alice@prod"), true),
            ("contexts", context("prod", "bob"), true),
        ] {
            let result = merged(json!({list: [entry.clone()]}), &alice());
            let name = entry["name"].as_str().unwrap().to_owned();
            let expected = foreign.then_some(MergeError::Foreign { list, name });
            assert_eq!(result.err(), expected, "{entry}");
        }
    }
}
