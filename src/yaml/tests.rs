//! Whole documents.

use super::*;
use crate::budget::Exceeded;
use serde_json::{Value, json};

fn read(input: &str) -> Vec<Option<Value>> {
    let documents = documents(input.as_bytes()).into_iter();
    documents.map(|document| document.content.ok()).collect()
}

#[test]
fn documents_are_split_at_separators_and_empty_ones_skipped() {
    assert_eq!(
        read("a: 1\n---\nb: 2\n"),
        [Some(json!({"a": 1})), Some(json!({"b": 2}))]
    );
    assert_eq!(
        read("---\n---\n# nothing\n--- # x\na: 1\r\n"),
        [Some(json!({"a": 1}))]
    );
    assert_eq!(read(""), []);
    assert_eq!(read("a: 1\n--- b: 2\n"), [None]);
}

#[test]
fn nothing_is_read_behind_a_document_that_cannot_be() {
    assert_eq!(
        read("a: 1\n---\n: : :\n---\nb: 2\n"),
        [Some(json!({"a": 1})), None]
    );
}

#[test]
fn json_streams_are_read_and_flow_mappings_are_yaml() {
    assert_eq!(
        read("{\"a\": 1e3}\n{\"b\": 2}"),
        [Some(json!({"a": 1000})), Some(json!({"b": 2}))]
    );
    assert_eq!(read("{a: 1}"), [Some(json!({"a": 1}))]);
    assert_eq!(
        read("{\"a\": 1}\n---\nb: 2\n"),
        [Some(json!({"a": 1})), Some(json!({"b": 2}))]
    );
}

#[test]
fn behind_two_json_values_nothing_else_than_json_is_read() {
    assert_eq!(
        read("{\"a\": 1}\n{\"b\": 2}\n---\nc: 3\n"),
        [Some(json!({"a": 1})), Some(json!({"b": 2})), None]
    );
}

#[test]
fn lines_are_those_of_the_file() {
    let all = documents(b"a: 1\n---\n\n# c\nb: [\n");
    assert_eq!(all[0].line, 1);
    assert_eq!(all[1].line, 4);
    let error = all[1].content.as_ref().unwrap_err();
    assert_eq!(error.line, Some(6));
    assert!(error.to_string().starts_with("line 6: "), "{error}");
    let lines = |input: &[u8]| -> Vec<usize> {
        let documents = documents(input).into_iter();
        documents.map(|document| document.line).collect()
    };
    assert_eq!(
        lines(b"\n{\"a\": 1}\n\n {\"b\": 2} {\"c\": 3}\n"),
        [2, 4, 4]
    );
    assert_eq!(lines(b"{\"a\":\n1}\n---\nb: 2\n"), [1, 3]);
    assert_eq!(lines(b"{\"a\":\n1} \n---\nb: 2\n"), [1, 3]);
}

#[test]
fn later_keys_win_and_keys_are_strings() {
    assert_eq!(read("a: 1\na: 2\n"), [Some(json!({"a": 2}))]);
    assert_eq!(
        read("1: a\nyes: b\n"),
        [Some(json!({"1": "a", "true": "b"}))]
    );
    assert_eq!(read("1.5: b\n"), [Some(json!({"1.5": "b"}))]);
    assert_eq!(read("18446744073709551615: b\n"), [None]);
    assert_eq!(read("[a]: b\n"), [None]);
    assert_eq!(read("~: b\n"), [None]);
}

#[test]
fn aliases_and_merge_keys_are_followed_in_bounds() {
    assert_eq!(
        read("a: &x {b: 1}\nc: {<<: *x, d: 2}\n"),
        [Some(json!({"a": {"b": 1}, "c": {"b": 1, "d": 2}}))]
    );
    assert_eq!(
        read("a: &x {b: 1, c: 2}\nd: {<<: [{b: 3}, *x], e: 4}\n"),
        [Some(
            json!({"a": {"b": 1, "c": 2}, "d": {"b": 3, "c": 2, "e": 4}})
        )]
    );
    for no_mapping in ["a: {<<: 1}", "a: {<<: [1]}", "a: &x 1\nb: {<<: *x}"] {
        assert_eq!(read(no_mapping), [None], "{no_mapping}");
    }
    assert_eq!(read("a: {'<<': 1}"), [Some(json!({"a": {"<<": 1}}))]);
    assert_eq!(read("a: &x [*x]\n"), [None]);
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let earlier = format!("*a{}, ", level - 1).repeat(9);
        bomb.extend([format!("a{level}: &a{level} [{earlier}]\n")]);
    }
    assert_eq!(read(&bomb), [None]);
}

#[test]
fn deep_nesting_is_refused() {
    assert_eq!(read(&"[".repeat(100_000)), [None]);
    assert_eq!(read(&"- ".repeat(100_000)), [None]);
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(1000))[0].is_some());
    assert_eq!(read(&nested(1001)), [None]);
}

