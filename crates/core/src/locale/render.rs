//! The text of a violation in a language.

use std::borrow::Cow;

use super::Locale;
use super::english::{FULL_MESSAGE, TYPES};
use super::file::{Attribute, LocaleTexts};
use crate::violation::{Message, Param, Params, Violation, humanize};

/// What texts are asked for: where, in which form.
#[derive(Clone, Copy)]
struct RenderArgs<'v> {
    violation: &'v Violation,
    form: Option<&'v str>,
    /// The path without list indexes.
    path: &'v str,
}

impl Locale {
    /// The text of a violation, without the name of the field.
    #[must_use]
    pub fn text(&self, violation: &Violation, form: Option<&str>) -> String {
        let path = without_indexes(&violation.path);
        self.fill(&RenderArgs { violation, form, path: &path })
    }

    /// The text of a violation, with the name of the field.
    #[must_use]
    pub fn full_text(&self, violation: &Violation, form: Option<&str>) -> String {
        self.sentence(violation, form, &self.text(violation, form))
    }

    /// A text of a violation with the name of the field.
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

    /// A text that belongs to no violation.
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

    fn fill(&self, asked: &RenderArgs<'_>) -> String {
        let template = self.template(asked);
        if !template.contains("%{") {
            return template.to_owned();
        }
        let Violation { params, path, message, .. } = asked.violation;
        filled(template, &mut |placeholder, into| match params
            .iter()
            .find(|(known, _)| *known == placeholder)
        {
            Some((_, Param::Number(number))) => into.push_str(number),
            Some((_, Param::Field(field))) => {
                match self.sibling_name(asked, field) {
                    Some(name) => into.push_str(name),
                    None => into.push_str(&humanize(field)),
                };
            }
            Some((_, Param::Text(name))) if placeholder == "type" && message.names_type => {
                into.push_str(self.type_name(name));
            }
            Some((_, Param::Text(text))) => into.push_str(text),
            None if placeholder == "attribute" => match self.name(asked.form, asked.path) {
                Some(name) => into.push_str(name),
                None => into.push_str(&humanize(path.rsplit('.').next().unwrap_or_default())),
            },
            None => {}
        })
    }

    /// The most specific text there is.
    fn template<'t>(&'t self, asked: &RenderArgs<'t>) -> &'t str {
        let Violation { message, message_override: own_text, params, .. } = asked.violation;
        if let Some(text) = own_text.as_ref().and_then(|own| own.default_template()) {
            return text;
        }
        let count = params.iter().find_map(|(name, value)| match value {
            Param::Number(number) if *name == "count" => Some(number.as_str()),
            _ => None,
        });
        for texts in &self.layers {
            let own = own_text.as_ref().and_then(|own| own.of_language(&texts.tag));
            if let Some(text) = own.or_else(|| texts.find(asked)) {
                return text.template(count, &texts.plurals);
            }
        }
        message.singular.filter(|_| count == Some("1")).unwrap_or(message.text)
    }

    /// What a field is called, where that is said.
    fn name(&self, form: Option<&str>, path: &str) -> Option<&str> {
        self.layers.iter().find_map(|texts| {
            let mut said = texts.attributes_at(form, path);
            said.find_map(|attribute| attribute.name.as_deref())
        })
    }

    /// What a field of the same object is called; properties are beside the fields of their record.
    fn sibling_name(&self, asked: &RenderArgs<'_>, field: &str) -> Option<&str> {
        let mut object = asked.path.rsplit_once('.').map_or("", |(object, _)| object);
        loop {
            let path = match object {
                "" => Cow::Borrowed(field),
                object => format!("{object}.{field}").into(),
            };
            if let Some(name) = self.name(asked.form, &path) {
                return Some(name);
            }
            object = match object {
                "properties" => "",
                object => object.strip_suffix(".properties")?,
            };
        }
    }

    fn type_name<'t>(&'t self, name: &'t str) -> &'t str {
        let said = self.layers.iter().find_map(|texts| texts.types.get(name));
        let in_code = || TYPES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
        said.map(AsRef::as_ref).or_else(in_code).unwrap_or(name)
    }
}

impl LocaleTexts {
    /// What is said of a field, most specific first.
    fn attributes_at(&self, form: Option<&str>, path: &str) -> impl Iterator<Item = &Attribute> {
        let of_form = form.and_then(|form| self.forms.get(form)).and_then(|form| form.get(path));
        of_form.into_iter().chain(self.attributes.get(path))
    }

    fn find(&self, asked: &RenderArgs<'_>) -> Option<&super::text::LocaleText> {
        let Violation { message, custom_code: own_code, .. } = asked.violation;
        let code = asked.violation.code();
        let mut said = self.attributes_at(asked.form, asked.path);
        said.find_map(|attribute| attribute.texts.get(code))
            .or_else(|| own_code.as_deref().and_then(|code| self.messages.get(code)))
            .or_else(|| self.messages.get(message.key))
    }
}

/// A template with what `put` puts in place of its placeholders.
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

/// `transactables.boat[1].name` as `transactables.boat.name`.
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
