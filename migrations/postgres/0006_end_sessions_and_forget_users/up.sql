-- When a token was last used, to about a minute; NULL where it never was.
ALTER TABLE api_tokens ADD COLUMN last_used_at TIMESTAMPTZ;
-- Tokens that were issued by a contract's API and have ended are deleted; those of operators stay.
CREATE INDEX api_tokens_issued_expires_at ON api_tokens (expires_at)
    WHERE user_id IS NOT NULL OR parent_id IS NOT NULL;

-- Whose data a kept answer holds: it is deleted with the user. NULL where it is nobody's, and for
-- answers kept before this migration, which are deleted after 24 hours at most.
ALTER TABLE idempotency_records ADD COLUMN user_id BIGINT;
CREATE INDEX idempotency_records_user_id ON idempotency_records (user_id) WHERE user_id IS NOT NULL;
