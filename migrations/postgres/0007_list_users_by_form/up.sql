-- Contracts list the users of their own forms, in the order of their ids.
CREATE INDEX users_form_name ON users (form_name, id);
