-- Contracts list the users of their own forms. The id of a row is the last column of every index.
CREATE INDEX users_form_name ON users (form_name);
