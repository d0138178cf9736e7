//! Path of a field in a submission. Built on the stack, rendered only for violations.

use std::fmt::Write as _;

/// Path from the submission's root, as a linked list of steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: PathStep<'p>,
}

#[derive(Debug, Clone, Copy)]
enum PathStep<'p> {
    Root,
    Field { name: &'p str, suffixed: bool },
    Item { index: usize, key: Option<&'p str> },
}

impl<'p> Path<'p> {
    /// Path of the submission itself.
    pub(crate) const ROOT: Path<'static> = Path { parent: None, step: PathStep::Root };

    /// Returns the path of a field of the object at this path.
    pub(crate) fn field<'c>(&'c self, name: &'c str) -> Path<'c> {
        self.sent_as(name, false)
    }

    /// Returns the path of a field; `suffixed` if its key was submitted with the suffix
    /// `_attributes`.
    pub(crate) fn sent_as<'c>(&'c self, name: &'c str, suffixed: bool) -> Path<'c> {
        Path { parent: Some(self), step: PathStep::Field { name, suffixed } }
    }

    /// Returns the path of an item of the list at this path; `key` is its key in an index-hash.
    pub(crate) fn item<'c>(&'c self, index: usize, key: Option<&'c str>) -> Path<'c> {
        Path { parent: Some(self), step: PathStep::Item { index, key } }
    }

    /// Returns the path in dotted notation: `transactables.boat[1].name`.
    pub(crate) fn dotted(&self) -> String {
        let mut text = String::new();
        self.write_dotted(&mut text);
        text
    }

    /// Returns the path as a JSON Pointer (RFC 6901): `/form/transactables/boat/1/name`.
    pub(crate) fn pointer(&self) -> String {
        let mut text = String::from("/form");
        self.write_pointer(&mut text);
        text
    }

    /// Returns the path of another field of the same object.
    pub(crate) fn sibling<'c>(&'c self, name: &'c str) -> Path<'c> {
        Path { parent: self.parent, step: PathStep::Field { name, suffixed: false } }
    }

    fn write_dotted(&self, text: &mut String) {
        if let Some(parent) = self.parent {
            parent.write_dotted(text);
        }
        match self.step {
            PathStep::Root => {}
            PathStep::Field { name, .. } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            PathStep::Item { index, .. } => {
                let _ = write!(text, "[{index}]");
            }
        }
    }

    fn write_pointer(&self, text: &mut String) {
        if let Some(parent) = self.parent {
            parent.write_pointer(text);
        }
        match self.step {
            PathStep::Root => {}
            PathStep::Field { name, suffixed } => {
                escape(name, text);
                if suffixed {
                    text.push_str("_attributes");
                }
            }
            PathStep::Item { key: Some(key), .. } => escape(key, text),
            PathStep::Item { index, key: None } => {
                let _ = write!(text, "/{index}");
            }
        }
    }
}

fn escape(name: &str, text: &mut String) {
    text.push('/');
    for character in name.chars() {
        match character {
            '~' => text.push_str("~0"),
            '/' => text.push_str("~1"),
            character => text.push(character),
        }
    }
}
