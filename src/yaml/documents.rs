//! A file with several documents, taken apart as kubectl does
//! (k8s.io/apimachinery/pkg/util/yaml `YAMLOrJSONDecoder`), with everything in it that has a second
//! meaning.

use serde_json::Value;

use super::json::Json;
use super::{Doubt, Oddity, OddityKind, Problem, YamlError, encoding, parser, scalar, tree};
use crate::budget::{Budget, Exceeded, Limits};

/// How far kubectl looks for a brace to tell JSON from YAML, in bytes.
const GUESSED: usize = 4096;

/// A byte order mark where text should be.
const MARK: char = '\u{feff}';

/// What is in a file.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Every document with content, in order. After one that cannot be read there are no more, since
    /// kubectl stops there.
    pub documents: Vec<Document>,
    /// What may be read in two ways, by line.
    pub oddities: Vec<Oddity>,
}

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

/// Reads a file within `limits`, in time and memory that grow with its size.
#[must_use]
pub fn read(input: &[u8], limits: &Limits) -> Stream {
    let mut reader = Reader {
        stream: Stream::default(),
        budget: Budget::new(limits),
    };
    if input.len() > limits.bytes {
        reader.fail(YamlError::new(1, Exceeded::Bytes(limits.bytes)));
    } else if let Err(error) = reader.read(input) {
        reader.fail(error);
    }
    reader.stream.oddities.sort_by_key(|oddity| oddity.line);
    reader.stream
}

/// The documents of a file whose size was bounded by whoever read it.
#[must_use]
pub fn documents(input: &[u8]) -> Vec<Document> {
    read(input, &Limits::for_bytes(input.len())).documents
}

/// The first document alone, which is all of a kubeconfig that client-go looks at.
///
/// # Errors
/// [`YamlError`] where it cannot be read.
pub fn first_document(input: &[u8]) -> Result<Value, YamlError> {
    let text = encoding::for_client_go(input)?;
    let mut budget = Budget::new(&Limits::for_bytes(text.len()));
    let mut oddities = Vec::new();
    let tree = parser::parse(&text, &mut budget, &mut oddities)?;
    tree::value(&tree, &mut budget, &mut oddities)
}

struct Reader {
    stream: Stream,
    budget: Budget,
}

impl Reader {
    fn fail(&mut self, error: YamlError) {
        let line = error.line.unwrap_or(1);
        self.push(line, Err(error), Vec::new());
    }

    fn push(&mut self, line: usize, content: Result<Value, YamlError>, comments: Vec<String>) {
        self.stream.documents.push(Document {
            line,
            content,
            comments,
        });
    }

    fn odd(&mut self, kind: OddityKind, line: usize) {
        self.stream.oddities.push(Oddity { kind, line });
    }

    fn read(&mut self, input: &[u8]) -> Result<(), YamlError> {
        let text = encoding::for_kubectl(input, &mut self.stream.oddities)?;
        let text = text.as_ref();
        let lines = text.split('\n').enumerate();
        for (offset, _) in lines.filter(|(_, line)| line.contains(MARK)) {
            self.odd(OddityKind::MarkInside, offset + 1);
        }
        if !is_json(text) {
            return self.yaml_documents(text, 1);
        }
        let Some(position) = self.json_documents(text)? else {
            return Ok(());
        };
        let (head, rest) = text.split_at(position);
        let line = 1 + count_lines(head);
        self.odd(OddityKind::NotJson, line);
        self.yaml_documents(rest, line)
    }

    /// Reads JSON values. Where at most one was read and no other can be, kubectl takes the rest for
    /// YAML: that is where it starts.
    fn json_documents(&mut self, text: &str) -> Result<Option<usize>, YamlError> {
        let mut documents = Vec::new();
        let mut json = Json::new(text, 0, 1, &mut self.budget, &mut self.stream.oddities);
        let mut consumed = 0;
        let mut behind = None;
        let ended = loop {
            match json.next() {
                Ok(None) => break Ok(None),
                Ok(Some((line, value))) => {
                    if !documents.is_empty() {
                        behind.get_or_insert(line);
                    }
                    documents.push((line, value));
                    consumed = json.place().0;
                }
                Err(error) if documents.len() > 1 || error.cannot_tell() => break Err(error),
                Err(_) => break Ok(Some(consumed + blank_line(text, consumed))),
            }
        };
        if let Some(line) = behind {
            self.odd(OddityKind::BehindJson, line);
        }
        for (line, value) in documents {
            if !value.is_null() {
                self.push(line, Ok(normalized(value)), Vec::new());
            }
        }
        ended
    }

