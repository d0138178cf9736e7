//! Rendering of violations in a language: message look-up and interpolation.

use std::borrow::Cow;

use super::Locale;
use super::file::{Attribute, LocaleTexts};
use crate::messages::{BROKEN_RULES, FULL_MESSAGE, LocaleText, TYPES};
use crate::messages::{Message, Param, Params, humanize};
use crate::value::Value;
use crate::violation::{Violation, Violations};

/// The violation to render and where it occurred.
#[derive(Clone, Copy)]
struct RenderArgs<'v> {
    violation: &'v Violation,
    form: Option<&'v str>,
    /// The path without list indexes.
    path: &'v str,
}

impl Locale {
    /// Renders a violation's message, without the name of the field.
    #[must_use]
    pub fn text(&self, violation: &Violation, form: Option<&str>) -> String {
        let path = without_indexes(&violation.path);
        self.fill(&RenderArgs { violation, form, path: &path })
    }

    /// Renders a violation's full message, with the name of the field.
    #[must_use]
    pub fn full_text(&self, violation: &Violation, form: Option<&str>) -> String {
        self.sentence(violation, form, &self.text(violation, form))
    }

    /// Combines a rendered message with the name of the field, except for one about `base`.
    pub(crate) fn sentence(&self, violation: &Violation, form: Option<&str>, text: &str) -> String {
        if violation.path == "base" {
            return text.to_owned();
        }
        let path = without_indexes(&violation.path);
        let named = self.name(form, &path).map(Cow::Borrowed);
        let name = named.unwrap_or_else(|| humanize(&violation.path).into());
        let format = self.layers.iter().find_map(|texts| texts.full_message.as_deref());
        match format {
            None | Some(FULL_MESSAGE) => format!("{name} {text}"),
            Some(format) => filled(format, &mut |placeholder, into| match placeholder {
                "attribute" => into.push_str(&name),
                "message" => into.push_str(text),
                _ => {}
            }),
        }
    }

    /// Renders a message that does not belong to a violation.
    #[must_use]
    pub fn message(&self, message: &'static Message, params: Params) -> String {
        let violation = Violation {
            path: String::new(),
            pointer: String::new(),
            message,
            custom_code: None,
            message_override: None,
            params,
        };
        self.text(&violation, None)
    }

    fn fill(&self, args: &RenderArgs<'_>) -> String {
        let template = self.template(args);
        if !template.contains("%{") {
            return template.to_owned();
        }
        let Violation { params, path, message, .. } = args.violation;
        filled(template, &mut |placeholder, into| match params
            .iter()
            .find(|(known, _)| *known == placeholder)
        {
            Some((_, Param::Number(number))) => into.push_str(number),
            Some((_, Param::Field(field))) => {
                match self.sibling_name(args, field) {
                    Some(name) => into.push_str(name),
                    None => into.push_str(&humanize(field)),
                };
            }
            Some((_, Param::Text(name))) if placeholder == "type" && message.names_type => {
                into.push_str(self.type_name(name));
            }
            Some((_, Param::Text(text))) => into.push_str(text),
            None if placeholder == "attribute" => match self.name(args.form, args.path) {
                Some(name) => into.push_str(name),
                None => into.push_str(&humanize(path.rsplit('.').next().unwrap_or_default())),
            },
            None => {}
        })
    }

    /// Returns the template of the most specific message.
    fn template<'t>(&'t self, args: &RenderArgs<'t>) -> &'t str {
        let Violation { message, message_override, params, .. } = args.violation;
        if let Some(text) = message_override.as_ref().and_then(|text| text.default_template()) {
            return text;
        }
        let count = params.iter().find_map(|(name, value)| match value {
            Param::Number(number) if *name == "count" => Some(number.as_str()),
            _ => None,
        });
        for texts in &self.layers {
            let own = message_override.as_ref().and_then(|text| text.of_language(&texts.tag));
            if let Some(text) = own.or_else(|| texts.find(args)) {
                return text.template(count, &texts.plurals);
            }
        }
        message.singular.filter(|_| count == Some("1")).unwrap_or(message.text)
    }

