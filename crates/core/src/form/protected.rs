//! Fields that decide what somebody may do, or whose something is: a client that may fill them in makes
//! itself an administrator, or a member of somebody else's company.
//!
//! Source: OWASP API Security Top 10 (2023), API3 "Broken Object Property Level Authorization".

/// Columns that lead to other rows.
const KEYS: [&str; 5] =
    ["creator_id", "user_id", "relationship_id", "transactable_id", "customizable_id"];

/// Words that say what somebody may do.
const ROLES: [&str; 14] = [
    "role",
    "roles",
    "admin",
    "is_admin",
    "administrator",
    "is_administrator",
    "superuser",
    "is_superuser",
    "staff",
    "is_staff",
    "permission",
    "permissions",
    "privileges",
    "scopes",
];

/// Words that say that somebody was looked at.
const VERIFIED: [&str; 6] =
    ["verified", "is_verified", "verified_at", "confirmed_at", "approved", "approved_at"];

/// Whether only forms that say `privileged: true` may let clients fill a field of this name in, however
/// its words are put together: `is_admin`, `is-admin`, `isAdmin`.
pub(super) fn is_protected(name: &str) -> bool {
    let name = &*snake_case(name);
    KEYS.contains(&name)
        || ROLES.contains(&name)
        || VERIFIED.contains(&name)
        || ["_hash", "_digest", "_role", "_roles", "_verified", "_verified_at"]
            .iter()
            .any(|end| name.ends_with(end))
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for letter in name.chars() {
        if letter.is_uppercase() && was_lower {
            snake.push('_');
        }
        was_lower = letter.is_lowercase() || letter.is_ascii_digit();
        match letter {
            '-' | ' ' => snake.push('_'),
            letter => snake.extend(letter.to_lowercase()),
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::is_protected;

    #[test]
    fn protected_names_are_known_however_they_are_spelled() {
        for name in [
            "role",
            "Role",
            "isAdmin",
            "is-admin",
            "IS_ADMIN",
            "userId",
            "passwordHash",
            "emailVerified",
            "teamRole",
            "user_id",
            "phone_verified_at",
            "Verified At",
        ] {
            assert!(is_protected(name), "{name}");
        }
        for name in ["city", "parole", "roleplay", "administers", "unverified", "hashtag", "Hash"] {
            assert!(!is_protected(name), "{name}");
        }
    }
}
