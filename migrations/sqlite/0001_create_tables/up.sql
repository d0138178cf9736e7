-- The schema for SQLite. migrations/postgres has the equivalent for PostgreSQL.
-- Timestamps are microseconds since 1970 UTC; uuids are 16 bytes; JSON is text.

-- The last id used in each table. The writer reserves the ids of a batch here, so that they are
-- gapless and known before the rows are inserted.
CREATE TABLE counters (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    users INTEGER NOT NULL DEFAULT 0,
    user_profiles INTEGER NOT NULL DEFAULT 0,
    transactables INTEGER NOT NULL DEFAULT 0,
    relationships INTEGER NOT NULL DEFAULT 0,
    relationship_users INTEGER NOT NULL DEFAULT 0,
    customizations INTEGER NOT NULL DEFAULT 0,
    addresses INTEGER NOT NULL DEFAULT 0,
    files INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO counters (only_row) VALUES (1);

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL CHECK (length(uuid) = 16),
    email TEXT,
    email_key TEXT,
    external_id TEXT,
    first_name TEXT,
    middle_name TEXT,
    last_name TEXT,
    name TEXT,
    featured INTEGER NOT NULL CHECK (featured IN (0, 1)),
    public_profile INTEGER NOT NULL CHECK (public_profile IN (0, 1)),
    language TEXT,
    time_zone TEXT,
    phone TEXT,
    mobile_number TEXT,
    properties TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(properties)),
    form_name TEXT NOT NULL,
    form_version TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
-- Not unique: forms declare what is unique, and unique_claims enforces it.
CREATE INDEX users_email_key ON users (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX users_external_id ON users (external_id) WHERE external_id IS NOT NULL;

CREATE TABLE password_credentials (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    phc TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE user_profiles (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    type_name TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    properties TEXT NOT NULL CHECK (json_valid(properties))
) STRICT;
CREATE INDEX user_profiles_user_id ON user_profiles (user_id);

CREATE TABLE transactables (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    type_name TEXT NOT NULL,
    name TEXT,
    description TEXT,
    currency TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    properties TEXT NOT NULL CHECK (json_valid(properties))
) STRICT;
CREATE INDEX transactables_user_id ON transactables (user_id);

CREATE TABLE relationships (
    id INTEGER PRIMARY KEY,
    type_name TEXT NOT NULL,
    creator_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    properties TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(properties)),
    created_at INTEGER NOT NULL
) STRICT;
-- For the foreign key when a user is deleted.
CREATE INDEX relationships_creator_id ON relationships (creator_id) WHERE creator_id IS NOT NULL;

CREATE TABLE relationship_users (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    relationship_id INTEGER NOT NULL REFERENCES relationships (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    type_name TEXT NOT NULL,
    properties TEXT NOT NULL CHECK (json_valid(properties))
) STRICT;
CREATE INDEX relationship_users_user_id ON relationship_users (user_id);

-- Customizations, addresses and files belong to the row that owner_kind and owner_id name; user_id
-- is the user at the root, by which all rows of a user are read and deleted.
CREATE TABLE customizations (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    owner_kind TEXT NOT NULL
        CHECK (owner_kind = 'user' OR owner_kind = 'profile' OR owner_kind = 'transactable'
            OR owner_kind = 'customization'),
    owner_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    type_name TEXT NOT NULL,
    properties TEXT NOT NULL CHECK (json_valid(properties))
) STRICT;
CREATE INDEX customizations_user_id ON customizations (user_id);

CREATE TABLE addresses (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    owner_kind TEXT NOT NULL
        CHECK (owner_kind = 'user' OR owner_kind = 'profile' OR owner_kind = 'transactable'
            OR owner_kind = 'customization'),
    owner_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    address TEXT,
    street TEXT,
    street_number TEXT,
    suburb TEXT,
    city TEXT,
    state TEXT,
    postcode TEXT,
    country TEXT,
    iso_country_code TEXT,
    latitude TEXT,
    longitude TEXT
) STRICT;
CREATE INDEX addresses_user_id ON addresses (user_id);

CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    owner_kind TEXT NOT NULL
        CHECK (owner_kind = 'user' OR owner_kind = 'profile' OR owner_kind = 'transactable'
            OR owner_kind = 'customization'),
    owner_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    is_image INTEGER NOT NULL CHECK (is_image IN (0, 1)),
    direct_url TEXT,
    file_name TEXT,
    content_type TEXT,
    caption TEXT
) STRICT;
CREATE INDEX files_user_id ON files (user_id);

-- Enforces the uniqueness rules of forms. The owner is the uuid of the user that holds the value:
-- claims are inserted before the id of the user is reserved.
CREATE TABLE unique_claims (
    scope TEXT NOT NULL,
    value_key TEXT NOT NULL,
    owner BLOB NOT NULL CHECK (length(owner) = 16),
    PRIMARY KEY (scope, value_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX unique_claims_owner ON unique_claims (owner);

CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    scopes TEXT CHECK (json_valid(scopes)),
    forms TEXT CHECK (json_valid(forms)),
    expires_at INTEGER,
    revoked_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency_records (
    token_id INTEGER NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    key_hash BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL CHECK (json_valid(headers)),
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (token_id, key_hash)
) STRICT, WITHOUT ROWID;

-- No foreign key: events are kept when the user is deleted.
CREATE TABLE outbox_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    created_at INTEGER NOT NULL,
    delivered_at INTEGER
) STRICT;
CREATE INDEX outbox_events_undelivered ON outbox_events (id) WHERE delivered_at IS NULL;
