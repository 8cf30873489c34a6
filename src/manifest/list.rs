//! Lists, taken apart as kubectl does (k8s.io/cli-runtime/pkg/resource `FlattenListVisitor`,
//! k8s.io/apimachinery/pkg/apis/meta/v1/unstructured `unstructuredJSONScheme`): whatever has
//! `items` is one, and its items alone are created.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{API_VERSION, KIND, Metadata, ProblemKind};

/// What `kubectl get` prints more than one object in.
const LIST: (&str, &str) = ("v1", "List");

/// Why kubectl creates nothing of a list, or what it creates cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListProblem {
    /// A list must say what it is.
    #[error("a list without apiVersion or kind, which kubectl refuses")]
    Unnamed,
    /// Another kind of list.
    #[error("a list of another kind: what kubectl makes of it depends on the cluster")]
    OtherKind,
    /// `items` is no list.
    #[error("items that are no list, which kubectl refuses")]
    Items,
    /// One of the items is no object, or does not say what it is.
    #[error(
        "a list with an item that is no object or lacks apiVersion or kind, which kubectl refuses"
    )]
    Item,
    /// `ExtractList` takes apart the outermost list alone.
    #[error("a list with a list among its items, which kubectl refuses")]
    Nested,
    /// The metadata of the list are those of no object.
    #[error("a list with metadata that kubectl cannot read")]
    Metadata,
    /// A typed list is held to its type.
    #[error("a list with a field that its kind does not have, which kubectl refuses")]
    UnknownField,
    /// So are its items.
    #[error("a list of requests with an item of another kind, which kubectl refuses")]
    OtherItem,
}

crate::text::show_escaped!(ListProblem);

impl ListProblem {
    /// Whether kubectl may create something all the same, only that nobody can say what.
    #[must_use]
    pub fn cannot_tell(self) -> bool {
        self == Self::OtherKind
    }
}

/// The objects that kubectl creates: the object itself, or the items of the list that it is.
///
/// # Errors
/// [`ListProblem`].
pub fn items(object: &Map<String, Value>) -> Result<Vec<Cow<'_, Map<String, Value>>>, ListProblem> {
    let Some(items) = object.get("items") else {
        return Ok(vec![Cow::Borrowed(object)]);
    };
    let (Some(version), Some(kind)) = (text(object, "apiVersion"), text(object, "kind")) else {
        return Err(ListProblem::Unnamed);
    };
    let is_list = (version, kind) == LIST;
    let item_kind = kind.strip_suffix("List").unwrap_or(kind);
    let is_typed = version == API_VERSION && item_kind == KIND;
    if !is_list && !is_typed {
        return Err(ListProblem::OtherKind);
    }
    let items = match items {
        Value::Array(items) => items.as_slice(),
        Value::Null if !is_list => &[],
        _ => return Err(ListProblem::Items),
    };
    metadata(object)?;
    // kubectl holds a list of requests to its schema, and leaves an object to the server.
    if is_typed && kind != KIND && has_more(object) {
        return Err(ListProblem::UnknownField);
    }
    let mut created = Vec::new();
    for item in items {
        let item = match item {
            Value::Object(item) => Cow::Borrowed(item),
            Value::Null if kind == KIND => Cow::Owned(Map::new()),
            _ => return Err(ListProblem::Item),
        };
        created.push(if is_list {
            let is_named = text(&item, "apiVersion").is_some() && text(&item, "kind").is_some();
            is_named.then_some(item).ok_or(ListProblem::Item)?
        } else {
            inheriting(item, item_kind)
        });
    }
    let is_list = |item: &Map<String, Value>| matches!(item.get("items"), Some(Value::Array(_)));
    if created.iter().any(|item| is_list(item)) {
        return Err(ListProblem::Nested);
    }
    let is_nameless = |item: &Map<String, Value>| text(item, "kind").is_none_or(str::is_empty);
    if created.iter().any(|item| is_nameless(item)) {
        return Err(ListProblem::Item);
    }
    let is_other = |item: &Map<String, Value>| text(item, "kind") != Some(KIND);
    if is_typed && kind != KIND && created.iter().any(|item| is_other(item)) {
        return Err(ListProblem::OtherItem);
    }
    Ok(created)
}

