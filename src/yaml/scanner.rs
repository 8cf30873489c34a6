//! Text to tokens, as go.yaml.in/yaml/v2 `scannerc.go` does: each rule is that of the function
//! which has its name, so that what kubectl refuses is refused, and what it reads is read.

use std::collections::{HashMap, VecDeque};

use super::{Problem, YamlError};

mod properties;
mod scalars;

/// A key without `?` ends on its line and within so many characters (`yaml_simple_key_is_valid`).
const MAX_SIMPLE_KEY: usize = 1024;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    StreamEnd,
    /// `%YAML`, and whether it is version 1.1.
    Version(bool),
    TagDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    /// A scalar, and whether it is plain.
    Scalar(bool),
}

/// A token with its line, counted from 1.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: usize,
    /// The scalar, the name of an anchor or alias, or the handle of a tag.
    pub(super) value: String,
    /// What follows the handle of a tag.
    pub(super) suffix: String,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    index: usize,
    line: usize,
    column: isize,
}

#[derive(Debug, Clone, Copy)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token: usize,
    mark: Mark,
}

/// The scanner. NUL stands for the end of the text, which holds none.
pub(super) struct Scanner<'a> {
    text: &'a str,
    position: usize,
    mark: Mark,
    tokens: VecDeque<Token>,
    /// How many tokens were taken.
    taken: usize,
    flow_level: usize,
    indent: isize,
    indents: Vec<isize>,
    simple_key_allowed: bool,
    /// One for each flow level.
    simple_keys: Vec<SimpleKey>,
    /// Which of them a token may be the start of.
    keys_by_token: HashMap<usize, usize>,
    ended: bool,
}

