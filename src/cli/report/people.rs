//! What a report by a roster tells of the people in it besides their requests.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use kube_enroll::inspect::{Object, State};
use kube_enroll::key::Fingerprint;
use kube_enroll::manifest::{CLIENT_SIGNER, KIND};
use kube_enroll::policy::Level;
use kube_enroll::roster::{Person, Roster};
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text};
use serde_json::{Map, Value};

/// Names in one line of the summary.
const NAMED: usize = 8;
/// Lines about problems in the summary.
const LINES: usize = 12;
/// The longest line, in columns.
const WIDTH: usize = 100;

/// The people of a roster while requests are judged by it.
pub struct People<'a> {
    roster: &'a Roster,
    /// Who asked for something, or has it.
    seen: HashSet<String>,
    /// For whom each key asks, and where: the first of each.
    keys: HashMap<Fingerprint, BTreeMap<String, String>>,
    left_out: BTreeMap<Reason, Names>,
    /// By what is wrong with each, those that are not good first.
    problems: BTreeMap<(bool, String), Names>,
}

/// Why a request that stands in the cluster is not for this run to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Approved,
    Issued,
    Denied,
    Failed,
    /// Of people who are not in the roster.
    Others,
    /// Of another signer.
    OtherSigner,
    /// The same is judged already.
    Double,
}

/// How many, and the first of them.
#[derive(Default)]
struct Names {
    count: usize,
    first: Vec<Text>,
    /// How many are of those names, besides the first of each.
    again: usize,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Issued => "issued",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Others => "others",
            Self::OtherSigner => "otherSigners",
            Self::Double => "doubles",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Approved => "approved and not issued",
            Self::Issued => "issued",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Others => "of others than those in the roster",
            Self::OtherSigner => "of other signers",
            Self::Double => "there twice",
        }
    }

    /// Whether it is about people of the roster, who are named.
    fn names_people(self) -> bool {
        !matches!(self, Self::Others | Self::OtherSigner | Self::Double)
    }
}

impl Names {
    fn add(&mut self, name: &str) {
        self.count += 1;
        let name = Label::from(name).show();
        if self.first.contains(&name) {
            self.again += 1;
        } else if self.first.len() < NAMED {
            self.first.push(name);
        }
    }

    fn show(&self, about: &Text) -> Text {
        let more = if self.count > self.first.len() + self.again {
            ", ..."
        } else {
            ""
        };
        let names = Text::join(self.first.iter().cloned(), ", ");
        let line = text!("  {} {}: {}{}", self.count, about, names, more);
        text!("{}\n", line.cut(WIDTH))
    }
}

