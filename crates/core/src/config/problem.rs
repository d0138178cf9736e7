//! Problems in the configuration: location, code, description, expectation and hint.

use std::fmt;
use std::sync::Arc;

use super::node::{FileId, Location};

/// A problem in one configuration file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path of the file, starting with the folder as the operator named it.
    pub file: Arc<str>,
    /// Location in the file.
    pub location: Location,
    /// Stable code.
    pub code: ProblemCode,
    /// Description of the problem.
    pub what: String,
    /// What was expected instead; may be empty.
    pub expected: String,
    /// Suggestion, if there is a good one.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    /// Formats as `path/form.yml:LINE:COLUMN: [code] what; expected …; hint`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, location, code, what, expected, hint } = self;
        write!(f, "{file}:{}:{}: [{}] {what}", location.line, location.column, code.as_str())?;
        if !expected.is_empty() {
            write!(f, "; expected {expected}")?;
        }
        if let Some(hint) = hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// The codes of problems in a configuration.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemCode { $($(#[doc = $doc])+ $variant,)+ }

        impl ProblemCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Returns a summary of a sentence or two.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii_start(),)+ }
            }
        }
    };
}

codes! {
    /// The text is not YAML, or exceeds a limit on size, depth or aliases.
    Syntax = "syntax",
    /// A mapping has the same key twice.
    DuplicateKey = "duplicate-key",
    /// Two files define the same name.
    DuplicateName = "duplicate-name",
    /// A key that is not allowed at its location.
    UnknownKey = "unknown-key",
    /// A required key is missing.
    MissingKey = "missing-key",
    /// A value of the wrong shape, such as a list instead of a string.
    WrongShape = "wrong-shape",
    /// A field that the resource does not have.
    UnknownField = "unknown-field",
    /// A type, definition, form or example that does not exist.
    UnknownType = "unknown-type",
    /// A form that no file defines, named by a contract.
    UnknownForm = "unknown-form",
    /// A catalogue that no file defines, named by a contract.
    UnknownCatalogue = "unknown-catalogue",
    /// A code that no rule has, in a locale file.
    UnknownCode = "unknown-code",
    /// An invalid language tag, or a language without a locale file.
    UnknownLanguage = "unknown-language",
    /// A rule that does not exist.
    UnknownRule = "unknown-rule",
    /// An option that the rule does not take.
    UnknownOption = "unknown-option",
    /// A rule or option with a value that cannot be used.
    BadOption = "bad-option",
    /// Options or settings that contradict each other.
    Contradiction = "contradiction",
    /// A field that sets privileges or ownership, in a form that is not marked as privileged.
    ProtectedField = "protected-field",
    /// A policy that restricts who may submit a form, and that Registrar does not enforce.
    PolicyNotEnforced = "policy-not-enforced",
    /// A regular expression that does not compile, or probably does not match as intended.
    BadPattern = "bad-pattern",
    /// An expression that cannot be parsed, or uses an unknown name, operator, filter or function.
    BadExpression = "bad-expression",
    /// A date, time or relative time that cannot be parsed, or a bound that no value satisfies.
    BadDate = "bad-date",
    /// An invalid JSON Schema.
    BadSchema = "bad-schema",
    /// A default that the field's type or rules reject.
    BadDefault = "bad-default",
    /// A part of the form language that this version does not support.
    NotServed = "not-served",
    /// A notice, not an error: a part of the configuration that Registrar ignores.
    Ignored = "ignored",
    /// A notice, not an error: new passwords need only satisfy the built-in rule.
    WeakPassword = "weak-password",
    /// A form that extends itself, a definition that uses itself, or too many levels of either.
    Cycle = "cycle",
    /// An example in a form whose result differs from the expected one.
    ExampleFailed = "example-failed",
    /// A rule that no example of its form violates.
    UntestedRule = "untested-rule",
    /// A file that does not belong in its folder.
    BadFile = "bad-file",
}

