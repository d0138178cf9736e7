-- The record that holds a claim, and the field: record_id is NULL if that is the owner itself, path is
-- empty if it is the field that the scope names. The columns of existing claims are filled by
-- crates/store/src/connection/claim_backfill.rs.
ALTER TABLE unique_claims ADD COLUMN record_kind TEXT NOT NULL DEFAULT 'user'
    CHECK (record_kind IN ('user', 'profile', 'transactable', 'relationship', 'relationship_user',
        'relationship_transactable', 'customization'));
ALTER TABLE unique_claims ADD COLUMN record_id BIGINT;
ALTER TABLE unique_claims ADD COLUMN path TEXT NOT NULL DEFAULT '';
-- For the claims of an owner, and of one of its records; kinds need no place in it, since few records
-- of one owner share an id.
DROP INDEX unique_claims_owner;
CREATE INDEX unique_claims_owner ON unique_claims (owner, record_id);

-- For the deletion of a record's attachments, and for reads of all attachments of a user.
DROP INDEX customizations_user_id;
CREATE INDEX customizations_owner ON customizations (user_id, owner_kind, owner_id);
DROP INDEX addresses_user_id;
CREATE INDEX addresses_owner ON addresses (user_id, owner_kind, owner_id);
DROP INDEX files_user_id;
CREATE INDEX files_owner ON files (user_id, owner_kind, owner_id);
