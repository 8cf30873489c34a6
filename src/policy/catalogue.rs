//! Every finding there is, by its stable code.

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
    MisleadingComment "misleading-comment" "a comment that names another user"
    SubjectAltNames "subject-alt-names" "subject alternative names, copied and not used by Kubernetes"
    ExtensionDropped "extension-dropped" "an extension that the signer drops"
    WeakKey "weak-key" "a key that is too weak"
    BrokenKey "broken-key" "a key whose private half can be computed"
    SharedFactor "shared-factor" "a modulus that shares a prime with another key of the run"
    SameKey "same-key" "a key that another request of the run has under another subject"
    UnusableKey "unusable-key" "a key that TLS does not take"
    UserMismatch "user-mismatch" "another user than agreed on"
    GroupMismatch "group-mismatch" "other groups than agreed on"
    FingerprintMismatch "fingerprint-mismatch" "another key than agreed on"
    LifetimeMismatch "lifetime-mismatch" "a longer lifetime than agreed on"
    Denied "denied" "the request was denied"
    Failed "failed" "the signer refused the request"
    NotIssued "not-issued" "approved, and no certificate came"
    CertificateMismatch "certificate-mismatch" "a certificate for another key or name than requested"
    LifetimeCut "lifetime-cut" "a certificate that is valid for less than requested"
    Expired "expired" "a certificate that is not valid any more"
    NotYetValid "not-yet-valid" "a certificate that is not valid yet"
    NoClientAuth "no-client-auth" "a certificate that is not for client authentication"
    BadKubeconfig "bad-kubeconfig" "a kubeconfig that kubectl does not take"
    Redacted "redacted" "a kubeconfig whose data was left out by kubectl"
}

#[cfg(test)]
mod tests {
    use super::CODES;

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
}
