-- A user whose e-mail address is claimed with the scope `user.email` is found by the claim, which has
-- the uuid of the user. Only other users, and those stored before, have an email_key. Uuids are
-- ascending, so inserts append to this index, while an index of addresses is written at random pages.
CREATE UNIQUE INDEX users_uuid ON users (uuid);