#[test]
fn a_last_line_may_be_cut_off_anywhere() {
    let whole = "contexts:\n- {name: a, context: {cluster: prod, user: b}}\n- ? c\n  : d\ne: \"f\"";
    for end in 0..whole.len() {
        let input = &whole.as_bytes()[..end];
        let _ = first_document(input);
        assert!(super::read(input, &Limits::default()).nodes < 100, "{end}");
    }
    assert_eq!(read("a: 1\nb"), [None]);
    assert_eq!(read("a: {b: c, d: "), [None]);
}

#[test]
fn comments_are_kept_for_the_reader() {
    let all = documents(b"# user: bob\na: 1 # really\n");
    assert_eq!(all[0].comments, ["user: bob", "really"]);
}

/// The kinds and lines of what is odd.
fn odd(input: &[u8]) -> Vec<(OddityKind, usize)> {
    let oddities = super::read(input, &Limits::default()).oddities.into_iter();
    oddities.map(|oddity| (oddity.kind, oddity.line)).collect()
}

#[test]
fn a_plain_manifest_is_not_odd() {
    for input in [
        &b"# c\na: 1\nb:\n- \"x\"\n- |\n  y\n"[..],
        b"\xEF\xBB\xBFa: 1\r\n---\r\nb: 2\r\n",
        b"{\"a\": [1, null]}\n",
        b"---\na: 1\n...\n# c\n",
    ] {
        assert_eq!(odd(input), [], "{input:?}");
    }
}

#[test]
fn whatever_readers_could_disagree_about_is_told_with_its_line() {
    for (input, expected) in [
        (
            &b"a: &x 1\nb: *x\n"[..],
            &[(OddityKind::Anchor, 1), (OddityKind::Alias, 2)][..],
        ),
        (b"a: 1\nb: !!str 1\n", &[(OddityKind::Tag, 2)]),
        (
            b"a: 1\n---\nb: {<<: {c: 1}}\n",
            &[(OddityKind::MergeKey, 3)],
        ),
        (b"a: 1\n\"a\": 2\n", &[(OddityKind::DuplicateKey, 2)]),
        (b"{\"a\": 1,\n\"a\": 2}", &[(OddityKind::DuplicateKey, 2)]),
        (b"yes: 1\n", &[(OddityKind::OtherKey, 1)]),
        (b"%YAML 1.1\n---\na: 1\n", &[(OddityKind::Directive, 1)]),
        (
            b"a: 1\n# \xEF\xBB\xBF\nbcdefghijklmnopqrstuvwxyz: 012345\n",
            &[(OddityKind::MarkInside, 2)],
        ),
        (b"a: 1\n# \xFF\n", &[(OddityKind::InvalidUtf8, 2)]),
        (b"\xFF\xFEa\0", &[(OddityKind::Utf16, 1)]),
        (b"{\"a\": 1}\n\n{\"b\": 1}", &[(OddityKind::BehindJson, 3)]),
        (b"{\"a\": 1}\n# comment", &[(OddityKind::BehindJson, 2)]),
        (b"{a: 1}", &[(OddityKind::NotJson, 1)]),
        (b"a: 1\n...\nb: 2\n", &[(OddityKind::BehindDocument, 3)]),
        (b"[a]\n b: 2\n", &[(OddityKind::BehindDocument, 2)]),
        (b"a: 1\rb: 2\n", &[(OddityKind::LineBreak, 1)]),
        (b"a: 1\nb: \"\xC2\x85\"\n", &[(OddityKind::LineBreak, 2)]),
    ] {
        assert_eq!(odd(input), expected, "{}", String::from_utf8_lossy(input));
    }
}

/// What stops the reader.
fn problem(input: &[u8]) -> Problem {
    let stream = super::read(input, &Limits::default());
    stream
        .documents
        .last()
        .unwrap()
        .content
        .clone()
        .unwrap_err()
        .problem
}

