//! One document: events to a tree, and the tree to JSON (go.yaml.in/yaml/v2 `decoder`).

use std::borrow::Cow;
use std::collections::HashMap;

use libyaml_safer::{Encoding, Event, EventData, Parser, ScalarStyle};
use serde_json::{Map, Value};

use super::{YamlError, encoding, line_of, scalar, tags};

/// How deep collections may be nested. go-yaml allows 10,000; no Kubernetes object comes near.
const MAX_DEPTH: usize = 1000;

/// Reads one document; one without content is null.
pub(super) fn read(document: &[u8]) -> Result<Value, YamlError> {
    let tree = Tree::parse(&encoding::decode(document)?)?;
    let Some(root) = tree.root else {
        return Ok(Value::Null);
    };
    let mut decoder = Decoder {
        tree: &tree,
        decoded: 0,
        aliased: 0,
        aliases: Vec::new(),
    };
    decoder.value(root)
}

struct Node {
    line: usize,
    content: Content,
}

enum Content {
    Scalar {
        value: String,
        tag: Option<String>,
        plain: bool,
    },
    Sequence(Vec<usize>),
    /// Keys and values in turn.
    Mapping(Vec<usize>),
    Alias(usize),
}

struct Tree {
    nodes: Vec<Node>,
    root: Option<usize>,
}

impl Tree {
    fn parse(text: &str) -> Result<Self, YamlError> {
        let lines = ended(text);
        tags::check(&lines)?;
        let mut parser = Parser::new();
        parser.set_input(lines.as_bytes());
        parser.set_encoding(Encoding::Utf8);
        let mut builder = Builder::default();
        loop {
            let mut event = parser.parse().map_err(|error| YamlError::of(&error))?;
            if event.end_mark.index > text.len() as u64 {
                drop_added_break(&mut event.data);
            }
            let is_over = matches!(
                event.data,
                EventData::DocumentEnd { .. } | EventData::StreamEnd
            );
            if is_over {
                return Ok(Self {
                    nodes: builder.nodes,
                    root: builder.root,
                });
            }
            builder.take(event)?;
        }
    }
}

/// The text with a line break at its end: without one, `libyaml-safer` panics behind a block scalar.
fn ended(text: &str) -> Cow<'_, str> {
    if text.ends_with('\n') {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("{text}\n"))
    }
}

/// What the block scalar at the end has of the line break that [`ended`] added.
fn drop_added_break(data: &mut EventData) {
    if let EventData::Scalar { value, style, .. } = data
        && matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
        && value.ends_with('\n')
    {
        value.pop();
    }
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    root: Option<usize>,
    open: Vec<usize>,
    anchors: HashMap<String, usize>,
}

impl Builder {
    fn take(&mut self, event: Event) -> Result<(), YamlError> {
        let line = line_of(event.start_mark.line);
        let (anchor, content) = match event.data {
            EventData::Scalar {
                anchor,
                tag,
                value,
                plain_implicit,
                ..
            } => {
                let plain = plain_implicit || tag.is_some();
                (anchor, Content::Scalar { value, tag, plain })
            }
            EventData::SequenceStart { anchor, .. } => (anchor, Content::Sequence(Vec::new())),
            EventData::MappingStart { anchor, .. } => (anchor, Content::Mapping(Vec::new())),
            EventData::Alias { anchor } => match self.anchors.get(&anchor) {
                Some(target) => (None, Content::Alias(*target)),
                None => {
                    let problem = format!("unknown anchor '{anchor}' referenced");
                    return Err(YamlError::new(line, problem));
                }
            },
            EventData::SequenceEnd | EventData::MappingEnd => {
                self.open.pop();
                return Ok(());
            }
            _ => return Ok(()),
        };
        let opens = matches!(content, Content::Sequence(_) | Content::Mapping(_));
        let index = self.nodes.len();
        self.nodes.push(Node { line, content });
        self.attach(index);
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, index);
        }
        if opens {
            self.open.push(index);
            if self.open.len() > MAX_DEPTH {
                return Err(YamlError::new(line, "nested too deeply"));
            }
        }
        Ok(())
    }

    fn attach(&mut self, index: usize) {
        let parent = self
            .open
            .last()
            .and_then(|parent| self.nodes.get_mut(*parent));
        match parent.map(|parent| &mut parent.content) {
            Some(Content::Sequence(children) | Content::Mapping(children)) => children.push(index),
            _ => self.root = Some(index),
        }
    }
}

struct Decoder<'a> {
    tree: &'a Tree,
    /// Nodes decoded so far, and how many of them because an alias said so.
    decoded: usize,
    aliased: usize,
    /// The nodes that are being expanded for an alias.
    aliases: Vec<usize>,
}

impl<'a> Decoder<'a> {
    fn value(&mut self, index: usize) -> Result<Value, YamlError> {
        let node = self.node(index)?;
        match &node.content {
            Content::Scalar { value, tag, plain } if *plain => {
                scalar::resolve(tag.as_deref(), value)
                    .map_err(|problem| YamlError::new(node.line, problem))
            }
            Content::Scalar { value, .. } => Ok(value.as_str().into()),
            Content::Sequence(children) => children
                .iter()
                .map(|child| self.value(*child))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Content::Mapping(_) => {
                let mut map = Map::new();
                self.entries_into(index, &mut map)?;
                Ok(Value::Object(map))
            }
            Content::Alias(target) => self.through_alias(node.line, *target, Self::value),
        }
    }

