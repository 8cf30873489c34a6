//! kubeconfig v1: read as client-go does, stripped to a cluster's address, assembled and merged
//! (k8s.io/client-go/tools/clientcmd).

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::yaml::{self, YamlError};

mod assemble;
mod auth_info;
mod cluster;
mod exec_entry;
mod merge;

pub use assemble::{Credential, NewEntry, assemble};
pub use auth_info::{AuthInfo, Held};
pub use cluster::{Authority, BrokenAuthority, Cluster, ClusterProblem};
pub use exec_entry::ExecEntry;
pub use merge::{
    Change, Compared, Decided, Fingerprints, Holder, Joined, MergeError, NamedBy, merge,
};

/// The kind of a kubeconfig.
pub const KIND: &str = "Config";

/// The fields of a kubeconfig (clientcmd/api/v1 `Config`).
const FIELDS: [&str; 8] = [
    "kind",
    "apiVersion",
    "preferences",
    "clusters",
    "users",
    "contexts",
    "current-context",
    "extensions",
];
/// The fields of clusters, users and contexts that are text (clientcmd/api/v1 `types.go`).
const TEXTS: [&str; 17] = [
    "server",
    "tls-server-name",
    "certificate-authority",
    "certificate-authority-data",
    "proxy-url",
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
    "as",
    "as-uid",
    "username",
    "password",
    "cluster",
    "namespace",
];
/// Those that are true or false.
const FLAGS: [&str; 2] = ["insecure-skip-tls-verify", "disable-compression"];

/// A kubeconfig, with every field it came with.
#[derive(Debug, Clone)]
pub struct Kubeconfig {
    value: Map<String, Value>,
}

/// Why bytes are no kubeconfig, or lack what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigError {
    /// The first document is not YAML that the Kubernetes tools read.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The document is not an object of kind Config and version v1.
    #[error("not a kubeconfig: {0}")]
    WrongKind(String),
    /// A value of another type than client-go reads there.
    #[error("{field} is not {expected}")]
    WrongType {
        /// The field: `clusters[0].name`.
        field: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// No context was named, and none is current.
    #[error("no context is current")]
    NoCurrentContext,
    /// There is no context of this name.
    #[error("no context \"{0}\"")]
    NoContext(String),
    /// The context names a cluster that is not there.
    #[error("context \"{context}\" names the cluster \"{cluster}\", which is not there")]
    NoCluster {
        /// The context.
        context: String,
        /// What it names.
        cluster: String,
    },
    /// There is not exactly one cluster, and no context says which.
    #[error("there are {0} clusters in it, and no context that says which one")]
    ManyClusters(usize),
    /// There is no cluster at all.
    #[error("there is no cluster in it")]
    Empty,
    /// Two entries of one list have the same name, which client-go refuses.
    #[error("two {list} are named \"{name}\"")]
    Duplicate {
        /// `clusters`, `users` or `contexts`.
        list: &'static str,
        /// The name.
        name: String,
    },
}

type Result<T> = std::result::Result<T, KubeconfigError>;

impl Kubeconfig {
    /// Reads the first document, which is all that client-go looks at. An empty one is an empty
    /// kubeconfig.
    ///
    /// # Errors
    /// [`KubeconfigError::Yaml`] and those of [`Kubeconfig::from_object`].
    pub fn read(input: &[u8]) -> Result<Self> {
        match yaml::first_document(input)? {
            Value::Object(value) => Self::from_object(value),
            Value::Null => Self::from_object(Map::new()),
            _ => Err(KubeconfigError::WrongKind("not an object".to_owned())),
        }
    }

    /// Takes an object for a kubeconfig (clientcmd `Load`: kind and version may be missing).
    ///
    /// # Errors
    /// [`KubeconfigError::WrongKind`], [`KubeconfigError::WrongType`],
    /// [`KubeconfigError::Duplicate`].
    pub fn from_object(value: Map<String, Value>) -> Result<Self> {
        for (field, expected) in [("kind", KIND), ("apiVersion", "v1")] {
            let found = text(&value, field);
            if !found.is_empty() && found != expected {
                let problem = format!("{field} is \"{found}\", expected \"{expected}\"");
                return Err(KubeconfigError::WrongKind(problem));
            }
        }
        // client-go takes any object for a kubeconfig without entries; what is merged into it would
        // take the place of a file of another kind.
        if !value.is_empty() && !FIELDS.iter().any(|field| value.contains_key(*field)) {
            let problem = "it has none of the fields of one".to_owned();
            return Err(KubeconfigError::WrongKind(problem));
        }
        let kubeconfig = Self { value };
        for (list, body) in [
            ("clusters", "cluster"),
            ("users", "user"),
            ("contexts", "context"),
        ] {
            kubeconfig.refuse_other_shapes(list, body)?;
            kubeconfig.refuse_duplicates(list)?;
        }
        Ok(kubeconfig)
    }

