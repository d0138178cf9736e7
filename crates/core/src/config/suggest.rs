//! Suggestions for unknown names ("did you mean …?").

/// Returns the known name most similar to `name`, or `None` if none is similar.
#[must_use]
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let folded = name.to_lowercase();
    let length = folded.chars().count();
    let max_distance = |candidate: &str| 1 + candidate.len().min(name.len()) / 4;
    known
        .into_iter()
        // The edit distance is at least the difference in length. This check comes first because a
        // client's key may be a megabyte long.
        .filter(|candidate| length.abs_diff(candidate.chars().count()) <= max_distance(candidate))
        .map(|candidate| {
            (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, candidate)| *distance <= max_distance(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggests_similar_keys() {
        let known = ["presence", "length", "format"];
        assert_eq!(nearest("presense", known), Some("presence"));
        assert_eq!(nearest("lenght", known), Some("length"));
        assert_eq!(nearest("Format", known), Some("format"));
    }

    #[test]
    fn does_not_suggest_different_keys() {
        assert_eq!(nearest("colour", ["presence", "length"]), None);
        assert_eq!(nearest(&"length".repeat(10_000_000), ["presence", "length"]), None);
    }
}