    /// The node, counted against the limit on what aliases may blow up a document to.
    fn node(&mut self, index: usize) -> Result<&'a Node, YamlError> {
        let node = self
            .tree
            .nodes
            .get(index)
            .ok_or_else(|| YamlError::new(1, "missing node"))?;
        self.decoded += 1;
        if !self.aliases.is_empty() {
            self.aliased += 1;
        }
        if self.aliased > 100 && self.decoded > 1000 && self.has_excessive_aliases() {
            return Err(YamlError::new(
                node.line,
                "document contains excessive aliasing",
            ));
        }
        Ok(node)
    }

    /// go.yaml.in/yaml/v2 `allowedAliasRatio`: 99 % up to 400,000 nodes, falling to 10 % at
    /// 4,000,000.
    fn has_excessive_aliases(&self) -> bool {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a ratio needs no more than 53 bits"
        )]
        let (decoded, aliased) = (self.decoded as f64, self.aliased as f64);
        let over = ((decoded - 400_000.0) / 3_600_000.0).clamp(0.0, 1.0);
        aliased / decoded > 0.99 - 0.89 * over
    }

    fn through_alias<T>(
        &mut self,
        line: usize,
        target: usize,
        decode: impl FnOnce(&mut Self, usize) -> Result<T, YamlError>,
    ) -> Result<T, YamlError> {
        if self.aliases.contains(&target) || self.aliases.len() >= MAX_DEPTH {
            return Err(YamlError::new(line, "anchor value contains itself"));
        }
        self.aliases.push(target);
        let decoded = decode(self, target);
        self.aliases.pop();
        decoded
    }

    /// Puts the entries of a mapping into `map`, later ones over earlier ones, merge keys in their
    /// turn.
    fn entries_into(
        &mut self,
        mapping: usize,
        map: &mut Map<String, Value>,
    ) -> Result<(), YamlError> {
        let tree = self.tree;
        let Some(Node {
            content: Content::Mapping(children),
            ..
        }) = tree.nodes.get(mapping)
        else {
            return Ok(());
        };
        for pair in children.chunks_exact(2) {
            let [key, value] = *pair else { continue };
            if self.is_merge(key) {
                self.merge_into(value, map)?;
                continue;
            }
            let name = self.key(key)?;
            let value = self.value(value)?;
            map.insert(name, value);
        }
        Ok(())
    }

    fn is_merge(&self, key: usize) -> bool {
        matches!(
            self.tree.nodes.get(key).map(|node| &node.content),
            Some(Content::Scalar { value, tag, plain: true })
                if value == "<<" && tag.as_deref().is_none_or(|tag| tag.ends_with(":merge"))
        )
    }

    fn merge_into(&mut self, value: usize, map: &mut Map<String, Value>) -> Result<(), YamlError> {
        let tree = self.tree;
        let node = self.node(value)?;
        let line = node.line;
        let wants_map = || {
            YamlError::new(
                line,
                "map merge requires map or sequence of maps as the value",
            )
        };
        match tree.nodes.get(value).map(|node| &node.content) {
            Some(Content::Mapping(_)) => self.entries_into(value, map),
            Some(Content::Alias(target)) => match tree.nodes.get(*target).map(|node| &node.content)
            {
                Some(Content::Mapping(_)) => {
                    self.through_alias(line, *target, |decoder, target| {
                        decoder.node(target)?;
                        decoder.entries_into(target, map)
                    })
                }
                _ => Err(wants_map()),
            },
            Some(Content::Sequence(children)) => {
                for child in children.iter().rev() {
                    match tree.nodes.get(*child).map(|node| &node.content) {
                        Some(Content::Mapping(_) | Content::Alias(_)) => {
                            self.merge_into(*child, map)?;
                        }
                        _ => return Err(wants_map()),
                    }
                }
                Ok(())
            }
            _ => Err(wants_map()),
        }
    }

    /// A key as sigs.k8s.io/yaml makes a string of it.
    fn key(&mut self, key: usize) -> Result<String, YamlError> {
        let line = self.node(key)?.line;
        self.decoded -= 1;
        match self.value(key)? {
            Value::String(text) => Ok(text),
            Value::Bool(value) => Ok(value.to_string()),
            Value::Number(number) if number.is_i64() || number.is_f64() => Ok(number.to_string()),
            _ => Err(YamlError::new(line, "unsupported kind of map key")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_scalar_may_end_with_the_text() {
        for (text, value) in [
            ("|\n  a", "a"),
            ("|\n  a\n", "a\n"),
            (">-\n  a", "a"),
            ("|+\n  a\n\n  ", "a\n\n"),
            ("'a'", "a"),
        ] {
            assert_eq!(read(text.as_bytes()), Ok(value.into()), "{text:?}");
        }
    }

    #[test]
    fn the_larger_a_document_the_less_of_it_may_come_from_aliases() {
        let tree = Tree {
            nodes: Vec::new(),
            root: None,
        };
        for (decoded, most) in [
            (1_000, 990),
            (400_000, 396_000),
            (2_200_000, 1_198_999),
            (4_000_000, 399_999),
            (8_000_000, 799_999),
        ] {
            let is_excessive = |aliased| {
                let decoder = Decoder {
                    tree: &tree,
                    decoded,
                    aliased,
                    aliases: Vec::new(),
                };
                decoder.has_excessive_aliases()
            };
            assert!(!is_excessive(most), "{decoded}");
            assert!(is_excessive(most + 2), "{decoded}");
        }
    }

    #[test]
    fn a_small_document_may_repeat_what_it_has() {
        let items = format!("a: &a [{}]\n", "x, ".repeat(60));
        for (aliases, readable) in [(2, true), (15, true), (1_000, true), (10_000, false)] {
            let text = format!("{items}b: [{}]\n", "*a, ".repeat(aliases));
            assert_eq!(read(text.as_bytes()).is_ok(), readable, "{aliases}");
        }
    }
}
