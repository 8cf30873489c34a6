//! A file with several documents, taken apart as kubectl does
//! (k8s.io/apimachinery/pkg/util/yaml `YAMLOrJSONDecoder`).

use std::ops::Range;

use memchr::memmem;
use serde_json::Value;

use super::json::Json;
use super::{Doubt, Oddity, OddityKind, Problem, YamlError, encoding, parser, tree};
use crate::budget::{Budget, Exceeded, Limits};

/// How much of a file kubectl looks at to tell JSON, in bytes
/// (k8s.io/cli-runtime/pkg/resource `StreamVisitor.Visit`).
const JSON_PREFIX: usize = 4096;
/// What go.yaml.in/yaml/v2 reads at once, in bytes (`input_raw_buffer_size`).
const RAW_BUFFER: usize = 512;
/// How far before the end of its buffer go.yaml.in/yaml/v2 reads on, in bytes: eight characters.
const LOOKAHEAD: usize = 32;

/// What a document costs besides its values, in values: a report on each takes a kilobyte, so that
/// a mebibyte of nothing else than documents must not be read to its end.
const DOCUMENT_COST: usize = 15;

const MARK: &str = "\u{feff}";

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

/// What is in a file.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Every document with content, in order. After one that cannot be read there are no more,
    /// since kubectl stops there.
    pub documents: Vec<Document>,
    /// What makes the file more, less or something else than it seems.
    pub oddities: Vec<Oddity>,
    /// The bytes from the document that cannot be read to the end of the file; all of them where
    /// the file is not plain UTF-8.
    pub rest: Option<Range<usize>>,
    /// How many values the file took, of those that the limits allow.
    pub nodes: usize,
}

/// Reads a file as kubectl would, within `limits`.
#[must_use]
pub fn read(input: &[u8], limits: &Limits) -> Stream {
    let mut reader = Reader {
        budget: Budget::new(limits),
        stream: Stream::default(),
    };
    let rest = reader.file(input, limits);
    reader.stream.rest = rest.filter(|rest| !rest.is_empty());
    reader.stream.nodes = reader.budget.spent().1;
    reader.stream
}

/// The first document alone, which is all of a kubeconfig that client-go looks at.
///
/// # Errors
/// [`YamlError`] where it cannot be read.
pub fn first_document(input: &[u8]) -> Result<Value, YamlError> {
    let text = encoding::for_client_go(input)?;
    let mut budget = Budget::new(&Limits::for_input(input));
    yaml_value(&text, &mut budget, &mut Vec::new())
}

/// A list with the lines of its items.
#[derive(Debug)]
pub struct Items {
    /// Each item with its line, counted from 1; `None` where the document is no list, nor a mapping
    /// that holds nothing else.
    pub items: Option<Vec<(usize, Value)>>,
    /// What makes the file more, less or something else than it seems.
    pub oddities: Vec<Oddity>,
}

/// The list that a document of our own is made of.
///
/// # Errors
/// [`YamlError`] where it cannot be read within `limits`.
pub fn items(text: &str, limits: &Limits) -> Result<Items, YamlError> {
    let mut budget = Budget::new(limits);
    let mut oddities = Vec::new();
    characters(text, &mut oddities)?;
    let tree = parser::parse(text, &mut budget, &mut oddities)?;
    let items = tree::items(&tree, &mut budget, &mut oddities)?;
    Ok(Items { items, oddities })
}

/// k8s.io/apimachinery/pkg/util/yaml `IsJSONBuffer`.
fn is_json(text: &str) -> bool {
    let blank = text.len() - text.trim_start().len();
    blank < JSON_PREFIX && text.trim_start().starts_with('{')
}

struct Reader {
    budget: Budget,
    stream: Stream,
}

impl Reader {
    /// Reads all that can be, and tells where it stopped.
    fn file(&mut self, input: &[u8], limits: &Limits) -> Option<Range<usize>> {
        let whole = Some(0..input.len());
        if input.len() > limits.bytes {
            self.fail(1, YamlError::new(1, Exceeded::Bytes(limits.bytes)));
            return whole;
        }
        let decoded = match encoding::for_kubectl(input, &mut self.stream.oddities) {
            Ok(decoded) => decoded,
            Err(error) => {
                self.fail(error.line.unwrap_or(1), error);
                return whole;
            }
        };
        let text = decoded.text.as_ref();
        self.marks(text);
        let stopped = if is_json(text) {
            self.json(text)
        } else {
            self.yaml(text, 0, 1)
        };
        let stopped = stopped.err()?;
        decoded
            .start
            .map(|start| start + stopped..input.len())
            .or(whole)
    }

