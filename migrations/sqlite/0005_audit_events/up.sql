-- The audit log: one row for each create, update and delete, in the same transaction. An attempt is a
-- sign-up for an existing account, which the client must not learn, or a failed sign-in. No foreign
-- keys: rows are kept when what they refer to is deleted.
CREATE TABLE audit_events (
    id INTEGER PRIMARY KEY,
    created_at INTEGER NOT NULL,
    action TEXT NOT NULL
        -- Not `IN (…)`: for more than two values SQLite builds a temporary index on each insert.
        CHECK (action = 'create' OR action = 'update' OR action = 'delete' OR action = 'attempt'),
    kind TEXT NOT NULL,
    record_id INTEGER NOT NULL,
    user_id INTEGER,
    token_id INTEGER,
    caller_id INTEGER,
    form_name TEXT,
    form_version TEXT,
    request_id TEXT
) STRICT;
