package crashtest_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// TestKill kills processes that issue and redeem, one after the other or two at a time, on one file.
func TestKill(t *testing.T) {
	kills := 200
	if testing.Short() {
		kills = 20
	}
	k := newKiller(t, "")
	for k.kills < kills {
		if k.kills%5 == 0 {
			k.pair()
		} else {
			k.single()
		}
		if k.kills%40 == 0 {
			k.requireAll()
		}
	}
	k.requireAll()
	t.Logf("%d kills, %d of them before the first answer; acknowledged: %d links, %d redemptions, %d revocations; "+
		"refused: %d; outcome unknown: %d; records at the end: %d",
		k.kills, k.unborn, k.total.created, k.total.consumed, k.total.revoked, k.total.refused, k.total.unknown,
		len(k.records("")))
}

// TestKillFindsFlaws is the control: the same checks find stores that are broken on purpose.
func TestKillFindsFlaws(t *testing.T) {
	for flaw, want := range map[string]string{
		"early":    "lost: link",
		"unlocked": "redeemed twice",
		"liar":     "refused, but it took place",
		"partial":  "lost: redemption",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			k := newKiller(t, flaw)
			for k.kills < 20 {
				life := k.start()
				life.await(t, 400)
				life.kill()
				k.kills++
				faults := strings.Join(life.ledger.check(k.records(life.prefix), 1), "\n")
				if strings.Contains(faults, want) {
					return
				}
			}
			t.Fatalf("%d kills have not shown %q", k.kills, want)
		})
	}
}

// killer starts and kills children that use one file.
type killer struct {
	t      *testing.T
	path   string
	flaw   string
	lives  int
	kills  int
	unborn int // killed before their first answer
	total  ledger
	past   *ledger // of all children
}

func newKiller(t *testing.T, flaw string) *killer {
	return &killer{t: t, path: filepath.Join(t.TempDir(), "links.db"), flaw: flaw, past: newLedger()}
}

// life is a child and what it has reported.
type life struct {
	prefix string // of its links
	cmd    *exec.Cmd
	stderr bytes.Buffer
	ledger *ledger
	events []event
	beat   chan struct{} // one for each event
	ended  chan struct{}
}

func (k *killer) start() *life {
	k.t.Helper()
	k.lives++
	l := &life{
		prefix: "mlk_" + strconv.Itoa(1_000_000 + k.lives)[1:],
		cmd:    child(k.t, "load", k.path, strconv.Itoa(k.lives), k.flaw),
		ledger: newLedger(), beat: make(chan struct{}, 1<<20), ended: make(chan struct{}),
	}
	stdout, err := l.cmd.StdoutPipe()
	require.NoError(k.t, err)
	l.cmd.Stderr = &l.stderr
	require.NoError(k.t, l.cmd.Start())
	k.t.Cleanup(func() { l.cmd.Process.Kill(); <-l.ended })
	go func() {
		defer close(l.ended)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) != nil {
				l.ledger.fault("an answer was cut off: %s", lines.Text())
			}
			l.events = append(l.events, e)
			l.ledger.enter(e)
			l.beat <- struct{}{}
		}
		_ = l.cmd.Wait()
	}()
	return l
}

// await waits for so many events. A child that ends by itself has failed.
func (l *life) await(t *testing.T, events int) {
	t.Helper()
	for range events {
		select {
		case <-l.beat:
		case <-l.ended:
			t.Fatalf("the child has ended by itself: %s", &l.stderr)
		case <-time.After(30 * time.Second):
			t.Fatalf("the child does nothing: %s", &l.stderr)
		}
	}
}

func (l *life) kill() {
	_ = l.cmd.Process.Kill()
	<-l.ended
}

// fate lets a child live for a random time: until some of its answers, or not even until it has opened the file.
func (k *killer) fate(l *life) {
	k.t.Helper()
	if rand.N(5) == 0 {
		select {
		case <-time.After(rand.N(60 * time.Millisecond)):
		case <-l.ended:
			k.t.Fatalf("the child has ended by itself: %s", &l.stderr)
		}
		return
	}
	l.await(k.t, 1+rand.N(600))
}

func (k *killer) single() {
	k.t.Helper()
	l := k.start()
	k.fate(l)
	k.bury(l)
	k.next(l)
}

