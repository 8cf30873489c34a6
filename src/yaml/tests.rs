//! Whole documents.

use super::*;
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
        [Some(json!({"a": 1000.0})), Some(json!({"b": 2}))]
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
fn comments_are_kept_for_the_reader() {
    let all = documents(b"# user: bob\na: 1 # really\n");
    assert_eq!(all[0].comments, ["user: bob", "really"]);
}
