//! What shows only when requests are looked at side by side.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;

use super::Object;
use crate::key::Fingerprint;
use crate::policy::{Finding, shared_factors};
use crate::text::visible;

/// The keys of the requests of one run, to tell those that come again under another subject.
/// Holds some 200 bytes for each.
#[derive(Debug, Default)]
pub struct KeysSeen {
    first_of_key: HashMap<Fingerprint, First>,
    hasher: RandomState,
}

/// The first request with a key.
#[derive(Debug)]
struct First {
    subject: u64,
    place: String,
}

impl KeysSeen {
    /// Adds a finding to a request whose key was seen before, under another subject.
    pub fn look_at(&mut self, object: &mut Object) {
        let (Some(key), Some(csr)) = (&object.public_key, &object.csr) else {
            return;
        };
        let subject = self.hasher.hash_one(&csr.subject);
        match self.first_of_key.entry(key.fingerprint) {
            Entry::Vacant(entry) => {
                let place = place(object);
                entry.insert(First { subject, place });
            }
            Entry::Occupied(entry) if entry.get().subject != subject => {
                object.add(Finding::same_key(&entry.get().place));
            }
            Entry::Occupied(_) => {}
        }
    }
}

/// Adds a finding to each of these requests whose RSA key shares a prime with another's. Takes
/// about a millisecond for a key.
pub fn find_shared_factors(objects: &mut [Object]) {
    let (positions, moduli): (Vec<usize>, Vec<&[u8]>) = objects
        .iter()
        .enumerate()
        .filter_map(|(position, object)| Some((position, object.rsa_modulus()?)))
        .unzip();
    let found = shared_factors(&moduli);
    let place_of = |index: usize| objects.get(*positions.get(index)?).map(place);
    let findings: Vec<_> = found
        .into_iter()
        .map(|(index, other)| {
            (
                index,
                Finding::shared_factor(other.and_then(place_of).as_deref()),
            )
        })
        .collect();
    for (index, finding) in findings {
        let object = positions
            .get(index)
            .and_then(|position| objects.get_mut(*position));
        if let Some(object) = object {
            object.add(finding);
        }
    }
}

/// Where a person finds the object.
fn place(object: &Object) -> String {
    let source = visible(&object.source);
    match &object.name {
        Some(name) => format!("{name} ({source})"),
        None => source.to_string(),
    }
}