    /// Returns the display name of a field, if it has one.
    fn name(&self, form: Option<&str>, path: &str) -> Option<&str> {
        self.layers.iter().find_map(|texts| {
            let mut attributes = texts.attributes_at(form, path);
            attributes.find_map(|attribute| attribute.name.as_deref())
        })
    }

    /// Returns the display name of a field of the same object, if it has one; `properties` are
    /// searched together with the fields of their record.
    fn sibling_name(&self, args: &RenderArgs<'_>, field: &str) -> Option<&str> {
        let mut object = args.path.rsplit_once('.').map_or("", |(object, _)| object);
        loop {
            let path = match object {
                "" => Cow::Borrowed(field),
                object => format!("{object}.{field}").into(),
            };
            if let Some(name) = self.name(args.form, &path) {
                return Some(name);
            }
            object = match object {
                "properties" => "",
                object => object.strip_suffix(".properties")?,
            };
        }
    }

    fn type_name<'t>(&'t self, name: &'t str) -> &'t str {
        let translated = self.layers.iter().find_map(|texts| texts.types.get(name));
        let built_in = || TYPES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
        translated.map(AsRef::as_ref).or_else(built_in).unwrap_or(name)
    }
}

impl LocaleTexts {
    /// Returns the translations of a field, those of the form first.
    fn attributes_at(&self, form: Option<&str>, path: &str) -> impl Iterator<Item = &Attribute> {
        let of_form = form.and_then(|form| self.forms.get(form)).and_then(|form| form.get(path));
        of_form.into_iter().chain(self.attributes.get(path))
    }

    fn find(&self, args: &RenderArgs<'_>) -> Option<&LocaleText> {
        let Violation { message, custom_code, .. } = args.violation;
        let code = args.violation.code();
        let mut attributes = self.attributes_at(args.form, args.path);
        attributes
            .find_map(|attribute| attribute.texts.get(code))
            .or_else(|| custom_code.as_deref().and_then(|code| self.messages.get(code)))
            .or_else(|| self.messages.get(message.key))
    }
}

/// Interpolates a template: `put` appends the value of a placeholder to the output.
fn filled(template: &str, put: &mut dyn FnMut(&str, &mut String)) -> String {
    let mut text = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(start) = rest.find("%{") {
        let Some(length) = rest[start..].find('}') else { break };
        text.push_str(&rest[..start]);
        put(&rest[start + 2..start + length], &mut text);
        rest = &rest[start + length + 1..];
    }
    text.push_str(rest);
    text
}

/// Removes the list indexes of a path: `transactables.boat.name` for
/// `transactables.boat[1].name`.
pub(super) fn without_indexes(path: &str) -> Cow<'_, str> {
    if !path.contains('[') {
        return path.into();
    }
    let mut text = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find('[') {
        text.push_str(&rest[..start]);
        rest = rest[start..].find(']').map_or("", |length| &rest[start + length + 1..]);
    }
    text.push_str(rest);
    text.into()
}

impl Violation {
    /// Returns the English message, without the name of the field.
    #[must_use]
    pub fn text(&self) -> String {
        Locale::english().text(self, None)
    }

    /// Returns the violation as an object with `field`, `pointer`, `code`, `params`, `message` and
    /// `full_message`. `text` is its localised message.
    #[must_use]
    pub fn detail(&self, locale: &Locale, form: Option<&str>, text: &str) -> Value<'static> {
        fn string(text: impl Into<String>) -> Value<'static> {
            Value::String(Cow::Owned(text.into()))
        }
        let params = self.params.iter().map(|(name, param)| (Cow::Borrowed(*name), param.value()));
        let entries = [
            ("field", string(self.path.as_str())),
            ("pointer", string(self.pointer.as_str())),
            ("code", string(self.code())),
            ("params", Value::Object(params.collect())),
            ("message", string(text)),
            ("full_message", string(locale.sentence(self, form, text))),
        ];
        Value::Object(entries.map(|(name, value)| (Cow::Borrowed(name), value)).into())
    }
}

impl Violations {
    /// Returns a localised summary of the violations: their number.
    #[must_use]
    pub fn summary(&self, locale: &Locale) -> String {
        let count = Param::Number(self.list.len().to_string());
        locale.message(&BROKEN_RULES, Params::from([("count", count)]))
    }
}
