//! Responses of a server and assertions on them.

use serde_json::Value;

/// A response, read completely.
#[derive(Debug, Clone)]
pub struct TestResponse {
    /// The status.
    pub status: u16,
    /// Headers in the order received, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub text: String,
}

impl TestResponse {
    /// Returns the value of a header, or `None` if it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body parsed as JSON.
    ///
    /// # Panics
    /// Panics if the body is not JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts the status.
    ///
    /// # Panics
    /// Panics if the status differs.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Asserts 201 and returns the id of the created user.
    ///
    /// # Panics
    /// Panics if no user was created.
    #[track_caller]
    pub fn created(&self) -> i64 {
        self.is(201).json()["id"].as_i64().unwrap_or_else(|| panic!("no id: {self:?}"))
    }

    /// Asserts 422 with exactly these fields and codes, in this order.
    ///
    /// # Panics
    /// Panics if the response differs.
    #[track_caller]
    pub fn invalid(&self, expected: &[(&str, &str)]) -> &Self {
        self.is(422);
        let found = self.violations();
        let found: Vec<(&str, &str)> =
            found.iter().map(|(f, c)| (f.as_str(), c.as_str())).collect();
        assert_eq!(found, expected, "{self:?}");
        self
    }

    /// Returns the fields and codes of `details`.
    ///
    /// # Panics
    /// Panics if the body has no `details`.
    #[must_use]
    #[track_caller]
    pub fn violations(&self) -> Vec<(String, String)> {
        let body = self.json();
        let Some(details) = body["details"].as_array() else { panic!("no details: {self:?}") };
        let text = |detail: &Value, key: &str| detail[key].as_str().unwrap().to_owned();
        details.iter().map(|detail| (text(detail, "field"), text(detail, "code"))).collect()
    }

    /// Asserts a status with a single error of this field and code, and returns its message.
    ///
    /// # Panics
    /// Panics if the response differs.
    #[track_caller]
    pub fn rejected(&self, status: u16, field: &str, code: &str) -> String {
        self.is(status);
        assert_eq!(self.violations(), [(field.to_owned(), code.to_owned())], "{self:?}");
        let body = self.json();
        let message = body["details"][0]["message"].as_str().unwrap().to_owned();
        assert_eq!(body["errors"][field][0], message.as_str(), "errors and details are consistent");
        message
    }
}
