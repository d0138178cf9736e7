-- For lists of the users of some forms. The rowid is the last column of every index.
CREATE INDEX users_form_name ON users (form_name);
