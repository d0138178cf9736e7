//! A mistake in the configuration: where, what, what was expected, and what to try.

use std::fmt;
use std::sync::Arc;

use super::yaml::{FileId, Location};

/// One mistake in one configuration file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as the person who named the folder would write it.
    pub file: Arc<str>,
    /// Where in the file.
    pub place: Location,
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

            /// What it means, in a sentence or two.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii_start(),)+ }
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
    /// A form that no file defines, named by a contract.
    UnknownForm = "unknown-form",
    /// A catalogue of texts that no file holds, named by a contract.
    UnknownCatalogue = "unknown-catalogue",
    /// A code that no rule says, in a file of texts.
    UnknownCode = "unknown-code",
    /// What is no language tag, or a language that no file of texts is of.
    UnknownLanguage = "unknown-language",
    /// A rule that does not exist.
    UnknownRule = "unknown-rule",
    /// An option that the rule does not take.
    UnknownOption = "unknown-option",
    /// A rule or option whose value cannot be used.
    BadOption = "bad-option",
    /// Options or settings that contradict each other.
    Contradiction = "contradiction",
    /// A field that decides what somebody may do, or whose something is, in a form that is not said to
    /// be for trusted tokens alone.
    ProtectedField = "protected-field",
    /// A policy that decides who may submit a form, and that Registrar does not enforce.
    PolicyNotEnforced = "policy-not-enforced",
    /// A regular expression that does not compile, or says something else than it seems to.
    BadPattern = "bad-pattern",
    /// An expression that cannot be read, or that says something the language does not have.
    BadExpression = "bad-expression",
    /// A date, a time or a phrase for one that cannot be read, or a restriction that no value meets.
    BadDate = "bad-date",
    /// A JSON Schema that is none.
    BadSchema = "bad-schema",
    /// A default that the field's own type or rules refuse.
    BadDefault = "bad-default",
    /// A part of the form language that this version does not serve.
    NotServed = "not-served",
    /// Not a mistake, but worth a word: something that Registrar has no use for and leaves aside.
    Ignored = "ignored",
    /// Not a mistake, but worth a word: passwords of users need only keep the built-in rule.
    WeakPassword = "weak-password",
    /// A form that extends itself, a definition that uses itself, or too many steps of either.
    Cycle = "cycle",
    /// An example in a form that does not come out as it says.
    ExampleFailed = "example-failed",
    /// A rule that no example in its form ever trips.
    UntestedRule = "untested-rule",
    /// A file that is no configuration of a kind that this folder may hold.
    BadFile = "bad-file",
}

/// Collects the problems of one file.
#[derive(Debug)]
pub struct Problems {
    /// The file that is being read.
    own: Arc<str>,
    /// All files, where what is read is made of several.
    files: Arc<[Arc<str>]>,
    found: Vec<Problem>,
    notices: Vec<Problem>,
    policies: Policies,
}

/// What becomes of forms whose policies Registrar does not enforce.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policies {
    /// They are not loaded.
    #[default]
    Refuse,
    /// They are served without the policy; each is a notice.
    Ignore,
}

impl Problems {
    /// An empty collection for a file.
    #[must_use]
    pub fn new(file: Arc<str>) -> Self {
        let (found, notices, policies) = (Vec::new(), Vec::new(), Policies::default());
        Self { own: file, files: Arc::new([]), found, notices, policies }
    }

    /// An empty collection for a file that others have a part in.
    pub(crate) fn with_files(own: Arc<str>, files: Arc<[Arc<str>]>) -> Self {
        Self { files, ..Self::new(own) }
    }

    /// The same collection, with what becomes of policies that are not enforced.
    pub(crate) fn with_policies(self, policies: Policies) -> Self {
        Self { policies, ..self }
    }

    /// Adds a policy that is not enforced: a problem, or a notice where the operator ignores policies.
    pub(crate) fn add_policy_problem(&mut self, place: Location, what: String, expected: &str) {
        match self.policies {
            Policies::Refuse => {
                self.add(ProblemCode::PolicyNotEnforced, place, what, expected, None);
            }
            Policies::Ignore => self.add_notice(place, what),
        }
    }

    /// The file that is being read.
    pub(crate) fn main_file(&self) -> Arc<str> {
        self.own.clone()
    }

    /// All files that places may be in.
    pub(crate) fn files(&self) -> Arc<[Arc<str>]> {
        self.files.clone()
    }

    /// Notes something that is left aside, which is no mistake.
    pub(crate) fn add_notice(&mut self, place: Location, what: String) {
        let notice = self.problem(ProblemCode::Ignored, place, what, String::new(), None);
        self.notices.push(notice);
    }

    /// Adds a notice that new passwords need only keep the built-in rule.
    pub(crate) fn add_weak_password(&mut self, place: Location, what: String) {
        let notice = self.problem(ProblemCode::WeakPassword, place, what, String::new(), None);
        self.notices.push(notice);
    }

    fn problem(
        &self,
        code: ProblemCode,
        place: Location,
        what: String,
        expected: String,
        hint: Option<String>,
    ) -> Problem {
        let file = usize::try_from(place.file.0).ok().and_then(|index| self.files.get(index));
        let file = file.unwrap_or(&self.own).clone();
        Problem {
            file,
            place: Location { file: FileId::MAIN, ..place },
            code,
            what,
            expected,
            hint,
        }
    }

    /// Notes one.
    pub fn add(
        &mut self,
        code: ProblemCode,
        place: Location,
        what: impl Into<String>,
        expected: impl Into<String>,
        hint: Option<String>,
    ) {
        let problem = self.problem(code, place, what.into(), expected.into(), hint);
        self.found.push(problem);
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

    /// All of them, and the notices.
    pub(crate) fn into_parts(self) -> (Vec<Problem>, Vec<Problem>) {
        (self.found, self.notices)
    }
}
