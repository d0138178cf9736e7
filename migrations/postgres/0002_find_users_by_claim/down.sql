-- Restore the keys that were only stored as claims.
UPDATE users SET email_key = (
    SELECT value_key FROM unique_claims WHERE owner = users.uuid AND scope = 'user.email'
) WHERE email_key IS NULL AND email IS NOT NULL;
DROP INDEX users_uuid;