/// An item that says neither takes both from the list.
fn inheriting<'a>(item: Cow<'a, Map<String, Value>>, kind: &str) -> Cow<'a, Map<String, Value>> {
    let is_unset = |name| text(&item, name).is_none_or(str::is_empty);
    if !(is_unset("apiVersion") && is_unset("kind")) {
        return item;
    }
    let mut named = item.into_owned();
    named.insert("apiVersion".to_owned(), API_VERSION.into());
    named.insert("kind".to_owned(), kind.into());
    Cow::Owned(named)
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// kubectl reads the metadata of whatever it is given as those of an object
/// (k8s.io/cli-runtime/pkg/resource `metadataValidatingDecoder`).
fn metadata(list: &Map<String, Value>) -> Result<(), ListProblem> {
    let mut problems = Vec::new();
    match list.get("metadata") {
        None | Some(Value::Null) => {}
        Some(Value::Object(metadata)) => {
            Metadata::read(metadata, &mut problems);
        }
        Some(_) => return Err(ListProblem::Metadata),
    }
    let is_unknown = |kind: &ProblemKind| matches!(kind, ProblemKind::Unknown(_));
    if problems.iter().all(|problem| is_unknown(&problem.kind)) {
        Ok(())
    } else {
        Err(ListProblem::Metadata)
    }
}

/// Whether a list has other fields than a list has (k8s.io/apimachinery/pkg/apis/meta/v1 `ListMeta`),
/// or an object other `items`. In a plain list kubectl passes them over.
#[must_use]
pub fn has_more(list: &Map<String, Value>) -> bool {
    let known = ["apiVersion", "kind", "metadata", "items"];
    let known_metadata = [
        "continue",
        "remainingItemCount",
        "resourceVersion",
        "selfLink",
    ];
    let metadata = list.get("metadata").and_then(Value::as_object);
    let mut inner = metadata.into_iter().flat_map(Map::keys);
    !(list.keys().all(|name| known.contains(&name.as_str()))
        && inner.all(|name| known_metadata.contains(&name.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kinds(list: &Value) -> Result<Vec<String>, ListProblem> {
        let items = items(list.as_object().unwrap())?;
        let kind = |item: &Cow<'_, Map<String, Value>>| text(item, "kind").unwrap().to_owned();
        Ok(items.iter().map(kind).collect())
    }

    #[test]
    fn an_object_without_items_is_itself() {
        assert_eq!(
            kinds(&json!({"kind": "CertificateSigningRequest"})).unwrap(),
            [KIND]
        );
    }

    #[test]
    fn items_of_a_typed_list_take_kind_and_version_from_it() {
        let typed = |list: &str, item: Value| {
            json!({"apiVersion": API_VERSION, "kind": list, "items": [
                {}, item, {"apiVersion": "", "kind": ""},
            ]})
        };
        let both = ["CertificateSigningRequestList", KIND];
        for list in both {
            let own = json!({"apiVersion": API_VERSION, "kind": KIND});
            assert_eq!(kinds(&typed(list, own)).unwrap(), [KIND; 3]);
        }
        // A list is held to its type, and an object that has items is none.
        let [list, object] =
            both.map(|list| kinds(&typed(list, json!({"apiVersion": "v1", "kind": "Secret"}))));
        assert_eq!(list, Err(ListProblem::OtherItem));
        assert_eq!(object.unwrap(), [KIND, "Secret", KIND]);
        let half = json!({"apiVersion": API_VERSION, "kind": "CertificateSigningRequestList",
            "items": [{"apiVersion": API_VERSION}]});
        assert_eq!(kinds(&half), Err(ListProblem::Item));
    }

    #[test]
    fn what_kubectl_refuses_is_refused() {
        let list = |version: &str, kind: &str, items: Value| json!({"apiVersion": version, "kind": kind, "items": items});
        for (list, problem) in [
            (json!({"kind": "List", "items": []}), ListProblem::Unnamed),
            (
                json!({"apiVersion": "v1", "items": []}),
                ListProblem::Unnamed,
            ),
            (list("a", "List", json!([])), ListProblem::OtherKind),
            (list("v1", "SecretList", json!([])), ListProblem::OtherKind),
            (
                list("v1", "CertificateSigningRequestList", json!([])),
                ListProblem::OtherKind,
            ),
            (list("v1", "List", json!({})), ListProblem::Items),
            (list("v1", "List", json!(null)), ListProblem::Items),
            (list(API_VERSION, KIND, json!({})), ListProblem::Items),
            (list("v1", "List", json!([null])), ListProblem::Item),
            (
                list("v1", "List", json!([list("v1", "List", json!([]))])),
                ListProblem::Nested,
            ),
            (
                list("v1", "List", json!([{"kind": "A"}])),
                ListProblem::Item,
            ),
            (
                json!({"apiVersion": "v1", "kind": "List", "items": [], "metadata": {"name": 1}}),
                ListProblem::Metadata,
            ),
            (
                json!({"apiVersion": API_VERSION, "kind": "CertificateSigningRequestList",
                    "items": [], "spec": {}}),
                ListProblem::UnknownField,
            ),
        ] {
            assert_eq!(kinds(&list), Err(problem), "{list}");
        }
    }
}
