//! The signer: its name, the usages and the lifetime it is asked for.

use super::qualified::is_dns1123_subdomain;
use super::{Code, Effect, Finding};
use crate::csr::{CertificationRequest, SubjectAltName};
use crate::lifetime::MIN_SECONDS;
use crate::manifest::{self, CLIENT_SIGNER, CertificateSigningRequest};
use crate::name::AttributeKind;
use crate::text::visible;

const KUBELET_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";
const LEGACY_UNKNOWN: &str = "kubernetes.io/legacy-unknown";

/// k8s.io/api/certificates/v1 `KeyUsage`.
const USAGES: [&str; 23] = [
    "signing",
    "digital signature",
    "content commitment",
    "key encipherment",
    "key agreement",
    "data encipherment",
    "cert sign",
    "crl sign",
    "encipher only",
    "decipher only",
    "any",
    "server auth",
    "client auth",
    "code signing",
    "email protection",
    "s/mime",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "timestamping",
    "ocsp signing",
    "microsoft sgc",
    "netscape sgc",
];

const DIGITAL_SIGNATURE: &str = "digital signature";
const KEY_ENCIPHERMENT: &str = "key encipherment";
const CLIENT_AUTH: &str = "client auth";
const SERVER_AUTH: &str = "server auth";

/// Whether kube-controller-manager signs for this signer.
pub(super) fn is_in_tree(signer: &str) -> bool {
    matches!(signer, CLIENT_SIGNER | KUBELET_CLIENT | KUBELET_SERVING)
}

pub(super) fn check(
    object: &CertificateSigningRequest,
    csr: Option<&CertificationRequest>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(signer_name(&object.signer_name));
    findings.extend(known_usages(&object.usages));
    findings.extend(lifetime(object.expiration_seconds));
    match object.signer_name.as_str() {
        CLIENT_SIGNER => findings.extend(client_usages(&object.usages)),
        KUBELET_CLIENT | KUBELET_SERVING => {
            findings.extend(csr.and_then(|csr| kubelet(object, csr)));
        }
        _ => {}
    }
    findings.extend(csr.and_then(|csr| fitting_usages(&object.usages, csr)));
    findings.extend(csr.and_then(|csr| name_with_hash(object, csr)));
    findings
}

/// k8s.io/kubernetes/pkg/apis/core/validation `ValidateSignerName`, and what v1 adds.
fn signer_name(name: &str) -> Option<Finding> {
    let refused = |message: &str| {
        Some(Finding::new(
            Effect::NotAccepted,
            Code::BadSigner,
            "spec.signerName",
            message,
        ))
    };
    if name.is_empty() {
        return refused("a signer is required, for users kubernetes.io/kube-apiserver-client");
    }
    if name == LEGACY_UNKNOWN {
        return refused("certificates.k8s.io/v1 does not take the legacy signer");
    }
    let Some((domain, path)) = name.split_once('/').filter(|(_, path)| !path.contains('/')) else {
        return refused("must be a domain and a path: example.com/signer-name");
    };
    let label_fits = |label: &str| label.len() <= 63 && is_dns1123_subdomain(label);
    let fits = domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(label_fits)
        && path.split('.').all(is_dns1123_subdomain)
        && name.len() <= 253 + 1 + 253 + 63 + 1;
    if !fits {
        return refused(
            "must be a domain of two labels or more and a path, in lower-case letters, digits and dashes",
        );
    }
    (name != CLIENT_SIGNER).then(|| {
        let message = if is_in_tree(name) {
            "this signer is for the cluster's nodes, not for users"
        } else {
            "another signer than kubernetes.io/kube-apiserver-client: whether and what it issues \
             cannot be told from here"
        };
        Finding::new(Effect::Warns, Code::OtherSigner, "spec.signerName", message)
    })
}

