DELETE FROM api_tokens WHERE user_id IS NOT NULL OR contract IS NOT NULL OR parent_id IS NOT NULL;
ALTER TABLE api_tokens DROP COLUMN parent_id;
ALTER TABLE api_tokens DROP COLUMN contract;
ALTER TABLE api_tokens DROP COLUMN user_id;
DROP TABLE relationship_transactables;
DROP INDEX relationship_users_relationship_id;
ALTER TABLE relationships DROP COLUMN key;
ALTER TABLE relationships DROP COLUMN updated_at;
ALTER TABLE relationships DROP COLUMN uuid;
