-- One row for each link. A row of a used link is also the session that came from the link.
-- Times are milliseconds since 1970 in UTC: to_timestamp(expires_at / 1000.0).
-- In the text columns NUL, which PostgreSQL cannot store, is written as the bytes 1 1, and the byte 1 as 1 2.
CREATE TABLE "magiclink".magiclink_links (
	id                   text COLLATE "C" PRIMARY KEY,
	tenant_id            text COLLATE "C" NOT NULL, -- as are all texts: compared byte by byte
	business_id          text COLLATE "C" NOT NULL,
	external_business_id text COLLATE "C" NOT NULL,
	email                text COLLATE "C" NOT NULL,
	path                 text COLLATE "C" NOT NULL,
	session_timeout      bigint NOT NULL, -- seconds
	extension            bytea  NOT NULL,
	created_at           bigint NOT NULL,
	expires_at           bigint NOT NULL,
	consumed_at          bigint,          -- NULL: the link was not used
	revoked_at           bigint,          -- NULL: the link was not revoked
	consumed_by          bytea  NOT NULL,
	purge_at             bigint NOT NULL  -- no purge looks at the row before; never later than the end of the record
);
CREATE INDEX magiclink_links_purge_at ON "magiclink".magiclink_links (purge_at);
-- A use changes no column that has an index. The free space in each page lets the changed row stay in its page, so that no index
-- changes either.
ALTER TABLE "magiclink".magiclink_links SET (fillfactor = 85);
-- The table keeps its pages, although Purge may empty the table: the planner then never takes the table for so small that
-- reading all of the table is faster than its index. Truncating would also lock the table.
ALTER TABLE "magiclink".magiclink_links SET (
	vacuum_truncate = false,
	autovacuum_vacuum_scale_factor = 0.05,
	autovacuum_analyze_scale_factor = 0.05
);
UPDATE "magiclink".magiclink_version SET version = 2;
