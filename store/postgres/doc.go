// Package postgres keeps links in a PostgreSQL database. It is the store for a service that runs on several machines: each
// replica has a [Store] on the same tables.
//
//	pool, err := pgxpool.New(ctx, "postgres://app@db/app?connect_timeout=2")
//	store, err := postgres.New(pool, postgres.Options{})
//	err = store.Migrate(ctx) // in the deployment, or when the service starts
//	defer store.Close()      // before pool.Close()
//
// PostgreSQL 13 or newer is needed, with a database in the encoding UTF8. The Store refuses a session whose client_encoding is
// another one.
//
// # What it promises
//
// When Create, Consume or Revoke has returned nil, the server has committed the effect, and the effect survives a crash of this
// process and of the server, and a loss of power. This holds as far as the server is configured for it: fsync and
// full_page_writes are on, and synchronous_commit is not off.
//
// Replication is asynchronous unless synchronous_standby_names is set. A standby that is promoted then may lack the last
// acknowledged writes: a link that was used is usable once more, a session that was ended is alive. Use a synchronous standby
// where that matters. Redemption must never read from a replica: give the Store a pool that connects to the primary alone
// (target_session_attrs=read-write with several hosts). The Store closes a connection whose server has become read-only, so
// that the pool finds the new primary.
//
// Time comes from the caller: the clock of the server plays no part.
//
// # Sharing round trips
//
// Calls of one kind that arrive while such a call is on its way to the server share the next statement: one round trip and one
// commit serve up to 256 of them. A lone call waits for nobody. A call that fails by its own fault, or that must wait for a row
// that another transaction has locked, is repeated alone and holds up no other call.
//
// Goroutines of the Store talk to the server; a call waits for its answer. A call therefore returns as soon as its context
// ends, and the connection stays intact. Its error matches [magiclink.ErrUnknownOutcome] if the statement was already under
// way, and is the context's error alone if it was not. The values of the context do not reach the tracers of pgx.
//
// Each statement acquires a connection from the pool and releases it afterwards. A pool with one connection is enough, although
// a call then waits while the application uses that connection.
//
// # Pools and pgbouncer
//
// Every statement is a transaction by itself and names its schema, so that pgbouncer can run in transaction mode. Prepared
// statements, which pgx uses by default, need pgbouncer 1.21 or newer with max_prepared_statements above 0. For other versions
// set ConnConfig.DefaultQueryExecMode to pgx.QueryExecModeExec or pgx.QueryExecModeSimpleProtocol.
//
// Set ConnConfig.ConnectTimeout (connect_timeout in a connection string) to a few seconds: the default of pgx is two minutes, and
// a connection attempt that hangs occupies a place in the pool for that time.
//
// # Outages
//
// An error of the server means that nothing was changed. A connection that breaks during a write leaves the outcome unknown, and
// the error matches [magiclink.ErrUnknownOutcome]. The same Consume with the same non-empty by then completes the redemption.
// The Store repeats by itself what the server could not serialize (SQLSTATE 40001, 40P01) and what was never sent.
//
// # In a transaction of the application
//
// [InTx] and [Store.InTx] return a store whose calls belong to a transaction of the application: an invoice and its link are
// committed together, or an account is made only if its link was used.
//
// # Lists and limits
//
// [Store.List] and [Store.RevokeSubject] find records by their tenant, address or business. In a table with millions of records of many
// tenants they need an [Index], which [Store.CreateIndex] makes.
//
// [Store.Take] counts in a table of its own (magiclink_limits). A Take that is refused writes nothing.
//
// # Other servers
//
// CockroachDB and YugabyteDB speak the same protocol. This package uses no advisory lock, no LISTEN, no trigger and no server-side
// function, and repeats statements that fail with SQLSTATE 40001. Their storage parameters differ: leave the ALTER TABLE
// statements of [Migrations] out and apply the migrations with your own tool. This package is not tested with them.
//
// # Errors
//
// Errors begin with "magiclink/postgres:" and the name of the operation, wrap those of pgx and contain nothing of a record.
package postgres
