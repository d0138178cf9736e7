//! Files in submissions, for `file_content_type`, `file_extension` and `file_size`.
//!
//! A file is a `data:` URL with its content, a string that names it (a URL, a file name or a media
//! type), or an image or attachment with `direct_url`, `file_name` and `content_type`. Content is
//! sniffed regardless of its declared type. Files are never fetched: without content, the name and
//! the declared type count, and each that is given must be allowed.

use std::borrow::Cow;

use data_encoding::BASE64_NOPAD;

use super::{CompileContext, InputContent, RuleInput};
use crate::fields::FieldType;
use crate::submission::GroupSlots;
use crate::value::Value;

/// Number of encoded bytes that are decoded for sniffing: in base64, 8 KiB of content.
const SNIFFED_BYTES: usize = 10_920;

/// Extensions with their media types; the first extension of a type is the usual one.
const TYPES: &[(&str, &str)] = &[
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("heic", "image/heif"),
    ("heif", "image/heif"),
    ("bmp", "image/bmp"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("ico", "image/vnd.microsoft.icon"),
    ("svg", "image/svg+xml"),
    ("pdf", "application/pdf"),
    ("doc", "application/msword"),
    ("xls", "application/vnd.ms-excel"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("rtf", "application/rtf"),
    ("zip", "application/zip"),
    ("gz", "application/gzip"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("md", "text/markdown"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/m4a"),
    ("ogg", "audio/ogg"),
    ("wav", "audio/x-wav"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
];

/// The part of a field that holds the file.
#[derive(Debug)]
pub(super) enum FileSource {
    Text,
    /// Slot indexes of `direct_url`, `file_name` and `content_type` in an image or attachment.
    Record([Option<usize>; 3]),
}

/// What a submission states about a file.
#[derive(Debug, Default)]
pub(super) struct FileValue<'f> {
    pub(super) name: Option<&'f str>,
    pub(super) declared: Option<&'f str>,
    pub(super) content: Option<DataUrl<'f>>,
}

/// The content of a `data:` URL (RFC 2397), still encoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct DataUrl<'f> {
    text: &'f str,
    is_base64: bool,
}

impl FileSource {
    /// Returns the source of a field's file, or reports a problem if the field cannot hold one.
    pub(super) fn of(compile: &mut CompileContext<'_, '_>) -> Option<Self> {
        match (compile.field.field_type, compile.field.inner.filter(|group| group.is_file())) {
            (Some(FieldType::Any | FieldType::String | FieldType::Text), _) => Some(Self::Text),
            (None, Some(group)) => Some(Self::Record(
                ["direct_url", "file_name", "content_type"].map(|name| group.field_index(name)),
            )),
            _ => {
                let what = format!("`{}` cannot hold a file", compile.field.name);
                compile.bad(compile.location, what, "a string, an image or an attachment");
                None
            }
        }
    }

    /// Returns the file of a rule's input, or `None` if it is missing or blank.
    pub(super) fn file<'s>(&self, input: &RuleInput<'s, '_>) -> Option<FileValue<'s>> {
        match (self, input.content) {
            (Self::Record(places), InputContent::Node(group)) => Some(record(group, places)),
            (Self::Text, InputContent::Value(Value::String(text))) if !text.trim().is_empty() => {
                Some(of_text(text.trim()))
            }
            // Not a string: a file without name, type and content, which no rule allows.
            (Self::Text, InputContent::Value(value)) if !value.is_blank() => {
                Some(FileValue::default())
            }
            _ => None,
        }
    }
}

fn record<'s>(group: &'s GroupSlots<'_>, places: &[Option<usize>; 3]) -> FileValue<'s> {
    let text = |index: Option<usize>| {
        let text = group.slots.get(index?)?.value().as_str()?.trim();
        (!text.is_empty()).then_some(text)
    };
    let mut file = text(places[0]).map(of_text).unwrap_or_default();
    file.name = text(places[1]).or(file.name);
    file.declared = text(places[2]).or(file.declared);
    file
}

fn of_text(text: &str) -> FileValue<'_> {
    if let Some((head, data)) = data_url(text) {
        let (declared, is_base64) = match head.rsplit_once(';') {
            Some((declared, last)) if last.trim().eq_ignore_ascii_case("base64") => {
                (declared, true)
            }
            _ => (head, false),
        };
        let declared = if declared.is_empty() { "text/plain" } else { declared };
        let content = Some(DataUrl { text: data, is_base64 });
        return FileValue { name: None, declared: Some(declared), content };
    }
    if is_media_type(text) {
        return FileValue { declared: Some(text), ..FileValue::default() };
    }
    let path = match text.split_once("://") {
        Some((_, rest)) => {
            let path = rest.split(['?', '#']).next().unwrap_or_default();
            path.split_once('/').map_or("", |(_, path)| path)
        }
        None => text,
    };
    FileValue { name: Some(path), ..FileValue::default() }
}

fn data_url(text: &str) -> Option<(&str, &str)> {
    let is_data = text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"));
    if is_data { text[5..].split_once(',') } else { None }
}

fn is_media_type(text: &str) -> bool {
    const KINDS: [&str; 8] =
        ["application", "audio", "font", "image", "message", "model", "text", "video"];
    text.split_once('/').is_some_and(|(kind, _)| KINDS.contains(&kind))
        && text.matches('/').count() == 1
        && !essence(text).contains(char::is_whitespace)
}

/// Returns a media type without its parameters.
fn essence(declared: &str) -> &str {
    declared.split(';').next().unwrap_or_default().trim()
}

impl FileValue<'_> {
    /// Returns whether the sniffed content type is allowed. Without content, each of the
    /// extension's and the declared type must be allowed, and at least one of them known.
    pub(super) fn is_of(&self, allowed: impl Fn(&str) -> bool) -> bool {
        if let Some(content) = &self.content {
            return content.media_type(self.declared).is_some_and(|found| allowed(&found));
        }
        let by_extension = self.extension().and_then(|extension| type_of(&extension));
        let declared = self.declared.map(|declared| essence(declared).to_ascii_lowercase());
        let types = [by_extension, declared.as_deref()];
        let mut given = types.iter().flatten().peekable();
        given.peek().is_some() && given.all(|sign| allowed(sign))
    }

    /// Returns whether the name and the content, as far as given, have an allowed extension.
    pub(super) fn has_extension(&self, allowed: impl Fn(&str) -> bool) -> bool {
        let content_fits = |content: &DataUrl<'_>| {
            content.media_type(self.declared).is_some_and(|found| {
                let known = TYPES.iter().filter(|(_, media_type)| *media_type == found);
                let mut extensions = known.map(|(extension, _)| *extension).peekable();
                if extensions.peek().is_some() {
                    return extensions.any(&allowed);
                }
                let bytes = content.beginning().unwrap_or_default();
                infer::get(&bytes).is_some_and(|kind| allowed(kind.extension()))
            })
        };
        match (&self.content, self.name) {
            (None, None) => false,
            (content, name) => {
                content.as_ref().is_none_or(content_fits)
                    && name.is_none_or(|_| self.extension().is_some_and(|own| allowed(&own)))
            }
        }
    }

    fn extension(&self) -> Option<String> {
        let name = self.name?.rsplit(['/', '\\']).next()?;
        let (stem, extension) = name.rsplit_once('.')?;
        (!stem.is_empty()).then(|| extension.to_ascii_lowercase())
    }
}