    /// A list of objects with a name and a body; encoding/json takes null for any of these.
    fn refuse_other_shapes(&self, list: &str, body: &str) -> Result<()> {
        let demand = |found: Option<&Value>, field: String, fits: fn(&Value) -> bool, expected| {
            let fits = found.is_none_or(|value| value.is_null() || fits(value));
            if fits {
                Ok(())
            } else {
                Err(KubeconfigError::WrongType { field, expected })
            }
        };
        let found = self.value.get(list);
        demand(found, list.to_owned(), Value::is_array, "a list")?;
        let entries = found.and_then(Value::as_array).into_iter().flatten();
        for (position, entry) in entries.enumerate() {
            let field = format!("{list}[{position}]");
            demand(Some(entry), field.clone(), Value::is_object, "an object")?;
            demand(
                entry.get("name"),
                format!("{field}.name"),
                Value::is_string,
                "a text",
            )?;
            demand(
                entry.get(body),
                format!("{field}.{body}"),
                Value::is_object,
                "an object",
            )?;
            for name in TEXTS {
                let value = entry.get(body).and_then(|body| body.get(name));
                demand(
                    value,
                    format!("{field}.{body}.{name}"),
                    Value::is_string,
                    "a text",
                )?;
            }
            for name in FLAGS {
                let value = entry.get(body).and_then(|body| body.get(name));
                demand(
                    value,
                    format!("{field}.{body}.{name}"),
                    Value::is_boolean,
                    "true or false",
                )?;
            }
        }
        Ok(())
    }

    fn refuse_duplicates(&self, list: &'static str) -> Result<()> {
        let mut seen = HashSet::new();
        match self.entries(list, "").find(|(name, _)| !seen.insert(*name)) {
            Some((name, _)) => {
                let name = name.to_owned();
                Err(KubeconfigError::Duplicate { list, name })
            }
            None => Ok(()),
        }
    }

    /// Names and bodies of a list: `entries("clusters", "cluster")`.
    fn entries<'a>(
        &'a self,
        list: &str,
        body: &'a str,
    ) -> impl Iterator<Item = (&'a str, Option<&'a Map<String, Value>>)> + 'a {
        let list = self.value.get(list).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(move |entry| {
            let entry = entry.as_object()?;
            Some((
                text(entry, "name"),
                entry.get(body).and_then(Value::as_object),
            ))
        })
    }

    /// The names of all contexts with the cluster and user that each joins.
    pub fn contexts(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.entries("contexts", "context").map(|(name, context)| {
            let part = |field| context.map_or("", |context| text(context, field));
            (name, part("cluster"), part("user"))
        })
    }

    /// The namespace of each context, in the same order; empty where it names none.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        let contexts = self.entries("contexts", "context");
        contexts.map(|(_, context)| context.map_or("", |context| text(context, "namespace")))
    }

    /// What clients run for each user, where they run something.
    pub fn commands(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries("users", "user").filter_map(|(name, user)| {
            let exec = user?.get("exec")?.as_object()?;
            Some((name, text(exec, "command")))
        })
    }

    /// `current-context`; empty where there is none.
    #[must_use]
    pub fn current_context(&self) -> &str {
        text(&self.value, "current-context")
    }

    /// Every cluster.
    pub fn clusters(&self) -> impl Iterator<Item = Cluster> {
        self.entries("clusters", "cluster")
            .map(|(name, cluster)| Cluster::read(name, cluster))
    }

    /// The names of all users with the fields that each has, whose values are not looked at.
    pub fn users(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.entries("users", "user").map(|(name, user)| {
            let fields = user.into_iter().flatten();
            (name, fields.map(|(field, _)| field.as_str()).collect())
        })
    }

    /// A text field of a user.
    #[must_use]
    pub fn user_field(&self, user: &str, field: &str) -> Option<&str> {
        let (_, body) = self
            .entries("users", "user")
            .find(|(name, _)| *name == user)?;
        body?.get(field)?.as_str()
    }

    /// The cluster of `context`, else of the current context, else the only one.
    ///
    /// # Errors
    /// The [`KubeconfigError`]s about what is not there.
    pub fn cluster(&self, context: Option<&str>) -> Result<Cluster> {
        let context = context.or(Some(self.current_context()).filter(|name| !name.is_empty()));
        let Some(context) = context else {
            return self.only_cluster();
        };
        let (_, cluster, _) = self
            .contexts()
            .find(|(name, _, _)| *name == context)
            .ok_or_else(|| KubeconfigError::NoContext(context.to_owned()))?;
        self.clusters()
            .find(|candidate| candidate.name == cluster)
            .ok_or_else(|| KubeconfigError::NoCluster {
                context: context.to_owned(),
                cluster: cluster.to_owned(),
            })
    }

    fn only_cluster(&self) -> Result<Cluster> {
        let mut clusters: Vec<_> = self.clusters().collect();
        let count = clusters.len();
        match clusters.pop() {
            Some(cluster) if count == 1 => Ok(cluster),
            None => Err(KubeconfigError::Empty),
            _ if self.contexts().next().is_some() => Err(KubeconfigError::NoCurrentContext),
            _ => Err(KubeconfigError::ManyClusters(count)),
        }
    }
}

