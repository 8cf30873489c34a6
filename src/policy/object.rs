//! Whether the API server takes the object: types, unknown fields, metadata.

use super::qualified::{is_label_value, is_qualified_name};
use super::{Code, Effect, Finding};
use crate::manifest::{
    API_VERSION, CertificateSigningRequest, FieldProblem, Metadata, ProblemKind,
};
use crate::text::{is_deceptive, visible};

/// The largest sum of annotation keys and values, in bytes
/// (k8s.io/apimachinery/pkg/api/validation `TotalAnnotationSizeLimitB`).
const MAX_ANNOTATIONS: usize = 256 * 1024;

pub(super) fn check(object: &CertificateSigningRequest) -> Vec<Finding> {
    let mut findings: Vec<Finding> = object.problems.iter().map(problem).collect();
    findings.extend(api_version(&object.api_version));
    findings.extend(name(&object.metadata));
    findings.extend(deceptive_name(&object.metadata.name));
    findings.extend(csr_prefix(&object.metadata.name));
    findings.extend(labels(&object.metadata));
    findings.extend(annotations(&object.metadata));
    findings.extend(others(&object.metadata));
    if object.claims_submitter && !object.metadata.is_from_server {
        findings.push(Finding::new(
            Effect::Warns,
            Code::SubmitterFields,
            "spec.username",
            "the server replaces username, uid, groups and extra by those of whoever applies the \
             file; they say nothing about the certificate",
        ));
    }
    if !object.metadata.namespace.is_empty() {
        findings.push(Finding::new(
            Effect::Notes,
            Code::NamespaceIgnored,
            "metadata.namespace",
            "certificate signing requests have no namespace; it is ignored",
        ));
    }
    findings
}

/// Typed decoding and strict field validation
/// (k8s.io/apiserver/pkg/endpoints/handlers `createHandler`).
fn problem(problem: &FieldProblem) -> Finding {
    let (code, message) = match &problem.kind {
        ProblemKind::Unknown(None) => (
            Code::UnknownField,
            "the API has no such field; kubectl refuses the file".to_owned(),
        ),
        ProblemKind::Unknown(Some(close)) => (
            Code::UnknownField,
            format!("the API has no such field, kubectl refuses the file; is {close} meant?"),
        ),
        ProblemKind::Type { found, expected } => (
            Code::WrongType,
            format!(
                "found {found}, expected {expected}{}",
                how_to_write(&problem.field, found, expected)
            ),
        ),
        ProblemKind::Template => (
            Code::BadBase64,
            "a template that nobody filled in, where base64 of the request belongs: run what fills it \
             in, or write it with base64 -w0"
                .to_owned(),
        ),
        ProblemKind::Base64(offset) => (
            Code::BadBase64,
            format!(
                "not base64 from byte {offset} on; it must be padded, with line breaks at most \
                 (write it with base64 -w0)"
            ),
        ),
    };
    let field = visible(&problem.field).to_string();
    Finding::new(Effect::NotAccepted, code, field, message)
}

/// How a value is written there.
fn how_to_write(field: &str, found: &str, expected: &str) -> &'static str {
    match (found, expected) {
        _ if field == "spec.usages" => "; write [\"client auth\"]",
        ("text", _) if field == "spec.expirationSeconds" => {
            "; a number of seconds without quotes, such as 86400 for a day"
        }
        ("text", "a whole number of 32 bits" | "a whole number" | "true or false") => {
            "; take the quotes away"
        }
        ("a number" | "true or false" | "nothing", "a string") => "; put it in quotes",
        _ => "",
    }
}

fn api_version(api_version: &str) -> Option<Finding> {
    (api_version != API_VERSION).then(|| {
        let message = format!(
            "the API server knows the kind in {API_VERSION} only, not in \"{}\"",
            visible(api_version)
        );
        Finding::new(Effect::NotAccepted, Code::WrongKind, "apiVersion", message)
    })
}

