//! Decodes `multipart/form-data` (RFC 7578). Parts are fields with bracket names, as in urlencoded
//! bodies. Files are rejected, since Registrar does not store any.

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::ready;

use actix_web::web::Bytes;
use futures_util::FutureExt as _;
use futures_util::stream;
use multer::Multipart;
use registrar_contracts::decode::{DecodeError, DecodeErrorKind, brackets};
use registrar_core::value::Value;

/// Media type of multipart bodies.
pub(crate) const MEDIA_TYPE: &str = "multipart/form-data";

/// Returns the boundary of a `Content-Type`, or `None` if it has none.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    multer::parse_boundary(content_type).ok()
}

/// Decodes a multipart body.
///
/// # Errors
/// Returns an error if the boundary is missing, the body is malformed or truncated, a part is a file or
/// not UTF-8, and as for [`brackets::from_pairs`].
pub fn parse(boundary: Option<&str>, bytes: &[u8]) -> Result<Value<'static>, DecodeError> {
    let boundary = boundary.ok_or_else(|| DecodeError::new(DecodeErrorKind::Multipart))?;
    let whole = stream::once(ready(Ok::<_, Infallible>(Bytes::copy_from_slice(bytes))));
    // The body is complete, so the future is ready.
    let pairs = pairs(Multipart::new(whole, boundary)).now_or_never();
    let pairs = pairs.unwrap_or_else(|| Err(DecodeError::new(DecodeErrorKind::Multipart)))?;
    brackets::from_pairs(pairs.into_iter())
}

type Pair = (Cow<'static, str>, Cow<'static, str>);

async fn pairs(mut parts: Multipart<'_>) -> Result<Vec<Pair>, DecodeError> {
    let broken = |_| DecodeError::new(DecodeErrorKind::Multipart);
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        if part.file_name().is_some() {
            return Err(DecodeError::new(DecodeErrorKind::File));
        }
        let Some(name) = part.name().map(str::to_owned) else {
            return Err(DecodeError::new(DecodeErrorKind::BadName));
        };
        if pairs.len() >= brackets::MAX_PAIRS {
            return Err(DecodeError::new(DecodeErrorKind::TooManyFields));
        }
        let value = part.bytes().await.map_err(broken)?;
        let value = String::from_utf8(value.into())
            .map_err(|_| DecodeError::new(DecodeErrorKind::Encoding))?;
        pairs.push((Cow::Owned(name), Cow::Owned(value)));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(head: &str, value: &str) -> String {
        format!("--x\r\nContent-Disposition: form-data{head}\r\n\r\n{value}\r\n")
    }

    fn read(body: &[u8]) -> Result<String, DecodeErrorKind> {
        let value = parse(Some("x"), body).map_err(|error| error.kind)?;
        Ok(serde_json::to_string(&value).unwrap())
    }

    #[test]
    fn parses_parts_with_bracket_names() {
        let cases = [
            (vec![("a", "1"), ("b", "")], r#"{"a":"1","b":""}"#),
            (vec![("form[p][on]", "1")], r#"{"form":{"p":{"on":"1"}}}"#),
            (vec![("on", "0"), ("on", "1")], r#"{"on":"1"}"#),
            (vec![("t[]", "x+%31"), ("t[]", "\r\ny=&")], r#"{"t":["x+%31","\r\ny=&"]}"#),
            (vec![], "{}"),
        ];
        for (pairs, expected) in cases {
            let parts =
                pairs.iter().map(|(name, value)| part(&format!("; name=\"{name}\""), value));
            let body = parts.collect::<String>() + "--x--\r\n";
            assert_eq!(read(body.as_bytes()).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn malformed_bodies_are_rejected() {
        use DecodeErrorKind::{BadName, Encoding, File, Multipart, Nul};
        let named = part("; name=\"a\"", "1");
        for (body, kind) in [
            (String::new(), Multipart),
            ("a=1".to_owned(), Multipart),
            (named.clone(), Multipart),
            (named.replace("--x", "--y") + "--y--\r\n", Multipart),
            ("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n".to_owned(), Multipart),
            (part("; name=\"a\"; filename=\"a.txt\"", "1") + "--x--\r\n", File),
            (part("; name=\"a\"; filename=\"\"", "") + "--x--\r\n", File),
            (part("", "1") + "--x--\r\n", BadName),
            (part("; name=\"a[\"", "1") + "--x--\r\n", BadName),
            (named.clone() + &part("; name=\"a[b]\"", "1") + "--x--\r\n", BadName),
            (part("; name=\"a\"", "\0") + "--x--\r\n", Nul),
        ] {
            assert_eq!(read(body.as_bytes()), Err(kind), "{body}");
        }
        let mut body = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n".to_vec();
        body.extend_from_slice(b"\xff\r\n--x--\r\n");
        assert_eq!(read(&body), Err(Encoding));
        assert_eq!(parse(None, b"").map_err(|error| error.kind), Err(Multipart));
        let many = part("; name=\"a\"", "").repeat(brackets::MAX_PAIRS + 1) + "--x--\r\n";
        assert_eq!(read(many.as_bytes()), Err(DecodeErrorKind::TooManyFields));
    }

    /// A truncated body is rejected as a whole.
    #[test]
    fn truncated_bodies_are_rejected() {
        let body = part("; name=\"a\"", "1") + &part("; name=\"b[c]\"", "two") + "--x--\r\n";
        let complete = body.len() - "\r\n".len();
        for end in 0..complete {
            assert!(read(&body.as_bytes()[..end]).is_err(), "{:?}", &body[..end]);
        }
        assert!(read(&body.as_bytes()[..complete]).is_ok());
    }

    #[test]
    fn reads_boundary_from_content_type() {
        assert_eq!(boundary("multipart/form-data; boundary=x").as_deref(), Some("x"));
        assert_eq!(boundary("Multipart/Form-Data; BOUNDARY=\"a b\"").as_deref(), Some("a b"));
        for content_type in ["multipart/form-data", "multipart/form-data; boundary", "text/plain"] {
            assert_eq!(boundary(content_type), None, "{content_type}");
        }
    }
}
