//! A name that may be asked for comes out of the request as it went in, and makes an object's name
//! that Kubernetes takes.

use kube_enroll::csr::CertificationRequest;
use kube_enroll::manifest::{Manifest, contents_hash, slug};
use kube_enroll::name::Subject;
use kube_enroll::text::is_deceptive;
use proptest::prelude::*;

use super::{KEY, any_name, any_subject, cases, request};

fn sorted(groups: &[String]) -> Vec<String> {
    let mut groups = groups.to_vec();
    groups.sort();
    groups
}

/// RFC 1123 as Kubernetes reads it (k8s.io/apimachinery `IsDNS1123Label`).
fn is_label(name: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
        && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn user_and_groups_are_read_back_as_asked(subject in any_subject()) {
        let built = request(&subject);
        let read = CertificationRequest::from_der(built.der()).unwrap();
        prop_assert!(read.verify().is_ok());
        let identity = read.subject().identity().unwrap();
        prop_assert_eq!(&identity.username, subject.user());
        prop_assert_eq!(&identity.groups, subject.groups());
        let issued = read.subject().identity_when_issued().unwrap();
        prop_assert_eq!(&issued.username, subject.user());
        prop_assert_eq!(sorted(&issued.groups), sorted(subject.groups()));
    }

    #[test]
    fn a_second_reader_finds_the_same_names(subject in any_subject()) {
        use der::Decode as _;
        let built = request(&subject);
        let read = x509_cert::request::CertReq::from_der(built.der()).unwrap();
        let names: Vec<String> = read.info.subject.iter_rdn()
            .flat_map(x509_cert::name::RelativeDistinguishedName::iter)
            .map(|it| String::from_utf8(it.value.value().to_vec()).unwrap())
            .collect();
        let (user, groups) = names.split_last().unwrap();
        prop_assert_eq!(user, subject.user());
        prop_assert_eq!(groups, subject.groups());
    }

    #[test]
    fn what_nobody_could_read_or_may_be_is_refused(user in any::<String>(), group in any_name()) {
        for allow_system in [false, true] {
            let Ok(subject) = Subject::new(&user, std::slice::from_ref(&group), allow_system) else {
                continue;
            };
            for name in [subject.user(), &subject.groups()[0]] {
                prop_assert!((1..=64).contains(&name.chars().count()));
                prop_assert!(!name.chars().any(is_deceptive));
                prop_assert_eq!(name.trim_matches(' '), name);
                prop_assert_ne!(name, "system:masters");
                prop_assert!(allow_system || !name.starts_with("system:"));
            }
        }
    }

    #[test]
    fn a_slug_is_a_label_or_empty_and_its_own_slug(text in any_name()) {
        let short = slug(&text);
        prop_assert!(short.is_empty() || is_label(&short), "{}", short);
        prop_assert!(short.len() <= 50);
        prop_assert!(!short.contains("--"));
        prop_assert_eq!(slug(&short), short.clone());
        let readable = text.chars().any(|character| character.is_ascii_alphanumeric());
        prop_assert_eq!(short.is_empty(), !readable);
    }

    #[test]
    fn a_name_is_a_label_that_carries_the_contents_and_that_eks_signs(user in any_name()) {
        let subject = Subject::new("alice", &[], false).unwrap();
        let request = CertificationRequest::build(&subject, &[], &KEY, &mut getrandom::SysRng).unwrap();
        let manifest = Manifest::new(&user, &request);
        let name = &manifest.name;
        prop_assert!(is_label(name), "{}", name);
        prop_assert!(!name.starts_with("csr-"), "{}", name);
        let hash = contents_hash(&request, &manifest.signer, &manifest.usages, None);
        let hash = format!("-{hash}");
        prop_assert!(name.ends_with(&hash), "{}", name);
        prop_assert!(name.contains(&slug(&user)));
    }
}
