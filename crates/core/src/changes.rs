//! What a valid submission to a stored user becomes: what that user shall be.

use std::collections::HashSet;

use crate::aggregate::{Claim, NewUser};

/// A stored user as it shall be.
#[derive(Debug, Clone, PartialEq)]
pub struct UserUpdate {
    /// Its own fields, all of them; of its records those that are new or that something was sent
    /// for. Those with an `id` take the place of the stored ones.
    ///
    /// Its claims are all that it shall hold of what was judged: those it holds already are no
    /// clash.
    pub user: NewUser,
    /// Which of the claims that it holds it gives up.
    pub released: ReleasedClaims,
}

/// Which of its claims a user gives up: those of values that are not there any more.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct ReleasedClaims {
    /// What it holds from now on, as far as the form knows.
    pub(crate) held: HashSet<Claim>,
    /// What it held, by the form's own rules.
    pub(crate) before: HashSet<Claim>,
    /// Values that changed, for the rules of other forms.
    pub(crate) values: Vec<PreviousValue>,
}

/// A value that is not there any more.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PreviousValue {
    /// The same in every form: `profiles.developer.properties.handle`.
    pub(crate) path: String,
    /// Whether other records may have a value at this path.
    pub(crate) is_in_list: bool,
    /// Its key where case counts; nothing where the new value has the same.
    pub(crate) key: Option<String>,
    /// Its key where it does not.
    pub(crate) folded: Option<String>,
}

impl ReleasedClaims {
    /// Whether the user gives up a claim that it holds.
    #[must_use]
    pub fn releases(&self, claim: &Claim) -> bool {
        if self.held.contains(claim) {
            return false;
        }
        self.before.contains(claim) || self.values.iter().any(|value| value.is_of(claim))
    }
}

impl PreviousValue {
    /// Whether a claim is one of this value's: by its scope, `user.<path>` with what narrows it
    /// down behind it, and in a list by the value too.
    fn is_of(&self, claim: &Claim) -> bool {
        let path = claim.scope.strip_prefix("user.");
        let Some(narrowed) = path.and_then(|path| path.strip_prefix(self.path.as_str())) else {
            return false;
        };
        if !(narrowed.is_empty() || narrowed.starts_with(['+', '?', '~'])) {
            return false;
        }
        let key = if narrowed.ends_with("~case") { &self.folded } else { &self.key };
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
