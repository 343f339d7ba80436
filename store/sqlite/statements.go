package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/magiclink-go/magiclink"
)

// statements are what an operation uses: the statements of the connection that writes, each prepared once.
type statements struct {
	conn driver.Conn
	all  []*statement

	begin, commit, rollback *statement
	version, removeProbe    *statement
	insert                  *statement
	link, get, use          *statement
	advancePurge, revoke    *statement
	postponePurge           *statement
	purgeUses, purgeLinks   *statement
	changes                 *statement
	arrival, setArrival     *statement
	removeLimit             *statement
}

// query is the text of a statement, and where the statement belongs.
type query struct {
	to   **statement
	text string
}

func (s *statements) queries() []query {
	return []query{
		{&s.begin, "BEGIN IMMEDIATE"},
		{&s.commit, "COMMIT"},
		{&s.rollback, "ROLLBACK"},
		{&s.version, selectVersion},
		{&s.removeProbe, "DELETE FROM magiclink_links WHERE id = ?"},
		{&s.insert, insertLink},
		{&s.link, selectLink},
		{&s.get, selectRecord},
		{&s.use, insertUse},
		{&s.advancePurge, advancePurge},
		{&s.revoke, revokeRecord},
		{&s.postponePurge, postponePurge},
		{&s.purgeUses, purgeUses},
		{&s.purgeLinks, purgeLinks},
		{&s.changes, "SELECT changes()"},
		{&s.arrival, selectArrival},
		{&s.setArrival, upsertArrival},
		{&s.removeLimit, deleteLimit},
	}
}

func newStatements(conn driver.Conn) (*statements, error) {
	s := &statements{conn: conn}
	for _, each := range s.queries() {
		prepared, err := prepareStatement(conn, each.text)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("prepare the statements: %w", err), s.close())
		}
		*each.to, s.all = prepared, append(s.all, prepared)
	}
	return s, nil
}

// close frees the statements. Call it before the connection is closed: a connection with open statements keeps its files open.
func (s *statements) close() (err error) {
	for _, each := range s.all {
		err = errors.Join(err, each.stmt.Close())
	}
	return err
}

// end commits the transaction. If the commit fails, the error matches [magiclink.ErrUnknownOutcome], unless the transaction was
// rolled back for certain: after a failed sync and a loss of power the log may or may not hold the commit.
func (s *statements) end() error {
	_, err := s.commit.run()
	if err == nil {
		return nil
	}
	if s.open() {
		if _, failure := s.rollback.run(); failure == nil {
			return err
		}
	}
	return fmt.Errorf("%w: %w", magiclink.ErrUnknownOutcome, err)
}

// undo rolls the transaction back, unless SQLite has done so. To close the connection would do it, too, but the connection stays
// open until the next write (see writer), and until then no other process could write.
func (s *statements) undo() {
	if s.open() {
		_, _ = s.rollback.run() // if it fails, the end of the connection does it
	}
}

// open reports whether the connection is known to be inside a transaction.
func (s *statements) open() bool {
	conn, ok := s.conn.(interface{ AutoCommit() bool })
	return ok && !conn.AutoCommit()
}

// checkVersion reports an error unless the schema is the one that this package writes.
func (s *statements) checkVersion() error {
	found, err := s.version.number()
	if err != nil {
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	if err := checkVersion(found); err != nil || found == version {
		return err
	}
	return fmt.Errorf("the schema has version %d instead of %d: open the database anew, or start the program again, which brings it to this version", found, version)
}
