//! Fuzz target of URL-encoded bodies.

use registrar_contracts::decode::{DecodeErrorKind, brackets as decode};
use url::form_urlencoded;

use crate::pairs;

/// Names and values equal those of the `url` crate, unless they are not UTF-8. A tree survives
/// re-encoding; without lists, its fields may come in any order.
pub fn brackets(bytes: &[u8]) {
    let decoded = decode::parse_urlencoded(bytes);
    let expected = decode::from_pairs(form_urlencoded::parse(bytes));
    if decoded.as_ref().is_err_and(|error| error.kind == DecodeErrorKind::Encoding) {
        return;
    }
    assert_eq!(decoded, expected);
    let Ok(tree) = decoded else { return };
    let fields = pairs::flatten(&tree);
    assert_eq!(decode::from_pairs(pairs::borrowed(&fields)).as_ref(), Ok(&tree));
    if fields.iter().all(|(name, _)| !name.contains("[]")) {
        let backwards = decode::from_pairs(pairs::borrowed(&fields).rev()).map(pairs::sorted);
        assert_eq!(backwards, Ok(pairs::sorted(tree)));
    }
}
