//! A mistake in the configuration: where, what, what was expected, and what to try.

use std::fmt;
use std::sync::Arc;

use super::yaml::Place;

/// One mistake in one configuration file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as the person who named the folder would write it.
    pub file: Arc<str>,
    /// Where in the file.
    pub place: Place,
    /// The kind of mistake; stable.
    pub code: ProblemCode,
    /// What is wrong.
    pub what: String,
    /// What was expected instead.
    pub expected: String,
    /// What to try, where there is a good guess.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    /// `path/form.yml:LINE:COLUMN: what; expected …; hint`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, place, code, what, expected, hint } = self;
        write!(f, "{file}:{}:{}: [{}] {what}", place.line, place.column, code.as_str())?;
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
        /// The kinds of mistake that configuration can have.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemCode { $($(#[doc = $doc])+ $variant,)+ }

        impl ProblemCode {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    /// The text is not YAML, or goes over a limit of size, depth or aliases.
    Syntax = "syntax",
    /// A key stands twice in one mapping.
    DuplicateKey = "duplicate-key",
    /// Two files define the same name.
    DuplicateName = "duplicate-name",
    /// A key that does not belong where it stands.
    UnknownKey = "unknown-key",
    /// A key that must be there is not.
    MissingKey = "missing-key",
    /// A value of the wrong shape, such as a list where a text was expected.
    WrongShape = "wrong-shape",
    /// A field that the resource does not have.
    UnknownField = "unknown-field",
    /// A type (of profile, transactable, …) that no file defines.
    UnknownType = "unknown-type",
    /// A rule that does not exist.
    UnknownRule = "unknown-rule",
    /// An option that the rule does not take.
    UnknownOption = "unknown-option",
    /// A rule or option whose value cannot be used.
    BadOption = "bad-option",
    /// Options or settings that contradict each other.
    Contradiction = "contradiction",
    /// A regular expression that does not compile, or says something else than it seems to.
    BadPattern = "bad-pattern",
    /// An expression that cannot be read, or that says something the language does not have.
    BadExpression = "bad-expression",
    /// A default that the field's own type or rules refuse.
    BadDefault = "bad-default",
    /// A part of the form language that this version does not serve.
    NotServed = "not-served",
    /// A file that is no configuration of a kind that this folder may hold.
    BadFile = "bad-file",
}

/// Collects the problems of one file.
#[derive(Debug)]
pub struct Problems {
    file: Arc<str>,
    found: Vec<Problem>,
}

impl Problems {
    /// An empty collection for a file.
    #[must_use]
    pub fn new(file: Arc<str>) -> Self {
        Self { file, found: Vec::new() }
    }

    /// Notes one.
    pub fn add(
        &mut self,
        code: ProblemCode,
        place: Place,
        what: impl Into<String>,
        expected: impl Into<String>,
        hint: Option<String>,
    ) {
        let (what, expected) = (what.into(), expected.into());
        self.found.push(Problem { file: self.file.clone(), place, code, what, expected, hint });
    }

    /// Whether a name was found to be unknown already, so that what refers to it need not be told.
    pub(crate) fn has_unknown(&self, name: &str) -> bool {
        let quoted = format!("`{name}`");
        self.found.iter().any(|problem| {
            matches!(problem.code, ProblemCode::UnknownField | ProblemCode::UnknownType)
                && problem.what.contains(&quoted)
        })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// All of them.
    #[must_use]
    pub fn into_vec(self) -> Vec<Problem> {
        self.found
    }
}
