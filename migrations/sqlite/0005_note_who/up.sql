-- Who made, changed or deleted what, through which form, on which request: one row in the transaction
-- that did it. An attempt is a sign-up whose client may not learn that the account is there. No foreign keys: it outlives what it tells of. Rows are only ever added.
CREATE TABLE audit_events (
    id INTEGER PRIMARY KEY,
    created_at INTEGER NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('create', 'update', 'delete', 'attempt')),
    kind TEXT NOT NULL,
    record_id INTEGER NOT NULL,
    user_id INTEGER,
    token_id INTEGER,
    caller_id INTEGER,
    form_name TEXT,
    form_version TEXT,
    request_id TEXT
) STRICT;
