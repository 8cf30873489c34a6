//! What else is in a file with a private key: it would be lost where the key is written anew in its place.

use std::path::{Path, PathBuf};

use kube_enroll::carrier::{self, Step};
use kube_enroll::key::EncodedKey;
use kube_enroll::looks::{look, new_name};
use kube_enroll::pem;
use kube_enroll::shell::quoted;
use kube_enroll::text;
use kube_enroll::text::{Show as _, Text};

use super::super::failure::{Failure, is_free};
use super::file::Stream;

/// Refuses a file that holds more than one private key, to be said before it is written anew: what else is
/// in it would be lost.
pub fn refuse(source: &Stream, contents: &[u8]) -> Result<(), Failure> {
    let undone = carrier::undo(contents);
    let is_it_as_it_is = EncodedKey::find(contents).is_ok();
    let bytes = if is_it_as_it_is {
        contents
    } else {
        &undone.bytes
    };
    if EncodedKey::find(bytes).is_err() {
        // What else it is, is said where a key is looked for.
        return Ok(());
    }
    let company = company(bytes);
    let letters = |bytes: &[u8]| bytes.iter().filter(|it| it.is_ascii_alphanumeric()).count();
    let is_only_written_otherwise = |step: &Step| {
        matches!(
            step,
            Step::Utf16 | Step::Mark | Step::EscapedBreaks | Step::Base64 | Step::CarriageReturns
        )
    };
    let has_lost_text = !is_it_as_it_is
        && !undone.steps.iter().all(is_only_written_otherwise)
        && letters(contents) != letters(bytes);
    if company.len() < 2 && !has_lost_text {
        return Ok(());
    }
    let mut others: Vec<Text> = company.iter().map(|(what, _)| what.clone()).collect();
    if has_lost_text {
        others.push("text".into());
    }
    let mut failure = Failure::could_not_run(text!(
        "{} holds more than one private key alone: {}; what is not the key would be lost, so nothing was \
         changed",
        source,
        Text::join(others, ", ")
    ));
    let typed = if source.path().is_none() {
        Path::new("FILE")
    } else {
        source.typed()
    };
    let keys = company
        .into_iter()
        .filter_map(|(_, lines)| lines.filter(|_| !has_lost_text));
    let mut taken: Vec<PathBuf> = Vec::new();
    for (first, last) in keys {
        let is_new = |path: &Path| is_free(path) && !taken.iter().any(|it| it == path);
        let new = new_name(typed, "-new.key", &is_new);
        failure = failure
            .say(text!(
                "put the key in lines {} to {} into a file of its own, and name that:",
                first,
                last
            ))
            .say(text!(
                "  (umask 077; sed -n {},{}p {} > {})",
                first,
                last,
                quoted(typed),
                quoted(&new)
            ));
        taken.push(new);
    }
    if taken.is_empty() {
        failure = failure
            .say("put the key alone into a file of its own, from BEGIN to END, and name that");
    }
    Err(failure)
}

/// What is in a file, in its order; of private keys the first and last line.
fn company(contents: &[u8]) -> Vec<(Text, Option<(usize, usize)>)> {
    let mut all = Vec::new();
    let mut at = 0;
    let mut curve = None;
    let text_between = |all: &mut Vec<_>, from: usize, to: usize| {
        let between = contents.get(from..to).unwrap_or_default();
        if !between.trim_ascii().is_empty() {
            all.push(("text".into(), None));
        }
    };
    let line = |place: usize| {
        1 + contents
            .iter()
            .take(place)
            .filter(|byte| **byte == b'\n')
            .count()
    };
    for block in pem::blocks(contents) {
        text_between(&mut all, at, block.span.start);
        at = block.span.end;
        if block.label == "EC PARAMETERS" {
            curve = Some(block.span.start);
            continue;
        }
        let start = curve.take().unwrap_or(block.span.start);
        let is_key = block.label.ends_with("PRIVATE KEY");
        let end = contents
            .get(..block.span.end)
            .unwrap_or_default()
            .trim_ascii_end()
            .len();
        let lines = is_key.then(|| (line(start), line(end)));
        let look = look(contents.get(block.span).unwrap_or_default());
        let what = if is_key {
            "a private key".into()
        } else {
            look.show()
        };
        all.push((what, lines));
    }
    if !all.is_empty() {
        text_between(&mut all, at, contents.len());
    }
    all
}
