-- For lists of the users of some forms, ordered by id.
CREATE INDEX users_form_name ON users (form_name, id);