/// The problems of one file.
#[derive(Debug)]
pub struct Problems {
    /// The main file.
    own: Arc<str>,
    /// All files, if the tree is composed of several.
    files: Arc<[Arc<str>]>,
    found: Vec<Problem>,
    notices: Vec<Problem>,
    policies: Policies,
}

/// The treatment of forms with policies that Registrar does not enforce.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policies {
    /// The forms are not loaded.
    #[default]
    Refuse,
    /// The forms are served without the policy; each policy is a notice.
    Ignore,
}

impl Problems {
    /// Creates an empty collection for a file.
    #[must_use]
    pub fn new(file: Arc<str>) -> Self {
        let (found, notices, policies) = (Vec::new(), Vec::new(), Policies::default());
        Self { own: file, files: Arc::new([]), found, notices, policies }
    }

    /// Creates an empty collection for a file that is composed with others.
    pub fn with_files(own: Arc<str>, files: Arc<[Arc<str>]>) -> Self {
        Self { files, ..Self::new(own) }
    }

    /// Sets the treatment of policies that are not enforced.
    pub fn with_policies(self, policies: Policies) -> Self {
        Self { policies, ..self }
    }

    /// Adds a policy that is not enforced: a problem, or a notice if the operator ignores policies.
    pub fn add_policy_problem(&mut self, location: Location, what: String, expected: &str) {
        match self.policies {
            Policies::Refuse => {
                self.add(ProblemCode::PolicyNotEnforced, location, what, expected, None);
            }
            Policies::Ignore => self.add_notice(location, what),
        }
    }

    /// Returns the main file.
    pub fn main_file(&self) -> Arc<str> {
        self.own.clone()
    }

    /// Returns all files that locations may refer to.
    pub fn files(&self) -> Arc<[Arc<str>]> {
        self.files.clone()
    }

    /// Adds a notice for an ignored part of the configuration.
    pub fn add_notice(&mut self, location: Location, what: String) {
        let notice = self.problem(ProblemCode::Ignored, location, what, String::new(), None);
        self.notices.push(notice);
    }

    /// Adds a notice that new passwords need only satisfy the built-in rule.
    pub fn add_weak_password(&mut self, location: Location, what: String) {
        let notice = self.problem(ProblemCode::WeakPassword, location, what, String::new(), None);
        self.notices.push(notice);
    }

    fn problem(
        &self,
        code: ProblemCode,
        location: Location,
        what: String,
        expected: String,
        hint: Option<String>,
    ) -> Problem {
        let file = usize::try_from(location.file.0).ok().and_then(|index| self.files.get(index));
        let file = file.unwrap_or(&self.own).clone();
        Problem {
            file,
            location: Location { file: FileId::MAIN, ..location },
            code,
            what,
            expected,
            hint,
        }
    }

    /// Adds a problem.
    pub fn add(
        &mut self,
        code: ProblemCode,
        location: Location,
        what: impl Into<String>,
        expected: impl Into<String>,
        hint: Option<String>,
    ) {
        let problem = self.problem(code, location, what.into(), expected.into(), hint);
        self.found.push(problem);
    }

    /// Returns whether a name was already reported as unknown, so that references to it need no
    /// further problem.
    pub fn has_unknown(&self, name: &str) -> bool {
        let quoted = format!("`{name}`");
        self.found.iter().any(|problem| {
            matches!(problem.code, ProblemCode::UnknownField | ProblemCode::UnknownType)
                && problem.what.contains(&quoted)
        })
    }

    /// Returns whether there are no problems; notices do not count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the number of problems, without notices.
    #[must_use]
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Returns the problems.
    #[must_use]
    pub fn into_vec(self) -> Vec<Problem> {
        self.found
    }

    /// Returns the problems and the notices.
    pub fn into_parts(self) -> (Vec<Problem>, Vec<Problem>) {
        (self.found, self.notices)
    }
}
