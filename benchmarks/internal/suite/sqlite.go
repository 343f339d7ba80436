package suite

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/benchmarks/internal/load"
	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

const crowd = 64 // callers at the same time

// toConsume is how many records wait to be consumed: more than any disk can do in the time.
const toConsume = 1_000_000

// many makes a subject of several callers, and keeps the latencies' spread of each slice.
func many(name string, callers int, call func() error) (measure.Subject, *tails) {
	t := new(tails)
	return measure.Subject{Name: name, Slice: func(d time.Duration) (int, time.Duration, error) {
		done, err := load.Callers(callers, d, func(int) error { return call() })
		t.add(done)
		return done.Calls, done.Took, err
	}}, t
}

// tails collects what p99 is by the median, slice by slice.
type tails []float64

func (t *tails) add(o load.Outcome) {
	if median := measure.Quantile(o.Latencies, 0.5); median > 0 {
		*t = append(*t, float64(measure.Quantile(o.Latencies, 0.99))/float64(median))
	}
}

func (t *tails) result(name string) measure.Result {
	goal := measure.AtMost(5)
	return measure.Figure(name, "", measure.SpreadOf(*t), &goal)
}

// disk is one database of ours and a plain one beside it.
type disk struct {
	store  *sqlite.Store
	pair   pair
	plain  *sql.DB
	insert *sql.Stmt
	use    *sql.Stmt

	created, consumed, used atomic.Int64
}

func newDisk(ctx context.Context, dir string, filled int) (d *disk, err error) {
	ours, bare := filepath.Join(dir, "ours.db"), filepath.Join(dir, "plain.db")
	for _, path := range []string{ours, bare} {
		if err := fill(ctx, path, 0, filled, time.Now().Add(time.Hour)); err != nil {
			return nil, err
		}
	}
	d = new(disk)
	if d.store, err = sqlite.Open(ours); err != nil {
		return nil, err
	}
	if d.pair, err = newPair(d.store); err != nil {
		return nil, err
	}
	if d.plain, err = plain(bare); err != nil {
		return nil, err
	}
	if d.insert, err = d.plain.PrepareContext(ctx, "INSERT INTO magiclink_links ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"); err != nil {
		return nil, err
	}
	d.use, err = d.plain.PrepareContext(ctx, insertUse)
	return d, err
}

func (d *disk) close() {
	_ = d.store.Close()
	_ = d.plain.Close()
}

func (d *disk) record() magiclink.Record { return newRecord(toConsume + int(d.created.Add(1))) }

func newRecord(number int) magiclink.Record {
	now := time.Now().UTC().Truncate(time.Millisecond)
	in := input()
	return magiclink.Record{
		ID: filledID(number),
		Subject: magiclink.Subject{
			TenantID: in.Caller.TenantID, BusinessID: in.BusinessID, ExternalBusinessID: in.ExternalBusinessID, Email: in.Email,
		},
		Path: in.Path, SessionTimeout: 24 * time.Hour,
		CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
}

func (d *disk) create(ctx context.Context) func() error {
	return func() error { return d.store.Create(ctx, d.record()) }
}

// plainInsert cannot be interrupted: the driver would start a goroutine for each statement, which the floor has no need of.
func (d *disk) plainInsert(ctx context.Context) func() error {
	ctx = context.WithoutCancel(ctx)
	return func() error {
		r := d.record()
		_, err := d.insert.ExecContext(ctx, r.ID, r.TenantID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path,
			int64(r.SessionTimeout/time.Second), []byte{}, r.CreatedAt.UnixMilli(), r.ExpiresAt.UnixMilli(), nil, r.ExpiresAt.UnixMilli())
		return err
	}
}

func (d *disk) consume(ctx context.Context) func() error {
	return func() error {
		_, err := d.store.Consume(ctx, filledID(int(d.consumed.Add(1))), time.Now(), "by")
		return err
	}
}

func (d *disk) plainUse(ctx context.Context) func() error {
	ctx = context.WithoutCancel(ctx)
	return func() error {
		_, err := d.use.ExecContext(ctx, time.Now().UnixMilli(), filledID(int(d.used.Add(1))))
		return err
	}
}

func (s *Suite) sqlite(ctx context.Context) ([]measure.Result, error) {
	dir, remove, err := s.folder("sqlite")
	if err != nil {
		return nil, err
	}
	defer remove()
	d, err := newDisk(ctx, dir, toConsume)
	if err != nil {
		return nil, err
	}
	defer d.close()
	create, createTails := many("create", crowd, d.create(ctx))
	issue, issueTails := many("issue", crowd, issueCall(ctx, d.pair))
	consume, consumeTails := many("consume", crowd, d.consume(ctx))
	insertion := measure.Loop("plain insert", d.plainInsert(ctx))
	lone, err := measure.Interleave(s.plan(41, 20*time.Millisecond), insertion, measure.Loop("lone create", d.create(ctx)))
	if err != nil {
		return nil, err
	}
	rates, err := measure.Interleave(s.plan(7, 100*time.Millisecond),
		insertion, create, issue, measure.Loop("plain use", d.plainUse(ctx)), consume)
	if err != nil {
		return nil, err
	}
	const insert, use = "one commit per link", "one commit per use"
	return []measure.Result{
		perSecond("Create, a lone caller", lone[1], lone[0], insert, new(measure.AtLeast(0.97))),
		perSecond("Create, 64 callers", rates[1], rates[0], insert, new(measure.AtLeast(10))),
		perSecond("Issue, 64 callers", rates[2], rates[0], insert, new(measure.AtLeast(7))),
		perSecond("Consume, 64 callers", rates[4], rates[3], use, new(measure.AtLeast(10))),
		createTails.result("Create, 64 callers: p99 by median"),
		issueTails.result("Issue, 64 callers: p99 by median"),
		consumeTails.result("Consume, 64 callers: p99 by median"),
	}, nil
}

func perSecond(name string, ours, floor measure.Rates, against string, goal *measure.Goal) measure.Result {
	return measure.Result{
		Name: name, Unit: "/s", Ours: ours.Spread(), Floor: floor.Spread(), Against: against, Ratio: ours.Over(floor), Goal: goal,
	}
}