    fn odd(&mut self, kind: OddityKind, line: usize) {
        self.stream.oddities.push(Oddity { kind, line });
    }

    fn fail(&mut self, line: usize, error: YamlError) {
        self.stream.documents.push(Document {
            line,
            content: Err(error),
            comments: Vec::new(),
        });
    }

    /// Tells byte order marks; the one at the start of the file is gone already.
    fn marks(&mut self, text: &str) {
        let (mut line, mut counted) = (1, 0);
        for offset in memmem::find_iter(text.as_bytes(), MARK) {
            line += count_lines(text.get(counted..offset).unwrap_or_default());
            counted = offset;
            self.odd(OddityKind::MarkInside, line);
        }
    }

    /// JSON values, until one is none: behind more than one kubectl stops there, else it goes on
    /// with YAML. The error is where it stopped.
    fn json(&mut self, text: &str) -> Result<(), usize> {
        let (mut position, mut line) = (0, 1);
        let mut count = 0;
        loop {
            let stream = &mut self.stream;
            let budget = &mut self.budget;
            let mut json = Json::new(text, position, line, budget, &mut stream.oddities);
            let error = match json.next() {
                Ok(None) => return Ok(()),
                Ok(Some((started, value))) => {
                    (position, line) = json.place();
                    if let Err(exceeded) = self.budget.nodes(DOCUMENT_COST) {
                        self.fail(started, YamlError::new(started, exceeded));
                        return Err(position);
                    }
                    count += 1;
                    if count == 2 {
                        self.odd(OddityKind::BehindJson, started);
                    }
                    // runtime.RawExtension takes null for nothing.
                    if !value.is_null() {
                        self.stream.documents.push(Document {
                            line: started,
                            content: Ok(value),
                            comments: Vec::new(),
                        });
                    }
                    continue;
                }
                Err(error) => error,
            };
            let kind = match count {
                0 => OddityKind::NotJson,
                _ => OddityKind::BehindJson,
            };
            let blank = blank_line(text, position);
            let first = line + count_lines(text.get(position..).map_or("", leading_blank));
            self.odd(kind, if count == 0 { 1 } else { first });
            return match blank {
                Some(blank) if count <= 1 && error.problem == Problem::Json => {
                    let skipped = text.get(position..position + blank).unwrap_or_default();
                    self.yaml(text, position + blank, line + count_lines(skipped))
                }
                _ => {
                    self.fail(first, error);
                    Err(position)
                }
            };
        }
    }

    /// Splits at lines that start with `---`, behind which only a comment may stand
    /// (`YAMLReader`). The error is where the last document starts.
    fn yaml(&mut self, text: &str, start: usize, first_line: usize) -> Result<(), usize> {
        // A large document is not held twice where its lines are as they have to be.
        let all = text.get(start..).unwrap_or_default();
        let is_as_it_is = all.ends_with('\n') && memmem::find(all.as_bytes(), b"\r\n").is_none();
        let mut chunk = String::new();
        let (mut chunk_start, mut chunk_line) = (start, first_line);
        let (mut offset, mut line) = (start, first_line);
        for whole in all.split_inclusive('\n') {
            let next = offset + whole.len();
            if let Some(rest) = whole.strip_prefix("---") {
                let rest = rest.trim();
                if !rest.is_empty() && !rest.starts_with('#') {
                    self.fail(line, YamlError::new(line, Problem::Separator));
                    return Err(chunk_start);
                }
                if chunk_start < offset {
                    let there = text.get(chunk_start..offset).unwrap_or_default();
                    let chunk_or_there = if is_as_it_is { there } else { &chunk };
                    self.document(chunk_or_there, chunk_line)
                        .map_err(|()| chunk_start)?;
                    chunk.clear();
                    (chunk_start, chunk_line) = (next, line + 1);
                    (offset, line) = (next, line + 1);
                    continue;
                }
            }
            if !is_as_it_is {
                let ended = whole
                    .strip_suffix("\r\n")
                    .or_else(|| whole.strip_suffix('\n'));
                chunk.push_str(ended.unwrap_or(whole));
                chunk.push('\n');
            }
            (offset, line) = (next, line + 1);
        }
        let there = text.get(chunk_start..offset).unwrap_or_default();
        let chunk_or_there = if is_as_it_is { there } else { &chunk };
        self.document(chunk_or_there, chunk_line)
            .map_err(|()| chunk_start)
    }

