//! A roster, written.

use super::{Person, quotes};
use crate::key::Fingerprint;

/// People with the fingerprints of their keys, as CSV: a roster that says everything that theirs says.
#[must_use]
pub fn to_csv<'a>(people: impl IntoIterator<Item = (&'a Person, Fingerprint)>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let row = |(person, fingerprint): (&Person, Fingerprint)| {
        let shown = |value: Option<String>| value.unwrap_or_default();
        [
            person.user().to_owned(),
            quotes::cell(person.groups()),
            fingerprint.to_string(),
            shown(person.agreement.max_lifetime.map(|it| it.to_string())),
            shown(person.algorithm.map(|it| it.to_string())),
            shown(person.expires_in.map(|it| it.to_string())),
        ]
    };
    let head = [
        "user",
        "groups",
        "fingerprint",
        "max-lifetime",
        "algorithm",
        "expires-in",
    ];
    let rows = std::iter::once(head.map(str::to_owned)).chain(people.into_iter().map(row));
    // Memory takes everything.
    let written = rows
        .into_iter()
        .try_for_each(|row| writer.write_record(&row));
    let bytes = written.ok().and_then(|()| writer.into_inner().ok());
    String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
}
