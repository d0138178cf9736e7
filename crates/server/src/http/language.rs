//! Language negotiation: `Accept-Language` (RFC 9110, section 12.5.4), matched by lookup (RFC 4647,
//! section 3.4).

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_LANGUAGE;
use registrar_core::locale::{Locale, Locales};

/// Maximum number of language ranges that are read.
const MAX_RANGES: usize = 32;

/// Returns the `Accept-Language` headers of a request, or `None` if there are none.
pub(crate) fn accept_language(request: &HttpRequest) -> Option<String> {
    let headers = request.headers().get_all(ACCEPT_LANGUAGE);
    let headers: Vec<&str> = headers.filter_map(|header| header.to_str().ok()).collect();
    (!headers.is_empty()).then(|| headers.join(","))
}

/// Returns the best locale for an `Accept-Language` value; English if none matches.
pub(crate) fn best_locale<'l>(accept_language: Option<&str>, locales: &'l Locales) -> &'l Locale {
    match accept_language {
        Some(header) if locales.all().len() > 1 => negotiate(header, locales),
        _ => locales.english(),
    }
}

/// A language range and its quality in thousandths.
#[derive(Debug, Clone, Copy)]
struct LanguageRange<'h> {
    range: &'h str,
    quality: u16,
}

fn negotiate<'l>(header: &str, locales: &'l Locales) -> &'l Locale {
    let mut ranges: Vec<LanguageRange<'_>> =
        header.split(',').filter_map(parse_range).take(MAX_RANGES).collect();
    // Ranges of equal quality keep their order.
    ranges.sort_by_key(|range| std::cmp::Reverse(range.quality));
    let is_excluded = |locale: &Locale| {
        let matching = ranges.iter().filter(|range| is_prefix(range.range, locale.tag()));
        let nearest = matching.max_by_key(|range| range.range.len());
        nearest.is_some_and(|range| range.quality == 0)
    };
    let all = || locales.all().iter().map(AsRef::as_ref);
    for LanguageRange { range, .. } in ranges.iter().take_while(|range| range.quality > 0) {
        let found = if *range == "*" {
            // `*` matches any language that no other range names, English first.
            let is_named = |locale: &&Locale| {
                ranges.iter().any(|w| w.range != "*" && is_prefix(w.range, locale.tag()))
            };
            let english = std::iter::once(&**locales.english());
            english.chain(all()).find(|locale| !is_named(locale))
        } else {
            let mut truncated = std::iter::successors(Some(*range), |range| {
                range.rsplit_once('-').map(|(parent, _)| parent)
            });
            truncated
                .find_map(|range| locales.get(range).map(AsRef::as_ref))
                // Only regional variants exist: prefer one of them to none.
                .or_else(|| all().find(|locale| is_prefix(range, locale.tag())))
        };
        if let Some(locale) = found.filter(|locale| !is_excluded(locale)) {
            return locale;
        }
    }
    locales.english()
}

/// Parses `de-AT;q=0.8`. Returns `None` if the range or the quality is invalid.
fn parse_range(text: &str) -> Option<LanguageRange<'_>> {
    let (range, parameter) = match text.split_once(';') {
        Some((range, parameter)) => (range.trim(), Some(parameter.trim())),
        None => (text.trim(), None),
    };
    let is_range = !range.is_empty()
        && range
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let quality = match parameter {
        None => 1000,
        Some(parameter) => {
            let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?;
            quality(value)?
        }
    };
    (range == "*" || is_range).then_some(LanguageRange { range, quality })
}

/// Parses a quality value. Returns thousandths, or `None` if it is invalid.
pub(crate) fn quality(text: &str) -> Option<u16> {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    if digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{digits:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// Returns whether a tag equals the range or is below it: `de-AT` for `de`.
fn is_prefix(range: &str, tag: &str) -> bool {
    range == "*"
        || tag.get(..range.len()).is_some_and(|head| {
            head.eq_ignore_ascii_case(range)
                && matches!(tag.as_bytes().get(range.len()), None | Some(b'-'))
        })
}

#[cfg(test)]
mod tests {
    use registrar_contracts::Configuration;
    use registrar_core::registry::SourceFile;

    use super::{negotiate, quality};

    fn registry(tags: &[&str]) -> Configuration {
        let source = |tag: &&str| {
            let within = format!("locales/{tag}.yml");
            SourceFile { file: within.as_str().into(), within, text: "messages: {}\n".into() }
        };
        Configuration::compile(&tags.iter().map(source).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn best_available_language_is_chosen() {
        let registry = registry(&["de", "fr", "pt-BR", "zh-Hant"]);
        for (header, expected) in [
            ("", "en"),
            ("de", "de"),
            ("DE", "de"),
            ("de-AT", "de"),
            ("de-AT-1996, fr", "de"),
            ("fr;q=0.8, de;q=0.9", "de"),
            ("fr, de", "fr"),
            ("fr;q=0.001, en;q=0", "fr"),
            ("it, fr;q=0.5", "fr"),
            ("it", "en"),
            ("pt-BR", "pt-BR"),
            ("pt-br", "pt-BR"),
            ("pt", "pt-BR"),
            ("zh-Hant-TW", "zh-Hant"),
            ("*", "en"),
            ("*;q=0.1, de;q=0.5", "de"),
            ("en;q=0, *", "de"),
            ("en;q=0.1, *", "de"),
            ("de;q=0, *;q=0.5", "en"),
            ("de;q=0, de-AT", "en"),
            ("fr;q=2, de", "de"),
            ("fr;q=0.1234, de;q=0.5", "de"),
            ("fr;level=1, de;q=0.1", "de"),
            ("de ; q=0.5 , fr ;q=0.4", "de"),
            ("-, ,;q=1, de", "de"),
            ("äö, de", "de"),
            ("deu", "en"),
        ] {
            assert_eq!(negotiate(header, registry.locales()).tag(), expected, "{header:?}");
        }
        assert_eq!(negotiate(&"xx,".repeat(100_000), registry.locales()).tag(), "en");
    }

    #[test]
    fn quality_values_have_up_to_three_digits() {
        for (text, expected) in [
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("0", Some(0)),
            ("0.", Some(0)),
            ("0.5", Some(500)),
            ("0.123", Some(123)),
            ("1.001", None),
            ("0.1234", None),
            ("-1", None),
            ("", None),
            (".5", None),
        ] {
            assert_eq!(quality(text), expected, "{text:?}");
        }
    }
}
