//! Every finding there is, by its stable code: what it is about, what it means, why it matters, an
//! example, and what to do. `verify --explain` and `docs/findings.md` are made of it.

use std::fmt::Write as _;

use crate::shell;
use crate::text::Text;

mod file;
mod person;
mod request;
mod returned;

/// Declares the codes with what each is about, in one table.
macro_rules! catalogue {
    ($($variant:ident $name:literal $about:literal)*) => {
        /// A stable code of a finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $about] $variant,)*
        }

        impl Code {
            /// The code in kebab-case.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        /// Every code with what it is about.
        pub const CODES: &[(&str, &str)] = &[$(($name, $about),)*];
    };
}

catalogue! {
    Unreadable "unreadable" "the document or file cannot be read"
    WrongKind "wrong-kind" "not a `CertificateSigningRequest` of certificates.k8s.io/v1"
    SecondMeaning "second-meaning" "something that programs read in different ways, such as a key that comes twice"
    SameName "same-name" "a second request of the same name"
    UnusualEncoding "unusual-encoding" "a certification request that is not encoded as DER demands"
    NotAlone "not-alone" "a file that holds other things than requests"
    UnknownField "unknown-field" "a field that the API does not have, perhaps misspelt"
    WrongType "wrong-type" "a value of another type than the API has"
    BadBase64 "bad-base64" "base64 that is broken, wrapped or doubled"
    BadMetadata "bad-metadata" "metadata that the API server refuses"
    BadName "bad-name" "a metadata.name that the API server refuses"
    NamespaceIgnored "namespace-ignored" "a namespace on an object that has none"
    SubmitterFields "submitter-fields" "spec.username, groups, uid or extra, which the server replaces"
    NoRequest "no-request" "no PEM block CERTIFICATE REQUEST in spec.request"
    PemLabel "pem-label" "a PEM block of another label"
    TextAroundBlock "text-around-block" "text before or after the PEM block, which only people read"
    SecondBlock "second-block" "a second PEM block, which the API server ignores"
    BadRequest "bad-request" "a certification request that cannot be read"
    BadSignature "bad-signature" "a signature that does not verify"
    WeakSignature "weak-signature" "a signature made with SHA-1"
    BadSigner "bad-signer" "a signerName that the API server refuses"
    OtherSigner "other-signer" "a signer that is not kube-apiserver-client"
    BadUsages "bad-usages" "usages that the API server refuses"
    UsagesRefused "usages-refused" "usages that the signer refuses"
    UsagesUnfit "usages-unfit" "usages that do not fit the kind of key"
    TooLarge "too-large" "names that are too long for what etcd stores or TLS takes"
    SubjectRefused "subject-refused" "a subject that the signer refuses"
    BadLifetime "bad-lifetime" "an expirationSeconds that the API server refuses"
    LifetimeUnset "lifetime-unset" "no expirationSeconds: the cluster's own, mostly a year"
    LifetimeLong "lifetime-long" "an expirationSeconds of more than a year"
    CsrPrefix "csr-prefix" "a name that starts with csr-, which EKS never signs"
    NameWithoutHash "name-without-hash" "a name without the hash of what is asked for: the same-name trap"
    SystemMasters "system-masters" "the group system:masters, in any spelling"
    SystemIdentity "system-identity" "a user or group that is part of the cluster itself"
    NoUser "no-user" "no common name, or an empty one"
    SeveralUsers "several-users" "several common names, of which the last one counts"
    EmptyGroup "empty-group" "an organization that is empty"
    LooksLikeIdentity "looks-like-identity" "an attribute that looks like a user or group and is not one"
    AttributeDropped "attribute-dropped" "a subject attribute that the signer drops"
    Deceptive "deceptive-characters" "characters that control, reorder or cannot be seen"
    OuterSpace "outer-space" "a name that starts or ends with a space"
    MixedScripts "mixed-scripts" "a name that mixes scripts, as look-alikes do"
    LookAlike "look-alike" "a name that looks like the one agreed on and is another"
    LongName "long-name" "a name of more than 64 characters, the limit of RFC 5280"
    NameSyntax "name-syntax" "a name that holds what separates names elsewhere, or was not filled in"
    MisleadingComment "misleading-comment" "a comment that names another user"
    SubjectAltNames "subject-alt-names" "subject alternative names, copied and not used by Kubernetes"
    ExtensionDropped "extension-dropped" "an extension that the signer drops"
    WeakKey "weak-key" "a key that is too weak"
    BrokenKey "broken-key" "a key whose private half can be computed"
    SharedFactor "shared-factor" "a modulus that shares a prime with another key of the run"
    SameKey "same-key" "a key that another request of the run has under another subject"
    UnusableKey "unusable-key" "a key that TLS does not take"
    NotInRoster "not-in-roster" "nobody of this name is in the roster"
    SecondRequest "second-request" "another request for the same person"
    ClaimedStatus "claimed-status" "a decision of the cluster that stands in a file, where anybody can write it"
    UserMismatch "user-mismatch" "another user than agreed on"
    GroupMismatch "group-mismatch" "other groups than agreed on"
    FingerprintMismatch "fingerprint-mismatch" "another key than agreed on"
    LifetimeMismatch "lifetime-mismatch" "a longer lifetime than agreed on"
    Denied "denied" "the request was denied"
    Failed "failed" "the signer refused the request"
    NotIssued "not-issued" "approved, and no certificate came"
    CertificateMismatch "certificate-mismatch" "a certificate for another key or name than requested"
    OtherCertificates "other-certificates" "certificates beside the one that was issued which did not issue it"
    UnknownExtension "unknown-extension" "a critical extension for which API servers refuse a certificate"
    LifetimeCut "lifetime-cut" "a certificate that is valid for less than requested"
    LifetimeExceeded "lifetime-exceeded" "a certificate that is valid for longer than requested"
    Expired "expired" "a certificate that is not valid any more"
    NotYetValid "not-yet-valid" "a certificate that is not valid yet"
    NoClientAuth "no-client-auth" "a certificate that is not for client authentication"
    UnusableUid "unusable-uid" "a user UID for which the certificate is refused"
    BadKubeconfig "bad-kubeconfig" "a kubeconfig that kubectl does not take"
    PluginRefused "plugin-refused" "preferences with which kubectl does not run this program"
    Redacted "redacted" "a kubeconfig whose data was left out by kubectl"
}

