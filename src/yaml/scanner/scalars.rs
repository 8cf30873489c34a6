//! Block, quoted and plain scalars (`yaml_parser_scan_block_scalar`,
//! `yaml_parser_scan_flow_scalar`, `yaml_parser_scan_plain_scalar`).

use super::{Kind, Result, Scanner};
use crate::yaml::Problem;

/// What is to become of the line breaks at the end of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

/// Blanks and line breaks between two words, until it is known what they stand for.
#[derive(Default)]
struct Space {
    blanks: String,
    first_break: String,
    more_breaks: String,
    has_breaks: bool,
}

impl Space {
    /// One line break is a space; of more, the first one is dropped.
    fn fold_into(&mut self, text: &mut String) {
        if !self.has_breaks {
            text.push_str(&self.blanks);
        } else if !self.first_break.starts_with('\n') {
            text.push_str(&self.first_break);
            text.push_str(&self.more_breaks);
        } else if self.more_breaks.is_empty() {
            text.push(' ');
        } else {
            text.push_str(&self.more_breaks);
        }
        self.blanks.clear();
        self.first_break.clear();
        self.more_breaks.clear();
        self.has_breaks = false;
    }
}

impl Scanner<'_> {
    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result {
        let start = self.mark.line;
        self.skip();
        let (chomping, increment) = self.block_header()?;
        let mut indent = match increment {
            0 => 0,
            _ => self.indent.max(0) + increment,
        };
        let [mut text, mut first_break, mut breaks] = [const { String::new() }; 3];
        self.block_breaks(&mut indent, &mut breaks)?;
        let mut leading_blank = false;
        while self.mark.column == indent && !self.is_end() {
            let is_blank = self.is_blank(0);
            let folds = !literal && !leading_blank && !is_blank && first_break == "\n";
            if !folds {
                text += &first_break;
            } else if breaks.is_empty() {
                text.push(' ');
            }
            text += &breaks;
            first_break.clear();
            breaks.clear();
            leading_blank = is_blank;
            while !self.is_break_or_end(0) {
                self.read(&mut text);
            }
            self.read_line(&mut first_break);
            self.block_breaks(&mut indent, &mut breaks)?;
        }
        if chomping != Chomping::Strip {
            text += &first_break;
        }
        if chomping == Chomping::Keep {
            text += &breaks;
        }
        self.push(Kind::Scalar(false), start, text);
        Ok(())
    }

    /// The indicators of chomping and indentation, in either order, and the rest of the line.
    fn block_header(&mut self) -> Result<(Chomping, isize)> {
        let (mut chomping, mut increment) = (None, 0);
        for _ in 0..2 {
            match self.at(0) {
                sign @ (b'+' | b'-') if chomping.is_none() => {
                    chomping = Some(if sign == b'+' {
                        Chomping::Keep
                    } else {
                        Chomping::Strip
                    });
                    self.skip();
                }
                b'0' if increment == 0 => return self.error(Problem::BlockHead),
                digit @ b'1'..=b'9' if increment == 0 => {
                    increment = isize::from(digit - b'0');
                    self.skip();
                }
                _ => break,
            }
        }
        self.skip_blanks();
        self.skip_comment();
        if !self.is_break_or_end(0) {
            return self.error(Problem::BlockHead);
        }
        self.skip_line();
        Ok((chomping.unwrap_or(Chomping::Clip), increment))
    }

    /// Empty lines; finds out the indentation where it is not known (0).
    fn block_breaks(&mut self, indent: &mut isize, breaks: &mut String) -> Result {
        let mut deepest = 0;
        loop {
            let is_within = |column: isize| *indent == 0 || column < *indent;
            while is_within(self.mark.column) && self.at(0) == b' ' {
                self.skip();
            }
            deepest = deepest.max(self.mark.column);
            if is_within(self.mark.column) && self.at(0) == b'\t' {
                return self.error(Problem::Tab);
            }
            if !self.is_break(0) {
                break;
            }
            self.read_line(breaks);
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }

    pub(super) fn scan_flow_scalar(&mut self, single: bool) -> Result {
        let start = self.mark.line;
        let quote = self.at(0);
        self.skip();
        let mut text = String::new();
        let mut space = Space::default();
        loop {
            if self.is_document_indicator() {
                return self.error(Problem::IndicatorInQuote);
            }
            if self.is_end() {
                return self.error(Problem::UnclosedQuote);
            }
            while !self.is_blank_or_end(0) {
                if single && self.at(0) == quote && self.at(1) == quote {
                    text.push('\'');
                    self.skip();
                    self.skip();
                } else if self.at(0) == quote {
                    break;
                } else if !single && self.at(0) == b'\\' && self.is_break(1) {
                    self.skip();
                    self.skip_line();
                    space.has_breaks = true;
                    break;
                } else if !single && self.at(0) == b'\\' {
                    self.scan_escape(&mut text)?;
                } else {
                    self.read(&mut text);
                }
            }
            if self.at(0) == quote {
                break;
            }
            // Behind an escaped line break there is no first one: it leaves nothing.
            self.scan_space(&mut space, None)?;
            space.fold_into(&mut text);
        }
        self.skip();
        self.push(Kind::Scalar(false), start, text);
        Ok(())
    }

    /// Takes up blanks and line breaks; a tab left of `indent` is none of them.
    fn scan_space(&mut self, space: &mut Space, indent: Option<isize>) -> Result {
        while self.is_blank(0) || self.is_break(0) {
            if self.is_break(0) {
                space.blanks.clear();
                if space.has_breaks {
                    self.read_line(&mut space.more_breaks);
                } else {
                    self.read_line(&mut space.first_break);
                    space.has_breaks = true;
                }
            } else if space.has_breaks {
                let is_left = indent.is_some_and(|indent| self.mark.column < indent);
                if is_left && self.at(0) == b'\t' {
                    return self.error(Problem::Tab);
                }
                self.skip();
            } else {
                self.read(&mut space.blanks);
            }
        }
        Ok(())
    }

    fn scan_escape(&mut self, text: &mut String) -> Result {
        let digits = match self.at(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let escaped = match self.at(1) {
            b'0' => '\0',
            b'a' => '\u{7}',
            b'b' => '\u{8}',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\u{b}',
            b'f' => '\u{c}',
            b'r' => '\r',
            b'e' => '\u{1b}',
            same @ (b' ' | b'"' | b'\'' | b'\\') => char::from(same),
            b'N' => '\u{85}',
            b'_' => '\u{a0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' | b'u' | b'U' => {
                let start = self.position + 2;
                let code = self.text.get(start..start + digits);
                let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
                let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
                match code.and_then(char::from_u32) {
                    Some(character) => character,
                    None => return self.error(Problem::Escape),
                }
            }
            _ => return self.error(Problem::Escape),
        };
        text.push(escaped);
        (0..2 + digits).for_each(|_| self.skip());
        Ok(())
    }

    pub(super) fn scan_plain_scalar(&mut self) -> Result {
        let start = self.mark.line;
        let indent = self.indent + 1;
        let mut text = String::new();
        let mut space = Space::default();
        loop {
            if self.is_document_indicator() || self.at(0) == b'#' {
                break;
            }
            while !self.is_blank_or_end(0) {
                let ends_in_flow = self.flow_level > 0
                    && matches!(self.at(0), b',' | b'?' | b'[' | b']' | b'{' | b'}');
                if ends_in_flow || (self.at(0) == b':' && self.is_blank_or_end(1)) {
                    break;
                }
                if space.has_breaks || !space.blanks.is_empty() {
                    space.fold_into(&mut text);
                }
                self.read(&mut text);
            }
            if !(self.is_blank(0) || self.is_break(0)) {
                break;
            }
            self.scan_space(&mut space, Some(indent))?;
            if self.flow_level == 0 && self.mark.column < indent {
                break;
            }
        }
        if space.has_breaks {
            self.simple_key_allowed = true;
        }
        self.push(Kind::Scalar(true), start, text);
        Ok(())
    }
}
