//! Masks volatile values in a JSON text, which stays the same byte for byte otherwise.

/// Keys of ids, times, secrets, and URLs that contain them.
pub(crate) const VOLATILE_KEYS: [&str; 27] = [
    "access_token",
    "apikey_id",
    "created",
    "createdAt",
    "created_at",
    "elapsed",
    "href",
    "id",
    "key",
    "lastModified",
    "location",
    "member_since",
    "modified",
    "modifiedAt",
    "modified_at",
    "next",
    "previous",
    "secret",
    "session_token",
    "shortId",
    "short_id",
    "token",
    "updated",
    "updatedAt",
    "updated_at",
    "user_key",
    "uuid",
];

/// Replaces the values of the keys: strings by `"_"`, numbers by `_`. `null`, `true` and `false` stay, and
/// so do arrays and objects except for the values in them.
pub(crate) fn masked(text: &str, keys: &[&str]) -> String {
    let (mut out, mut rest, mut is_masked) = (String::with_capacity(text.len()), text, false);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '-' | '0'..='9' => {
                let is_number = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
                rest.find(|c| !is_number(c)).unwrap_or(rest.len())
            }
            other => other.len_utf8(),
        };
        let (token, behind) = rest.split_at(length);
        rest = behind;
        if first == '"' && behind.trim_start().starts_with(':') {
            out.push_str(token);
            is_masked = keys.iter().any(|key| token.get(1..token.len() - 1) == Some(key));
            continue;
        }
        match first {
            '"' if is_masked => out.push_str("\"_\""),
            '-' | '0'..='9' if is_masked => out.push('_'),
            _ => out.push_str(token),
        }
        is_masked = is_masked && (first == ':' || first.is_ascii_whitespace());
    }
    out
}

/// Returns the length of the string literal at the start of a text, with its quotes.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn masks_values_of_listed_keys() {
        for (text, expected) in [
            (r#"{"id":1,"n":1}"#, r#"{"id":_,"n":1}"#),
            (r#"{"id": "a\"b\\", "x": "id"}"#, r#"{"id": "_", "x": "id"}"#),
            (r#"{"id":null,"at":-1.5e+3}"#, r#"{"id":null,"at":_}"#),
            (r#"{"id":{"a":1,"id":7},"b":[2]}"#, r#"{"id":{"a":1,"id":_},"b":[2]}"#),
            (r#"{"id":[1],"ö":"id","id2":3}"#, r#"{"id":[1],"ö":"id","id2":3}"#),
            (r#"{"id":true}"#, r#"{"id":true}"#),
            ("<h1>id: 7</h1>", "<h1>id: 7</h1>"),
            (r#"{"id":"truncated"#, r#"{"id":"_""#),
            ("\"", "\""),
            ("", ""),
        ] {
            assert_eq!(masked(text, &["id", "at"]), expected, "{text}");
        }
    }
}
