//! A tree to JSON: what go.yaml.in/yaml/v2 `decoder` and sigs.k8s.io/yaml
//! `convertToJSONableObject` make of a document.

use std::cell::Cell;
use std::collections::HashMap;

use serde_json::{Map, Value};

use super::parser::{Content, Node, Tree};
use super::scalar::{self, Scalar};
use super::{Doubt, Oddity, OddityKind, Problem, YamlError};
use crate::budget::Budget;

type Result<T = ()> = std::result::Result<T, YamlError>;

/// The value of a document; null where there is nothing in it.
pub(super) fn value(tree: &Tree, budget: &mut Budget, oddities: &mut Vec<Oddity>) -> Result<Value> {
    let Some(root) = tree.root else {
        return Ok(Value::Null);
    };
    let mut decoder = Decoder {
        nodes: &tree.nodes,
        has_aliases: has_aliases(tree),
        decoded: 0,
        aliased: 0,
        aliases: Vec::new(),
        budget,
        oddities,
    };
    decoder.value(root)
}

/// The items of the list that a document is, or that is all of its mapping, with their lines.
pub(super) fn items(
    tree: &Tree,
    budget: &mut Budget,
    oddities: &mut Vec<Oddity>,
) -> Result<Option<Vec<(usize, Value)>>> {
    let content = |index: usize| tree.nodes.get(index).map(|node| &node.content);
    let list = match tree.root.and_then(content) {
        Some(Content::Mapping(entries)) => match entries.as_slice() {
            [_, only] => content(*only),
            _ => None,
        },
        root => root,
    };
    let Some(Content::Sequence(children)) = list else {
        return Ok(None);
    };
    let mut decoder = Decoder {
        nodes: &tree.nodes,
        has_aliases: has_aliases(tree),
        decoded: 0,
        aliased: 0,
        aliases: Vec::new(),
        budget,
        oddities,
    };
    let items = children.iter().map(|child| {
        let line = tree.nodes.get(*child).map_or(1, |node| node.line);
        Ok((line, decoder.value(*child)?))
    });
    items.collect::<Result<_>>().map(Some)
}

fn has_aliases(tree: &Tree) -> bool {
    let mut nodes = tree.nodes.iter();
    nodes.any(|node| matches!(node.content, Content::Alias(_)))
}

struct Decoder<'a> {
    nodes: &'a [Node],
    /// Whether a node may be decoded more than once.
    has_aliases: bool,
    /// Nodes decoded so far, and how many of them because an alias said so.
    decoded: usize,
    aliased: usize,
    /// The aliases that are being followed.
    aliases: Vec<usize>,
    budget: &'a mut Budget,
    oddities: &'a mut Vec<Oddity>,
}

/// What a key is in Go's map, where keys of different types are different.
#[derive(Debug, Clone, Copy, PartialEq)]
enum KeyType {
    Text,
    Bool,
    Int,
    /// Not a number is not even itself.
    Float(f64),
}

/// A mapping as far as it was read.
#[derive(Default)]
struct Object {
    map: Map<String, Value>,
    /// The types of the keys that are no text.
    types: HashMap<String, KeyType>,
}

impl<'a> Decoder<'a> {
    fn value(&mut self, index: usize) -> Result<Value> {
        let node = self.count(index)?;
        let value = match &node.content {
            Content::Scalar { .. } => {
                let scalar = self.scalar(node)?;
                return scalar
                    .into_value()
                    .map_err(|problem| YamlError::new(node.line, problem));
            }
            Content::Alias(target) => {
                return self.through_alias(index, node.line, |decoder| decoder.value(*target));
            }
            Content::Sequence(children) => {
                self.enter(node.line)?;
                let items = children.iter().map(|child| self.value(*child));
                items.collect::<Result<_>>().map(Value::Array)
            }
            Content::Mapping(children) => {
                self.enter(node.line)?;
                let mut object = Object::default();
                self.entries_into(children, &mut object)
                    .map(|()| Value::Object(object.map))
            }
        };
        self.budget.leave();
        value
    }

    fn enter(&mut self, line: usize) -> Result {
        self.budget
            .enter()
            .map_err(|exceeded| YamlError::new(line, exceeded))
    }

