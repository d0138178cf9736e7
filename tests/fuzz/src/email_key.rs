//! Fuzz target of canonical keys of e-mail addresses and other strings.

use registrar_core::canonical;

/// Canonicalisation is idempotent, bounded in length and independent of ASCII case.
pub fn email_key(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let spellings = [text.to_ascii_uppercase(), text.to_ascii_lowercase(), format!(" {text}\t")];
    let of_addresses = |text: &str| canonical::email_key(text);
    let of_texts = |text: &str| canonical::canonical_text(text, false);
    for key_of in [&of_addresses as &dyn Fn(&str) -> String, &of_texts] {
        let key = key_of(text);
        assert!(key.len() <= 512, "{key:?}");
        assert_eq!(key_of(&key), key, "the key of {text:?} is not idempotent");
        for spelling in &spellings {
            assert_eq!(key_of(spelling), key, "{spelling:?} instead of {text:?}");
        }
    }
}
