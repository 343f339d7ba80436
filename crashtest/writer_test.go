package crashtest_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// linksEach is how many links each caller of a writer creates and redeems.
const linksEach = 25

// playWriter creates and redeems links, and says so after each: PATH CALLERS FLAW. The flaw "normal" writes through
// database/sql with synchronous=NORMAL instead.
func playWriter(args []string) error {
	callers, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	open := openStore
	if args[2] == "normal" {
		open = openPlain
	}
	store, closeStore, err := open(args[0])
	if err != nil {
		return err
	}
	store = flawed(store, args[2])
	faults := make([]error, callers)
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() { faults[caller] = writeLinks(store, caller) })
	}
	group.Wait()
	for _, fault := range faults {
		if fault != nil {
			return fault
		}
	}
	return closeStore()
}

func writeLinks(store magiclink.Store, caller int) error {
	for n := range linksEach {
		id := fmt.Sprintf("mlk_%011d%011d", caller, n)
		err := store.Create(context.Background(), magiclink.Record{
			ID: id, SessionTimeout: time.Hour, CreatedAt: time.UnixMilli(old), ExpiresAt: time.UnixMilli(far),
		})
		if err != nil {
			return err
		}
		acknowledge("created", id)
		at := int64(old + caller<<20 + n + 1)
		if _, err := store.Consume(context.Background(), id, time.UnixMilli(at), ""); err != nil {
			return err
		}
		acknowledge("redeemed", strconv.FormatInt(at, 10))
	}
	return nil
}

func acknowledge(what, which string) { fmt.Fprintf(os.Stdout, "ACK %s %s\n", what, which) }

func openStore(path string) (magiclink.Store, func() error, error) {
	store, err := sqlite.Open(path)
	if err != nil {
		return nil, nil, err
	}
	return store, store.Close, nil
}

// plain writes as one would who has not thought of a loss of power.
type plain struct {
	magiclink.Store // nil: only what is written here is used
	db              *sql.DB
}

func openPlain(path string) (magiclink.Store, func() error, error) {
	db, err := sql.Open("sqlite3", path+"?_journal_mode=WAL&_synchronous=NORMAL")
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec("CREATE TABLE links (id TEXT PRIMARY KEY, consumed_at INTEGER) WITHOUT ROWID")
	return plain{db: db}, db.Close, err
}

func (s plain) Create(_ context.Context, record magiclink.Record) error {
	_, err := s.db.Exec("INSERT INTO links VALUES (?, NULL)", record.ID)
	return err
}

func (s plain) Consume(_ context.Context, id string, at time.Time, _ string) (record magiclink.Record, err error) {
	_, err = s.db.Exec("UPDATE links SET consumed_at = ? WHERE id = ?", at.UnixMilli(), id)
	return record, err
}