fn type_of(extension: &str) -> Option<&'static str> {
    TYPES.iter().find(|(known, _)| *known == extension).map(|(_, media_type)| *media_type)
}

impl DataUrl<'_> {
    /// Returns the decoded size in bytes.
    pub(super) fn size(&self) -> u64 {
        let count = |is: fn(&u8) -> bool| self.text.bytes().filter(is).count();
        let size = if self.is_base64 {
            // Four digits encode three bytes.
            count(|byte| !byte.is_ascii_whitespace() && *byte != b'=') * 3 / 4
        } else {
            // Three characters such as %20 encode one byte.
            self.text.len().saturating_sub(2 * count(|byte| *byte == b'%'))
        };
        size as u64
    }

    /// Returns the decoded beginning of the content, or `None` if it is not valid base64.
    fn beginning(&self) -> Option<Cow<'_, [u8]>> {
        if !self.is_base64 {
            return Some(percent_decoded(self.text));
        }
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        let digits = self.text.trim_end().trim_end_matches('=');
        if !digits.bytes().all(|byte| is_digit(byte) || byte.is_ascii_whitespace()) {
            return None;
        }
        let head: Vec<u8> =
            digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).take(SNIFFED_BYTES).collect();
        BASE64_NOPAD.decode(&head).ok().map(Cow::Owned)
    }

    /// Returns the media type of the content: sniffed, or for text, which cannot be told apart by
    /// its bytes, the declared one.
    fn media_type(&self, declared: Option<&str>) -> Option<Cow<'static, str>> {
        let bytes = self.beginning()?;
        let found = infer::get(&bytes).map(|kind| kind.mime_type());
        match found {
            Some(found) if found == "text/html" || !found.starts_with("text/") => {
                Some(Cow::Borrowed(found))
            }
            _ if is_text(&bytes) => {
                let declared = essence(declared?).to_ascii_lowercase();
                is_textual(&declared).then_some(Cow::Owned(declared))
            }
            _ => None,
        }
    }
}

fn percent_decoded(text: &str) -> Cow<'_, [u8]> {
    let bytes = &text.as_bytes()[..text.len().min(SNIFFED_BYTES)];
    if !bytes.contains(&b'%') {
        return Cow::Borrowed(bytes);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let digit = |index: usize| {
            tail.get(index).and_then(|byte| char::from(*byte).to_digit(16)).map(|n| n as u8)
        };
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high << 4 | low);
                rest = &tail[2..];
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    Cow::Owned(decoded)
}

/// Returns whether the beginning of a content is text: UTF-8, possibly cut inside a character,
/// without NUL.
fn is_text(bytes: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    is_utf8 && !bytes.contains(&0)
}

/// Returns whether a media type denotes text other than HTML, which is sniffed.
fn is_textual(media_type: &str) -> bool {
    media_type != "text/html"
        && (media_type.starts_with("text/")
            || media_type.ends_with("+xml")
            || media_type.ends_with("+json")
            || matches!(media_type, "application/json" | "application/xml"))
}
