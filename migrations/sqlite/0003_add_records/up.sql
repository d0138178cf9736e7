-- Relationships with a key, transactables in relationships, tokens issued by contracts.

-- The owner of the claims of a relationship. Existing relationships get random uuids (version 4).
ALTER TABLE relationships ADD COLUMN uuid BLOB NOT NULL
    DEFAULT x'00000000000000000000000000000000' CHECK (length(uuid) = 16);
UPDATE relationships SET uuid = (
    SELECT unhex(substr(h, 1, 12) || '4' || substr(h, 14, 3) || '8' || substr(h, 18, 15))
    FROM (SELECT hex(randomblob(16)) AS h WHERE relationships.id IS NOT NULL)
);
-- Identifies a relationship among those of its type.
ALTER TABLE relationships ADD COLUMN key TEXT;
ALTER TABLE relationships ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
UPDATE relationships SET updated_at = created_at;
CREATE UNIQUE INDEX relationships_key ON relationships (type_name, key) WHERE key IS NOT NULL;
-- For the foreign key, and for the list of users in a relationship.
CREATE INDEX relationship_users_relationship_id ON relationship_users (relationship_id);

CREATE TABLE relationship_transactables (
    id INTEGER PRIMARY KEY,
    relationship_id INTEGER NOT NULL REFERENCES relationships (id) ON DELETE CASCADE,
    transactable_id INTEGER NOT NULL REFERENCES transactables (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    type_name TEXT NOT NULL,
    properties TEXT NOT NULL CHECK (json_valid(properties))
) STRICT;
CREATE INDEX relationship_transactables_relationship_id
    ON relationship_transactables (relationship_id);
CREATE INDEX relationship_transactables_transactable_id
    ON relationship_transactables (transactable_id);
ALTER TABLE counters ADD COLUMN relationship_transactables INTEGER NOT NULL DEFAULT 0;

-- For the look-up of the owner of a claim.
CREATE INDEX IF NOT EXISTS users_uuid ON users (uuid);

-- The session of a user: deleted with the user and with the token that issued it.
ALTER TABLE api_tokens ADD COLUMN user_id INTEGER REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE api_tokens ADD COLUMN contract TEXT;
-- Attributes set by the operator, readable in contracts: a JSON object.
ALTER TABLE api_tokens ADD COLUMN attributes TEXT CHECK (json_valid(attributes));
ALTER TABLE api_tokens ADD COLUMN parent_id INTEGER REFERENCES api_tokens (id) ON DELETE CASCADE;
CREATE INDEX api_tokens_user_id ON api_tokens (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX api_tokens_parent_id ON api_tokens (parent_id) WHERE parent_id IS NOT NULL;
