-- Only SQLite's checks change.
SELECT 1;
