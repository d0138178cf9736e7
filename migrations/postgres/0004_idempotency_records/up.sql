-- Responses to requests with an Idempotency-Key. The key is a digest of the caller and of the key that
-- it sent. No rows were stored before.
DROP TABLE idempotency_records;
CREATE TABLE idempotency_records (
    key BYTEA PRIMARY KEY CHECK (length(key) = 32),
    request BYTEA NOT NULL CHECK (length(request) = 32),
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX idempotency_records_created_at ON idempotency_records (created_at);
