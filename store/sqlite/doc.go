// Package sqlite keeps links in a SQLite database. It is the store for a service that runs on one machine: nothing to
// install, any number of processes, and every acknowledged write on the disk.
//
// # What it promises
//
// When Create, Consume or Revoke has returned nil, its effect survives a kill of the process and a loss of power: each
// commit is synced to the disk (WAL, synchronous=FULL) before the call returns. That holds as far as the disk and the
// file system keep what they report as synced. Network file systems do not belong under SQLite.
//
// # Writing
//
// A sync costs more than everything else a write does, so calls that arrive while one is running share the next: all
// of them are committed in one transaction and answered after it. A lone call waits for nobody. One of the waiting calls
// does the work for the others. The others return as soon as their context ends, with [magiclink.ErrUnknownOutcome] if their
// write was already under way and with the context's error alone if it was not. The call that does the work can only return
// when the disk has answered; where its context has a deadline, a goroutine therefore does the work, and the call returns at
// its deadline, too. That goroutine ends when nobody waits any more, and [Store.Close] waits for it.
//
// Another process may hold the lock of the database. A call waits for it until its context ends, and for two seconds
// at most, and then fails having changed nothing. Reads wait for no writer.
//
// After an error of the disk (full, read-only, failing) the connection is thrown away and opened anew by the next
// write, so that the store recovers by itself once the cause is gone.
//
// # Files
//
// Beside the database lie two files, with "-wal" and "-shm" after its name. They belong to it: copy or move them
// together, or use SQLite's own backup. SQLite moves the log back into the database whenever it has grown to about
// 16 MB, so it stays about that size. The space of purged records is used again and not returned to the file system.
//
// # Errors
//
// Errors begin with "magiclink/sqlite:" and the name of the operation, wrap those of the driver and contain nothing of
// a record.
package sqlite