// pair kills one of two processes while the other goes on, and then that one.
func (k *killer) pair() {
	k.t.Helper()
	one, other := k.start(), k.start()
	k.fate(one)
	k.bury(one)
	other.await(k.t, 50)
	k.bury(other)
	k.next(one, other)
}

// bury kills a child and holds what it has acknowledged against the file.
func (k *killer) bury(l *life) {
	k.t.Helper()
	l.kill()
	k.kills++
	if len(l.events) < 2 {
		k.unborn++
	}
	require.Empty(k.t, l.ledger.check(k.records(l.prefix), 1))
	require.Empty(k.t, l.stderr.String())
	for _, e := range l.events {
		k.past.enter(e)
	}
	k.total.created += l.ledger.created
	k.total.consumed += l.ledger.consumed
	k.total.revoked += l.ledger.revoked
	k.total.refused += l.ledger.refused
	k.total.unknown += l.ledger.unknown
}

// next is the next process: the file is sound, and no link can be used again, or twice.
func (k *killer) next(dead ...*life) {
	k.t.Helper()
	store, err := sqlite.Open(k.path)
	require.NoError(k.t, err)
	defer func() { require.NoError(k.t, store.Close()) }()
	k.requireSound()
	for _, l := range dead {
		live := 0
		for id, a := range l.ledger.links {
			usable := a.created && a.consumed == 0 && !a.revoked && a.expires == far
			if usable {
				live++
			}
			if a.consumed != 0 || usable && live <= 20 {
				k.requireOnce(store, id, a)
			}
		}
	}
}

// requireOnce redeems a link twice.
func (k *killer) requireOnce(store magiclink.Store, id string, a *account) {
	k.t.Helper()
	won := 0
	for range 2 {
		at := old + rand.Int64N(1<<20)
		_, err := store.Consume(context.Background(), id, time.UnixMilli(at), "")
		outcome := nameOutcome(err)
		k.past.enter(event{Op: "consume", ID: id, At: at, Outcome: outcome})
		if err == nil {
			won++
		} else {
			require.Contains(k.t, []string{"consumed", "revoked"}, outcome, id)
		}
	}
	if a.consumed != 0 {
		require.Zero(k.t, won, "%s was redeemed before the kill and again after it", id)
	}
	require.LessOrEqual(k.t, won, 1)
}

func (k *killer) requireSound() {
	k.t.Helper()
	db, err := sql.Open("sqlite3", k.path)
	require.NoError(k.t, err)
	defer db.Close()
	var result string
	require.NoError(k.t, db.QueryRow("PRAGMA integrity_check").Scan(&result))
	require.Equal(k.t, "ok", result)
}

// requireAll holds everything that was ever acknowledged against the file.
func (k *killer) requireAll() {
	k.t.Helper()
	require.Empty(k.t, k.past.check(k.records(""), k.lives))
	k.requireSound()
}

// records reads the records whose ids begin with the prefix, past the store.
func (k *killer) records(prefix string) map[string]magiclink.Record {
	k.t.Helper()
	records := map[string]magiclink.Record{}
	db, err := sql.Open("sqlite3", k.path+"?_busy_timeout=5000")
	require.NoError(k.t, err)
	defer db.Close()
	rows, err := db.Query(`SELECT id, email, expires_at, ifnull(consumed_at, 0), ifnull(revoked_at, 0)
		FROM magiclink_links LEFT JOIN magiclink_uses USING (id) WHERE id >= ?1 AND id < ?1 || '~'`, prefix)
	if err != nil && strings.Contains(err.Error(), "no such table") {
		return records // killed before it was made
	}
	require.NoError(k.t, err)
	defer rows.Close()
	for rows.Next() {
		var r magiclink.Record
		var expires, consumed, revoked int64
		require.NoError(k.t, rows.Scan(&r.ID, &r.Email, &expires, &consumed, &revoked))
		r.ExpiresAt, r.ConsumedAt, r.RevokedAt = time.UnixMilli(expires), orZero(consumed), orZero(revoked)
		records[r.ID] = r
	}
	require.NoError(k.t, rows.Err())
	return records
}

func orZero(milliseconds int64) time.Time {
	if milliseconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds)
}
