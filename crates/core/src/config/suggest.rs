//! "Did you mean": the known name nearest to one that is not known.

/// The known name most like `name`, where one is like it at all.
#[must_use]
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let folded = name.to_lowercase();
    let length = folded.chars().count();
    let most = |candidate: &str| 1 + candidate.len().min(name.len()) / 4;
    known
        .into_iter()
        // Names are at least as far apart as their lengths: a client's key may be a megabyte.
        .filter(|candidate| length.abs_diff(candidate.chars().count()) <= most(candidate))
        .map(|candidate| {
            (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, candidate)| *distance <= most(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let known = ["presence", "length", "format"];
        assert_eq!(nearest("presense", known), Some("presence"));
        assert_eq!(nearest("lenght", known), Some("length"));
        assert_eq!(nearest("Format", known), Some("format"));
    }

    #[test]
    fn a_different_word_is_not() {
        assert_eq!(nearest("colour", ["presence", "length"]), None);
        assert_eq!(nearest(&"length".repeat(10_000_000), ["presence", "length"]), None);
    }
}
