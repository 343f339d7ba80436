// Package sqlite keeps links in a SQLite database. It is the store for a service that runs on one machine: there is nothing to
// install, any number of processes can share a database, and every acknowledged write is on the disk.
//
// The package needs cgo. A build without cgo compiles, and [Open] and [New] return an error then.
//
// # The SQLite library
//
// The driver brings its own SQLite. A build with the tag libsqlite3 takes the SQLite of the system. Open and New refuse a SQLite
// from 3.7.0 to 3.51.2, because it can corrupt a database in WAL (https://sqlite.org/wal.html#walresetbug); 3.50.7 and 3.44.6
// are corrected. Other programs that write the database should be as new.
//
// # What it promises
//
// When Create, Consume or Revoke has returned nil, its effect survives a kill of the process and a loss of power: each
// commit is synced to the disk (WAL, synchronous=FULL) before the call returns. The promise holds as far as the disk and the
// file system keep what they report as synced. Do not put a SQLite database on a network file system.
//
// # Writing
//
// A sync costs more than everything else in a write, so calls that arrive during a commit share the next one: one goroutine
// commits them in one transaction and then answers them. A call returns as soon as its context ends. Its error matches
// [magiclink.ErrUnknownOutcome] if its write was under way, and is the error of the context alone if nothing was written. A
// call that is alone and has no deadline commits in its own goroutine, and returns only when the disk has answered: give a
// call a deadline if the disk may hang. The goroutine ends when nothing is left to write, and [Store.Close] waits for it.
//
// Another process may hold the lock of the database. A write waits for the lock until its context ends, and for two seconds at
// most. Then it fails and has changed nothing. Reads do not wait for writes. A call waits as long for a connection of a pool that
// was passed to [New].
//
// After an error of the disk (full, read-only, failing) the next write opens another connection, so the store recovers by
// itself once the cause is gone. So it does after a panic in the driver or in a hook of the application.
//
// # In a transaction of the application
//
// [InTx] gives a store whose calls belong to a transaction of the application on the same database, so that an invoice and its
// link are committed together or not at all.
//
// # Files
//
// Beside the database lie two files, with "-wal" and "-shm" after its name. They belong to the database: copy or move all three
// together and only while no process has the database open, or use SQLite's own backup, such as VACUUM INTO. Put a copy back
// without the two files that lie there: SQLite takes a log for that of whatever database lies beside it, and mixes both. Such
// damage is not always noticed. For the same reason Open and New refuse a file that has several names (hard links): each name
// would have a log of its own. Symbolic links are no harm. A mount of the file alone, as into a container, has the same effect
// and stays unnoticed: mount the directory.
//
// A process that has the database open must not open the file by other means, such as os.ReadFile or http.ServeFile: when it
// closes the file, the system takes its locks away. Another process can then remove the log, and each call returns an error until
// the database is opened anew.
//
// SQLite moves the log ("-wal") back into the database when the log has grown to about 16 MB, so the log stays about that size.
// While a program keeps a transaction that reads, the log grows with each write. Afterwards it is cut to 32 MB. SQLite uses the
// space of purged records again and does not return it to the file system.
//
// # Versions
//
// Open and New bring a database of an earlier schema version (2 or 3) to the present one (4), in one transaction. Packages of
// before refuse the database from then on, so stop processes with an older package first.
//
// # Errors
//
// Errors begin with "magiclink/sqlite:" and the name of the operation, wrap the errors of the driver and contain nothing of a
// record.
package sqlite
