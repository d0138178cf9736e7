DROP INDEX idempotency_records_user_id;
ALTER TABLE idempotency_records DROP COLUMN user_id;
DROP INDEX api_tokens_issued_expires_at;
ALTER TABLE api_tokens DROP COLUMN last_used_at;
