//! What a report by a roster tells of the people in it besides their requests.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher as _;

use kube_enroll::inspect::{Object, State};
use kube_enroll::manifest::CLIENT_SIGNER;
use kube_enroll::policy::Level;
use kube_enroll::roster::{Person, Roster};
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text};

/// Names in one line of the summary.
const NAMED: usize = 8;
/// Lines about problems in the summary.
const LINES: usize = 12;
/// The longest line, in columns.
const WIDTH: usize = 100;

const DENIED: &str = "denied";
const FAILED: &str = "failed";
const OTHER: &str = "of other signers";

/// The people of a roster while requests are judged by it.
pub struct People<'a> {
    roster: &'a Roster,
    /// Who asked for something, or has it.
    seen: HashSet<String>,
    /// For whom good requests were found, and the hashes of what would be created.
    good: HashMap<String, HashSet<u64>>,
    hasher: RandomState,
    left_out: BTreeMap<&'static str, usize>,
    /// By what is the worst about each, those that are not good first.
    problems: BTreeMap<(bool, String), Names>,
}

/// How many, and the first of them.
#[derive(Default)]
struct Names {
    count: usize,
    first: Vec<Text>,
}

impl Names {
    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(Label::from(name).show());
        }
    }

    fn show(&self, about: &Text) -> Text {
        let more = if self.count > self.first.len() {
            ", ..."
        } else {
            ""
        };
        let names = Text::join(self.first.iter().cloned(), ", ");
        let line = text!("  {} {}: {}{}", self.count, about, names, more);
        text!("{}\n", line.cut(WIDTH))
    }
}

/// Why a request that stands in the cluster is not for this run to judge.
fn left_out(object: &Object) -> Option<&'static str> {
    if !object.is_in_cluster() {
        return None;
    }
    if object
        .signer_name
        .as_deref()
        .is_some_and(|signer| signer != CLIENT_SIGNER)
    {
        return Some(OTHER);
    }
    match object.status.as_ref()?.state {
        State::Pending => None,
        State::Denied => Some(DENIED),
        State::Failed => Some(FAILED),
        State::Approved => Some("approved and not issued"),
        State::Issued => Some("issued"),
    }
}

impl<'a> People<'a> {
    pub fn new(roster: &'a Roster) -> Self {
        Self {
            roster,
            seen: HashSet::new(),
            good: HashMap::new(),
            hasher: RandomState::new(),
            left_out: BTreeMap::new(),
            problems: BTreeMap::new(),
        }
    }

    /// Whether the request is for this run to judge.
    pub fn admit(&mut self, object: &Object) -> bool {
        let user = object.asked_user();
        let left_out = left_out(object);
        if let Some(user) = &user
            && !matches!(left_out, Some(DENIED | FAILED | OTHER))
        {
            self.seen.insert(user.clone());
        }
        if let Some(reason) = left_out {
            *self.left_out.entry(reason).or_default() += 1;
            return false;
        }
        let Some((user, checked)) = user.zip(object.checked()) else {
            return true;
        };
        let contents = self.hasher.hash_one(checked.manifest());
        let is_new = self.good.entry(user).or_default().insert(contents);
        if !is_new {
            // In a file of its own and in one of all, as `request --roster` writes them.
            *self.left_out.entry("there twice").or_default() += 1;
        }
        is_new
    }

    /// Where several requests are good for one person, none of them is.
    pub fn refuse_several(&self, objects: &mut [Object]) {
        for object in objects {
            let user = object.asked_user().filter(|_| object.checked().is_some());
            let Some(user) = user else { continue };
            let count = self.good.get(&user).map_or(0, HashSet::len);
            if count > 1 {
                object.is_one_of_several(count, &user);
            }
        }
    }

    /// Counts a request by what is the worst about it.
    pub fn count(&mut self, object: &Object) {
        let worst = object.findings.first();
        let is_good = object.checked().is_some();
        let code = match worst {
            Some(finding) if !is_good || finding.level == Level::Warning => finding.code.to_owned(),
            _ if !is_good => "not-compared".to_owned(),
            _ => return,
        };
        let user = object.asked_user().unwrap_or_else(|| object.source.clone());
        self.problems.entry((is_good, code)).or_default().add(&user);
    }

    /// The people without a request, in the order of the roster.
    pub fn missing(&self) -> Vec<&str> {
        let people = self.roster.people().iter().map(Person::user);
        people.filter(|user| !self.seen.contains(*user)).collect()
    }

    /// All of it on less than a screen.
    pub fn summary(&self, good: usize, bad: usize) -> Text {
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
        let left_out = self
            .left_out
            .iter()
            .map(|(reason, count)| text!("{} {}", count, *reason));
        let left_out = Text::join(left_out, ", ");
        let left_out = if left_out.is_empty() {
            left_out
        } else {
            text!("  left out: {}\n", left_out)
        };
        text!(
            "\n{} good, {} NOT GOOD, {} without a request\n{}{}{}{}",
            good,
            bad,
            missing.count,
            problems,
            more,
            absent,
            left_out
        )
    }
}
