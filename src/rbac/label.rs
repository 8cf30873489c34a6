//! Names for objects and values for labels, made from names that can be anything: readable where
//! they are, and never the same for two different ones.

use sha2::{Digest, Sha256};

/// The longest label value (apimachinery `pkg/util/validation` `LabelValueMaxLength`).
const MAX: usize = 63;
/// Hex digits that tell apart what is spelt alike in a label.
const VALUE_HASH: usize = 16;
/// Hex digits that tell apart what is spelt alike in a name.
const NAME_HASH: usize = 8;
/// The most that an object's name shows of each name it is made from.
const SHOWN: usize = 26;

/// A label value for a name: the name itself where it can be one, else what can be read of it and
/// 64 bits of its SHA-256. A name that looks like the latter is never taken for itself.
pub(super) fn value(name: &str) -> String {
    let derived = name.rsplit_once('-').is_some_and(|(_, end)| {
        end.len() == VALUE_HASH && end.bytes().all(|b| b.is_ascii_hexdigit())
    });
    if is_value(name) && !derived {
        return name.to_owned();
    }
    joined(
        [slug(name, MAX - VALUE_HASH - 1)],
        &hash([name], VALUE_HASH),
    )
}

/// The name of an object about the names that are shown, told apart from those about others by 32
/// bits of the SHA-256 of what makes it. Its characters are those of a DNS label.
pub(super) fn object_name<const N: usize, const M: usize>(
    shown: [&str; N],
    made_from: [&str; M],
) -> String {
    joined(
        shown.map(|name| slug(name, SHOWN)),
        &hash(made_from, NAME_HASH),
    )
}

fn joined<const N: usize>(slugs: [String; N], hash: &str) -> String {
    let mut parts = Vec::from(slugs);
    parts.retain(|slug| !slug.is_empty());
    parts.push(hash.to_owned());
    parts.join("-")
}

/// The ASCII letters and digits of a name in lower case, one hyphen for whatever is between them.
fn slug(name: &str, longest: usize) -> String {
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    slug.truncate(longest);
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// The first hex digits of the SHA-256 of the parts, each followed by a zero octet.
fn hash<const N: usize>(parts: [&str; N], digits: usize) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
        hasher.update([0]);
    }
    let digest = hasher.finalize();
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex = nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16));
    hex.take(digits).collect()
}

/// Whether it can be the value of a label (apimachinery `pkg/util/validation` `IsValidLabelValue`),
/// which may also be empty but then says nothing.
pub(super) fn is_value(value: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    value.len() <= MAX
        && ends(value.chars().next())
        && ends(value.chars().next_back())
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// Whether it is a DNS label in lower case (apimachinery `pkg/util/validation` `IsDNS1123Label`).
pub(super) fn is_dns_label(name: &str) -> bool {
    is_value(name)
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_can_be_a_label_is_one() {
        for name in ["alice", "Alice.B_c-1", "a", &"a".repeat(63)] {
            assert_eq!(value(name), name);
        }
    }

    #[test]
    fn any_other_name_is_spelt_and_hashed() {
        for (name, expected) in [
            ("alice@example.com", "alice-example-com-"),
            ("-alice-", "alice-"),
            ("Zoë", "zo-"),
            ("日本", ""),
            ("a/b", "a-b-"),
        ] {
            let value = value(name);
            let hash = value.strip_prefix(expected).unwrap();
            assert_eq!(hash.len(), 16, "{value}");
            assert!(is_value(&value));
        }
        assert_eq!(value(&"a".repeat(64)).len(), 63);
    }

    #[test]
    fn a_name_cannot_pass_for_the_label_of_another() {
        let label = value("alice@example.com");
        assert_ne!(value(&label), label);
        assert_ne!(value(&label.to_uppercase()), label.to_uppercase());
        assert_ne!(value("a@b"), value("a/b"));
    }

    #[test]
    fn a_hash_does_not_run_its_parts_together() {
        assert_ne!(hash(["a", "bc"], 8), hash(["ab", "c"], 8));
        assert_eq!(
            hash(["abc"], 8),
            "dc1114cd",
            "sha256sum of abc and a zero octet"
        );
    }
}
