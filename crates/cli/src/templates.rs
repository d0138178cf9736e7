//! The templates of `registrar init` and `registrar new form`, compiled in.

use clap::ValueEnum;

/// A file of a template: its path in the project folder, and its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TemplateFile {
    pub(crate) path: &'static str,
    pub(crate) text: &'static str,
}

/// A project template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// One form: sign_up
    Minimal,
    /// Buyers, and sellers with a shop and listings
    Marketplace,
    /// Companies, their invited members, and sign-in
    Saas,
    /// The forms of platformOS' REST API
    #[value(name = "platformos")]
    PlatformOs,
}

/// Lists files of a template folder.
macro_rules! files {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(TemplateFile {
            path: $path,
            text: include_str!(concat!("../templates/", $folder, "/", $path)),
        }),+]
    };
}

const MINIMAL: &[TemplateFile] = files!("minimal": "forms/sign_up.yml");
const MARKETPLACE: &[TemplateFile] = files!("marketplace":
    "forms/seller_sign_up.yml",
    "forms/sign_up.yml",
    "forms/types/profiles/seller.yml",
    "forms/types/transactables/listing.yml",
);
const SAAS: &[TemplateFile] = files!("saas":
    "forms/company_sign_up.yml",
    "forms/member_sign_up.yml",
    "forms/sign_in.yml",
    "forms/types/relationship_users/member.yml",
    "forms/types/relationships/company.yml",
);
const PLATFORM_OS: &[TemplateFile] = files!("platformos":
    "forms/reference_rest_api_create_session.yml",
    "forms/reference_rest_api_create_user.yml",
    "forms/reference_rest_api_update_user.yml",
);
/// Files of every template.
const COMMON: [TemplateFile; 2] = [
    TemplateFile { path: "registrar.yml", text: include_str!("../templates/common/registrar.yml") },
    TemplateFile { path: ".gitignore", text: include_str!("../templates/common/gitignore") },
];

impl Template {
    /// Returns all files, those of the template first.
    pub(crate) fn files(self) -> impl Iterator<Item = TemplateFile> {
        self.own_files().iter().copied().chain(COMMON)
    }

    fn own_files(self) -> &'static [TemplateFile] {
        match self {
            Self::Minimal => MINIMAL,
            Self::Marketplace => MARKETPLACE,
            Self::Saas => SAAS,
            Self::PlatformOs => PLATFORM_OS,
        }
    }
}

/// Resource of a new form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum FormResource {
    /// Creates users
    User,
    /// Signs users in
    Session,
    /// Creates transactables, such as listings
    Transactable,
    /// Creates relationships, such as companies
    Relationship,
    /// Adds users to relationships
    RelationshipUser,
    /// Creates customizations, which are records of custom types
    Customization,
}

impl FormResource {
    /// Returns whether its records have a type.
    pub(crate) fn has_type(self) -> bool {
        !matches!(self, Self::User | Self::Session)
    }

    /// Returns the YAML of a form, with `NAME` for its name and `TYPE` for the type of its records.
    pub(crate) fn template(self) -> &'static str {
        match self {
            Self::User => include_str!("../templates/new/user.yml"),
            Self::Session => include_str!("../templates/new/session.yml"),
            Self::Transactable => include_str!("../templates/new/transactable.yml"),
            Self::Relationship => include_str!("../templates/new/relationship.yml"),
            Self::RelationshipUser => include_str!("../templates/new/relationship_user.yml"),
            Self::Customization => include_str!("../templates/new/customization.yml"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn paths(folder: &Path, within: &str, into: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let within = format!("{within}{}", entry.file_name().to_str().unwrap());
            match entry.path().is_dir() {
                true => paths(&entry.path(), &format!("{within}/"), into),
                false => into.push(within),
            }
        }
    }

    #[test]
    fn every_file_of_a_template_is_listed() {
        for template in Template::value_variants() {
            let name = template.to_possible_value().unwrap();
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
            let mut found = Vec::new();
            paths(&folder.join(name.get_name()), "", &mut found);
            found.sort();
            let listed: Vec<&str> = template.own_files().iter().map(|file| file.path).collect();
            assert_eq!(listed, found);
        }
    }
}
