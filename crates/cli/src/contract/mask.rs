//! What differs from time to time, made the same: the values of some keys of a JSON text, which
//! stays otherwise as it is, byte for byte.

/// Keys whose values are ids, times, secrets, and addresses with one of them in it.
pub(crate) const USUAL: [&str; 27] = [
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

/// The text with the values of these keys made the same. Of what kind they are still shows: a text
/// becomes `"_"`, a number `_`; `null`, `true` and `false` stay, and so do lists and objects, but
/// for what is in them.
pub(crate) fn masked(text: &str, keys: &[&str]) -> String {
    let (mut out, mut rest, mut hides) = (String::with_capacity(text.len()), text, false);
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
            hides = keys.iter().any(|key| token.get(1..token.len() - 1) == Some(key));
            continue;
        }
        match first {
            '"' if hides => out.push_str("\"_\""),
            '-' | '0'..='9' if hides => out.push('_'),
            _ => out.push_str(token),
        }
        hides = hides && (first == ':' || first.is_ascii_whitespace());
    }
    out
}

/// How long the string is that a text begins with, its quotes counted.
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
    fn only_values_of_these_keys_change_and_their_kind_still_shows() {
        for (text, expected) in [
            (r#"{"id":1,"n":1}"#, r#"{"id":_,"n":1}"#),
            (r#"{"id": "a\"b\\", "x": "id"}"#, r#"{"id": "_", "x": "id"}"#),
            (r#"{"id":null,"at":-1.5e+3}"#, r#"{"id":null,"at":_}"#),
            (r#"{"id":{"a":1,"id":7},"b":[2]}"#, r#"{"id":{"a":1,"id":_},"b":[2]}"#),
            (r#"{"id":[1],"ö":"id","id2":3}"#, r#"{"id":[1],"ö":"id","id2":3}"#),
            (r#"{"id":true}"#, r#"{"id":true}"#),
            ("<h1>id: 7</h1>", "<h1>id: 7</h1>"),
            (r#"{"id":"broken off"#, r#"{"id":"_""#),
            ("\"", "\""),
            ("", ""),
        ] {
            assert_eq!(masked(text, &["id", "at"]), expected, "{text}");
        }
    }
}
