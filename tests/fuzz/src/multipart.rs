//! Fuzz target of multipart bodies.

use registrar_server::multipart as decode;

use crate::pairs;

/// Boundary of the fuzzed input, short so that the fuzzer finds it.
const INPUT_BOUNDARY: &str = "x";
/// Boundary of re-encoded bodies, which no field may contain.
const OUTPUT_BOUNDARY: &str = "7MA4YWxkTrZu0gW";

/// A tree survives re-encoding, and a body without its final boundary is an error.
pub fn multipart(bytes: &[u8]) {
    let Ok(tree) = decode(Some(INPUT_BOUNDARY), bytes) else { return };
    let fields = pairs::flatten(&tree);
    let is_sendable = |(name, value): &(String, String)| {
        // The multipart library reads text after `;` as a parameter even within quotes: a field
        // named `a; filename=b` is rejected as a file.
        let is_special =
            |character: char| character.is_control() || matches!(character, '"' | '\\' | '%' | ';');
        !name.contains(is_special)
            && !name.contains(OUTPUT_BOUNDARY)
            && !value.contains(OUTPUT_BOUNDARY)
    };
    if !fields.iter().all(is_sendable) {
        return;
    }
    let part = |(name, value): &(String, String)| {
        format!(
            "--{OUTPUT_BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    let open: String = fields.iter().map(part).collect();
    assert!(decode(Some(OUTPUT_BOUNDARY), open.as_bytes()).is_err(), "{open}");
    let whole = format!("{open}--{OUTPUT_BOUNDARY}--\r\n");
    assert_eq!(decode(Some(OUTPUT_BOUNDARY), whole.as_bytes()).as_ref(), Ok(&tree), "{whole}");
}
