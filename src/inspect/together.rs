//! What shows only when requests are looked at side by side.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

use super::Object;
use crate::key::Fingerprint;
use crate::manifest;
use crate::policy::{Effect, Finding, shared_factors};
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
                let place = object.place();
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
/// about a millisecond for a key. Any number can be made to share a factor with a key that is known:
/// of requests only those count that their key signed, and where they are judged nothing else.
pub fn find_shared_factors(objects: &mut [Object], are_judged: bool) {
    let (positions, moduli): (Vec<usize>, Vec<&[u8]>) = objects
        .iter()
        .enumerate()
        .filter(|(_, object)| match object.csr {
            Some(_) => object.signed_by().is_some(),
            None => !are_judged,
        })
        .filter_map(|(position, object)| Some((position, object.rsa_modulus()?)))
        .unzip();
    let found = shared_factors(&moduli);
    let place_of = |index: usize| objects.get(*positions.get(index)?).map(Object::place);
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

/// Leaves one of each request that was judged: the same good one may be in several files, and any bare as
/// well as in a manifest, which says more of it. How many went. What a file is called tells nothing.
pub fn leave_out_doubles(objects: &mut Vec<Object>) -> usize {
    let hasher = RandomState::new();
    let is_bare = |object: &Object| object.kind.as_deref() != Some(manifest::KIND);
    let request = |object: &Object| Some(hasher.hash_one(object.requested()?.request.der()));
    // By the request, whether a manifest of it is good.
    let mut in_manifests: HashMap<u64, bool> = HashMap::new();
    for object in objects.iter().filter(|object| !is_bare(object)) {
        if let Some(request) = request(object) {
            *in_manifests.entry(request).or_default() |= object.checked().is_some();
        }
    }
    let mut contents = HashSet::new();
    let before = objects.len();
    objects.retain(|object| {
        let manifest = request(object).and_then(|request| in_manifests.get(&request));
        let is_good = object.checked().is_some();
        // Nobody takes a good one away by putting it into a manifest that is not.
        if is_bare(object) && manifest.is_some_and(|manifest| *manifest || !is_good) {
            return false;
        }
        let checked = object.checked();
        checked.is_none_or(|checked| contents.insert(hasher.hash_one(checked.manifest())))
    });
    before - objects.len()
}

/// Of several good requests for one person none is good: which is meant nobody can tell. Those for one
/// key are all meant, unless it `has_to_be_one`.
pub fn refuse_second_requests(objects: &mut [Object], has_to_be_one: bool) {
    let mut by_user: HashMap<String, (usize, HashSet<Fingerprint>)> = HashMap::new();
    let good = objects.iter().filter(|object| object.checked().is_some());
    for (object, user) in good.filter_map(|object| Some((object, object.asked_user()?))) {
        let (count, keys) = by_user.entry(user).or_default();
        *count += 1;
        keys.extend(object.signed_by());
    }
    by_user.retain(|_, (count, keys)| *count > 1 && (has_to_be_one || keys.len() > 1));
    for object in objects {
        let several = object
            .asked_user()
            .and_then(|user| by_user.get_key_value(&user));
        if let Some((user, (count, _))) = several
            && object.checked().is_some()
        {
            object.is_one_of_several(*count, user);
        }
    }
}

/// Of several good requests of one name none is good: the second `kubectl create` fails, and which is
/// meant nobody can tell. What is not good is not created and takes nobody's name.
pub fn refuse_same_names(objects: &mut [Object]) {
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for (position, object) in objects.iter().enumerate() {
        if let Some(name) = object.name.as_ref().filter(|_| object.wants_its_name()) {
            by_name.entry(name.clone()).or_default().push(position);
        }
    }
    for positions in by_name.into_values() {
        let [first, second, ..] = positions[..] else {
            continue;
        };
        for position in positions {
            let other = if position == first { second } else { first };
            let place = objects
                .get(other)
                .map(|other| visible(&other.source).to_string());
            if let Some((object, place)) = objects.get_mut(position).zip(place)
                && object.checked().is_some()
            {
                object.add(Finding::same_name(Effect::Misleads, &place));
            }
        }
    }
}
