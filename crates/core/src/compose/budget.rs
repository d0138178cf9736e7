//! How much forms may come to with all they extend and use in them: a few lines that use one
//! another ask for more than any memory holds.

use crate::config::{Data, Location, Node, ProblemCode, Reader};

/// The most that one form may come to, in bytes as [`size`] counts them.
const MAX_FORM_BYTES: usize = 8 << 20;
/// The most that all forms of a configuration may come to, counted likewise.
const MAX_TOTAL_BYTES: usize = 256 << 20;
/// What a value costs beside its text, in bytes.
const NODE_BYTES: usize = 16;

/// What is left to be put into forms.
#[derive(Debug)]
pub(crate) struct Budget {
    one: usize,
    all: usize,
    is_over: bool,
}

impl Budget {
    /// For a whole configuration.
    pub(crate) fn new() -> Self {
        Self { one: MAX_FORM_BYTES, all: MAX_TOTAL_BYTES, is_over: false }
    }

    /// Goes on to another form.
    pub(super) fn begin(&mut self) {
        self.one = MAX_FORM_BYTES;
        self.is_over = false;
    }

    /// Whether the form asked for more than was left.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_over
    }

    /// Takes what a copy of a tree costs, as [`take`](Self::take).
    pub(super) fn charge_node(
        &mut self,
        node: &Node,
        place: Location,
        reader: &mut Reader<'_>,
    ) -> bool {
        self.charge(size(node), place, reader)
    }

    /// Takes so many bytes, and says whether they were left. Where they are not, this form gets
    /// nothing more, and that is told once, at the place that asked.
    pub(super) fn charge(
        &mut self,
        bytes: usize,
        place: Location,
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
        let (which, most) = if bytes > self.one {
            ("the form", MAX_FORM_BYTES)
        } else {
            ("all forms together", MAX_TOTAL_BYTES)
        };
        let most = most >> 20;
        let what = format!("with what it extends and uses, {which} would be over {most} MiB");
        let expected = "fewer or smaller forms and definitions that extend and use one another";
        reader.problems.add(ProblemCode::Cycle, place, what, expected, None);
        false
    }
}

/// How large a tree is, in bytes: its texts and keys, and [`NODE_BYTES`] for every value.
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
