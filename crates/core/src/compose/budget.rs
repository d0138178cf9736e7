//! The size limit of resolved forms: a few lines of definitions that use one another can expand to
//! more than fits in memory.

use crate::config::{Data, Location, Node, ProblemCode, Reader};

/// Maximum size of a resolved form, in bytes as counted by [`size`].
const MAX_FORM_BYTES: usize = 8 << 20;
/// Maximum total size of all resolved forms, in bytes as counted by [`size`].
const MAX_TOTAL_BYTES: usize = 256 << 20;
/// Size of a node besides its string, in bytes.
const NODE_BYTES: usize = 16;

/// The remaining budget.
#[derive(Debug)]
pub(crate) struct Budget {
    one: usize,
    all: usize,
    is_over: bool,
}

impl Budget {
    /// Creates the budget of a whole configuration.
    pub(crate) fn new() -> Self {
        Self { one: MAX_FORM_BYTES, all: MAX_TOTAL_BYTES, is_over: false }
    }

    /// Starts a form: resets the budget of a single form.
    pub(super) fn begin(&mut self) {
        self.one = MAX_FORM_BYTES;
        self.is_over = false;
    }

    /// Returns whether the current form has exceeded the budget.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_over
    }

    /// Charges the size of a copy of a tree; see [`charge`](Self::charge).
    pub(super) fn charge_node(
        &mut self,
        node: &Node,
        location: Location,
        reader: &mut Reader<'_>,
    ) -> bool {
        self.charge(size(node), location, reader)
    }

    /// Charges a number of bytes. Returns whether they were available; if not, one problem is
    /// reported at `place`, and every further charge of this form fails.
    pub(super) fn charge(
        &mut self,
        bytes: usize,
        location: Location,
        reader: &mut Reader<'_>,
    ) -> bool {
        if self.is_over {
            return false;
        }
        if bytes <= self.one.min(self.all) {
            self.one -= bytes;
            self.all -= bytes;
            return true;
        }
        self.is_over = true;
        let (which, limit) = if bytes > self.one {
            ("the form", MAX_FORM_BYTES)
        } else {
            ("all forms together", MAX_TOTAL_BYTES)
        };
        let limit = limit >> 20;
        let what = format!("{which} would exceed {limit} MiB with everything extended and used");
        let expected = "fewer or smaller forms and definitions that extend and use one another";
        reader.problems.add(ProblemCode::Cycle, location, what, expected, None);
        false
    }
}

/// Returns the size of a tree in bytes: its strings and keys, and [`NODE_BYTES`] for each node.
fn size(node: &Node) -> usize {
    let inner = match &node.data {
        Data::Text(text) | Data::Number(text) => text.len(),
        Data::List(items) => items.iter().map(size).sum(),
        Data::Map(entries) => {
            entries.iter().map(|entry| entry.key.len() + size(&entry.value)).sum()
        }
        Data::Null | Data::Bool(_) | Data::Removed => 0,
    };
    NODE_BYTES + inner
}
