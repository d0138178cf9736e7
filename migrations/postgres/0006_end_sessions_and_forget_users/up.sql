-- Time of the last use, accurate to about a minute, or NULL if the token was never used.
ALTER TABLE api_tokens ADD COLUMN last_used_at TIMESTAMPTZ;
-- For the deletion of expired tokens that were issued by a contract.
CREATE INDEX api_tokens_issued_expires_at ON api_tokens (expires_at)
    WHERE user_id IS NOT NULL OR parent_id IS NOT NULL;

-- The user whose data the response contains, with which it is deleted. NULL if there is none, and for
-- responses stored before this migration, which are deleted within 24 hours.
ALTER TABLE idempotency_records ADD COLUMN user_id BIGINT;
CREATE INDEX idempotency_records_user_id ON idempotency_records (user_id) WHERE user_id IS NOT NULL;
