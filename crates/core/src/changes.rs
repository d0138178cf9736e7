//! Results of valid submissions to stored users and records.

use std::collections::HashSet;

use crate::aggregate::{Aggregate, Claim, ClaimHolder};

/// The new state of a stored user or record.
#[derive(Debug, Clone, PartialEq)]
pub struct AggregateUpdate {
    /// All fields of the user or record, and those of its records that are new or changed. Records with
    /// an `id` replace the stored ones. The claims are all claims of these fields, including those that
    /// are stored already.
    pub aggregate: Aggregate,
    /// The stored claims that the update releases.
    pub released: ReleasedClaims,
}

/// The stored claims that an update releases.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct ReleasedClaims {
    /// The claims of stored records that the update does not touch.
    pub(crate) kept: HashSet<Claim>,
    /// The claims of the stored state by the rules of the form.
    pub(crate) before: HashSet<Claim>,
    /// The changed values: claims of them may have been made by the rules of other forms.
    pub(crate) values: Vec<ChangedValue>,
}

/// A stored value that an update changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChangedValue {
    /// The record of the field.
    pub(crate) holder: ClaimHolder,
    /// Path of the field within the record.
    pub(crate) path: String,
    /// Whether the new value has another key.
    pub(crate) changes_key: bool,
    /// Whether the new value has another key if case does not count.
    pub(crate) changes_folded_key: bool,
}

impl ReleasedClaims {
    /// Returns whether the update releases a stored claim of the field at `path` of `holder`, unless the
    /// updated user makes the claim again.
    #[must_use]
    pub fn contains(&self, claim: &Claim, holder: &ClaimHolder, path: &str) -> bool {
        let is_changed = |value: &ChangedValue| {
            let changes = match claim.ignores_case() {
                true => value.changes_folded_key,
                false => value.changes_key,
            };
            changes && value.path == path && value.holder == *holder
        };
        !self.kept.contains(claim)
            && (self.before.contains(claim) || self.values.iter().any(is_changed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record_kind::RecordKind;

    #[test]
    fn changed_values_release_unique_claims_of_their_field() {
        let holder = ClaimHolder::Stored { kind: RecordKind::Transactable, id: 7 };
        let other = ClaimHolder::Stored { kind: RecordKind::Transactable, id: 8 };
        let claim = |scope: &str| Claim { scope: scope.into(), value_key: "x".to_owned() };
        let released = |changes_folded_key| ReleasedClaims {
            kept: HashSet::from([claim("user.phone")]),
            before: HashSet::from([claim("user.email"), claim("user.phone")]),
            values: vec![ChangedValue {
                holder: holder.clone(),
                path: "properties.code".to_owned(),
                changes_key: true,
                changes_folded_key,
            }],
        };
        let (exact, folded) = (claim("user.boat.code+name"), claim("user.boat.code~case"));
        assert!(released(true).contains(&exact, &holder, "properties.code"));
        assert!(!released(true).contains(&exact, &other, "properties.code"));
        assert!(!released(true).contains(&exact, &holder, "properties.codes"));
        assert!(released(true).contains(&folded, &holder, "properties.code"));
        assert!(!released(false).contains(&folded, &holder, "properties.code"));
        assert!(released(false).contains(&claim("user.email"), &ClaimHolder::User, "email"));
        assert!(!released(false).contains(&claim("user.phone"), &ClaimHolder::User, "phone"));
    }
}
