//! Parsing of the settings that are neither numbers nor flags.

use std::path::PathBuf;

use super::SettingsError;
use super::{ForwardedHeaders, Network, public_url as url};

/// Returns a secret given directly or in a file, without the file's last line end.
pub(super) fn secret(
    name: &'static str,
    text: Option<String>,
    file: Option<PathBuf>,
) -> Result<Option<String>, SettingsError> {
    let Some(file) = file else { return Ok(text) };
    if text.is_some() {
        return Err(SettingsError::Twice(name));
    }
    match std::fs::read_to_string(&file) {
        Ok(mut text) => {
            if text.ends_with('\n') {
                text.pop();
            }
            if text.ends_with('\r') {
                text.pop();
            }
            Ok(Some(text))
        }
        Err(source) => Err(SettingsError::Unreadable { file, source }),
    }
}

pub(super) fn public_url(text: Option<String>) -> Result<Option<String>, SettingsError> {
    let Some(value) = text else { return Ok(None) };
    let expected = "a URL such as `https://example.com`, without query or fragment";
    let parsed = url::parse(&value);
    parsed.map(Some).ok_or(SettingsError::Format { name: "public_url", value, expected })
}

pub(super) fn networks(texts: Vec<String>) -> Result<Vec<Network>, SettingsError> {
    let read = |value: String| {
        value.trim().parse().map_err(|()| SettingsError::Format {
            name: "trusted_proxies",
            value,
            expected: "addresses or networks such as `10.0.0.0/8` or `::1`",
        })
    };
    texts.into_iter().map(read).collect()
}

pub(super) fn forwarded_headers(text: Option<String>) -> Result<ForwardedHeaders, SettingsError> {
    let Some(value) = text else { return Ok(ForwardedHeaders::default()) };
    value.parse().map_err(|()| SettingsError::Format {
        name: "forwarded_headers",
        value,
        expected: "`x-forwarded` or `forwarded`",
    })
}
