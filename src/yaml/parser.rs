//! Tokens to a tree of nodes (go.yaml.in/yaml/v2 `parserc.go`, and `parser` in `decode.go`): the
//! states are those of `yaml_parser_state_machine`.

use std::cell::Cell;
use std::collections::HashMap;

use super::scanner::{Kind, Scanner};
use super::{Oddity, OddityKind, Problem, YamlError};
use crate::budget::Budget;

/// A node of a document with its line, counted from 1.
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) content: Content,
}

/// What a node is. Children are places in [`Tree::nodes`].
pub(super) enum Content {
    Scalar {
        /// Taken out where it is not needed any more.
        value: Cell<Box<str>>,
        tag: Option<Box<str>>,
        /// Whether its type follows from what it looks like.
        implicit: bool,
    },
    Sequence(Vec<usize>),
    /// Keys and values in turn.
    Mapping(Vec<usize>),
    Alias(usize),
}

impl Content {
    /// Looks at what a scalar says.
    pub(super) fn look<T>(value: &Cell<Box<str>>, look: impl FnOnce(&str) -> T) -> T {
        let text = value.take();
        let seen = look(&text);
        value.set(text);
        seen
    }
}

/// One document.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// `None` where there is nothing.
    pub(super) root: Option<usize>,
}

/// Where a collection goes on once a node in it is done; `true` stands for its first entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    DocumentEnd,
    BlockSequence(bool),
    IndentlessSequence,
    BlockMappingKey(bool),
    BlockMappingValue,
    FlowSequence(bool),
    FlowSequencePairKey,
    FlowSequencePairValue,
    FlowSequencePairEnd,
    FlowMappingKey(bool),
    FlowMappingValue,
    FlowMappingNoValue,
}

type Result<T = ()> = std::result::Result<T, YamlError>;

const DEFAULT_TAGS: [(&str, &str); 2] = [("!", "!"), ("!!", "tag:yaml.org,2002:")];

struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    tags: Vec<(String, String)>,
    tree: Tree,
    /// The collections that are not closed yet.
    open: Vec<usize>,
    anchors: HashMap<String, usize>,
    budget: &'a mut Budget,
    oddities: &'a mut Vec<Oddity>,
}

/// The first document in `text`. What is behind its end is not looked at, as in `yaml.Unmarshal`,
/// and told as an oddity.
pub(super) fn parse(text: &str, budget: &mut Budget, oddities: &mut Vec<Oddity>) -> Result<Tree> {
    let mut parser = Parser {
        scanner: Scanner::new(text),
        state: State::DocumentEnd,
        states: Vec::new(),
        tags: Vec::new(),
        tree: Tree::default(),
        open: Vec::new(),
        anchors: HashMap::new(),
        budget,
        oddities,
    };
    parser.document()?;
    Ok(parser.tree)
}

