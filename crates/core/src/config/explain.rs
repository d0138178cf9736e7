//! A page for each kind of mistake: what it means, an example, and what to write instead. Printed
//! by `registrar explain` and rendered into `docs/problems.md`.

use std::fmt::Write as _;

use super::problem::ProblemCode;

/// What is told of a kind beyond its summary.
struct Explanation {
    /// What to do.
    advice: &'static str,
    /// A form, a part of one, or what else has the mistake.
    wrong: &'static str,
    /// The same without it.
    right: &'static str,
}

const fn page(advice: &'static str, wrong: &'static str, right: &'static str) -> Explanation {
    Explanation { advice, wrong, right }
}

impl ProblemCode {
    /// The kind of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// The page of this kind, in Markdown.
    #[must_use]
    pub fn page(self) -> String {
        let Explanation { advice, wrong, right } = self.advice();
        let mut page = format!("## {}\n\n{} {advice}\n", self.as_str(), self.summary());
        // Writing to a `String` cannot fail.
        for (title, text) in [("Instead of", wrong), ("write", right)] {
            if !text.is_empty() {
                let _ = write!(page, "\n{title}\n\n```yaml\n{text}\n```\n");
            }
        }
        page
    }

    fn advice(self) -> Explanation {
        match self {
            Self::Syntax => page(
                "The place is where reading stopped; the cause may stand a little above. Quote texts \
                 with `: `, `#` or a leading `*`, `&`, `!`, `%`, `@` or backtick in them.",
                "description: Sign up: step 1",
                "description: \"Sign up: step 1\"",
            ),
            Self::DuplicateKey => page(
                "YAML would let the last one win without a word. Put what both say under one key.",
                "email: { validation: { presence: true } }\nemail: { validation: { email: strict } }",
                "email: { validation: { presence: true, email: strict } }",
            ),
            Self::DuplicateName => page(
                "Give one of them another name, or remove it. A form without `name:` is called by its \
                 path.",
                "# b.yml\nname: sign_up   # a.yml says the same",
                "# b.yml\nname: sign_up_again",
            ),
            Self::UnknownKey => page(
                "The keys that can stand there are listed, and the nearest one is proposed.",
                "first_name: { validations: { presence: true } }",
                "first_name: { validation: { presence: true } }",
            ),
            Self::UnknownForm => page(
                "The names of all forms are listed, and the nearest one is proposed. A form is called \
                 by its `name:`, or by its path.",
                "form: grmat",
                "form: garmat",
            ),
            Self::UnknownCatalogue => page(
                "A catalogue is a file in `contracts/catalogues/`, called by its name.",
                "catalogue: dfr",
                "catalogue: drf   # contracts/catalogues/drf.yml",
            ),
            Self::MissingKey => page(
                "What is missing is named.",
                "fields: { email: }",
                "resource: User\nfields: { email: }",
            ),
            Self::WrongShape => page(
                "What was found and what was expected are named.",
                "email: { validation: [presence] }",
                "email: { validation: { presence: true } }",
            ),
            Self::UnknownField => page(
                "Fields of users are listed in README, properties in the type's file. A field that is \
                 only to be judged is virtual; an expression names fields from `form.` on.",
                "fields: { emial: }",
                "fields: { email: }",
            ),
            Self::UnknownType => page(
                "The names that are known are listed: files below `types/` and `definitions/`, forms, \
                 examples above.",
                "profiles: { develper: { properties: { bio: } } }",
                "profiles: { developer: { properties: { bio: } } }",
            ),
            Self::UnknownCode => page(
                "Codes are listed with the rules (`registrar rules`); `id:` of a rule across fields is \
                 one too. `locales/en.yml` has every text of `messages:`.",
                "# locales/de.yml\nmessages: { blnak: muss ausgefüllt werden }",
                "# locales/de.yml\nmessages: { blank: muss ausgefüllt werden }",
            ),
            Self::UnknownLanguage => page(
                "Files of texts are named by a language tag of BCP 47. A message can be in the \
                 languages that have such a file, and in English.",
                "first_name: { validation: { presence: { message: { english: is needed } } } }",
                "first_name: { validation: { presence: { message: { en: is needed } } } }",
            ),
            Self::UnknownRule => page(
                "`registrar rules` lists them.",
                "email: { validation: { presense: true } }",
                "email: { validation: { presence: true } }",
            ),
            Self::UnknownOption => page(
                "`registrar rules NAME` lists what a rule takes.",
                "name: { validation: { length: { max: 10 } } }",
                "name: { validation: { length: { maximum: 10 } } }",
            ),
            Self::BadOption => page(
                "What the option takes is named.",
                "name: { validation: { length: { maximum: ten } } }",
                "name: { validation: { length: { maximum: 10 } } }",
            ),
            Self::Contradiction => page(
                "No value could keep both, or one of them could never matter.",
                "name: { validation: { length: { minimum: 10, maximum: 5 } } }",
                "name: { validation: { length: { minimum: 5, maximum: 10 } } }",
            ),
            Self::ProtectedField => page(
                "A client that may set a role, a flag such as `is_verified`, a digest or the id of another \
                 row can raise its own rights or join another company. Such names are recognised by their \
                 kind: `*_id`, `*_key`, `is_*`, `*role*`, `*level*`, `*verified*`, `*confirmed*` and so on. \
                 A field that is harmless says `property_options: { public: true }`. A form for trusted \
                 tokens says `privileged: true`; a limited token needs the scope `privileged` to use it.",
                "resource: User\nfields: { email: {}, properties: { role: {} } }",
                "resource: User\nprivileged: true\nfields: { email: {}, properties: { role: {} } }",
            ),
            Self::PolicyNotEnforced => page(
                "`authorization_policies`, `spam_protection` and `request_allowed` of platformOS decide who \
                 may submit a form. Registrar does not enforce them, so the form is not loaded: served \
                 without its policy, it would be open to every token. Limit the form by other means \
                 (`privileged: true`, a token made with `--form`, a contract's `allowed_if`) and remove the \
                 key, or set `policies: ignore` in `registrar.yml` where no policy is needed.",
                "resource: User\nauthorization_policies: [is_approved]\nfields: { email: {} }",
                "resource: User\nprivileged: true\nfields: { email: {} }",
            ),
            Self::BadPattern => page(
                "Patterns run in linear time: no look-around, no back-references. `^` and `$` are the \
                 ends of lines: `\\A` and `\\z` are those of the text.",
                "external_id: { validation: { format: { with: '^[a-z]+$' } } }",
                "external_id: { validation: { format: { with: '\\A[a-z]+\\z' } } }",
            ),
            Self::BadExpression => page(
                "The language is in docs/forms.md; `and`, `or`, `not`, filters behind `|`.",
                "vat_number: { if: \"form.company_size > 1 && form.email\" }",
                "vat_number: { if: \"form.company_size > 1 and form.email\" }",
            ),
            Self::BadDate => page(
                "A restriction is a date, a field, or a phrase: `now`, `today`, `yesterday`, \
                 `tomorrow`, `2 days ago`, `3 hours from now`.",
                "birthday: { validation: { date: { before: 18 yrs ago } } }",
                "birthday: { validation: { date: { before: 18 years ago } } }",
            ),
            Self::BadSchema => page(
                "JSON Schema 2020-12, without references to elsewhere.",
                "preferences: { schema: { type: objekt } }",
                "preferences: { schema: { type: object } }",
            ),
            Self::BadDefault => page(
                "A default is of the field's type and keeps the field's own rules; a read-only field \
                 that must be there has one.",
                "language: { property_options: { default: eng }, validation: { length: { is: 2 } } }",
                "language: { property_options: { default: en }, validation: { length: { is: 2 } } }",
            ),
            Self::NotServed => page(
                "It is refused, for to ignore it would be to decide otherwise than the form says.",
                "",
                "",
            ),
            Self::Ignored => page(
                "A notice, not a mistake: the form is served without it.",
                "redirect_to: /sign-in",
                "",
            ),
            Self::WeakPassword => page(
                "A notice, not a mistake. The built-in rule asks for 6 characters, as platformOS does; NIST SP \
                 800-63B asks for 8 and a list of common passwords. A form that says `length` or `password` \
                 itself gets no notice.",
                "password: {}",
                "password: { validation: { password: { minimum: 8 } } }",
            ),
            Self::Cycle => page(
                "Put what both share into a third one.",
                "# a.yml\nextends: b\n# b.yml\nextends: a",
                "# a.yml\nextends: base\n# b.yml\nextends: base",
            ),
            Self::ExampleFailed => page(
                "Either the form does not do what it is meant to, or the example is old. What came of \
                 it is told.",
                "examples:\n  - { name: no name, form: { email: a@b.co }, expect: valid }",
                "examples:\n  - { name: no name, form: { email: a@b.co }, expect: { first_name: blank } }",
            ),
            Self::UntestedRule => page(
                "Told by `registrar check --coverage`. Nobody knows whether such a rule does what it \
                 is meant to.",
                "",
                "examples:\n  - { name: too long, form: { name: abcdefghijk }, expect: { name: too_long } }",
            ),
            Self::BadFile => page(
                "Forms are `*.yml`, `*.yaml` or `*.liquid`; types lie in `types/profiles/`, \
                 `types/transactables/`, … What is for people (`*.md`, hidden files) is not looked at.",
                "forms/sign_up.json",
                "forms/sign_up.yml",
            ),
        }
    }
}

/// All of them, in Markdown.
#[must_use]
pub fn problem_pages() -> String {
    let mut pages = String::from(
        "# Kinds of mistakes\n\nRendered from the code; a test compares. `registrar check` tells each \
         mistake with its place and its kind in brackets; `registrar explain KIND` prints what stands \
         here.\n",
    );
    for code in ProblemCode::ALL {
        pages.push('\n');
        pages.push_str(&code.page());
    }
    pages
}