/// k8s.io/kubernetes/pkg/apis/certificates/validation `validateCertificateSigningRequest`.
fn known_usages(usages: &[String]) -> Vec<Finding> {
    let refused = |field: String, message: String| {
        Finding::new(Effect::NotAccepted, Code::BadUsages, field, message)
    };
    if usages.is_empty() {
        let message = "at least one usage is required, for users client auth".to_owned();
        return vec![refused("spec.usages".to_owned(), message)];
    }
    let mut findings = Vec::new();
    for (index, usage) in usages.iter().enumerate() {
        let field = format!("spec.usages[{index}]");
        if !USAGES.contains(&usage.as_str()) {
            let message = format!("there is no usage \"{}\"", visible(usage));
            findings.push(refused(field, message));
        } else if usages.iter().take(index).any(|earlier| earlier == usage) {
            findings.push(refused(field, format!("\"{usage}\" is given twice")));
        }
        if findings.len() > 10 {
            break;
        }
    }
    findings
}

/// k8s.io/kubernetes/pkg/controller/certificates/signer `validateKubeAPIServerClientUsages`.
fn client_usages(usages: &[String]) -> Option<Finding> {
    let allowed = [DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, CLIENT_AUTH];
    let message = match usages
        .iter()
        .find(|usage| !allowed.contains(&usage.as_str()))
    {
        Some(usage) => format!(
            "the signer refuses \"{}\" after approval (Failed, SignerValidationFailure); only \
             client auth, digital signature and key encipherment are issued",
            visible(usage)
        ),
        None if !usages.iter().any(|usage| usage == CLIENT_AUTH) => {
            "the signer demands client auth (Failed, SignerValidationFailure); add it".to_owned()
        }
        None => return None,
    };
    Some(Finding::new(
        Effect::NotIssued,
        Code::UsagesRefused,
        "spec.usages",
        message,
    ))
}

/// k8s.io/kubernetes/pkg/apis/certificates `ValidateKubeletClientCSR`, `ValidateKubeletServingCSR`.
fn kubelet(object: &CertificateSigningRequest, csr: &CertificationRequest) -> Option<Finding> {
    let serving = object.signer_name == KUBELET_SERVING;
    let auth = if serving { SERVER_AUTH } else { CLIENT_AUTH };
    let mut usages: Vec<&str> = object.usages.iter().map(String::as_str).collect();
    usages.retain(|usage| *usage != KEY_ENCIPHERMENT);
    usages.sort_unstable();
    let mut needed = [DIGITAL_SIGNATURE, auth];
    needed.sort_unstable();
    let groups: Vec<_> = csr.subject().values(AttributeKind::Organization).collect();
    let is_node = csr
        .subject()
        .values(AttributeKind::CommonName)
        .last()
        .is_some_and(|user| user.starts_with("system:node:"));
    let is_host =
        |name: &SubjectAltName| matches!(name, SubjectAltName::Dns(_) | SubjectAltName::Ip(_));
    let names = csr.subject_alt_names();
    let names_fit = if serving {
        !names.is_empty() && names.iter().all(is_host)
    } else {
        names.is_empty()
    };
    if groups == ["system:nodes"] && is_node && names_fit && usages == needed {
        return serving.then(|| {
            let message = "a serving certificate is for a node's server, not for a user";
            let code = Code::NoClientAuth;
            Finding::new(Effect::NotAuthenticated, code, "spec.usages", message)
        });
    }
    let message = "the signer issues to nodes only: group system:nodes alone, user system:node:NAME, \
                   its own usages and names";
    Some(Finding::new(
        Effect::NotIssued,
        Code::SubjectRefused,
        "spec.signerName",
        message,
    ))
}

/// Elliptic-curve keys sign and cannot encipher (RFC 8446, RFC 8422).
fn fitting_usages(usages: &[String], csr: &CertificationRequest) -> Option<Finding> {
    let enciphers = usages.iter().any(|usage| usage == KEY_ENCIPHERMENT);
    (enciphers && csr.public_key().only_signs()).then(|| {
        let message = format!(
            "{} keys cannot encipher; ask for digital signature and client auth",
            csr.public_key()
        );
        Finding::new(Effect::Notes, Code::UsagesUnfit, "spec.usages", message)
    })
}