    /// Adds what `text` holds, unless that is nothing.
    fn document(&mut self, text: &str, start: usize) -> Result<(), ()> {
        let known = self.stream.oddities.len();
        let content = yaml_value(text, &mut self.budget, &mut self.stream.oddities);
        // Lines were counted from the start of the document.
        for oddity in self.stream.oddities.iter_mut().skip(known) {
            oddity.line += start - 1;
        }
        let content = content.map_err(|error| YamlError {
            line: error.line.map(|line| line + start - 1),
            ..error
        });
        let readable = content.as_ref().map(|_| ()).map_err(|_| ());
        if content != Ok(Value::Null) {
            self.stream.documents.push(Document {
                line: start + count_lines(leading_blank(text)),
                content,
                comments: comments(text),
            });
        }
        readable
    }
}

/// The value of one document in YAML; null where there is nothing in it.
fn yaml_value(
    text: &str,
    budget: &mut Budget,
    oddities: &mut Vec<Oddity>,
) -> Result<Value, YamlError> {
    let unmarked = text.strip_prefix(MARK).unwrap_or(text);
    budget
        .nodes(DOCUMENT_COST)
        .map_err(|exceeded| YamlError::new(1, exceeded))?;
    if may_swallow(text) {
        return Err(YamlError::new(1, Doubt::Mark));
    }
    characters(unmarked, oddities)?;
    let tree = parser::parse(unmarked, budget, oddities)?;
    tree::value(&tree, budget, oddities)
}

/// Whether go.yaml.in/yaml/v2 may find a byte order mark at the start of its buffer: a second one
/// at the start of the text, or one where the buffer is filled anew.
fn may_swallow(text: &str) -> bool {
    if memmem::find(text.as_bytes(), MARK.as_bytes()).is_none() {
        return false;
    }
    let mut end = 0_usize;
    loop {
        let from = text.floor_char_boundary(end.saturating_sub(LOOKAHEAD));
        let to = text.floor_char_boundary((end + MARK.len()).min(text.len()));
        // The first buffer starts behind the mark that tells the encoding.
        let window = match end {
            0 => text
                .strip_prefix(MARK)
                .and_then(|text| text.get(..MARK.len())),
            _ => text.get(from..to),
        };
        if window.is_some_and(|window| window.contains(MARK)) {
            return true;
        }
        if end == text.len() {
            return false;
        }
        end = text.floor_char_boundary(end + RAW_BUFFER);
    }
}

/// go.yaml.in/yaml/v2 `yaml_parser_update_buffer`: which characters YAML does not have. Line
/// breaks of YAML alone are told.
fn characters(text: &str, oddities: &mut Vec<Oddity>) -> Result<(), YamlError> {
    let mut line = 1;
    for character in text.chars() {
        match character {
            '\n' => line += 1,
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                let kind = OddityKind::LineBreak;
                oddities.push(Oddity { kind, line });
            }
            '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                return Err(YamlError::new(line, Problem::ControlCharacter));
            }
            _ => {}
        }
    }
    Ok(())
}

/// How much is blank from `position` on, up to the first end of a line; `None` where kubectl
/// comes to the end of the file, or to U+FFFD, before it knows (`consumeWhitespace`).
fn blank_line(text: &str, position: usize) -> Option<usize> {
    let rest = text.get(position..).unwrap_or_default();
    for (offset, character) in rest.char_indices() {
        if rest.len() - offset < 4 || character == '\u{fffd}' {
            return None;
        }
        match character {
            '\n' => return Some(offset + 1),
            blank if blank.is_whitespace() => {}
            _ => return Some(offset),
        }
    }
    None
}

fn leading_blank(text: &str) -> &str {
    let blank = text.len() - text.trim_start().len();
    text.get(..blank).unwrap_or_default()
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
