//! Multipart bodies: trees that survive being sent again, and bodies that must be whole.

use registrar_server::multipart as decode;

use crate::pairs;

/// The boundary of what the fuzzer makes, short so that it finds it.
const GIVEN: &str = "x";
/// That of what is sent again, which no field is to hold.
const OWN: &str = "7MA4YWxkTrZu0gW";

/// A tree survives being sent again, and a body without its last boundary is refused.
pub fn multipart(bytes: &[u8]) {
    let Ok(tree) = decode(Some(GIVEN), bytes) else { return };
    let fields = pairs::of(&tree);
    let is_sendable = |(name, value): &(String, String)| {
        // What stands behind a `;` is a parameter to the library, in quotes as well: a name such as
        // `a; filename=b` is refused as that of a file.
        let is_odd = |letter: char| letter.is_control() || matches!(letter, '"' | '\\' | '%' | ';');
        !name.contains(is_odd) && !name.contains(OWN) && !value.contains(OWN)
    };
    if !fields.iter().all(is_sendable) {
        return;
    }
    let part = |(name, value): &(String, String)| {
        format!("--{OWN}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let open: String = fields.iter().map(part).collect();
    assert!(decode(Some(OWN), open.as_bytes()).is_err(), "{open}");
    let whole = format!("{open}--{OWN}--\r\n");
    assert_eq!(decode(Some(OWN), whole.as_bytes()).as_ref(), Ok(&tree), "{whole}");
}
