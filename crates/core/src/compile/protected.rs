//! Recognises protected field names: fields that decide permissions, credit or ownership. A client
//! that can set such a field can make itself an administrator or a member of another company. Names
//! are recognised by patterns, so that new fields are protected too.
//!
//! Source: OWASP API Security Top 10 (2023), API3 "Broken Object Property Level Authorization".

/// Prefixes of booleans about the user: `is_admin`, `can_publish`.
const PREFIXES: [&str; 4] = ["is_", "can_", "may_", "allow_"];

/// Suffixes of references to other rows, of credentials, and of switches.
const SUFFIXES: [&str; 13] = [
    "_id", "_ids", "_uuid", "_guid", "_key", "_keys", "_hash", "_digest", "_salt", "_token",
    "_secret", "_enabled", "_active",
];

/// Substrings that are protected anywhere in a name, with or without separators.
const PARTS: [&str; 22] = [
    "role",
    "level",
    "admin",
    "moderator",
    "superuser",
    "permission",
    "privilege",
    "entitlement",
    "verified",
    "verification",
    "confirmed",
    "approved",
    "validated",
    "trusted",
    "banned",
    "blocked",
    "suspended",
    "twofactor",
    "clearance",
    "impersonat",
    "usertype",
    "accounttype",
];

/// Whole words that are protected anywhere in a name.
const WORDS: [&str; 19] = [
    "staff", "root", "owner", "scope", "scopes", "grant", "grants", "acl", "mfa", "otp", "totp",
    "2fa", "tier", "credit", "credits", "balance", "quota", "tenant", "sudo",
];

/// Names that match a pattern but are not protected: the client's own identifier of the user, whose
/// uniqueness is checked.
const HARMLESS: [&str; 1] = ["external_id"];

/// Returns whether a field of this name needs `privileged: true` in its form, or `public: true` in
/// its `property_options`. Case and separators do not matter: `is_admin`, `is-admin`, `isAdmin` and
/// `IS ADMIN` are the same.
pub(super) fn is_protected(name: &str) -> bool {
    let snake = &*snake_case(name);
    if HARMLESS.contains(&snake) {
        return false;
    }
    let joined = snake.replace('_', "");
    PREFIXES.iter().any(|prefix| snake.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| snake.ends_with(suffix))
        || ["id", "ids", "uuid", "guid"].contains(&snake)
        || PARTS.iter().any(|part| joined.contains(part))
        || snake.split('_').any(|word| WORDS.contains(&word))
}

/// Returns the name in snake case.
fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (index, character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| characters.get(before));
        let after = characters.get(index + 1);
        let ends_lower = before.is_some_and(|c| c.is_lowercase() || c.is_ascii_digit());
        // The last capital of an acronym starts the next word: `APIKey`.
        let ends_acronym =
            before.is_some_and(|c| c.is_uppercase()) && after.is_some_and(|c| c.is_lowercase());
        if character.is_uppercase() && (ends_lower || ends_acronym) {
            snake.push('_');
        }
        match character {
            '-' | ' ' | '.' | '/' => snake.push('_'),
            character => snake.extend(character.to_lowercase()),
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::is_protected;

    #[test]
    fn protected_names_are_detected_in_any_case_style() {
        for name in [
            "role",
            "Role",
            "userrole",
            "roleId",
            "user_role",
            "teamRole",
            "roles",
            "isAdmin",
            "is-admin",
            "IS_ADMIN",
            "is_active",
            "is_moderator",
            "is_superadmin",
            "userId",
            "user_id",
            "tenant_id",
            "account_id",
            "organization_id",
            "owner_id",
            "group_ids",
            "APIKey",
            "api_key",
            "relationship_id",
            "relationship_key",
            "creator_id",
            "access_level",
            "accessLevel",
            "user_type",
            "userType",
            "accountType",
            "passwordHash",
            "password_hash",
            "emailVerified",
            "email_confirmed",
            "confirmed_at",
            "verified",
            "phone_verified_at",
            "Verified At",
            "approved_at",
            "two_factor_enabled",
            "2fa",
            "twoFactor",
            "credits",
            "credit",
            "account_balance",
            "staff",
            "is_staff",
            "permissions",
            "scopes",
            "session_token",
            "canPublish",
            "id",
            "uuid",
            "tier",
        ] {
            assert!(is_protected(name), "{name}");
        }
    }

    #[test]
    fn ordinary_names_are_not_protected() {
        for name in [
            "external_id",
            "city",
            "email",
            "first_name",
            "enabled",
            "public_profile",
            "featured",
            "hashtag",
            "Hash",
            "island",
            "hidden",
            "idea",
            "valid",
            "keyboard",
            "company_size",
            "confirmation",
            "password_confirmation",
            "iso_country_code",
            "years_of_experience",
            "hourly_rate",
            "status",
            "type",
            "plan",
            "canvas",
            "isbn",
            "rooted",
            "frank",
        ] {
            assert!(!is_protected(name), "{name}");
        }
    }
}
