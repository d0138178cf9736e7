//! Form fields: the WHATWG's reading of the pairs, and trees that survive being sent again.

use registrar_core::decode::{DecodeErrorKind, brackets as decode};
use url::form_urlencoded;

use crate::pairs;

/// Names and values are what the `url` crate reads, but where they are not UTF-8. A tree survives
/// being sent again; without lists, in any order of its fields.
pub fn brackets(bytes: &[u8]) {
    let ours = decode::parse_urlencoded(bytes);
    let theirs = decode::from_pairs(form_urlencoded::parse(bytes));
    if ours.as_ref().is_err_and(|error| error.kind == DecodeErrorKind::Encoding) {
        return;
    }
    assert_eq!(ours, theirs);
    let Ok(tree) = ours else { return };
    let fields = pairs::of(&tree);
    assert_eq!(decode::from_pairs(pairs::borrowed(&fields)).as_ref(), Ok(&tree));
    if fields.iter().all(|(name, _)| !name.contains("[]")) {
        let backwards = decode::from_pairs(pairs::borrowed(&fields).rev()).map(pairs::sorted);
        assert_eq!(backwards, Ok(pairs::sorted(tree)));
    }
}
