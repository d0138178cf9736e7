-- The checks accept the same values as before.
SELECT 1;
