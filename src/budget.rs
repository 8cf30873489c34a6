//! What reading may cost: bounds on bytes, nodes and depth that every reader of untrusted input
//! counts down, so that time and memory stay linear in what was given.

/// What a reader may take, at most. The bounds hold for one file together with all that is found
/// inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of input.
    pub bytes: usize,
    /// Values: scalars, lists and mappings, those that aliases repeat included.
    pub nodes: usize,
    /// How deep lists and mappings may be nested.
    pub depth: usize,
}

impl Limits {
    /// The default bound on input, in bytes: 1 MiB.
    pub const BYTES: usize = 1 << 20;
    /// The depth that is enough for every Kubernetes object but those of which a custom resource
    /// makes a tree; a stack of 2 MiB holds many times of it.
    const DEPTH: usize = 1000;
    /// The smallest node takes two bytes of YAML (`- `) or JSON (`1,`); files that people have take
    /// twenty.
    const BYTES_PER_NODE: usize = 4;
    /// What the smallest file may hold.
    const LEAST_NODES: usize = 1000;

    /// The bounds for input of at most `bytes` bytes.
    #[must_use]
    pub const fn for_bytes(bytes: usize) -> Self {
        Self {
            bytes,
            nodes: bytes / Self::BYTES_PER_NODE + Self::LEAST_NODES,
            depth: Self::DEPTH,
        }
    }

    /// The bounds for input that is in memory already: the default ones, or more where it is
    /// larger.
    #[must_use]
    pub const fn for_input(input: &[u8]) -> Self {
        Self::for_bytes(if input.len() > Self::BYTES {
            input.len()
        } else {
            Self::BYTES
        })
    }
}

impl Default for Limits {
    /// 1 MiB.
    fn default() -> Self {
        Self::for_bytes(Self::BYTES)
    }
}

/// Which bound was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// More bytes.
    #[error("larger than {0} bytes")]
    Bytes(usize),
    /// More values.
    #[error("holds more than {0} values")]
    Nodes(usize),
    /// Deeper.
    #[error("nested deeper than {0} levels")]
    Depth(usize),
}

crate::text::show_escaped!(Exceeded);

/// What is left of [`Limits`].
#[derive(Debug, Clone)]
pub struct Budget {
    limits: Limits,
    bytes: usize,
    nodes: usize,
    depth: usize,
}

impl Budget {
    /// The whole of it.
    #[must_use]
    pub const fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            bytes: limits.bytes,
            nodes: limits.nodes,
            depth: limits.depth,
        }
    }

    /// Takes `count` bytes off: of input, or of text made of it.
    ///
    /// # Errors
    /// [`Exceeded::Bytes`] where fewer are left.
    pub fn bytes(&mut self, count: usize) -> Result<(), Exceeded> {
        let left = self.bytes.checked_sub(count);
        self.bytes = left.ok_or(Exceeded::Bytes(self.limits.bytes))?;
        Ok(())
    }

    /// Takes one value off.
    ///
    /// # Errors
    /// [`Exceeded::Nodes`] where none is left.
    pub fn node(&mut self) -> Result<(), Exceeded> {
        let left = self.nodes.checked_sub(1);
        self.nodes = left.ok_or(Exceeded::Nodes(self.limits.nodes))?;
        Ok(())
    }

    /// Takes `count` values off, for what costs as much to keep.
    ///
    /// # Errors
    /// [`Exceeded::Nodes`] where fewer are left.
    pub fn nodes(&mut self, count: usize) -> Result<(), Exceeded> {
        (0..count).try_for_each(|_| self.node())
    }

    /// Goes one level down.
    ///
    /// # Errors
    /// [`Exceeded::Depth`] where that is too deep.
    pub fn enter(&mut self) -> Result<(), Exceeded> {
        let left = self.depth.checked_sub(1);
        self.depth = left.ok_or(Exceeded::Depth(self.limits.depth))?;
        Ok(())
    }

    /// Comes back up.
    pub fn leave(&mut self) {
        self.depth = (self.depth + 1).min(self.limits.depth);
    }

    /// How much was taken so far: bytes and nodes.
    #[must_use]
    pub const fn spent(&self) -> (usize, usize) {
        (
            self.limits.bytes - self.bytes,
            self.limits.nodes - self.nodes,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_reached_and_not_passed() {
        let limits = Limits {
            bytes: 3,
            nodes: 2,
            depth: 1,
        };
        let mut budget = Budget::new(&limits);
        assert_eq!(budget.bytes(2), Ok(()));
        assert_eq!(budget.bytes(2), Err(Exceeded::Bytes(3)));
        assert_eq!((budget.node(), budget.node()), (Ok(()), Ok(())));
        assert_eq!(budget.node(), Err(Exceeded::Nodes(2)));
        assert_eq!(budget.enter(), Ok(()));
        assert_eq!(budget.enter(), Err(Exceeded::Depth(1)));
        budget.leave();
        budget.leave();
        assert_eq!(budget.enter(), Ok(()));
        assert_eq!(budget.enter(), Err(Exceeded::Depth(1)));
        assert_eq!(budget.spent(), (2, 2));
        let mut budget = Budget::new(&limits);
        assert_eq!(budget.nodes(3), Err(Exceeded::Nodes(2)));
    }

    #[test]
    fn a_mebibyte_holds_a_quarter_of_a_million_values() {
        assert_eq!(Limits::default(), Limits::for_bytes(1 << 20));
        assert_eq!(Limits::default().nodes, 263_144);
    }
}
