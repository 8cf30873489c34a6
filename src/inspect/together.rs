//! What shows only when requests are looked at side by side.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

use super::{Object, State};
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

/// Which keys ask for whom in all that a run reads, be it judged or left out.
#[derive(Debug, Default)]
pub struct Claims {
    /// Two keys for each person, or one: of any further one either of them is another.
    by_user: HashMap<String, Vec<Claim>>,
}

/// The first request for a person with one key.
#[derive(Debug)]
struct Claim {
    key: Fingerprint,
    /// Which it is and what became of it.
    what: String,
}

impl Claims {
    /// Remembers a request that its key signed, whatever is wrong with it and whatever the cluster decided.
    /// Requests to other signers that stand in the cluster are about something else.
    pub fn add(&mut self, object: &Object, is_from_cluster: bool) {
        let is_from_cluster = is_from_cluster && object.is_in_cluster();
        let is_for_users = object.signer_name.as_deref() == Some(manifest::CLIENT_SIGNER);
        let claim = object.asked_user().zip(object.signed_by());
        let Some((user, key)) = claim.filter(|_| is_for_users || !is_from_cluster) else {
            return;
        };
        let claims = self.by_user.entry(user).or_default();
        if claims.len() > 1 || claims.iter().any(|claim| claim.key == key) {
            return;
        }
        let state = object.status.as_ref().map(|status| status.state);
        let became = match state.filter(|_| is_from_cluster) {
            None | Some(State::Pending) => None,
            Some(State::Denied) => Some("was denied for"),
            Some(State::Failed) => Some("failed for"),
            Some(State::Approved | State::Issued) => Some("was approved for"),
        };
        let name = object.name.as_deref().unwrap_or_default();
        let what = match became {
            Some(became) => format!("{} {became}", visible(name)),
            None => format!("{} asks for", object.place()),
        };
        claims.push(Claim { key, what });
    }

    /// Where somebody else's key asks for a person, or several requests with one key are good for them,
    /// none is good: which is meant nobody can tell. Where a fingerprint was agreed on, the keys of others
    /// are of no account.
    pub fn refuse_second_requests(&self, objects: &mut [Object]) {
        // By person, how many are good that nobody decided on.
        let mut good: HashMap<String, usize> = HashMap::new();
        for object in objects.iter().filter(|object| object.checked().is_some()) {
            if let Some(user) = object.asked_user() {
                *good.entry(user).or_default() += usize::from(!object.is_decided());
            }
        }
        for object in objects {
            let user = object.asked_user();
            let Some((user, count)) = user.and_then(|user| good.get_key_value(&user)) else {
                continue;
            };
            if *count > 1 && object.checked().is_some() {
                object.is_one_of_several(*count, user);
                continue;
            }
            let Some(key) = object.signed_by().filter(|_| !object.is_key_agreed()) else {
                continue;
            };
            let mut claims = self.by_user.get(user).into_iter().flatten();
            if let Some(other) = claims.find(|claim| claim.key != key) {
                object.is_second_to(&other.what, user);
            }
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
