//! Writing: block style, and every string in double quotes, so that no reader of YAML 1.1 or 1.2
//! takes a user called `no` for false. Each line of a string has one of its own.

use std::fmt::Write as _;

use serde_json::Value;

use crate::text::is_deceptive;

/// Longer keys are marked as such, in bytes: readers look for the colon within 1024 characters, and an
/// escape takes at most four times what it stands for.
const MAX_SIMPLE_KEY: usize = 128;

/// `value` as one document, without a separator.
#[must_use]
pub fn to_string(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

/// Appends `value` as one document to `text`, which may be wiped by its owner.
pub fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => block(value, 0, text),
        Value::Array(items) if !items.is_empty() => block(value, 0, text),
        other => {
            scalar(other, 0, text);
            text.push('\n');
        }
    }
}

fn block(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(map) => {
            for (position, (key, value)) in map.iter().enumerate() {
                // The first entry stands behind the dash of a sequence, or at the line's start.
                if position > 0 {
                    push_indent(indent, text);
                }
                let is_long = key.len() > MAX_SIMPLE_KEY;
                text.push_str(if is_long { "? " } else { "" });
                write_key(key, text);
                if is_long {
                    text.push('\n');
                    push_indent(indent, text);
                }
                text.push(':');
                nested(value, indent, text);
            }
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    push_indent(indent, text);
                }
                text.push('-');
                match item {
                    Value::Object(map) if !map.is_empty() => {
                        text.push(' ');
                        block(item, indent + 2, text);
                    }
                    Value::Array(inner) if !inner.is_empty() => {
                        text.push(' ');
                        block(item, indent + 2, text);
                    }
                    other => {
                        text.push(' ');
                        scalar(other, indent, text);
                        text.push('\n');
                    }
                }
            }
        }
        other => scalar(other, indent, text),
    }
}

/// The value behind a key: on the same line, or in a block below it.
fn nested(value: &Value, indent: usize, text: &mut String) {
    let indent = match value {
        Value::Object(map) if !map.is_empty() => indent + 2,
        Value::Array(items) if !items.is_empty() => indent,
        other => {
            text.push(' ');
            scalar(other, indent, text);
            text.push('\n');
            return;
        }
    };
    text.push('\n');
    push_indent(indent, text);
    block(value, indent, text);
}

fn push_indent(indent: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', indent));
}

fn scalar(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::String(string) => {
            text.push('"');
            for (position, line) in string.split_inclusive('\n').enumerate() {
                if position > 0 {
                    // An escaped line break stands for nothing, nor do the blanks behind it.
                    text.push_str("\\\n");
                    push_indent(indent + 2, text);
                    text.push_str(if line.starts_with(' ') { "\\" } else { "" });
                }
                write_escaped(line, text);
            }
            text.push('"');
        }
        Value::Array(_) => text.push_str("[]"),
        Value::Object(_) => text.push_str("{}"),
        // JSON's numbers, booleans and null are YAML's.
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

/// Keys that can only be read as strings stay bare, as people write them.
fn write_key(key: &str, text: &mut String) {
    let is_word = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_reserved = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
        .iter()
        .any(|word| key.eq_ignore_ascii_case(word));
    if is_word && !is_reserved {
        text.push_str(key);
    } else {
        write_quoted(key, text);
    }
}

/// `text` as a double-quoted scalar.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::new();
    write_quoted(text, &mut quoted);
    quoted
}

fn write_quoted(string: &str, text: &mut String) {
    text.push('"');
    write_escaped(string, text);
    text.push('"');
}

fn write_escaped(string: &str, text: &mut String) {
    for character in string.chars() {
        let code = u32::from(character);
        let _ = match character {
            '"' => text.write_str("\\\""),
            '\\' => text.write_str("\\\\"),
            '\n' => text.write_str("\\n"),
            '\t' => text.write_str("\\t"),
            '\r' => text.write_str("\\r"),
            _ if !is_deceptive(character) => text.write_char(character),
            _ if code <= 0xFF => write!(text, "\\x{code:02x}"),
            _ if code <= 0xFFFF => write!(text, "\\u{code:04x}"),
            _ => write!(text, "\\U{code:08x}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::documents;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn objects_look_as_people_write_them() {
        let value = json!({
            "kind": "List", "empty": [], "none": {}, "a-b": 3, "a b": 3, "on": true,
            "items": [{"name": "no", "usages": ["client auth", "a: b"]}, ["x"], null],
        });
        assert_eq!(
            to_string(&value),
            "kind: \"List\"\nempty: []\nnone: {}\na-b: 3\n\"a b\": 3\n\"on\": true\nitems:\n\
             - name: \"no\"\n  usages:\n  - \"client auth\"\n  - \"a: b\"\n- - \"x\"\n- null\n"
        );
    }

    #[test]
    fn each_line_of_a_string_has_its_own() {
        let value = json!({"a": {"b": "if:\n  --- x\n\n\t# y\n"}, "c": ["one\n", "one\ntwo"]});
        let text = to_string(&value);
        assert_eq!(
            text,
            "a:\n  b: \"if:\\n\\\n    \\  --- x\\n\\\n    \\n\\\n    \\t# y\\n\"\nc:\n- \"one\\n\"\n\
             - \"one\\n\\\n  two\"\n"
        );
        assert_eq!(documents(text.as_bytes())[0].content, Ok(value));
    }

    #[test]
    fn keys_of_any_length_are_read_back() {
        for length in [128, 129, 1024, 100_000] {
            let key = "\u{1b}".repeat(length);
            let value = json!([{key.as_str(): [1, {key.as_str(): {"a": 2}}], "b": {key: []}}]);
            let text = to_string(&value);
            assert_eq!(documents(text.as_bytes())[0].content, Ok(value.clone()));
            assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn strings_are_escaped_where_a_reader_could_stumble() {
        assert_eq!(
            quote("a\"b\\c\n\t\r\u{85}\u{2028}\u{e0041}\u{7f}é🙂"),
            "\"a\\\"b\\\\c\\n\\t\\r\\x85\\u2028\\U000e0041\\x7fé🙂\""
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "([-# \t.a\"]{0,4}\n?){0,4}".prop_map(Value::from),
            "[-+.0-9eExXoObB_:~nyYN#]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in any_json()) {
            let text = to_string(&value);
            let read = documents(text.as_bytes());
            if value.is_null() {
                prop_assert!(read.is_empty());
            } else {
                prop_assert_eq!(read.len(), 1);
                prop_assert_eq!(read[0].content.as_ref().unwrap(), &value);
            }
        }

        #[test]
        fn a_second_reader_agrees(value in any_json()) {
            let text = to_string(&value);
            prop_assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), value);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(documents(&bytes).len() <= bytes.len());
        }
    }
}
