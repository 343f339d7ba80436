-- One row for each key of a limit. Arrival is the theoretical arrival time (GCRA), in milliseconds since 1970 in UTC.
CREATE TABLE "magiclink".magiclink_limits (
	key     bytea  PRIMARY KEY,
	arrival bigint NOT NULL
);
-- Takes of one key change the same row again and again. The free space in each page lets the changed row stay in its page, so that
-- the index does not change.
ALTER TABLE "magiclink".magiclink_limits SET (fillfactor = 50);
ALTER TABLE "magiclink".magiclink_limits SET (
	vacuum_truncate = false,
	autovacuum_vacuum_scale_factor = 0.05,
	autovacuum_analyze_scale_factor = 0.05
);
UPDATE "magiclink".magiclink_version SET version = 3;
