-- The version of the tables. The schema must exist.
-- Migrate locks the one row, so that several processes can call it at the same time.
CREATE TABLE IF NOT EXISTS "magiclink".magiclink_version (
	one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
	version integer NOT NULL
);
INSERT INTO "magiclink".magiclink_version (version) VALUES (1) ON CONFLICT DO NOTHING;
