package postgres

import "strings"

// columns are those of magiclink_links that hold a record, in the order of createArgs and scanRecord.
const columns = "id, " + issued + ", consumed_at, revoked_at, consumed_by"

// issued are the columns that never change. Of the others, whoever consumes a link knows the values.
const issued = "tenant_id, business_id, external_business_id, email, path, session_timeout, extension, created_at, expires_at"

// statements are the texts for one schema. Each statement is one transaction by itself, and one round trip.
//
// A statement for several calls never waits for a row that another transaction has locked: a transaction of the application
// may keep its locks for long, and would hold up the companions. A statement for one call waits.
type statements struct {
	get, getMany         string
	insert               string
	create, createMany   string
	consume, consumeMany string
	revoke               string
	purge, purgeLocked   string
	ping                 string

	revokeMany, revokeFirst     string
	takeOne, arrivals, takeMany string
	removeLimit, forgetIdle     string
	peekLimit                   string
}

// few is true. It makes the planner expect one row of input, so that the planner looks each row up by the index. PostgreSQL keeps the
// plan of a prepared statement: a plan for several rows from the time when the table was small would read all of a table that has
// grown since, until the table is analyzed again.
const few = "input.id || '' = input.id"

func newStatements(s schema) *statements {
	fill := strings.NewReplacer("{name}", s.literal(linksTable), "{limits name}", s.literal(limitsTable), "{few}", few, "{links}", s.table(linksTable), "{limits}", s.table(limitsTable), "{version}", s.table(versionTable), "{columns}", columns, "{issued}", issued).Replace
	return &statements{
		get:     fill("SELECT {columns} FROM {links} WHERE id = $1"),
		getMany: fill("SELECT {columns} FROM pg_catalog.unnest($1::text[]) AS input (id) JOIN {links} USING (id) WHERE {few}"),

		insert:      fill(insertSQL),
		create:      fill(createSQL),
		createMany:  fill(createManySQL),
		consume:     fill(consumeSQL),
		consumeMany: fill(consumeManySQL),
		revoke:      fill("UPDATE {links} SET revoked_at = coalesce(revoked_at, $2), purge_at = least(purge_at, expires_at) WHERE id = $1"),
		purge:       fill(strings.ReplaceAll(purgeSQL, "{wait}", "SKIP LOCKED")),
		purgeLocked: fill(strings.ReplaceAll(purgeSQL, "{wait}", "")),
		revokeMany:  fill(revokeManySQL),
		revokeFirst: fill(revokeFirstSQL),
		takeOne:     fill(takeSQL),
		arrivals:    fill(arrivalsSQL),
		takeMany:    fill(takeManySQL),
		removeLimit: fill("DELETE FROM {limits} WHERE key = $1"),
		peekLimit:   fill("SELECT arrival FROM {limits} WHERE key = $1"),
		forgetIdle:  fill(forgetIdleSQL),
		ping:        fill(pingSQL),
	}
}

// The number is that of the zero time, which is NULL in the columns that can be NULL.
const insertSQL = `INSERT INTO {links} ({columns}, purge_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, nullif($11, -62135596800000), nullif($12, -62135596800000), $13, $14)`

const createSQL = insertSQL + " ON CONFLICT (id) DO NOTHING"

// An INSERT waits for a transaction that has inserted the same id and is not yet committed. The lock_timeout, for this
// statement alone, bounds how long such a transaction holds up the companions.
const createManySQL = `INSERT INTO {links} ({columns}, purge_at)
	SELECT id, tenant_id, business_id, external_business_id, email, path, session_timeout, extension,
		created_at, expires_at, nullif(consumed_at, -62135596800000), nullif(revoked_at, -62135596800000), consumed_by, purge_at
	FROM (SELECT set_config('lock_timeout', '100ms', true)) AS patience, unnest(
		$1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bytea[],
		$9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bytea[], $14::bigint[]
	) AS input ({columns}, purge_at)
	ON CONFLICT (id) DO NOTHING
	RETURNING id`

// A SELECT of the record gives the reason if the UPDATE finds no row. One statement with both would cost every redemption a tenth.
const consumeSQL = `UPDATE {links} SET consumed_at = $2, consumed_by = $3, purge_at = least(purge_at, $2 + session_timeout * 1000)
	WHERE id = $1 AND revoked_at IS NULL AND consumed_at IS NULL AND expires_at > $2
	RETURNING {issued}`

// The last SELECT returns the rows that other transactions have locked. It tells them from rows that do not exist.
const consumeManySQL = `WITH input AS (
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS input (id, at, by) WHERE {few}
	), locked AS (
		SELECT input.at, input.by, link.* FROM input
		CROSS JOIN LATERAL (SELECT {columns} FROM {links} AS link WHERE link.id = input.id FOR UPDATE SKIP LOCKED) AS link
	), used AS (
		UPDATE {links} AS link SET consumed_at = locked.at, consumed_by = locked.by,
			purge_at = least(link.purge_at, locked.at + link.session_timeout * 1000)
		FROM locked
		WHERE link.id = locked.id AND link.revoked_at IS NULL AND link.consumed_at IS NULL AND link.expires_at > locked.at
		RETURNING link.id
	)
	SELECT id IN (SELECT id FROM used), {columns} FROM locked
	UNION ALL
	SELECT false, {columns} FROM input JOIN {links} AS link USING (id) WHERE id NOT IN (SELECT id FROM locked)`

// purge_at is the end of a record unless the link was used: a use leaves purge_at at the link's expiry, so that it changes no index. The
// first purge after that moves purge_at to the end of the session.
const purgeSQL = `WITH due AS (
		SELECT id, CASE
			WHEN consumed_at IS NULL OR revoked_at IS NOT NULL THEN expires_at
			ELSE consumed_at + session_timeout * 1000
		END AS ends_at
		FROM {links} WHERE purge_at < $1 ORDER BY purge_at LIMIT $2 FOR UPDATE {wait}
	), alive AS (
		UPDATE {links} AS link SET purge_at = due.ends_at FROM due WHERE link.id = due.id AND due.ends_at >= $1
	), ended AS (
		DELETE FROM {links} AS link USING due WHERE link.id = due.id AND due.ends_at < $1 RETURNING link.id
	)
	SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM ended)`

const pingSQL = `SELECT version, current_setting('transaction_read_only') = 'on',
	(SELECT bool_and(has_table_privilege(name, privilege)) FROM pg_catalog.unnest(ARRAY[{name}, {limits name}]) AS name,
		pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege)
	FROM {version}`