/// Good ones of which nobody compared the key or the lifetime, by what that is.
#[derive(Default)]
pub struct NotCompared(BTreeMap<&'static str, Names>);

impl NotCompared {
    /// Counts a request, if it is good.
    pub fn count(&mut self, object: &Object) {
        if object.checked().is_none() {
            return;
        }
        let user = object.asked_user().unwrap_or_default();
        for point in object.not_compared() {
            self.0.entry(point).or_default().add(&user);
        }
    }

    /// A line for each.
    pub fn show(&self) -> Text {
        let lines = self.0.iter().map(|(point, names)| {
            names.show(&text!("of the good ones not compared by {}", *point))
        });
        Text::join(lines, "")
    }
}

impl<'a> People<'a> {
    pub fn new(roster: &'a Roster) -> Self {
        Self {
            roster,
            seen: HashSet::new(),
            keys: HashMap::new(),
            left_out: BTreeMap::new(),
            problems: BTreeMap::new(),
        }
    }

    /// Whether the request is for this run to judge. What the cluster decided is taken from the cluster
    /// alone: a file that says so is judged, and is not good.
    pub fn admit(&mut self, object: &mut Object, is_from_cluster: bool) -> bool {
        let user = object.asked_user();
        let is_decided = object.is_decided();
        let reason = if is_from_cluster && object.is_in_cluster() {
            self.reason(object, user.as_deref())
        } else {
            if is_decided {
                object.claims_a_decision();
            }
            None
        };
        if reason != Some(Reason::OtherSigner)
            && let Some((user, key)) = user.as_ref().zip(object.signed_by())
        {
            let users = self.keys.entry(key).or_default();
            users.entry(user.clone()).or_insert_with(|| object.place());
        }
        let user = user.unwrap_or_default();
        let is_approved = matches!(reason, Some(Reason::Approved | Reason::Issued));
        if is_approved || reason.is_none() && !is_decided {
            self.seen.insert(user.clone());
        }
        if let Some(reason) = reason {
            self.left_out.entry(reason).or_default().add(&user);
        }
        reason.is_none()
    }

    /// Why something that stands in the cluster is left out.
    fn reason(&self, object: &Object, user: Option<&str>) -> Option<Reason> {
        if object.kind.as_deref() != Some(KIND) {
            return None;
        }
        if object.signer_name.as_deref() != Some(CLIENT_SIGNER) {
            return Some(Reason::OtherSigner);
        }
        let is_about_us =
            |user| self.roster.person(user).is_some() || self.roster.look_alike(user).is_some();
        if !user.is_some_and(is_about_us) {
            return Some(Reason::Others);
        }
        match object.status.as_ref()?.state {
            State::Pending => None,
            State::Denied => Some(Reason::Denied),
            State::Failed => Some(Reason::Failed),
            State::Approved => Some(Reason::Approved),
            State::Issued => Some(Reason::Issued),
        }
    }

    /// A key has one person, unless the roster has the fingerprint. All were read by now.
    pub fn compare(&mut self, objects: &mut [Object]) {
        for object in objects {
            let Some(user) = object.asked_user() else {
                continue;
            };
            let Some(key) = object.public_key.as_ref().map(|key| key.fingerprint) else {
                continue;
            };
            let mut users = self.keys.get(&key).into_iter().flatten();
            if let Some((other, place)) = users.find(|(other, _)| **other != user) {
                object.has_the_key_of(other, place);
            }
        }
    }

    /// Whether the roster has fingerprints, and none for this one.
    pub fn misses_fingerprint(&self, object: &Object) -> bool {
        !object.is_key_agreed() && self.roster.has_fingerprints()
    }

    /// So many were there twice.
    pub fn add_doubles(&mut self, count: usize) {
        if count > 0 {
            self.left_out.entry(Reason::Double).or_default().count += count;
        }
    }

    /// Counts a request by what is wrong with it.
    pub fn count(&mut self, object: &Object) {
        let worst = object.findings.first();
        let is_good = object.checked().is_some();
        let user = object.asked_user().unwrap_or_else(|| object.source.clone());
        let level = worst.map(|finding| finding.level);
        let is_told = level.is_some_and(|level| !is_good || level == Level::Warning);
        if !is_told {
            if !is_good {
                let not_compared = (is_good, "not-compared".to_owned());
                self.problems.entry(not_compared).or_default().add(&user);
            }
            return;
        }
        // Whatever is as bad as the worst, each once.
        let as_bad = object.findings.iter();
        let as_bad = as_bad.filter(|finding| Some(finding.level) == level);
        let codes: BTreeSet<&str> = as_bad.map(|finding| finding.code).collect();
        for code in codes {
            let kind = (is_good, code.to_owned());
            self.problems.entry(kind).or_default().add(&user);
        }
    }

    /// The people without a request, in the order of the roster.
    pub fn missing(&self) -> Vec<&str> {
        let people = self.roster.people().iter().map(Person::user);
        people.filter(|user| !self.seen.contains(*user)).collect()
    }

    /// How many were left out for each reason, for programs.
    pub fn left_out(&self) -> Map<String, Value> {
        let reasons = self.left_out.iter();
        let counts = reasons.map(|(reason, names)| (reason.name().to_owned(), names.count.into()));
        counts.collect()
    }

    /// All of it on less than a screen; `others` is about files.
    pub fn summary(
        &self,
        good: usize,
        bad: usize,
        others: &Text,
        not_compared: &NotCompared,
    ) -> Text {
        let mut missing = Names::default();
        for user in self.missing() {
            missing.add(user);
        }
        let problems = self
            .problems
            .iter()
            .take(LINES)
            .map(|((is_good, code), names)| {
                let kind = if *is_good {
                    "good with a warning"
                } else {
                    "NOT GOOD"
                };
                names.show(&text!("{}, {}", kind, Label::from(code.as_str())))
            });
        let problems = Text::join(problems, "");
        let more = if self.problems.len() > LINES {
            "  ...\n"
        } else {
            ""
        };
        let absent = if missing.count == 0 {
            Text::default()
        } else {
            missing.show(&"of the roster without a request".into())
        };
        let left_out = self.left_out.iter().map(|(reason, names)| {
            if reason.names_people() {
                return names.show(&text!("left out, {}", reason.words()));
            }
            text!("  {} left out, {}\n", names.count, reason.words())
        });
        let left_out = Text::join(left_out, "");
        text!(
            "\n{} good, {} NOT GOOD, {} without a request\n{}{}{}{}{}{}",
            good,
            bad,
            missing.count,
            others,
            problems,
            more,
            not_compared.show(),
            absent,
            left_out
        )
    }
}
