//! A submission laid out in the form's own order: slot `i` of a group is field `i` of it.

use std::borrow::Cow;

use super::existing::id_of;
use crate::value::{NULL, Value};
use crate::violation::Message;

/// What stands where a field is.
#[derive(Debug, Default)]
pub(crate) enum Slot<'v> {
    /// The client sent nothing and there is no default; for a nested form, it is not asked for.
    #[default]
    Absent,
    /// A value of the field's type.
    Value {
        value: Value<'v>,
        /// Whether it arrived as a text, as all values of an HTML form do.
        from_text: bool,
    },
    /// A value that is not of the field's type, as it was.
    Wrong { value: Value<'v> },
    /// One object.
    Group(GroupSlots<'v>),
    /// Several objects.
    Items(Vec<ListItem<'v>>),
    /// Its condition does not hold: neither judged nor stored.
    Inactive,
    /// What is stored stays and is not judged: a password that was not sent, or a value of a type
    /// that the field had once.
    Unchanged,
    /// Its condition could not be evaluated, for this reason: refused.
    Undecided { cause: String },
}

/// One object.
#[derive(Debug, Default)]
pub(crate) struct GroupSlots<'v> {
    pub(crate) slots: Vec<Slot<'v>>,
    /// Whether the client sent at least one of its keys.
    pub(crate) sent: bool,
    /// Whether its key was sent with the suffix `_attributes`.
    pub(crate) suffixed: bool,
    /// Keys that the form does not know, where it refuses them.
    pub(crate) unknown: Vec<Cow<'v, str>>,
    /// What is stored of it: nothing where it is new.
    pub(crate) stored: Option<&'v Value<'v>>,
    /// What is wrong with the `id` by which it names a stored record.
    pub(crate) id_fault: Option<&'static Message>,
}

impl GroupSlots<'_> {
    /// Whether it is a stored record of which nothing was sent: it is there, and not looked into.
    pub(crate) fn is_untouched(&self) -> bool {
        self.stored.is_some() && !self.sent && self.unknown.is_empty()
    }

    /// The id of the stored record.
    pub(crate) fn id(&self) -> Option<i64> {
        self.stored.and_then(id_of)
    }
}

/// One object of a list.
#[derive(Debug)]
pub(crate) struct ListItem<'v> {
    pub(crate) key: ItemKey<'v>,
    /// Nothing where the item was not an object.
    pub(crate) group: Option<GroupSlots<'v>>,
}

/// How an item of a list was addressed by the client.
#[derive(Debug)]
pub(crate) enum ItemKey<'v> {
    /// The only one, sent without a list around it.
    Only,
    /// By its place in a list.
    Index,
    /// By its key in an index-hash.
    Key(Cow<'v, str>),
    /// Not at all: it is stored, and was not mentioned.
    Stored,
}

impl<'v> Slot<'v> {
    /// The value, where there is one; null for everything else.
    pub(crate) fn value(&self) -> &Value<'v> {
        match self {
            Self::Value { value, .. } | Self::Wrong { value } => value,
            _ => &NULL,
        }
    }

    /// Whether nothing is there, as Rails means blank.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Absent | Self::Inactive | Self::Unchanged | Self::Undecided { .. } => true,
            Self::Value { value, .. } | Self::Wrong { value } => value.is_blank(),
            Self::Group(group) => !group.sent && !group.is_untouched(),
            Self::Items(items) => items.is_empty(),
        }
    }

    /// Whether what is stored stays, whatever was sent.
    pub(crate) fn keeps_stored(&self) -> bool {
        matches!(self, Self::Inactive | Self::Unchanged)
    }

    /// Takes the value out, where there is one that is not null.
    pub(crate) fn take(&mut self) -> Option<Value<'v>> {
        match std::mem::take(self) {
            Self::Value { value: Value::Null, .. } => None,
            Self::Value { value, .. } => Some(value),
            _ => None,
        }
    }
}

/// The slots that a rule can see: those of its own object, and those around a `properties` group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SiblingScope<'s, 'v> {
    pub(crate) slots: &'s [Slot<'v>],
    pub(crate) around: Option<&'s SiblingScope<'s, 'v>>,
    /// The slots of the whole submission.
    pub(crate) root: &'s [Slot<'v>],
}

/// Where another field of the same object is, decided when the form is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SiblingRef {
    /// How many groups outwards.
    pub(crate) outwards: usize,
    /// Its place there.
    pub(crate) index: usize,
}

static ABSENT: Slot<'static> = Slot::Absent;

impl<'s, 'v> SiblingScope<'s, 'v> {
    /// The slots of the record that the object belongs to.
    pub(crate) fn record(&self) -> &'s [Slot<'v>] {
        self.around.map_or(self.slots, SiblingScope::record)
    }

    /// The slot of another field.
    pub(crate) fn slot(&self, sibling: SiblingRef) -> &'s Slot<'v> {
        let mut scope = self;
        for _ in 0..sibling.outwards {
            match scope.around {
                Some(around) => scope = around,
                None => return &ABSENT,
            }
        }
        scope.slots.get(sibling.index).unwrap_or(&ABSENT)
    }
}