    fn node(&self, index: usize) -> Option<&'a Node> {
        self.nodes.get(index)
    }

    /// The node, counted against what aliases may blow up a document to.
    fn count(&mut self, index: usize) -> Result<&'a Node> {
        let node = self
            .node(index)
            .ok_or(YamlError::new(1, Problem::MissingValue))?;
        self.decoded += 1;
        if !self.aliases.is_empty() {
            self.aliased += 1;
            let text = match &node.content {
                Content::Scalar { value, .. } => Content::look(value, str::len),
                _ => 0,
            };
            let left = self.budget.node().and_then(|()| self.budget.bytes(text));
            left.map_err(|exceeded| YamlError::new(node.line, exceeded))?;
        }
        if self.aliased > 100 && self.decoded > 1000 && is_excessive(self.decoded, self.aliased) {
            return Err(YamlError::new(node.line, Problem::Aliasing));
        }
        Ok(node)
    }

    fn scalar(&self, node: &Node) -> Result<Scalar> {
        let resolved = match &node.content {
            Content::Scalar {
                value,
                tag: None,
                implicit: false,
            } => Ok(Scalar::Text(self.text(value))),
            Content::Scalar { value, tag, .. } => {
                scalar::resolve(tag.as_deref(), &self.text(value))
            }
            _ => Err(Problem::Key),
        };
        resolved.map_err(|problem| YamlError::new(node.line, problem))
    }

    /// What a scalar says, which leaves the tree where it is needed no more: a large document is not held
    /// twice.
    fn text(&self, value: &Cell<Box<str>>) -> String {
        if self.has_aliases {
            Content::look(value, str::to_owned)
        } else {
            value.take().into()
        }
    }

    fn through_alias<T>(
        &mut self,
        alias: usize,
        line: usize,
        decode: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        if self.aliases.contains(&alias) {
            return Err(YamlError::new(line, Problem::AliasCycle));
        }
        self.aliases.push(alias);
        let decoded = decode(self);
        self.aliases.pop();
        decoded
    }

    /// Puts the entries of a mapping into `object`, later ones over earlier ones, merge keys in
    /// their turn.
    fn entries_into(&mut self, children: &[usize], object: &mut Object) -> Result {
        for pair in children.chunks_exact(2) {
            let [key, value] = *pair else { continue };
            if let Some(node) = self.node(key)
                && is_merge(node)
            {
                let kind = OddityKind::MergeKey;
                self.oddities.push(Oddity {
                    kind,
                    line: node.line,
                });
                self.merge_into(value, object)?;
                continue;
            }
            let (line, name, key_type) = self.key(key)?;
            let value = self.value(value)?;
            if object.map.insert(name.clone(), value).is_some() {
                self.oddities.push(Oddity {
                    kind: OddityKind::DuplicateKey,
                    line,
                });
                let earlier = object.types.get(&name).copied();
                if earlier.unwrap_or(KeyType::Text) != key_type {
                    return Err(YamlError::new(line, Doubt::Keys));
                }
            }
            if key_type != KeyType::Text {
                self.oddities.push(Oddity {
                    kind: OddityKind::OtherKey,
                    line,
                });
                object.types.insert(name, key_type);
            }
        }
        Ok(())
    }

    /// `decoder.merge`.
    fn merge_into(&mut self, value: usize, object: &mut Object) -> Result {
        match self.node(value).map(|node| &node.content) {
            Some(Content::Sequence(children)) => {
                let line = self.node(value).map_or(1, |node| node.line);
                for child in children.iter().rev() {
                    if let Some(Content::Sequence(_)) = self.node(*child).map(|node| &node.content)
                    {
                        return Err(YamlError::new(line, Problem::Merge));
                    }
                    self.merge_one(*child, object)?;
                }
                Ok(())
            }
            _ => self.merge_one(value, object),
        }
    }

    /// Merges a mapping, or an alias of one.
    fn merge_one(&mut self, index: usize, object: &mut Object) -> Result {
        let node = self.count(index)?;
        match &node.content {
            Content::Mapping(children) => {
                self.enter(node.line)?;
                let merged = self.entries_into(children, object);
                self.budget.leave();
                merged
            }
            Content::Alias(target)
                if self
                    .node(*target)
                    .is_some_and(|node| matches!(node.content, Content::Mapping(_))) =>
            {
                self.through_alias(index, node.line, |decoder| {
                    decoder.merge_one(*target, object)
                })
            }
            _ => Err(YamlError::new(node.line, Problem::Merge)),
        }
    }

    /// A key as sigs.k8s.io/yaml makes a string of it.
    fn key(&mut self, index: usize) -> Result<(usize, String, KeyType)> {
        let mut node = self.count(index)?;
        let line = node.line;
        if let Content::Alias(target) = node.content {
            node = self.through_alias(index, line, |decoder| decoder.count(target))?;
        }
        let (name, key_type) = match self.scalar(node)? {
            Scalar::Text(text) => (text, KeyType::Text),
            Scalar::Bool(value) => (value.to_string(), KeyType::Bool),
            Scalar::Int(value) => (value.to_string(), KeyType::Int),
            Scalar::Float(value) => (scalar::key_of_float(value), KeyType::Float(value)),
            Scalar::Null | Scalar::Uint(_) => return Err(YamlError::new(line, Problem::Key)),
        };
        Ok((line, name, key_type))
    }
}

fn is_merge(node: &Node) -> bool {
    matches!(
        &node.content,
        Content::Scalar { value, tag, implicit }
            if Content::look(value, |text| text == "<<") && (*implicit || tag.as_deref() == Some("tag:yaml.org,2002:merge"))
    )
}

/// go.yaml.in/yaml/v2 `allowedAliasRatio`: 99 % up to 400,000 nodes, falling to 10 % at 4,000,000.
fn is_excessive(decoded: usize, aliased: usize) -> bool {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio needs no more than 53 bits"
    )]
    let (decoded, aliased) = (decoded as f64, aliased as f64);
    let over = ((decoded - 400_000.0) / 3_600_000.0).clamp(0.0, 1.0);
    aliased / decoded > 0.99 - 0.89 * over
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_a_document_the_less_of_it_may_come_from_aliases() {
        for (decoded, most) in [
            (1_000, 990),
            (400_000, 396_000),
            (2_200_000, 1_198_999),
            (4_000_000, 399_999),
            (8_000_000, 799_999),
        ] {
            assert!(!is_excessive(decoded, most), "{decoded}");
            assert!(is_excessive(decoded, most + 2), "{decoded}");
        }
    }
}