/// A finding explained.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    code: Code,
    /// What it says.
    pub meaning: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// Something that has it.
    pub example: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

const fn entry(
    code: Code,
    meaning: &'static str,
    why: &'static str,
    example: &'static str,
    remedy: &'static str,
) -> Entry {
    Entry {
        code,
        meaning,
        why,
        example,
        remedy,
    }
}

impl Entry {
    /// The code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code.name()
    }

    /// What it is about, in a few words.
    #[must_use]
    pub fn about(&self) -> &'static str {
        let mut codes = CODES.iter();
        codes
            .find(|(code, _)| *code == self.code())
            .map_or("", |(_, about)| about)
    }
}

/// Every finding explained, in the order in which a request is read.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    [
        file::ENTRIES,
        request::ENTRIES,
        person::ENTRIES,
        returned::ENTRIES,
    ]
    .into_iter()
    .flatten()
}

/// The explanation of a code for people; nothing where there is no such code.
#[must_use]
pub fn explain(code: &str) -> Option<Text> {
    let entry = entries().find(|entry| entry.code() == code)?;
    let plain = |text: &str| Text::of_escaped(&shell::in_our_name(text).replace('`', ""));
    Some(crate::text!(
        "{}: {}\n\n{}\n\nWhy it matters: {}\n\nFor example: {}\n\nWhat to do: {}\n",
        entry.code(),
        plain(entry.about()),
        plain(entry.meaning),
        plain(entry.why),
        entry.example,
        plain(entry.remedy)
    ))
}

/// `docs/findings.md`: every finding explained, in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Findings\n\nWhat `kube-enroll inspect` and `kube-enroll verify` may find, by the code that \
         reports carry.\n`kube-enroll verify --explain CODE` prints the same. This page is made of \
         `src/policy/catalogue`.\n",
    );
    for entry in entries() {
        // Writing to a String cannot fail.
        let _ = write!(
            page,
            "\n## {}\n\n{}.\n\n- **Meaning**: {}\n- **Why it matters**: {}\n- **Example**: `{}`\n- \
             **What to do**: {}\n",
            entry.code(),
            capital(entry.about()),
            entry.meaning,
            entry.why,
            entry.example.replace('`', "'"),
            entry.remedy
        );
    }
    page
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_kebab_case_and_unique() {
        let mut names: Vec<_> = CODES.iter().map(|(name, _)| *name).collect();
        assert!(names.iter().all(|name| {
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        }));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_code_is_explained_once() {
        let explained: Vec<_> = entries().map(Entry::code).collect();
        let codes: BTreeSet<_> = CODES.iter().map(|(code, _)| *code).collect();
        assert_eq!(explained.iter().copied().collect::<BTreeSet<_>>(), codes);
        assert_eq!(explained.len(), codes.len());
        for entry in entries() {
            for text in [entry.meaning, entry.why, entry.remedy] {
                assert!(text.ends_with('.'), "{}: {text}", entry.code());
            }
            assert!(!entry.example.is_empty() && !entry.about().is_empty());
        }
    }

    #[test]
    fn an_explanation_is_plain_text_of_the_whole_entry() {
        let text = explain("bad-name").unwrap();
        let text = text.as_str();
        for part in [
            "bad-name: a metadata.name",
            "Why it matters: ",
            "What to do: Have",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains('`'));
        assert_eq!(explain("no-such-code"), None);
    }
}
