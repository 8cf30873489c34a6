//! The syntax of names (k8s.io/apimachinery/pkg/util/validation).

/// `IsQualifiedName`: a name of up to 63 characters, perhaps with a DNS subdomain before a slash.
pub(super) fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns1123_subdomain(prefix) && is_name_part(name),
        None => is_name_part(text),
    }
}

/// `IsValidLabelValue`: as a name part, or empty.
pub(super) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name_part(text)
}

/// `IsDNS1123Subdomain`: labels with dots between them, 253 characters in all.
pub(crate) fn is_dns1123_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns1123_label_of_any_length)
}

fn is_name_part(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    text.len() <= 63
        && text.starts_with(edge)
        && text.ends_with(edge)
        && text
            .chars()
            .all(|c| edge(c) || matches!(c, '-' | '_' | '.'))
}

fn is_dns1123_label_of_any_length(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(edge) && text.ends_with(edge) && text.chars().all(|c| edge(c) || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualified_names_are_told_from_others() {
        for good in ["a", "A_b.c-9", "example.com/name", "kubernetes.io/x"] {
            assert!(is_qualified_name(good), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a/",
            "/a",
            "a/b/c",
            "Example.com/a",
            "ä",
            "a-",
            "_a",
            ".a/b",
            &"a".repeat(64),
            &format!("{}/b", "a".repeat(254)),
        ] {
            assert!(!is_qualified_name(bad), "{bad}");
        }
        assert!(is_qualified_name(&"a".repeat(63)));
        assert!(is_qualified_name(&format!("{}/b", "a".repeat(253))));
        assert!(is_label_value("") && !is_label_value("a b"));
        assert!(!is_dns1123_subdomain("a..b") && !is_dns1123_subdomain(&"a.".repeat(127)));
    }
}
