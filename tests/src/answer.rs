//! What a server answered, and what a case may say of it.

use serde_json::Value;

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers as they came, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub text: String,
}

impl Answer {
    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The status is this one.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// A user was created: its id.
    ///
    /// # Panics
    /// When none was.
    #[track_caller]
    pub fn created(&self) -> i64 {
        self.is(201).json()["id"].as_i64().unwrap_or_else(|| panic!("no id: {self:?}"))
    }

    /// The submission was refused for exactly these fields and codes, in this order.
    ///
    /// # Panics
    /// When it was not.
    #[track_caller]
    pub fn invalid(&self, expected: &[(&str, &str)]) -> &Self {
        self.is(422);
        let found = self.violations();
        let found: Vec<(&str, &str)> =
            found.iter().map(|(f, c)| (f.as_str(), c.as_str())).collect();
        assert_eq!(found, expected, "{self:?}");
        self
    }

    /// Fields and codes of the details.
    ///
    /// # Panics
    /// When there are no details.
    #[must_use]
    #[track_caller]
    pub fn violations(&self) -> Vec<(String, String)> {
        let body = self.json();
        let Some(details) = body["details"].as_array() else { panic!("no details: {self:?}") };
        let text = |detail: &Value, key: &str| detail[key].as_str().unwrap().to_owned();
        details.iter().map(|detail| (text(detail, "field"), text(detail, "code"))).collect()
    }

    /// The request was refused with this status for this one field and code. Gives the message.
    ///
    /// # Panics
    /// When it was not.
    #[track_caller]
    pub fn fault(&self, status: u16, field: &str, code: &str) -> String {
        self.is(status);
        assert_eq!(self.violations(), [(field.to_owned(), code.to_owned())], "{self:?}");
        let body = self.json();
        let message = body["details"][0]["message"].as_str().unwrap().to_owned();
        assert_eq!(body["errors"][field][0], message.as_str(), "errors and details agree");
        message
    }
}