/// k8s.io/kubernetes/pkg/registry/certificates/certificates `PrepareForUpdate` restores the old
/// spec, so that a new request under an old name is silently not there.
fn name_with_hash(
    object: &CertificateSigningRequest,
    csr: &CertificationRequest,
) -> Option<Finding> {
    let name = &object.metadata.name;
    let hash = manifest::contents_hash(
        csr,
        &object.signer_name,
        &object.usages,
        object.expiration_seconds,
    );
    if name.is_empty() || name.contains(&hash) {
        return None;
    }
    let message = format!(
        "the name does not carry the hash of what is asked for ({hash}): applied over an older \
         object of this name, the OLD request stays and is approved; use kubectl create, which \
         fails then"
    );
    Some(Finding::new(
        Effect::Notes,
        Code::NameWithoutHash,
        "metadata.name",
        message,
    ))
}

/// k8s.io/kubernetes/pkg/controller/certificates/signer `duration`.
fn lifetime(seconds: Option<i32>) -> Option<Finding> {
    const YEAR: i32 = 365 * 86_400;
    let field = "spec.expirationSeconds";
    match seconds {
        None => Some(Finding::new(
            Effect::Notes,
            Code::LifetimeUnset,
            field,
            "not set: the certificate lasts as long as the cluster's signer grants, by default a \
             year, and few clusters can end it sooner",
        )),
        Some(seconds) if seconds < MIN_SECONDS => Some(Finding::new(
            Effect::NotAccepted,
            Code::BadLifetime,
            field,
            format!("in seconds it is {seconds}, and at least {MIN_SECONDS} are needed"),
        )),
        Some(seconds) if seconds > YEAR => Some(Finding::new(
            Effect::Warns,
            Code::LifetimeLong,
            field,
            format!(
                "{} days: few clusters can end a certificate sooner; the signer may cut it to a year",
                seconds / 86_400
            ),
        )),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csr::RequestedExtension;
    use crate::key::{Algorithm, PrivateKey};
    use crate::name::Subject;

    fn code(finding: Option<Finding>) -> Option<&'static str> {
        finding.map(|finding| finding.code)
    }

    #[test]
    fn a_signer_is_a_domain_and_a_path() {
        assert_eq!(code(signer_name(CLIENT_SIGNER)), None);
        let label = "x".repeat(63);
        let part = "x".repeat(253);
        let domain = [&*label, &label, &label, &"x".repeat(61)].join(".");
        for good in [
            KUBELET_SERVING,
            "a.b/c",
            "a.b/c-d.e",
            &format!("{domain}/c"),
            &format!("a.b/{part}.{part}.{}", "x".repeat(59)),
        ] {
            assert_eq!(code(signer_name(good)), Some("other-signer"), "{good}");
        }
        for bad in [
            "",
            LEGACY_UNKNOWN,
            "client",
            "a/b",
            "a.b/",
            "/a",
            "a.b/c/d",
            "A.b/c",
            "a.b/C",
            "a..b/c",
            "a.b/c..d",
            &format!("a.x{label}/c"),
            &format!("{domain}x/c"),
            &format!("a.b/x{part}"),
            &format!("a.b/{part}.{part}.{}", "x".repeat(60)),
        ] {
            assert_eq!(code(signer_name(bad)), Some("bad-signer"), "{bad}");
        }
    }

    #[test]
    fn a_lifetime_is_at_least_ten_minutes_and_better_no_more_than_a_year() {
        for (seconds, expected) in [
            (None, Some("lifetime-unset")),
            (Some(-1), Some("bad-lifetime")),
            (Some(599), Some("bad-lifetime")),
            (Some(600), None),
            (Some(31_536_000), None),
            (Some(31_536_001), Some("lifetime-long")),
        ] {
            assert_eq!(code(lifetime(seconds)), expected, "{seconds:?}");
        }
        let message = lifetime(Some(800 * 86_400)).unwrap().message;
        assert!(message.starts_with("800 days"), "{message}");
    }

    fn usages(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn every_usage_is_known_and_given_once() {
        let fields = |names: &[&str]| -> Vec<String> {
            let findings = known_usages(&usages(names)).into_iter();
            findings.map(|finding| finding.field).collect()
        };
        assert_eq!(fields(&USAGES), [""; 0]);
        assert_eq!(fields(&[]), ["spec.usages"]);
        let odd = ["any", "Any", "any"];
        assert_eq!(fields(&odd), ["spec.usages[1]", "spec.usages[2]"]);
        assert_eq!(fields(&["?"; 20]).len(), 11);
    }

    const NODE: (&str, &[&str]) = ("system:node:a", &["system:nodes"]);
    const HOST: &[u8] = &[0x30, 3, 0x82, 1, b'a'];
    const MAIL: &[u8] = &[0x30, 3, 0x81, 1, b'a'];

    /// What is said of a request to a signer for nodes.
    fn told(
        signer: &str,
        asked: &[&str],
        (user, groups): (&str, &[&str]),
        names: Option<&[u8]>,
    ) -> Option<&'static str> {
        let rng = &mut getrandom::SysRng;
        let key = PrivateKey::generate(Algorithm::Ed25519, rng).unwrap();
        let subject = Subject::new(user, &usages(groups), true).unwrap();
        let names = names.map(|value| RequestedExtension {
            oid: der::oid::db::rfc5280::ID_CE_SUBJECT_ALT_NAME,
            critical: false,
            value: value.to_vec(),
        });
        let extensions: Vec<_> = names.into_iter().collect();
        let csr = CertificationRequest::build(&subject, &extensions, &key, rng).unwrap();
        let object = CertificateSigningRequest {
            signer_name: signer.to_owned(),
            usages: usages(asked),
            ..CertificateSigningRequest::default()
        };
        code(kubelet(&object, &csr))
    }

    #[test]
    fn nodes_get_certificates_for_themselves_as_clients() {
        let told = |asked: &[&str], who, names| told(KUBELET_CLIENT, asked, who, names);
        let asked = [CLIENT_AUTH, DIGITAL_SIGNATURE];
        assert_eq!(told(&asked, NODE, None), None);
        let three = [CLIENT_AUTH, DIGITAL_SIGNATURE, KEY_ENCIPHERMENT];
        assert_eq!(told(&three, NODE, None), None);
        let refused = Some("subject-refused");
        assert_eq!(told(&[SERVER_AUTH, DIGITAL_SIGNATURE], NODE, None), refused);
        assert_eq!(told(&[CLIENT_AUTH], NODE, None), refused);
        assert_eq!(told(&asked, NODE, Some(HOST)), refused);
        let (user, groups) = NODE;
        for other in [
            ("alice", groups),
            (user, &[]),
            (user, &["system:nodes", "dev"]),
        ] {
            assert_eq!(told(&asked, other, None), refused, "{other:?}");
        }
    }

    #[test]
    fn nodes_get_certificates_for_their_hosts_as_servers() {
        let asked = [DIGITAL_SIGNATURE, SERVER_AUTH];
        let told = |who, names| told(KUBELET_SERVING, &asked, who, names);
        assert_eq!(told(NODE, Some(HOST)), Some("no-client-auth"));
        for names in [None, Some(MAIL), Some(&[0x30, 0][..])] {
            assert_eq!(told(NODE, names), Some("subject-refused"), "{names:?}");
        }
        assert_eq!(told(("alice", NODE.1), Some(HOST)), Some("subject-refused"));
    }

    #[test]
    fn the_signer_of_users_demands_client_auth_and_takes_two_more() {
        let refused = |names: &[&str]| code(client_usages(&usages(names)));
        for good in [
            &[CLIENT_AUTH][..],
            &[DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, CLIENT_AUTH],
        ] {
            assert_eq!(refused(good), None);
        }
        for bad in [&[DIGITAL_SIGNATURE][..], &[CLIENT_AUTH, SERVER_AUTH]] {
            assert_eq!(refused(bad), Some("usages-refused"));
        }
    }
}
