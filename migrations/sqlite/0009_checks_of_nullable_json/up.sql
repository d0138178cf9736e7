-- json_valid(NULL) is 0 in SQLite 3.40, so that its PRAGMA integrity_check fails, and NULL in later
-- versions.
ALTER TABLE api_tokens ADD COLUMN checked_scopes TEXT
    CHECK (checked_scopes IS NULL OR json_valid(checked_scopes));
ALTER TABLE api_tokens ADD COLUMN checked_forms TEXT
    CHECK (checked_forms IS NULL OR json_valid(checked_forms));
ALTER TABLE api_tokens ADD COLUMN checked_attributes TEXT
    CHECK (checked_attributes IS NULL OR json_valid(checked_attributes));
UPDATE api_tokens SET checked_scopes = scopes, checked_forms = forms, checked_attributes = attributes;
ALTER TABLE api_tokens DROP COLUMN scopes;
ALTER TABLE api_tokens DROP COLUMN forms;
ALTER TABLE api_tokens DROP COLUMN attributes;
ALTER TABLE api_tokens RENAME COLUMN checked_scopes TO scopes;
ALTER TABLE api_tokens RENAME COLUMN checked_forms TO forms;
ALTER TABLE api_tokens RENAME COLUMN checked_attributes TO attributes;