type Result<T = ()> = std::result::Result<T, YamlError>;

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mark = Mark {
            index: 0,
            line: 1,
            column: 0,
        };
        Self {
            text,
            position: 0,
            mark,
            tokens: VecDeque::new(),
            taken: 0,
            flow_level: 0,
            indent: -1,
            indents: Vec::new(),
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey {
                possible: false,
                required: false,
                token: 0,
                mark,
            }],
            keys_by_token: HashMap::new(),
            ended: false,
        }
    }

    /// The next token's kind and line (`yaml_parser_fetch_more_tokens`). Behind the end of the
    /// stream, the end again.
    pub(super) fn peek(&mut self) -> Result<(Kind, usize)> {
        loop {
            if let Some(token) = self.tokens.front() {
                let found = (token.kind, token.line);
                if self.ended {
                    // No colon can come any more that would make it a key.
                    return Ok(found);
                }
                let key = self.keys_by_token.get(&self.taken);
                let Some(key) = key.and_then(|key| self.simple_keys.get(*key)) else {
                    return Ok(found);
                };
                if !self.is_valid(*key)? {
                    self.keys_by_token.remove(&self.taken);
                    return Ok(found);
                }
            } else if self.ended {
                return Ok((Kind::StreamEnd, self.mark.line));
            }
            self.fetch_next()?;
        }
    }

    /// Takes the next token, once it was looked at.
    pub(super) fn take(&mut self) -> Token {
        self.taken += 1;
        let line = self.mark.line;
        self.tokens.pop_front().unwrap_or(Token {
            kind: Kind::StreamEnd,
            line,
            value: String::new(),
            suffix: String::new(),
        })
    }

    /// The byte so many bytes ahead, 0 behind the end.
    fn at(&self, ahead: usize) -> u8 {
        let bytes = self.text.as_bytes();
        bytes.get(self.position + ahead).copied().unwrap_or(0)
    }

    fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.at(ahead), b' ' | b'\t')
    }

    fn is_break(&self, ahead: usize) -> bool {
        match self.at(ahead) {
            b'\r' | b'\n' => true,
            0xC2 => self.at(ahead + 1) == 0x85,
            0xE2 => self.at(ahead + 1) == 0x80 && matches!(self.at(ahead + 2), 0xA8 | 0xA9),
            _ => false,
        }
    }

    fn is_end(&self) -> bool {
        self.at(0) == 0
    }

    fn is_break_or_end(&self, ahead: usize) -> bool {
        self.at(ahead) == 0 || self.is_break(ahead)
    }

    fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// Whether `---` or `...` stands alone at the start of this line.
    fn is_document_indicator(&self) -> bool {
        let indicator = [self.at(0), self.at(1), self.at(2)];
        self.mark.column == 0
            && (indicator == *b"---" || indicator == *b"...")
            && self.is_blank_or_end(3)
    }

    /// The text of the character here.
    fn character(&self) -> &'a str {
        let width = match self.at(0) {
            0 if self.position >= self.text.len() => 0,
            0..=0x7F => 1,
            0x80..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0.. => 4,
        };
        let end = self.position + width;
        self.text.get(self.position..end).unwrap_or_default()
    }

    fn skip(&mut self) {
        self.position += self.character().len();
        self.mark.index += 1;
        self.mark.column += 1;
    }

    fn read(&mut self, into: &mut String) {
        into.push_str(self.character());
        self.skip();
    }

    /// Passes over a line break, and adds what it stands for.
    fn read_line(&mut self, into: &mut String) {
        let is_pair = self.at(0) == b'\r' && self.at(1) == b'\n';
        match self.at(0) {
            0xE2 => into.push_str(self.character()),
            0 => return,
            _ => into.push('\n'),
        }
        if is_pair {
            self.skip();
        }
        self.skip();
        self.mark.column = 0;
        self.mark.line += 1;
    }

    fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.skip();
        }
    }

    fn skip_comment(&mut self) {
        if self.at(0) == b'#' {
            while !self.is_break_or_end(0) {
                self.skip();
            }
        }
    }

    fn skip_line(&mut self) {
        if self.is_break(0) {
            self.read_line(&mut String::new());
        }
    }

    fn error<T>(&self, problem: Problem) -> Result<T> {
        Err(YamlError::new(self.mark.line, problem))
    }

    fn push(&mut self, kind: Kind, line: usize, value: String) {
        self.tokens.push_back(Token {
            kind,
            line,
            value,
            suffix: String::new(),
        });
    }

    /// Puts a token before the one of that number.
    fn insert(&mut self, number: usize, kind: Kind, line: usize) {
        let index = number.saturating_sub(self.taken).min(self.tokens.len());
        let token = Token {
            kind,
            line,
            value: String::new(),
            suffix: String::new(),
        };
        self.tokens.insert(index, token);
    }

    /// `yaml_parser_fetch_next_token`.
    fn fetch_next(&mut self) -> Result {
        self.scan_to_next_token();
        self.unroll_indent(self.mark.column);
        if self.is_end() {
            return self.fetch_stream_end();
        }
        if self.mark.column == 0 && self.at(0) == b'%' {
            return self.fetch_directive();
        }
        if self.is_document_indicator() {
            return self.fetch_document_indicator();
        }
        let in_flow = self.flow_level > 0;
        match self.at(0) {
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.indicator(Kind::FlowEntry);
                Ok(())
            }
            b'-' if self.is_blank_or_end(1) => self.fetch_block_entry(),
            b'?' if in_flow || self.is_blank_or_end(1) => self.fetch_key(),
            b':' if in_flow || self.is_blank_or_end(1) => self.fetch_value(),
            b'*' => self.fetch_anchor(Kind::Alias),
            b'&' => self.fetch_anchor(Kind::Anchor),
            b'!' => self.fetch_tag(),
            indicator @ (b'|' | b'>') if !in_flow => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.scan_block_scalar(indicator == b'|')
            }
            quote @ (b'\'' | b'"') => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                self.scan_flow_scalar(quote == b'\'')
            }
            b'-' => self.fetch_plain(),
            b'?' | b':' if !in_flow => self.fetch_plain(),
            b'?' | b':' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => self.error(Problem::Character),
            _ if self.is_blank_or_end(0) => self.error(Problem::Character),
            _ => self.fetch_plain(),
        }
    }

    fn fetch_plain(&mut self) -> Result {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_plain_scalar()
    }

    /// A token of one character.
    fn indicator(&mut self, kind: Kind) {
        self.push(kind, self.mark.line, String::new());
        self.skip();
    }

    fn scan_to_next_token(&mut self) {
        loop {
            let tabs = self.flow_level > 0 || !self.simple_key_allowed;
            while self.at(0) == b' ' || (tabs && self.at(0) == b'\t') {
                self.skip();
            }
            self.skip_comment();
            if !self.is_break(0) {
                return;
            }
            self.skip_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    /// `yaml_simple_key_is_valid`.
    fn is_valid(&self, key: SimpleKey) -> Result<bool> {
        let is_over =
            key.mark.line < self.mark.line || key.mark.index + MAX_SIMPLE_KEY < self.mark.index;
        if key.possible && is_over && key.required {
            return Err(YamlError::new(key.mark.line, Problem::MissingColon));
        }
        Ok(key.possible && !is_over)
    }

    fn save_simple_key(&mut self) -> Result {
        if !self.simple_key_allowed {
            return Ok(());
        }
        let key = SimpleKey {
            possible: true,
            required: self.flow_level == 0 && self.indent == self.mark.column,
            token: self.taken + self.tokens.len(),
            mark: self.mark,
        };
        self.remove_simple_key()?;
        let level = self.simple_keys.len().saturating_sub(1);
        if let Some(last) = self.simple_keys.last_mut() {
            *last = key;
        }
        self.keys_by_token.insert(key.token, level);
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Result {
        if let Some(key) = self.simple_keys.last_mut()
            && key.possible
        {
            if key.required {
                return Err(YamlError::new(key.mark.line, Problem::MissingColon));
            }
            key.possible = false;
            self.keys_by_token.remove(&key.token);
        }
        Ok(())
    }

    /// `yaml_parser_roll_indent`: a block starts at that column, before the token of that number,
    /// or here.
    fn roll_indent(&mut self, column: isize, number: Option<usize>, kind: Kind, line: usize) {
        if self.flow_level > 0 || self.indent >= column {
            return;
        }
        self.indents.push(self.indent);
        self.indent = column;
        self.insert(number.unwrap_or(usize::MAX), kind, line);
    }

    fn unroll_indent(&mut self, column: isize) {
        while self.flow_level == 0 && self.indent > column {
            self.push(Kind::BlockEnd, self.mark.line, String::new());
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch_stream_end(&mut self) -> Result {
        // A last line without a line break ends here as well, and with it the keys that began on it.
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.ended = true;
        self.push(Kind::StreamEnd, self.mark.line, String::new());
        Ok(())
    }

    fn fetch_document_indicator(&mut self) -> Result {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let kind = if self.at(0) == b'-' {
            Kind::DocumentStart
        } else {
            Kind::DocumentEnd
        };
        self.push(kind, self.mark.line, String::new());
        (0..3).for_each(|_| self.skip());
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: Kind) -> Result {
        self.save_simple_key()?;
        self.simple_keys.push(SimpleKey {
            possible: false,
            required: false,
            token: self.taken + self.tokens.len(),
            mark: self.mark,
        });
        self.flow_level += 1;
        self.simple_key_allowed = true;
        self.indicator(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind) -> Result {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            self.simple_keys.pop();
        }
        self.simple_key_allowed = false;
        self.indicator(kind);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.error(Problem::Misplaced);
            }
            let Mark { line, column, .. } = self.mark;
            self.roll_indent(column, None, Kind::BlockSequenceStart, line);
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.indicator(Kind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result {
        self.block_mapping_here()?;
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.indicator(Kind::Key);
        Ok(())
    }

    /// A `?` or `:` that no simple key stands before starts a mapping in its own column.
    fn block_mapping_here(&mut self) -> Result {
        if self.flow_level > 0 {
            return Ok(());
        }
        if !self.simple_key_allowed {
            return self.error(Problem::Misplaced);
        }
        let Mark { line, column, .. } = self.mark;
        self.roll_indent(column, None, Kind::BlockMappingStart, line);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result {
        match self.simple_keys.last().copied() {
            Some(key) if self.is_valid(key)? => {
                self.insert(key.token, Kind::Key, key.mark.line);
                let (column, line) = (key.mark.column, key.mark.line);
                self.roll_indent(column, Some(key.token), Kind::BlockMappingStart, line);
                if let Some(key) = self.simple_keys.last_mut() {
                    key.possible = false;
                }
                self.keys_by_token.remove(&key.token);
                self.simple_key_allowed = false;
            }
            _ => {
                self.block_mapping_here()?;
                self.simple_key_allowed = self.flow_level == 0;
            }
        }
        self.indicator(Kind::Value);
        Ok(())
    }
}
