//! A submission in the order of the form: slot `i` of a group belongs to its field `i`.

use crate::eval_error::EvalError;
use std::borrow::Cow;

use crate::messages::Message;
use crate::value::{NULL, Value};

/// State of one field in a submission.
#[derive(Debug, Default)]
pub(crate) enum Slot<'v> {
    /// No value was submitted and there is no default; a nested form is not active.
    #[default]
    Absent,
    /// A value of the field's type.
    Value {
        value: Value<'v>,
        /// Whether it was submitted as a string, as all values of an HTML form are.
        from_text: bool,
    },
    /// A value that is not of the field's type, uncoerced.
    Wrong { value: Value<'v> },
    /// One object.
    Group(GroupSlots<'v>),
    /// Several objects.
    Items(Vec<ListItem<'v>>),
    /// The field's condition does not hold: neither validated nor stored.
    Inactive,
    /// The stored value is kept and not validated: a password that was not submitted, or a value of
    /// a type that the field no longer has.
    Unchanged,
    /// The field's condition or computed default could not be evaluated: refused.
    Undecided { cause: EvalError },
}

/// Slots of one object.
#[derive(Debug, Default)]
pub(crate) struct GroupSlots<'v> {
    pub(crate) slots: Vec<Slot<'v>>,
    /// Whether at least one of its keys was submitted.
    pub(crate) sent: bool,
    /// Whether its key was submitted with the suffix `_attributes`.
    pub(crate) suffixed: bool,
    /// Unknown keys, if the form refuses them.
    pub(crate) unknown: Vec<Cow<'v, str>>,
    /// The stored object; `None` if it is new.
    pub(crate) stored: Option<&'v Value<'v>>,
    /// Message of a violation of its `id`, which must name a stored record.
    pub(crate) id_fault: Option<&'static Message>,
}

impl GroupSlots<'_> {
    /// Returns whether it is a stored record for which no value was submitted; it is not validated.
    pub(crate) fn is_untouched(&self) -> bool {
        self.stored.is_some() && !self.sent && self.unknown.is_empty()
    }

    /// Returns the id of the stored record.
    pub(crate) fn id(&self) -> Option<i64> {
        self.stored.and_then(id_of)
    }
}

/// Item of a list.
#[derive(Debug)]
pub(crate) struct ListItem<'v> {
    pub(crate) key: ItemKey<'v>,
    /// `None` if the item was not an object.
    pub(crate) group: Option<GroupSlots<'v>>,
}

/// How the client addressed an item of a list.
#[derive(Debug)]
pub(crate) enum ItemKey<'v> {
    /// A single object, submitted without a list.
    Only,
    /// By its index in a list.
    Index,
    /// By its key in an index-hash.
    Key(Cow<'v, str>),
    /// Not submitted: a stored record.
    Stored,
}

impl<'v> Slot<'v> {
    /// Returns the value, or null if there is none.
    pub(crate) fn value(&self) -> &Value<'v> {
        match self {
            Self::Value { value, .. } | Self::Wrong { value } => value,
            _ => &NULL,
        }
    }

    /// Returns whether the slot is blank in the sense of Rails' `blank?`.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Absent | Self::Inactive | Self::Unchanged | Self::Undecided { .. } => true,
            Self::Value { value, .. } | Self::Wrong { value } => value.is_blank(),
            Self::Group(group) => !group.sent && !group.is_untouched(),
            Self::Items(items) => items.is_empty(),
        }
    }

    /// Returns whether the stored value is kept, whatever was submitted.
    pub(crate) fn keeps_stored(&self) -> bool {
        matches!(self, Self::Inactive | Self::Unchanged)
    }

    /// Takes the value out, or returns `None` if there is none or it is null.
    pub(crate) fn take(&mut self) -> Option<Value<'v>> {
        match std::mem::take(self) {
            Self::Value { value: Value::Null, .. } => None,
            Self::Value { value, .. } => Some(value),
            _ => None,
        }
    }
}

/// Slots that a rule can read: those of its object and, in a container such as `properties`, those
/// of the enclosing object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SiblingScope<'s, 'v> {
    pub(crate) slots: &'s [Slot<'v>],
    pub(crate) enclosing: Option<&'s SiblingScope<'s, 'v>>,
    /// The slots of the whole submission.
    pub(crate) root: &'s [Slot<'v>],
}

/// Reference to another field of the same record, resolved when the form is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SiblingRef {
    /// Number of groups to go outwards.
    pub(crate) outwards: usize,
    /// Index of the field in that group.
    pub(crate) index: usize,
}

static ABSENT: Slot<'static> = Slot::Absent;

impl<'s, 'v> SiblingScope<'s, 'v> {
    /// Returns the slots of the record that the object belongs to.
    pub(crate) fn record(&self) -> &'s [Slot<'v>] {
        self.enclosing.map_or(self.slots, SiblingScope::record)
    }

    /// Returns the slot of another field.
    pub(crate) fn slot(&self, sibling: SiblingRef) -> &'s Slot<'v> {
        let mut scope = self;
        for _ in 0..sibling.outwards {
            match scope.enclosing {
                Some(enclosing) => scope = enclosing,
                None => return &ABSENT,
            }
        }
        scope.slots.get(sibling.index).unwrap_or(&ABSENT)
    }
}

/// Returns the id of a stored record.
pub(crate) fn id_of(record: &Value<'_>) -> Option<i64> {
    match record.get("id")? {
        Value::Number(text) | Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
