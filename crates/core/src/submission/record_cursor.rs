//! The record of the aggregate that is being validated.

use crate::aggregate::ClaimHolder;
use crate::record_kind::RecordKind;

/// Tracks which record is being validated. Records are entered in the order in which they are
/// assembled.
#[derive(Debug, Default)]
pub(crate) struct RecordCursor {
    /// The current record and those around it, with the id of a stored one.
    path: Vec<(RecordKind, usize, Option<i64>)>,
    /// For the user and each record of `path`, how many records of each kind were entered in it.
    counts: Vec<[usize; RecordKind::ALL.len()]>,
}

impl RecordCursor {
    /// Enters a record; `id` is that of a stored one.
    pub(crate) fn enter(&mut self, kind: RecordKind, id: Option<i64>) {
        let depth = self.path.len();
        if self.counts.len() <= depth {
            self.counts.push([0; RecordKind::ALL.len()]);
        }
        let count = &mut self.counts[depth][kind as usize];
        self.path.push((kind, *count, id));
        *count += 1;
    }

    /// Leaves the current record.
    pub(crate) fn leave(&mut self) {
        self.path.pop();
        self.counts.truncate(self.path.len() + 1);
    }

    /// Returns the holder of claims of the current record.
    pub(crate) fn holder(&self) -> ClaimHolder {
        match self.path.last() {
            None => ClaimHolder::User,
            Some((RecordKind::Relationship, ..)) => ClaimHolder::Relationship,
            Some((kind, _, Some(id))) => ClaimHolder::Stored { kind: *kind, id: *id },
            Some(_) => {
                ClaimHolder::New(self.path.iter().map(|(kind, index, _)| (*kind, *index)).collect())
            }
        }
    }
}
