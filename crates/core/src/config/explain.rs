//! Explanations of the problem codes: what each means, an example, and the correction. `registrar
//! explain` prints them, and `docs/problems.md` is rendered from them.

use std::fmt::Write as _;

use super::problem::ProblemCode;

/// The explanation of a problem code beyond its summary.
struct Explanation {
    /// How to fix the problem.
    advice: &'static str,
    /// Configuration with the problem; empty if there is no example.
    wrong: &'static str,
    /// Corrected configuration; empty if there is none.
    right: &'static str,
}

const fn page(advice: &'static str, wrong: &'static str, right: &'static str) -> Explanation {
    Explanation { advice, wrong, right }
}

impl ProblemCode {
    /// Returns the code with a name, or `None` if there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// Returns the explanation of the code in Markdown.
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
                "The location is where parsing stopped; the cause may be a little above it. Quote \
                 strings that contain `: ` or `#`, or start with `*`, `&`, `!`, `%`, `@` or a backtick.",
                "description: Sign up: step 1",
                "description: \"Sign up: step 1\"",
            ),
            Self::DuplicateKey => page(
                "Most YAML readers silently keep the last one. Merge both into one key.",
                "email: { validation: { presence: true } }\nemail: { validation: { email: strict } }",
                "email: { validation: { presence: true, email: strict } }",
            ),
            Self::DuplicateName => page(
                "Rename one of them, or remove it. The name of a form without `name:` is its path.",
                "# b.yml\nname: sign_up   # also the name in a.yml",
                "# b.yml\nname: sign_up_again",
            ),
            Self::UnknownKey => page(
                "The problem lists the allowed keys and suggests the most similar one.",
                "first_name: { validations: { presence: true } }",
                "first_name: { validation: { presence: true } }",
            ),
            Self::UnknownForm => page(
                "The problem lists the names of all forms and suggests the most similar one. The name of \
                 a form is its `name:` or, without one, its path.",
                "form: grmat",
                "form: garmat",
            ),
            Self::UnknownCatalogue => page(
                "A catalogue is a file in `contracts/catalogues/`; its name is the file name without \
                 the extension.",
                "catalogue: dfr",
                "catalogue: drf   # contracts/catalogues/drf.yml",
            ),
            Self::MissingKey => page(
                "The problem names the missing key.",
                "fields: { email: }",
                "resource: User\nfields: { email: }",
            ),
            Self::WrongShape => page(
                "The problem names the shape that was found and the expected one.",
                "email: { validation: [presence] }",
                "email: { validation: { presence: true } }",
            ),
            Self::UnknownField => page(
                "The fields of users are listed in docs/fields.md, properties in the type's file. A field \
                 that is validated but not stored is virtual; expressions refer to fields as `form.…`.",
                "fields: { emial: }",
                "fields: { email: }",
            ),
            Self::UnknownType => page(
                "The problem lists the known names: of files below `types/` and `definitions/`, of forms, \
                 or of earlier examples.",
                "profiles: { develper: { properties: { bio: } } }",
                "profiles: { developer: { properties: { bio: } } }",
            ),
            Self::UnknownCode => page(
                "`registrar rules` lists codes with their rules; the `id:` of an assertion is a code too. \
                 crates/core/src/locale/built_in/en.yml has every message of `messages:`.",
                "# locales/de.yml\nmessages: { blnak: muss ausgefüllt werden }",
                "# locales/de.yml\nmessages: { blank: muss ausgefüllt werden }",
            ),
            Self::UnknownLanguage => page(
                "Locale files are named by a BCP 47 language tag. Messages can be given in English, in German \
                 and in each language that has a locale file.",
                "first_name: { validation: { presence: { message: { english: is needed } } } }",
                "first_name: { validation: { presence: { message: { en: is needed } } } }",
            ),
            Self::UnknownRule => page(
                "`registrar rules` lists all rules.",
                "email: { validation: { presense: true } }",
                "email: { validation: { presence: true } }",
            ),
            Self::UnknownOption => page(
                "`registrar rules NAME` lists the options of a rule.",
                "name: { validation: { length: { max: 10 } } }",
                "name: { validation: { length: { maximum: 10 } } }",
            ),
            Self::BadOption => page(
                "The problem names the allowed values.",
                "name: { validation: { length: { maximum: ten } } }",
                "name: { validation: { length: { maximum: 10 } } }",
            ),
            Self::Contradiction => page(
                "No value can satisfy both, or one of them never has an effect.",
                "name: { validation: { length: { minimum: 10, maximum: 5 } } }",
                "name: { validation: { length: { minimum: 5, maximum: 10 } } }",
            ),
            Self::ProtectedField => page(
                "A client that may set a role, a boolean such as `is_verified`, a digest or the id of another \
                 row can raise its own privileges or join another company. Such names are recognised by \
                 pattern: `*_id`, `*_key`, `is_*`, `*role*`, `*level*`, `*verified*`, `*confirmed*` and so on. \
                 A harmless field sets `property_options: { public: true }`. A form for trusted \
                 tokens sets `privileged: true`; a limited token needs the scope `privileged` to use it.",
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
                "Patterns run in linear time, without look-around and back-references. `^` and `$` match \
                 at the start and end of each line, `\\A` and `\\z` at those of the string.",
                "external_id: { validation: { format: { with: '^[a-z]+$' } } }",
                "external_id: { validation: { format: { with: '\\A[a-z]+\\z' } } }",
            ),
            Self::BadExpression => page(
                "docs/forms.md describes the language: operators such as `and`, `or` and `not`, and \
                 filters after `|`.",
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
                "Schemas are JSON Schema 2020-12, without references to other documents.",
                "preferences: { schema: { type: objekt } }",
                "preferences: { schema: { type: object } }",
            ),
            Self::BadDefault => page(
                "A default must have the field's type and satisfy its rules; a required read-only field \
                 needs one.",
                "language: { property_options: { default: eng }, validation: { length: { is: 2 } } }",
                "language: { property_options: { default: en }, validation: { length: { is: 2 } } }",
            ),
            Self::NotServed => page(
                "It is rejected, since ignoring it would change the decisions of the form.",
                "",
                "",
            ),
            Self::Ignored => page(
                "A notice, not an error: the form is served without it.",
                "redirect_to: /sign-in",
                "",
            ),
            Self::WeakPassword => page(
                "A notice, not an error. The built-in rule requires 6 characters, as platformOS does; NIST SP \
                 800-63B requires 8 and a blocklist of common passwords. A form that sets `length` or \
                 `password` itself gets no notice.",
                "password: {}",
                "password: { validation: { password: { minimum: 8 } } }",
            ),
            Self::Cycle => page(
                "Move what they share into a third one.",
                "# a.yml\nextends: b\n# b.yml\nextends: a",
                "# a.yml\nextends: base\n# b.yml\nextends: base",
            ),
            Self::ExampleFailed => page(
                "Either the form is wrong or the example is outdated. The problem states the actual \
                 result.",
                "examples:\n  - { name: no name, form: { email: a@b.co }, expect: valid }",
                "examples:\n  - { name: no name, form: { email: a@b.co }, expect: { first_name: blank } }",
            ),
            Self::UntestedRule => page(
                "Reported by `registrar check --coverage`. No example shows that such a rule works as \
                 intended.",
                "",
                "examples:\n  - { name: too long, form: { name: abcdefghijk }, expect: { name: too_long } }",
            ),
            Self::BadFile => page(
                "Forms are `*.yml`, `*.yaml` or `*.liquid`; types lie in `types/profiles/`, \
                 `types/transactables/`, … `*.md` and hidden files are skipped.",
                "forms/sign_up.json",
                "forms/sign_up.yml",
            ),
        }
    }
}

/// Returns the explanations of all codes in Markdown.
#[must_use]
pub fn problem_pages() -> String {
    let mut pages = String::from(
        "# Kinds of problems\n\nRendered from the code; a test compares. `registrar check` reports each problem \
         with its location and its kind in brackets; `registrar explain KIND` prints the section \
         below.\n",
    );
    for code in ProblemCode::ALL {
        pages.push('\n');
        pages.push_str(&code.page());
    }
    pages
}