/// A text field; empty where it is missing or no text.
fn text<'a>(object: &'a Map<String, Value>, field: &str) -> &'a str {
    object
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

crate::text::show_raw!(KubeconfigError);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Kubeconfig> {
        Kubeconfig::read(text.as_bytes())
    }

    const TWO: &str = "
kind: Config
apiVersion: v1
clusters:
- {name: a, cluster: {server: https://a}}
- {name: b, cluster: {server: https://b}}
users:
- {name: u, user: {token: t, username: ann}}
- {name: v, user: null}
contexts:
- {name: ca, context: {cluster: a, user: u}}
- {name: cc, context: {cluster: c, user: u}}
";

    fn server(kubeconfig: &str, context: Option<&str>) -> Result<String> {
        Ok(read(kubeconfig)?.cluster(context)?.server)
    }

    #[test]
    fn a_context_chooses_the_cluster() {
        let current = format!("{TWO}current-context: ca\n");
        assert_eq!(server(&current, None), Ok("https://a".to_owned()));
        assert_eq!(server(TWO, Some("ca")), Ok("https://a".to_owned()));
        let missing = KubeconfigError::NoContext("x".to_owned());
        assert_eq!(server(&current, Some("x")), Err(missing));
        let dangling = KubeconfigError::NoCluster {
            context: "cc".to_owned(),
            cluster: "c".to_owned(),
        };
        assert_eq!(server(&current, Some("cc")), Err(dangling));
        assert_eq!(server(TWO, None), Err(KubeconfigError::NoCurrentContext));
    }

    #[test]
    fn without_contexts_the_only_cluster_is_meant() {
        let (one, rest) = TWO.split_once("- {name: b").unwrap();
        assert_eq!(server(one, None), Ok("https://a".to_owned()));
        let (second, _) = rest.split_once("users:").unwrap();
        let two = format!("{one}- {{name: b{second}");
        assert_eq!(server(&two, None), Err(KubeconfigError::ManyClusters(2)));
        assert_eq!(server("", None), Err(KubeconfigError::Empty));
    }

    #[test]
    fn entries_are_listed_with_what_they_join() {
        let kubeconfig = read(TWO).unwrap();
        let contexts: Vec<_> = kubeconfig.contexts().collect();
        assert_eq!(contexts, [("ca", "a", "u"), ("cc", "c", "u")]);
        let users: Vec<_> = kubeconfig.users().collect();
        assert_eq!(users, [("u", vec!["token", "username"]), ("v", vec![])]);
        assert_eq!(kubeconfig.user_field("u", "username"), Some("ann"));
        assert_eq!(kubeconfig.user_field("u", "password"), None);
        assert_eq!(kubeconfig.user_field("v", "token"), None);
        assert_eq!(kubeconfig.current_context(), "");
    }

    #[test]
    fn what_client_go_refuses_is_refused() {
        for (text, field) in [
            ("clusters: {}", "clusters"),
            ("users: [1]", "users[0]"),
            ("users: [{name: 1}]", "users[0].name"),
            (
                "contexts: [{name: a}, {context: []}]",
                "contexts[1].context",
            ),
        ] {
            let refused = read(text).unwrap_err();
            let wrong =
                matches!(&refused, KubeconfigError::WrongType { field: f, .. } if f == field);
            assert!(wrong, "{text}: {refused}");
        }
        for text in ["kind: Secret", "apiVersion: v2", "[]", "a"] {
            assert!(
                matches!(read(text), Err(KubeconfigError::WrongKind(_))),
                "{text}"
            );
        }
        assert!(matches!(read("a: ["), Err(KubeconfigError::Yaml(_))));
        let twice = KubeconfigError::Duplicate {
            list: "users",
            name: "a".to_owned(),
        };
        assert_eq!(
            read("users: [{name: a}, {name: b}, {name: a}]").err(),
            Some(twice)
        );
    }

    #[test]
    fn null_stands_for_what_is_not_there() {
        assert!(read("clusters: null\nusers: [null]\ncontexts: [{name: null}]").is_ok());
    }
}
