-- A user whose e-mail address is claimed for all users (scope `user.email`) is found by that claim:
-- it leads to the user's uuid. Only the others still have an email_key, and those stored before.
-- Uuids grow with time, so this index grows at its end, where one of addresses is written all over.
CREATE UNIQUE INDEX users_uuid ON users (uuid);