    /// Splits at lines that start with `---`, behind which only a comment may stand (`YAMLReader`).
    fn yaml_documents(&mut self, text: &str, first_line: usize) -> Result<(), YamlError> {
        let mut document = String::new();
        let mut start = first_line;
        for (offset, line) in text.split_inclusive('\n').enumerate() {
            let number = first_line + offset;
            if let Some(rest) = line.strip_prefix("---") {
                let rest = rest.trim();
                if !rest.is_empty() && !rest.starts_with('#') {
                    return Err(YamlError::new(number, Problem::Separator));
                }
                if !document.is_empty() {
                    self.yaml_document(&document, start)?;
                    document.clear();
                    start = number + 1;
                    continue;
                }
            }
            let line = line.strip_suffix('\n').unwrap_or(line);
            document.push_str(line.strip_suffix('\r').unwrap_or(line));
            document.push('\n');
        }
        self.yaml_document(&document, start)
    }

    /// Adds what the document holds, unless that is nothing.
    fn yaml_document(&mut self, text: &str, start: usize) -> Result<(), YamlError> {
        let in_file = |line: usize| line + start - 1;
        let text = text.strip_prefix(MARK).unwrap_or(text);
        if let Some(position) = text.find(MARK) {
            let line = 1 + count_lines(text.get(..position).unwrap_or_default());
            return Err(YamlError::new(in_file(line), Doubt::Mark));
        }
        if let Some(position) = text.find(is_control) {
            let line = 1 + count_lines(text.get(..position).unwrap_or_default());
            return Err(YamlError::new(in_file(line), Problem::ControlCharacter));
        }
        let mut oddities = Vec::new();
        let value = parser::parse(text, &mut self.budget, &mut oddities)
            .and_then(|tree| tree::value(&tree, &mut self.budget, &mut oddities));
        let lines = text.split('\n').enumerate();
        let breaks = ['\r', '\u{85}', '\u{2028}', '\u{2029}'];
        oddities.extend(
            lines
                .filter(|(_, line)| line.contains(breaks))
                .map(|(offset, _)| Oddity {
                    kind: OddityKind::LineBreak,
                    line: offset + 1,
                }),
        );
        for oddity in oddities {
            self.odd(oddity.kind, in_file(oddity.line));
        }
        let value = value.map_err(|error| YamlError {
            line: error.line.map(in_file),
            ..error
        })?;
        if !value.is_null() {
            let shown = text.len() - text.trim_ascii_start().len();
            let before = text.get(..shown).unwrap_or_default();
            self.push(start + count_lines(before), Ok(value), comments(text));
        }
        Ok(())
    }
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

/// k8s.io/apimachinery/pkg/util/yaml `IsJSONBuffer`.
fn is_json(text: &str) -> bool {
    let blank = text.len() - text.trim_start().len();
    blank < GUESSED && text.trim_start().starts_with('{')
}

/// What go.yaml.in/yaml/v2 `yaml_parser_update_buffer` does not take for text.
fn is_control(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        other => other.is_control(),
    }
}

/// How much is blank from `position` on, up to the first end of a line (`consumeWhitespace`).
fn blank_line(text: &str, position: usize) -> usize {
    let rest = text.get(position..).unwrap_or_default();
    let blank = rest.len() - rest.trim_start().len();
    let line = rest.find('\n').map_or(blank, |end| end + 1);
    blank.min(line)
}

fn count_lines(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

/// The text behind each `#` that starts a line or follows a blank. One inside a quoted string is
/// taken for a comment too: these are read for what they make a person believe.
fn comments(text: &str) -> Vec<String> {
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
        assert_eq!(all[1].line, 6);
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