impl Parser<'_> {
    fn peek(&mut self) -> Result<(Kind, usize)> {
        self.scanner.peek()
    }

    fn odd(&mut self, kind: OddityKind, line: usize) {
        self.oddities.push(Oddity { kind, line });
    }

    fn document(&mut self) -> Result {
        let (kind, line) = self.peek()?;
        let is_explicit = matches!(
            kind,
            Kind::Version(_) | Kind::TagDirective | Kind::DocumentStart
        );
        if kind == Kind::StreamEnd {
            return Ok(());
        }
        self.directives()?;
        if is_explicit {
            if self.peek()?.0 != Kind::DocumentStart {
                return Err(YamlError::new(line, Problem::Directive));
            }
            self.scanner.take();
        }
        let (kind, line) = self.peek()?;
        let is_empty = matches!(
            kind,
            Kind::Version(_)
                | Kind::TagDirective
                | Kind::DocumentStart
                | Kind::DocumentEnd
                | Kind::StreamEnd
        );
        if is_explicit && is_empty {
            self.empty_scalar(line)?;
        } else {
            self.states.push(State::DocumentEnd);
            self.node(true, false)?;
            while self.state != State::DocumentEnd {
                self.step()?;
            }
        }
        if self.peek()?.0 == Kind::DocumentEnd {
            self.scanner.take();
        }
        match self.peek() {
            Ok((Kind::StreamEnd, _)) => {}
            Ok((_, line)) => self.odd(OddityKind::BehindDocument, line),
            Err(error) => self.odd(OddityKind::BehindDocument, error.line.unwrap_or(line)),
        }
        Ok(())
    }

    /// `yaml_parser_process_directives`.
    fn directives(&mut self) -> Result {
        let mut has_version = false;
        loop {
            let (kind, line) = self.peek()?;
            match kind {
                Kind::Version(is_1_1) if is_1_1 && !has_version => {
                    has_version = true;
                    self.scanner.take();
                }
                Kind::TagDirective => {
                    let token = self.scanner.take();
                    if self.tags.iter().any(|(handle, _)| *handle == token.value) {
                        return Err(YamlError::new(line, Problem::Directive));
                    }
                    // One of them is found by looking at all.
                    self.budget
                        .node()
                        .map_err(|exceeded| YamlError::new(line, exceeded))?;
                    if self.tags.len() >= 100 {
                        return Err(YamlError::new(line, Problem::Directive));
                    }
                    self.tags.push((token.value, token.suffix));
                }
                Kind::Version(_) => return Err(YamlError::new(line, Problem::Directive)),
                _ => break,
            }
            self.odd(OddityKind::Directive, line);
        }
        for (handle, prefix) in DEFAULT_TAGS {
            if self.tags.iter().all(|(known, _)| known != handle) {
                self.tags.push((handle.to_owned(), prefix.to_owned()));
            }
        }
        Ok(())
    }

    fn step(&mut self) -> Result {
        match self.state {
            State::DocumentEnd => Ok(()),
            State::BlockSequence(first) => self.block_sequence(first),
            State::IndentlessSequence => self.indentless_sequence(),
            State::BlockMappingKey(first) => self.block_mapping_key(first),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequence(first) => self.flow_sequence(first),
            State::FlowSequencePairKey => self.flow_pair_key(),
            State::FlowSequencePairValue => {
                self.flow_value(Kind::FlowSequenceEnd, State::FlowSequencePairEnd)
            }
            State::FlowSequencePairEnd => {
                self.state = State::FlowSequence(false);
                self.close();
                Ok(())
            }
            State::FlowMappingKey(first) => self.flow_mapping_key(first),
            State::FlowMappingValue => {
                self.flow_value(Kind::FlowMappingEnd, State::FlowMappingKey(false))
            }
            State::FlowMappingNoValue => {
                let line = self.peek()?.1;
                self.state = State::FlowMappingKey(false);
                self.empty_scalar(line)
            }
        }
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::DocumentEnd);
    }

    /// Goes on with a node, and then with `state`.
    fn node_then(&mut self, state: State, block: bool, indentless: bool) -> Result {
        self.states.push(state);
        self.node(block, indentless)
    }

    fn empty_then(&mut self, state: State, line: usize) -> Result {
        self.state = state;
        self.empty_scalar(line)
    }

    /// `yaml_parser_parse_node`.
    fn node(&mut self, block: bool, indentless: bool) -> Result {
        let (mut kind, mut line) = self.peek()?;
        if kind == Kind::Alias {
            let name = self.scanner.take().value;
            self.pop_state();
            self.odd(OddityKind::Alias, line);
            let Some(target) = self.anchors.get(&name).copied() else {
                return Err(YamlError::new(line, Problem::UnknownAnchor));
            };
            self.add(line, Content::Alias(target), None)?;
            return Ok(());
        }
        let start = line;
        let (mut anchor, mut tag) = (None, None);
        loop {
            match kind {
                Kind::Anchor if anchor.is_none() => {
                    anchor = Some(self.scanner.take().value);
                    self.odd(OddityKind::Anchor, line);
                }
                Kind::Tag if tag.is_none() => {
                    let token = self.scanner.take();
                    self.odd(OddityKind::Tag, line);
                    tag = Some(self.tag(&token.value, token.suffix, line)?);
                }
                _ => break,
            }
            (kind, line) = self.peek()?;
        }
        let opens = match kind {
            Kind::BlockEntry if indentless => Some(State::IndentlessSequence),
            Kind::FlowSequenceStart => Some(State::FlowSequence(true)),
            Kind::FlowMappingStart => Some(State::FlowMappingKey(true)),
            Kind::BlockSequenceStart if block => Some(State::BlockSequence(true)),
            Kind::BlockMappingStart if block => Some(State::BlockMappingKey(true)),
            _ => None,
        };
        if let Some(state) = opens {
            self.state = state;
            let content = match state {
                State::FlowMappingKey(_) | State::BlockMappingKey(_) => {
                    Content::Mapping(Vec::new())
                }
                _ => Content::Sequence(Vec::new()),
            };
            return self.open(start, content, anchor);
        }
        let (value, is_plain) = match kind {
            Kind::Scalar(is_plain) => (self.scanner.take().value, is_plain),
            _ if anchor.is_some() || tag.is_some() => (String::new(), true),
            _ => return Err(YamlError::new(line, Problem::MissingValue)),
        };
        self.pop_state();
        let implicit = match tag.as_deref() {
            None => is_plain,
            Some(tag) => tag == "!" && kind == Kind::Scalar(is_plain),
        };
        let content = Content::Scalar {
            value: value.into_boxed_str().into(),
            tag: tag.map(String::into_boxed_str),
            implicit,
        };
        self.add(start, content, anchor)?;
        Ok(())
    }

    fn tag(&mut self, handle: &str, suffix: String, line: usize) -> Result<String> {
        if handle.is_empty() {
            return Ok(suffix);
        }
        let prefix = self.tags.iter().find(|(known, _)| known == handle);
        let tag = prefix.map(|(_, prefix)| format!("{prefix}{suffix}"));
        let tag = tag.filter(|tag| !tag.is_empty());
        tag.ok_or(YamlError::new(line, Problem::Tag))
    }

    fn block_sequence(&mut self, first: bool) -> Result {
        if first {
            self.scanner.take();
        }
        let (kind, line) = self.peek()?;
        match kind {
            Kind::BlockEntry => {
                self.scanner.take();
                let next = State::BlockSequence(false);
                match self.peek()?.0 {
                    Kind::BlockEntry | Kind::BlockEnd => self.empty_then(next, line),
                    _ => self.node_then(next, true, false),
                }
            }
            Kind::BlockEnd => {
                self.close_token();
                Ok(())
            }
            _ => Err(YamlError::new(line, Problem::Entry)),
        }
    }

    fn indentless_sequence(&mut self) -> Result {
        let (kind, line) = self.peek()?;
        if kind != Kind::BlockEntry {
            self.pop_state();
            self.close();
            return Ok(());
        }
        self.scanner.take();
        let next = State::IndentlessSequence;
        match self.peek()?.0 {
            Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => {
                self.empty_then(next, line)
            }
            _ => self.node_then(next, true, false),
        }
    }

    fn block_mapping_key(&mut self, first: bool) -> Result {
        if first {
            self.scanner.take();
        }
        let (kind, line) = self.peek()?;
        match kind {
            Kind::Key => {
                self.scanner.take();
                self.block_mapping_node(State::BlockMappingValue, line)
            }
            Kind::BlockEnd => {
                self.close_token();
                Ok(())
            }
            _ => Err(YamlError::new(line, Problem::Entry)),
        }
    }

    fn block_mapping_value(&mut self) -> Result {
        let (kind, line) = self.peek()?;
        let next = State::BlockMappingKey(false);
        if kind == Kind::Value {
            self.scanner.take();
            self.block_mapping_node(next, line)
        } else {
            self.empty_then(next, line)
        }
    }

    fn block_mapping_node(&mut self, next: State, line: usize) -> Result {
        match self.peek()?.0 {
            Kind::Key | Kind::Value | Kind::BlockEnd => self.empty_then(next, line),
            _ => self.node_then(next, true, true),
        }
    }

    /// Passes over the comma between entries.
    fn flow_entry(&mut self, first: bool) -> Result<(Kind, usize)> {
        let (kind, line) = self.peek()?;
        if first {
            return Ok((kind, line));
        }
        if kind != Kind::FlowEntry {
            return Err(YamlError::new(line, Problem::Entry));
        }
        self.scanner.take();
        self.peek()
    }

    fn flow_sequence(&mut self, first: bool) -> Result {
        if first {
            self.scanner.take();
        }
        if self.peek()?.0 != Kind::FlowSequenceEnd {
            let (kind, line) = self.flow_entry(first)?;
            if kind == Kind::Key {
                self.scanner.take();
                self.state = State::FlowSequencePairKey;
                return self.open(line, Content::Mapping(Vec::new()), None);
            }
            if kind != Kind::FlowSequenceEnd {
                return self.node_then(State::FlowSequence(false), false, false);
            }
        }
        self.close_token();
        Ok(())
    }

    fn flow_pair_key(&mut self) -> Result {
        let (kind, line) = self.peek()?;
        match kind {
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                // The token is passed over, as upstream does.
                self.scanner.take();
                self.empty_then(State::FlowSequencePairValue, line)
            }
            _ => self.node_then(State::FlowSequencePairValue, false, false),
        }
    }

    fn flow_mapping_key(&mut self, first: bool) -> Result {
        if first {
            self.scanner.take();
        }
        if self.peek()?.0 != Kind::FlowMappingEnd {
            let (kind, _) = self.flow_entry(first)?;
            if kind == Kind::Key {
                self.scanner.take();
                let (kind, line) = self.peek()?;
                return match kind {
                    Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd => {
                        self.empty_then(State::FlowMappingValue, line)
                    }
                    _ => self.node_then(State::FlowMappingValue, false, false),
                };
            }
            if kind != Kind::FlowMappingEnd {
                return self.node_then(State::FlowMappingNoValue, false, false);
            }
        }
        self.close_token();
        Ok(())
    }

    fn flow_value(&mut self, end: Kind, next: State) -> Result {
        let (kind, line) = self.peek()?;
        if kind == Kind::Value {
            self.scanner.take();
            let kind = self.peek()?.0;
            if kind != Kind::FlowEntry && kind != end {
                return self.node_then(next, false, false);
            }
        }
        self.empty_then(next, line)
    }

    fn empty_scalar(&mut self, line: usize) -> Result {
        let content = Content::Scalar {
            value: Cell::default(),
            tag: None,
            implicit: true,
        };
        self.add(line, content, None).map(|_| ())
    }

    fn open(&mut self, line: usize, content: Content, anchor: Option<String>) -> Result {
        let index = self.add(line, content, anchor)?;
        self.budget
            .enter()
            .map_err(|exceeded| YamlError::new(line, exceeded))?;
        self.open.push(index);
        Ok(())
    }

    fn close(&mut self) {
        if self.open.pop().is_some() {
            self.budget.leave();
        }
    }

    fn close_token(&mut self) {
        self.pop_state();
        self.scanner.take();
        self.close();
    }

    /// Adds a node to the collection that is open, and tells its place.
    fn add(&mut self, line: usize, content: Content, anchor: Option<String>) -> Result<usize> {
        self.budget
            .node()
            .map_err(|exceeded| YamlError::new(line, exceeded))?;
        let index = self.tree.nodes.len();
        self.tree.nodes.push(Node { line, content });
        let parent = self
            .open
            .last()
            .and_then(|parent| self.tree.nodes.get_mut(*parent));
        match parent.map(|parent| &mut parent.content) {
            Some(Content::Sequence(children) | Content::Mapping(children)) => children.push(index),
            _ => self.tree.root = Some(index),
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, index);
        }
        Ok(index)
    }
}
