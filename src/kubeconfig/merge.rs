//! Adding a person's entries to a kubeconfig that holds others.

use serde_json::Value;

use super::assemble::{EXTENSION, wipe, write_and_wipe};
use super::{Kubeconfig, NewEntry, text};
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
        Some(old) if is_same_place(list, old, &new) => {
            wipe(old);
            *old = new;
        }
        Some(_) => {
            let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
            let name = name.to_owned();
            return Err(MergeError::Foreign { list, name });
        }
    }
    Ok(())
}

/// Whether the new entry may take the place of the old one: a user of this tool is renewed, a
/// cluster keeps its address, a context its cluster and user.
fn is_same_place(list: &str, old: &Value, new: &Value) -> bool {
    let same = |pointer: &str| old.pointer(pointer) == new.pointer(pointer);
    match list {
        "users" => old
            .pointer("/user/extensions")
            .and_then(Value::as_array)
            .is_some_and(|extensions| {
                extensions
                    .iter()
                    .any(|extension| extension.get("name") == Some(&EXTENSION.into()))
            }),
        "clusters" => same("/cluster/server") && same("/cluster/certificate-authority-data"),
        _ => same("/context/cluster") && same("/context/user"),
    }
}
