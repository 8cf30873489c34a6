//! A file with several documents, taken apart as kubectl does
//! (k8s.io/apimachinery/pkg/util/yaml `YAMLOrJSONDecoder`).

use serde_json::Value;

use super::{YamlError, read, scalar};

/// One document of a file.
#[derive(Debug, Clone)]
pub struct Document {
    /// The line of the file, counted from 1, that it starts in.
    pub line: usize,
    /// The JSON that the API server would be sent.
    pub content: Result<Value, YamlError>,
    /// The text of its comments, without the `#`.
    pub comments: Vec<String>,
}

/// Every document with content, in order. After one that cannot be read there are no more, since
/// kubectl stops there; nesting of more than 1000 and aliases that multiply cannot be read.
#[must_use]
pub fn documents(input: &[u8]) -> Vec<Document> {
    let mut documents = Vec::new();
    let mut rest = input;
    let mut line = 1;
    if is_json(input) {
        let consumed = json_documents(input, &mut documents);
        if consumed == input.len() {
            return documents;
        }
        let (head, tail) = input.split_at(consumed + blank_line(input, consumed));
        line += count_lines(head);
        rest = tail;
    }
    yaml_documents(rest, line, &mut documents);
    documents
}

/// The first document alone, which is all of a kubeconfig that client-go looks at.
///
/// # Errors
/// [`YamlError`] where it cannot be read.
pub fn first_document(input: &[u8]) -> Result<Value, YamlError> {
    read::read(input)
}

/// k8s.io/apimachinery/pkg/util/yaml `IsJSONBuffer`.
fn is_json(input: &[u8]) -> bool {
    input.trim_ascii_start().starts_with(b"{")
}

/// Reads JSON values until one cannot be read, and tells how many bytes were read.
fn json_documents(input: &[u8], documents: &mut Vec<Document>) -> usize {
    let mut values = serde_json::Deserializer::from_slice(input).into_iter::<Value>();
    let mut consumed = 0;
    while let Some(value) = values.next() {
        match value {
            Ok(Value::Null) => {}
            Ok(value) => documents.push(Document {
                line: 1 + count_lines(skip_blank(input, consumed)),
                content: Ok(normalized(value)),
                comments: Vec::new(),
            }),
            Err(error) if documents.len() > 1 => documents.push(Document {
                line: error.line(),
                content: Err(YamlError::new(error.line(), error.to_string())),
                comments: Vec::new(),
            }),
            Err(_) => return consumed,
        }
        consumed = values.byte_offset();
    }
    input.len()
}

/// How much is blank from `position` on, up to the first end of a line (`consumeWhitespace`).
fn blank_line(input: &[u8], position: usize) -> usize {
    let rest = input.get(position..).unwrap_or_default();
    let blank = rest
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let line = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(blank, |end| end + 1);
    blank.min(line)
}

/// What lies before the first byte that is not blank at or behind `position`.
fn skip_blank(input: &[u8], position: usize) -> &[u8] {
    let rest = input.get(position..).unwrap_or_default();
    let blank = rest.len() - rest.trim_ascii_start().len();
    input.get(..position + blank).unwrap_or_default()
}

/// Floats without a fraction become integers, as on their way through `encoding/json`.
fn normalized(value: Value) -> Value {
    match value {
        Value::Number(number) => number
            .as_f64()
            .filter(|_| number.is_f64())
            .and_then(scalar::json_number)
            .map_or(Value::Number(number), Value::Number),
        Value::Array(items) => items.into_iter().map(normalized).collect(),
        Value::Object(map) => {
            let entries = map.into_iter().map(|(key, value)| (key, normalized(value)));
            Value::Object(entries.collect())
        }
        other => other,
    }
}

fn count_lines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

/// Splits at lines that start with `---`, behind which only a comment may stand (`YAMLReader`).
fn yaml_documents(input: &[u8], first_line: usize, documents: &mut Vec<Document>) {
    let mut text = Vec::new();
    let mut start = first_line;
    for (offset, line) in input.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let number = first_line + offset;
        if let Some(rest) = line.strip_prefix(b"---") {
            let rest = rest.trim_ascii();
            if !rest.is_empty() && !rest.starts_with(b"#") {
                documents.push(Document {
                    line: number,
                    content: Err(YamlError::new(number, "invalid document separator")),
                    comments: Vec::new(),
                });
                return;
            }
            if !text.is_empty() {
                if !push_document(&text, start, documents) {
                    return;
                }
                text.clear();
                start = number + 1;
                continue;
            }
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        text.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        text.push(b'\n');
    }
    push_document(&text, start, documents);
}

/// Adds what `text` holds, unless that is nothing; tells whether it could be read.
fn push_document(text: &[u8], start: usize, documents: &mut Vec<Document>) -> bool {
    let content = read::read(text).map_err(|error| YamlError {
        line: error.line.map(|line| line + start - 1),
        ..error
    });
    let readable = content.is_ok();
    if content != Ok(Value::Null) {
        let shown = text.iter().position(|byte| !byte.is_ascii_whitespace());
        let before = text.get(..shown.unwrap_or_default()).unwrap_or_default();
        documents.push(Document {
            line: start + count_lines(before),
            content,
            comments: comments(text),
        });
    }
    readable
}

/// The text behind each `#` that starts a line or follows a blank. One inside a quoted string is
/// taken for a comment too: these are read for what they make a person believe.
fn comments(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let comment = |line: &str| {
        let line = line.trim_start();
        match line.strip_prefix('#') {
            Some(comment) => Some(comment.trim().to_owned()),
            None => line
                .split_once(" #")
                .or_else(|| line.split_once("\t#"))
                .map(|(_, comment)| comment.trim().to_owned()),
        }
    };
    text.lines().filter_map(comment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
    fn comments_are_kept_for_the_reader() {
        let all = documents(b"# user: bob\na: 1 # really\n");
        assert_eq!(all[0].comments, ["user: bob", "really"]);
    }
}
