//! The result of a valid update of an existing user.

use std::collections::HashSet;

use crate::aggregate::{Claim, NewUser};

/// The new state of an existing user.
#[derive(Debug, Clone, PartialEq)]
pub struct UserUpdate {
    /// All fields of the user, and those of its records that are new or occur in the submission. A
    /// record with an `id` replaces the stored one.
    ///
    /// Its claims are all that the validated values need; those that the user already holds are no
    /// conflict.
    pub user: NewUser,
    /// The claims that the user releases.
    pub released: ReleasedClaims,
}

/// The claims that an update releases: those of values that are gone.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct ReleasedClaims {
    /// Claims that the user holds after the update, as far as the form determines them.
    pub(crate) held: HashSet<Claim>,
    /// Claims that the user held before the update, by the rules of the same form.
    pub(crate) before: HashSet<Claim>,
    /// Changed values, which find the claims made by rules of other forms.
    pub(crate) values: Vec<PreviousValue>,
}

/// A stored value that the update removes or replaces.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PreviousValue {
    /// Path, the same in every form: `profiles.developer.properties.handle`.
    pub(crate) path: String,
    /// Whether several records may have a value at this path.
    pub(crate) is_in_list: bool,
    /// Case-sensitive key; `None` if the new value has the same key.
    pub(crate) key: Option<String>,
    /// Case-insensitive key; `None` if the new value has the same key.
    pub(crate) folded: Option<String>,
}

impl ReleasedClaims {
    /// Returns whether the user releases a claim that it holds.
    #[must_use]
    pub fn releases(&self, claim: &Claim) -> bool {
        if self.held.contains(claim) {
            return false;
        }
        self.before.contains(claim) || self.values.iter().any(|value| value.is_of(claim))
    }
}

impl PreviousValue {
    /// Returns whether a claim was made by this value: the scope must be `user.<path>`, optionally
    /// followed by further fields, conditions or case-insensitivity, and in a list the value must
    /// match too.
    fn is_of(&self, claim: &Claim) -> bool {
        let path = claim.scope.strip_prefix("user.");
        let Some(suffix) = path.and_then(|path| path.strip_prefix(self.path.as_str())) else {
            return false;
        };
        if !(suffix.is_empty() || suffix.starts_with(['+', '?', '~'])) {
            return false;
        }
        let key = if suffix.ends_with("~case") { &self.folded } else { &self.key };
        key.as_ref().is_some_and(|key| {
            let rest = claim.value_key.strip_prefix(key.as_str());
            !self.is_in_list
                || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('\u{1f}'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claims_of_a_value_are_found_by_path_and_in_lists_by_value() {
        let value = |is_in_list| PreviousValue {
            path: "boat.code".to_owned(),
            is_in_list,
            key: Some("X".to_owned()),
            folded: Some("x".to_owned()),
        };
        for (scope, key, in_list, otherwise) in [
            ("user.boat.code", "X", true, true),
            ("user.boat.code", "Y", false, true),
            ("user.boat.code~case", "x", true, true),
            ("user.boat.code~case", "X", false, true),
            ("user.boat.code+name", "X\u{1f}1:a", true, true),
            ("user.boat.code+name", "XY\u{1f}1:a", false, true),
            ("user.boat.code?featured=true", "X", true, true),
            ("user.boat.codes", "X", false, false),
            ("user.boat", "X", false, false),
        ] {
            let claim = Claim { scope: scope.into(), value_key: key.to_owned() };
            assert_eq!(value(true).is_of(&claim), in_list, "{scope} {key}");
            assert_eq!(value(false).is_of(&claim), otherwise, "{scope} {key}");
        }
    }

    #[test]
    fn what_is_held_on_is_never_given_up() {
        let claim = Claim { scope: "user.email".into(), value_key: "a@b.co".to_owned() };
        let one = HashSet::from([claim.clone()]);
        let gone = ReleasedClaims { before: one.clone(), ..ReleasedClaims::default() };
        assert!(gone.releases(&claim));
        assert!(!ReleasedClaims { held: one, ..gone }.releases(&claim));
    }
}