#[test]
fn what_go_yaml_refuses_is_refused() {
    for (input, expected) in [
        ("a: \"\\/\"", Problem::Escape),
        ("a: \"\\ud800\"", Problem::Escape),
        ("a: \"x", Problem::UnclosedQuote),
        ("a: 'x\n---\n'", Problem::UnclosedQuote),
        ("a: 'x\n...\n'", Problem::IndicatorInQuote),
        ("a: [!a,b]", Problem::Entry),
        ("a: !b!c d", Problem::Tag),
        ("a: !!int x", Problem::TagMismatch),
        ("a: b: c", Problem::Misplaced),
        ("a: - b", Problem::Misplaced),
        ("a: 1\n b: 2", Problem::Misplaced),
        ("a: 1\nb", Problem::MissingColon),
        ("a:\n\t- b", Problem::Character),
        ("a: |\n\tb", Problem::Tab),
        ("a: |x", Problem::BlockHead),
        ("a: @b", Problem::Character),
        ("a: [1\nb: 2", Problem::Entry),
        ("a: {}}", Problem::Entry),
        ("- a\nb: 1", Problem::Entry),
        ("a: &", Problem::AnchorName),
        ("a: *b", Problem::UnknownAnchor),
        ("a: &b [*b]", Problem::AliasCycle),
        ("%YAML 1.2\n---\na: 1", Problem::Directive),
        ("%FOO\n---\na: 1", Problem::Directive),
        ("a: \u{7}", Problem::ControlCharacter),
        ("--- a: 1", Problem::Separator),
        ("? [a]\n: 1", Problem::Key),
        ("a: .inf", Problem::Infinite),
        ("a: {<<: 1}", Problem::Merge),
        ("{\"a\": 1}{\"b\": 2}x", Problem::Json),
        ("{\"a\": 1} \u{fffd}abc", Problem::Json),
        ("{\"a\": 1e999}", Problem::Infinite),
    ] {
        assert_eq!(problem(input.as_bytes()), expected, "{input}");
    }
}

#[test]
fn where_kubectls_reading_cannot_be_told_that_is_said() {
    for (input, doubt) in [
        ("1: a\n\"1\": b", Doubt::Keys),
        ("yes: a\n\"true\": b", Doubt::Keys),
        (".nan: a\n.NaN: b", Doubt::Keys),
        ("16777216.0: a\n16777217.0: b", Doubt::Keys),
        ("\u{feff}\u{feff}\u{feff}a: 1", Doubt::Mark),
        ("a: b\u{feff}", Doubt::Mark),
    ] {
        assert_eq!(problem(input.as_bytes()), Problem::CannotTell(doubt));
    }
    let at = |offset: usize| {
        let text = format!(
            "a: \"{}\u{feff}\"{}",
            "x".repeat(offset - 4),
            " ".repeat(600)
        );
        super::read(text.as_bytes(), &Limits::default()).documents[0]
            .content
            .is_ok()
    };
    // The buffer is filled anew at 512, and so is what is at its start.
    for (offset, told) in [
        (300, true),
        (490, false),
        (511, false),
        (512, false),
        (600, true),
    ] {
        assert_eq!(at(offset), told, "{offset}");
    }
    assert_eq!(
        problem(b"\xEF\xBB\xBFa: \xFF"),
        Problem::CannotTell(Doubt::InvalidUtf8)
    );
    assert_eq!(read("yes: a\ny: b\n"), [Some(json!({"true": "b"}))]);
}

#[test]
fn what_was_not_read_is_known() {
    let rest = |input: &[u8]| super::read(input, &Limits::default()).rest;
    assert_eq!(rest(b"a: 1\n---\nb: 2\n"), None);
    assert_eq!(rest(b"a: 1\n---\nb: [\n---\nc: 1\n"), Some(9..23));
    assert_eq!(rest(b"\xEF\xBB\xBFa: 1\n---\nb: [\n"), Some(12..17));
    assert_eq!(rest(b"{\"a\": 1}{\"b\": 2}x"), Some(16..17));
    assert_eq!(rest(b"a: 1\n---\nb: [\xFF\n"), Some(0..15));
}

#[test]
fn limits_hold_for_the_whole_file() {
    let limits = Limits {
        bytes: 100,
        nodes: 40,
        depth: 3,
    };
    let problem = |input: &str| {
        let stream = super::read(input.as_bytes(), &limits);
        let last = stream.documents.last().unwrap();
        last.content.as_ref().err().map(|error| error.problem)
    };
    let bytes = Some(Problem::Exceeded(Exceeded::Bytes(100)));
    let nodes = Some(Problem::Exceeded(Exceeded::Nodes(40)));
    let depth = Some(Problem::Exceeded(Exceeded::Depth(3)));
    assert_eq!(problem("[[[1]]]"), None);
    assert_eq!(problem("[[[[1]]]]"), depth);
    assert_eq!(problem(&"x".repeat(101)), bytes);
    assert_eq!(problem("a\n---\nb\n"), None);
    assert_eq!(problem("a\n---\nb\n---\nc\n"), nodes);
    assert_eq!(problem("{}{}{}"), nodes);
    assert_eq!(problem("a: &a [x,x,x,x]\nb: [*a,*a]"), None);
    assert_eq!(problem("a: &a [x,x,x,x]\nb: [*a,*a,*a,*a]"), nodes);
    let text = "x".repeat(40);
    assert_eq!(problem(&format!("a: &a {text}\nb: [*a,*a]")), None);
    assert_eq!(problem(&format!("a: &a {text}\nb: [*a,*a,*a]")), bytes);
    assert_eq!(problem("a: &a [1]\nb: &b [*a]\nc: [*b]"), depth);
}
