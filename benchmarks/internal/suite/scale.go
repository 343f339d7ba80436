package suite

import (
	"context"
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/magiclink-go/magiclink/benchmarks/internal/load"
	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// few is how many records the small database holds.
const few = 10_000

// library is a database with a number of live links that can all be redeemed.
type library struct {
	path  string
	size  int
	store *sqlite.Store
	pair  pair
	mint  minter
	plain *sql.DB   // the same database without our code
	next  int       // counts ids
	epoch time.Time // when the links were issued that are redeemed next, so that no token comes twice
}

func newLibrary(ctx context.Context, path string, size int) (l *library, err error) {
	l = &library{path: path, size: size, epoch: time.Now()}
	if err := fill(ctx, path, 0, size, time.Now().Add(time.Hour)); err != nil {
		return nil, err
	}
	if l.mint, err = newMinter(); err != nil {
		return nil, err
	}
	if l.store, err = sqlite.Open(path); err != nil {
		return nil, err
	}
	if l.pair, err = newPair(l.store); err != nil {
		return nil, err
	}
	if l.plain, err = plain(path); err != nil {
		return nil, err
	}
	_, err = l.plain.ExecContext(ctx, "PRAGMA wal_autocheckpoint = 4000") // as the store does
	return l, err
}

func (l *library) close() {
	_ = l.store.Close()
	_ = l.plain.Close()
}

// restore comes before a slice that redeems: it forgets what was issued and what was redeemed, and brings the file back into the
// system's page cache. So libraries differ in the links that live, and in nothing else.
func (l *library) restore(ctx context.Context) error {
	_, err := l.plain.ExecContext(ctx, `DELETE FROM magiclink_links WHERE id >= 'mlk_3';
		DELETE FROM magiclink_uses`)
	if err != nil {
		return err
	}
	// In a process of its own: closing a descriptor of the file would drop the locks that this process holds on it.
	return exec.CommandContext(ctx, "cat", l.path).Run() //nolint:gosec // a path of ours
}

// tokens mints tokens of links that lie all over the database. After restore each can be redeemed.
func (l *library) tokens(n int) ([]string, error) {
	tokens := make([]string, 0, n)
	l.epoch = l.epoch.Add(-time.Second)
	for range min(n, l.size) {
		token, err := l.mint.mint(l.id(), l.epoch)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

// id returns the id of another link each time, until all had their turn.
func (l *library) id() string {
	const stride = 7919 // a prime that divides no size
	l.next++
	return filledID(l.next * stride % l.size)
}

func (l *library) issuing(ctx context.Context, callers int) measure.Subject {
	return measure.Subject{Slice: func(d time.Duration) (int, time.Duration, error) {
		issue := issueCall(ctx, l.pair)
		done, err := load.Callers(callers, d, func(int) error { return issue() })
		return done.Calls, done.Took, err
	}}
}

func (l *library) redeeming(ctx context.Context, callers int) measure.Subject {
	return measure.Subject{Slice: func(d time.Duration) (int, time.Duration, error) {
		if err := l.restore(ctx); err != nil {
			return 0, 0, err
		}
		tokens, err := l.tokens(int(d.Seconds()*20_000) * min(callers, 2) / 2)
		if err != nil {
			return 0, 0, err
		}
		var taken atomic.Int64
		done, err := load.Callers(callers, d, func(int) error {
			n := int(taken.Add(1)) - 1
			if n >= len(tokens) {
				return load.ErrStop
			}
			_, err := l.pair.redeemer.Redeem(ctx, tokens[n])
			return err
		})
		return done.Calls, done.Took, err
	}}
}

// using is the floor of redeeming with a crowd: SQLite alone, a crowd of uses in each commit.
func (l *library) using(ctx context.Context) measure.Subject {
	return measure.Subject{Slice: func(d time.Duration) (int, time.Duration, error) {
		if err := l.restore(ctx); err != nil {
			return 0, 0, err
		}
		commits := min(int(d.Seconds()*20_000), l.size) / crowd
		start := time.Now()
		for range commits {
			if err := l.use(ctx); err != nil {
				return 0, 0, err
			}
		}
		return commits * crowd, time.Since(start), nil
	}}
}

func (l *library) use(ctx context.Context) error {
	tx, err := l.plain.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it was committed, or has failed
	use, err := tx.PrepareContext(ctx, insertUse)
	if err != nil {
		return err
	}
	defer use.Close() //nolint:errcheck // it goes with the transaction
	for range crowd {
		if _, err := use.ExecContext(ctx, time.Now().UnixMilli(), l.id()); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (s *Suite) scale(ctx context.Context) ([]measure.Result, error) {
	dir, remove, err := s.folder("scale")
	if err != nil {
		return nil, err
	}
	defer remove()
	var libraries []*library
	for _, size := range []int{few, s.Records} {
		l, err := newLibrary(ctx, filepath.Join(dir, fmt.Sprintf("%d.db", size)), size)
		if err != nil {
			return nil, err
		}
		defer l.close()
		libraries = append(libraries, l)
	}
	return s.compare(ctx, libraries[0], libraries[1])
}

func (s *Suite) compare(ctx context.Context, small, large *library) ([]measure.Result, error) {
	var subjects []measure.Subject
	for _, callers := range []int{1, crowd} {
		subjects = append(subjects, small.issuing(ctx, callers), large.issuing(ctx, callers),
			small.redeeming(ctx, callers), large.redeeming(ctx, callers))
	}
	rates, err := measure.Interleave(s.plan(5, 150*time.Millisecond), subjects...)
	if err != nil {
		return nil, err
	}
	names := []string{"Issue, a lone caller", "Redeem, a lone caller", "Issue, 64 callers", "Redeem, 64 callers"}
	goal := measure.AtMost(1.2)
	results := make([]measure.Result, 0, len(names))
	for n, name := range names {
		name = fmt.Sprintf("%s, %s live links", name, inWords(large.size))
		results = append(results, costs(name, rates[2*n+1].Costs(), rates[2*n].Costs(), inWords(small.size)+" live links", &goal))
	}
	// By itself: two writers on one file would disturb each other.
	rates, err = measure.Interleave(s.plan(5, 150*time.Millisecond), small.using(ctx), large.using(ctx))
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("64 uses in each commit by SQLite alone (a floor), %s live links", inWords(large.size))
	return append(results, costs(name, rates[1].Costs(), rates[0].Costs(), inWords(small.size)+" live links", nil)), nil
}

func inWords(n int) string {
	switch {
	case n%1_000_000 == 0:
		return fmt.Sprintf("%d million", n/1_000_000)
	case n%1_000 == 0:
		return fmt.Sprintf("%d thousand", n/1_000)
	}
	return fmt.Sprint(n)
}