/// k8s.io/apimachinery/pkg/api/validation `ValidateObjectMetaAccessor` with
/// `path.ValidatePathSegmentName`.
fn name(metadata: &Metadata) -> Option<Finding> {
    let refused = |field, message: String| {
        Some(Finding::new(
            Effect::NotAccepted,
            Code::BadName,
            field,
            message,
        ))
    };
    let name = &metadata.name;
    if name.is_empty()
        && !metadata.generate_name.is_empty()
        && !metadata.generate_name.contains(['/', '%'])
    {
        return Some(Finding::new(
            Effect::Warns,
            Code::BadName,
            "metadata.generateName",
            "the server makes up a name, which nobody knows before: kubectl apply refuses that, and \
             kubectl create prints the name to approve; better set metadata.name",
        ));
    }
    if name.is_empty() && metadata.generate_name.is_empty() {
        return refused("metadata.name", "a name is required".to_owned());
    }
    if name == "." || name == ".." {
        return refused("metadata.name", format!("the name may not be \"{name}\""));
    }
    [
        ("metadata.name", name),
        ("metadata.generateName", &metadata.generate_name),
    ]
    .into_iter()
    .find(|(_, name)| name.contains(['/', '%']))
    .and_then(|(field, _)| refused(field, "the name may not hold / or %".to_owned()))
}

/// The API server takes it, and it is what people tell requests apart by when they approve.
fn deceptive_name(name: &str) -> Option<Finding> {
    let character = name.chars().find(|character| is_deceptive(*character))?;
    let code = u32::from(character);
    let message =
        format!("the name holds U+{code:04X}, which cannot be seen or changes how it is shown");
    Some(Finding::new(
        Effect::Misleads,
        Code::Deceptive,
        "metadata.name",
        message,
    ))
}

/// Amazon EKS approves requests of such names and never signs them.
fn csr_prefix(name: &str) -> Option<Finding> {
    name.starts_with("csr-").then(|| {
        let message =
            "Amazon EKS never issues requests whose name starts with csr-; choose another";
        Finding::new(Effect::Warns, Code::CsrPrefix, "metadata.name", message)
    })
}

/// k8s.io/apimachinery/pkg/apis/meta/v1/validation `ValidateLabels`.
fn labels(metadata: &Metadata) -> Option<Finding> {
    let (key, _) = metadata
        .labels
        .iter()
        .find(|(key, value)| !is_qualified_name(key) || !is_label_value(value))?;
    let message = "a label is up to 63 letters, digits, dashes, underscores and dots, and starts \
                   and ends with a letter or digit";
    Some(Finding::new(
        Effect::NotAccepted,
        Code::BadMetadata,
        format!("metadata.labels[{}]", visible(key)),
        message,
    ))
}

/// k8s.io/apimachinery/pkg/api/validation `ValidateAnnotations`.
fn annotations(metadata: &Metadata) -> Option<Finding> {
    let annotations = &metadata.annotations;
    let size: usize = annotations
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    let bad_key = annotations
        .iter()
        .find(|(key, _)| !is_qualified_name(&crate::go::to_lower(key)));
    let (field, message) = if let Some((key, _)) = bad_key {
        let field = format!("metadata.annotations[{}]", visible(key));
        (field, "the key is not a qualified name".to_owned())
    } else if size > MAX_ANNOTATIONS {
        let message = format!("{size} bytes, at most {MAX_ANNOTATIONS} are taken");
        ("metadata.annotations".to_owned(), message)
    } else {
        return None;
    };
    Some(Finding::new(
        Effect::NotAccepted,
        Code::BadMetadata,
        field,
        message,
    ))
}

/// The rest of `ValidateObjectMetaAccessor`, and k8s.io/kubernetes/pkg/apis/core/validation
/// `validateKubeFinalizerName`.
fn others(metadata: &Metadata) -> Option<Finding> {
    let finalizers = &metadata.finalizers;
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    let (field, message) = if let Some(problem) = metadata.owner_problem {
        ("metadata.ownerReferences", problem)
    } else if !finalizers.iter().all(|finalizer| is_finalizer(finalizer)) {
        ("metadata.finalizers", "a finalizer is not a qualified name")
    } else if has("orphan") && has("foregroundDeletion") {
        (
            "metadata.finalizers",
            "orphan and foregroundDeletion exclude each other",
        )
    } else if metadata.generation.is_some_and(|generation| generation < 0) {
        ("metadata.generation", "must not be negative")
    } else {
        return None;
    };
    Some(Finding::new(
        Effect::NotAccepted,
        Code::BadMetadata,
        field,
        message,
    ))
}

