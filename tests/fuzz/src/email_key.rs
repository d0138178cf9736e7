//! Keys of e-mail addresses and other texts: one for all spellings.

use registrar_core::canonical;

/// A key is its own key, fits the index, and does not depend on the case of ASCII letters.
pub fn email_key(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let spellings = [text.to_ascii_uppercase(), text.to_ascii_lowercase(), format!(" {text}\t")];
    let of_addresses = |text: &str| canonical::email_key(text);
    let of_texts = |text: &str| canonical::canonical_text(text, false);
    for key_of in [&of_addresses as &dyn Fn(&str) -> String, &of_texts] {
        let key = key_of(text);
        assert!(key.len() <= 512, "{key:?}");
        assert_eq!(key_of(&key), key, "the key of {text:?} is another's");
        for spelling in &spellings {
            assert_eq!(key_of(spelling), key, "{spelling:?} instead of {text:?}");
        }
    }
}
