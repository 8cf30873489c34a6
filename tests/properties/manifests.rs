//! A manifest is read back as it was written, by our reader and by another, and no damaged one can
//! stop the reader or reach the terminal.

use kube_enroll::inspect::{Context, Look, Style, inspect, report, signing_requests};
use kube_enroll::lifetime::Lifetime;
use kube_enroll::manifest::{CLIENT_SIGNER, Manifest};
use kube_enroll::policy::Agreed;
use kube_enroll::text::is_deceptive;
use kube_enroll::yaml;
use proptest::prelude::*;
use serde_json::Value;
use time::OffsetDateTime;

use super::{any_name, any_subject, cases, request};

fn any_lifetime() -> impl Strategy<Value = Option<Lifetime>> {
    proptest::option::of((600..=i32::MAX).prop_map(|it| Lifetime::try_from(i64::from(it)).unwrap()))
}

fn any_manifest() -> impl Strategy<Value = Manifest> {
    let usages = proptest::sample::subsequence(
        vec![
            "digital signature",
            "key encipherment",
            "client auth",
            "server auth",
        ],
        0..4,
    );
    (any_name(), any_name(), any_name(), usages, any_lifetime()).prop_map(
        |(name, request, signer, usages, expiration)| Manifest {
            name,
            request,
            signer,
            usages: usages.into_iter().map(str::to_owned).collect(),
            expiration,
        },
    )
}

/// What happens to a file on its way.
#[derive(Debug, Clone)]
enum Damage {
    Replaced(Vec<u8>),
    Inserted(Vec<u8>),
    Removed(usize),
    Repeated(usize),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let fragment = prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..6),
        proptest::sample::select(vec![
            "\n---\n",
            "&a ",
            "*a",
            "<<: *a\n",
            "!!binary ",
            "{",
            "[",
            "}",
            "]",
            "|\n",
            ">-\n",
            "\"",
            "'",
            "? ",
            "- ",
            ": ",
            "# ",
            "\t",
            "\r",
            "%YAML 1.1\n",
            "\u{feff}",
            "\u{2028}",
            "\u{1b}[2J",
            "\u{202e}",
            "items:\n",
            "kind: List\n",
            "-----BEGIN CERTIFICATE REQUEST-----\n",
            "null",
            "~",
            "1e9",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop_oneof![
        fragment.clone().prop_map(Damage::Replaced),
        fragment.prop_map(Damage::Inserted),
        (1..200_usize).prop_map(Damage::Removed),
        (1..200_usize).prop_map(Damage::Repeated),
    ]
}

fn damaged(mut text: Vec<u8>, damages: Vec<(proptest::sample::Index, Damage)>) -> Vec<u8> {
    for (place, damage) in damages {
        let at = place.index(text.len() + 1);
        let until = |length: usize, text: &[u8]| text.len().min(at + length);
        match damage {
            Damage::Replaced(bytes) => {
                let end = until(bytes.len(), &text);
                text.splice(at..end, bytes);
            }
            Damage::Inserted(bytes) => {
                text.splice(at..at, bytes);
            }
            Damage::Removed(length) => {
                text.drain(at..until(length, &text));
            }
            Damage::Repeated(length) => {
                let again = text[at..until(length, &text)].to_vec();
                text.splice(at..at, again);
            }
        }
    }
    text
}

fn context() -> Context<'static> {
    Context {
        now: OffsetDateTime::UNIX_EPOCH,
        agreed: Agreed::default(),
        passphrase: None,
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_manifest_is_read_back_as_it_was_written(manifest in any_manifest()) {
        let text = manifest.to_yaml();
        let read = signing_requests(&yaml::documents(text.as_bytes()));
        prop_assert_eq!(read.len(), 1);
        let read = &read[0];
        prop_assert_eq!(&read.problems, &[]);
        prop_assert_eq!(&read.metadata.name, &manifest.name);
        prop_assert_eq!(read.request.as_deref(), Some(manifest.request.as_bytes()));
        prop_assert_eq!(&read.signer_name, &manifest.signer);
        prop_assert_eq!(&read.usages, &manifest.usages);
        prop_assert_eq!(read.expiration_seconds, manifest.expiration.map(Lifetime::seconds));
        prop_assert_eq!(read.status.as_ref(), None);
        prop_assert!(!read.claims_submitter);
    }

    #[test]
    fn a_second_reader_reads_the_same_of_a_manifest(manifest in any_manifest()) {
        let text = manifest.to_yaml();
        let ours = yaml::first_document(text.as_bytes()).unwrap();
        prop_assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), ours);
    }

    #[test]
    fn every_request_of_ours_is_predicted_to_authenticate(
        subject in any_subject(),
        expiration in any_lifetime(),
    ) {
        let request = request(&subject);
        let manifest = Manifest::asking(subject.user(), &request, CLIENT_SIGNER, expiration);
        let objects = inspect("a file", manifest.to_yaml().as_bytes(), &context());
        let [object] = objects.as_slice() else { return Err(TestCaseError::fail("one object")) };
        prop_assert!(object.prediction.unwrap().authenticates, "{:?}", object.findings);
        let identity = object.identity.as_ref().unwrap();
        prop_assert_eq!(&identity.username, subject.user());
        prop_assert_eq!(identity.groups.len(), subject.groups().len());
    }

    #[test]
    fn a_damaged_manifest_is_reported_and_its_text_stays_text(
        subject in any_subject(),
        damages in proptest::collection::vec((any::<proptest::sample::Index>(), any_damage()), 1..6),
    ) {
        let manifest = Manifest::new(subject.user(), &request(&subject));
        let text = damaged(manifest.to_yaml().into_bytes(), damages);
        let objects = inspect("a file", &text, &context());
        prop_assert!(!objects.is_empty());
        for style in [Style::Text(Look { width: 80, fingerprints: true }), Style::Json, Style::Yaml] {
            let coloured = report(&objects, style);
            let shown = anstream::adapter::strip_str(&coloured).to_string();
            let odd = shown.chars().find(|it| *it != '\n' && is_deceptive(*it));
            prop_assert_eq!(odd, None);
        }
        for object in objects.iter().filter(|object| object.kind.is_none()) {
            prop_assert!(object.has_errors());
        }
    }
}