fn is_finalizer(name: &str) -> bool {
    let is_standard = matches!(name, "kubernetes" | "orphan" | "foregroundDeletion");
    is_qualified_name(name) && (is_standard || name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(entries: &[(&str, &str)]) -> Vec<(String, String)> {
        let entries = entries.iter();
        entries
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn named(name: &str) -> Metadata {
        Metadata {
            name: name.to_owned(),
            ..Metadata::default()
        }
    }

    /// Which fields the API server refuses an object over.
    fn refused(metadata: Metadata) -> Vec<String> {
        let object = CertificateSigningRequest {
            api_version: API_VERSION.to_owned(),
            metadata,
            ..CertificateSigningRequest::default()
        };
        let refusals = check(&object).into_iter();
        refusals
            .filter(|finding| finding.effect == Effect::NotAccepted)
            .map(|finding| finding.field)
            .collect()
    }

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        for good in ["a", "...", "A b", "csr-a"] {
            assert_eq!(refused(named(good)), [""; 0], "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a%b"] {
            assert_eq!(refused(named(bad)), ["metadata.name"], "{bad}");
        }
        let generated = |prefix: &str| Metadata {
            generate_name: prefix.to_owned(),
            ..named("")
        };
        assert_eq!(refused(generated("a-")), [""; 0]);
        assert_eq!(refused(generated("a/")), ["metadata.generateName"]);
    }

    #[test]
    fn labels_have_qualified_keys_and_short_values() {
        let labelled = |key, value| Metadata {
            labels: owned(&[("a", "b"), (key, value)]),
            ..named("a")
        };
        for (key, value) in [("example.com/a", "b"), ("c", "")] {
            assert_eq!(refused(labelled(key, value)), [""; 0]);
        }
        for (key, value) in [("c d", "b"), ("c", "b d"), ("", "b")] {
            assert_eq!(
                refused(labelled(key, value)),
                [format!("metadata.labels[{key}]")]
            );
        }
    }

    #[test]
    fn annotations_hold_256_kib_under_keys_of_any_case() {
        let annotated = |key, value: &str| Metadata {
            annotations: owned(&[("a", "b"), (key, value)]),
            ..named("a")
        };
        let most = "x".repeat((1 << 18) - 3);
        assert_eq!(refused(annotated("K", &most)), [""; 0]);
        for (key, value) in [("Kk", most.clone()), ("K", format!("{most}x"))] {
            assert_eq!(refused(annotated(key, &value)), ["metadata.annotations"]);
        }
        assert_eq!(refused(annotated("\u{130}\u{212a}", "")), [""; 0]);
        assert_eq!(refused(annotated("k k", "")), ["metadata.annotations[k k]"]);
    }

    #[test]
    fn finalizers_are_qualified_or_of_kubernetes() {
        let finalized = |names: &[&str]| Metadata {
            finalizers: names.iter().map(|name| (*name).to_owned()).collect(),
            ..named("a")
        };
        for good in [
            &["a.b/c"][..],
            &["kubernetes", "orphan"],
            &["foregroundDeletion"],
        ] {
            assert_eq!(refused(finalized(good)), [""; 0], "{good:?}");
        }
        for bad in [
            &["c"][..],
            &["kubernetes", "a b/c"],
            &["orphan", "foregroundDeletion"],
        ] {
            assert_eq!(refused(finalized(bad)), ["metadata.finalizers"], "{bad:?}");
        }
    }

    #[test]
    fn owners_and_generation_are_looked_at() {
        let owned_badly = Metadata {
            owner_problem: Some("an event cannot be an owner"),
            ..named("a")
        };
        assert_eq!(refused(owned_badly), ["metadata.ownerReferences"]);
        let generation = |generation| Metadata {
            generation: Some(generation),
            ..named("a")
        };
        assert_eq!(refused(generation(0)), [""; 0]);
        assert_eq!(refused(generation(-1)), ["metadata.generation"]);
    }
}
