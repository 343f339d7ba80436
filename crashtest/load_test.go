package crashtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// Times are counted in milliseconds from here; links that expire at old are there to be purged.
const (
	old     = 1_800_000_000_000
	far     = old + 1<<40
	callers = 10
)

// event is what a child reports of one call that has returned. In front of the first call stands the operation "open".
type event struct {
	Op      string
	ID      string
	At      int64 // of a consumption or revocation: no other has the same
	Expires int64
	Email   string
	Outcome string
}

// playLoad issues, redeems, revokes and purges links until it is killed: PATH LIFE FLAW.
func playLoad(args []string) error {
	life, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	store, err := sqlite.Open(args[0])
	if err != nil {
		return err
	}
	l := &load{store: flawed(store, args[2]), life: life}
	l.report(event{Op: "open"})
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for n := 0; ; n++ {
				l.link(caller, n)
			}
		})
	}
	group.Wait()
	return nil
}

// load is one life of a child.
type load struct {
	store  magiclink.Store
	life   int
	times  atomic.Int64
	shared [callers]atomic.Pointer[string] // the newest link of each caller
}

// report writes one line, which the kernel keeps for the parent whatever becomes of this process.
func (l *load) report(e event) {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = os.Stdout.Write(append(line, '\n'))
	}
	if err != nil {
		os.Exit(3) // the parent has gone
	}
}

// at returns a time that no other call of any life has.
func (l *load) at() int64 { return old + int64(l.life)<<24 + l.times.Add(1) }

// link creates one link and does something with it.
func (l *load) link(caller, n int) {
	id := fmt.Sprintf("mlk_%06d%02d%014d", l.life, caller, n)
	expires := int64(far)
	if n%3 == 0 {
		expires = old
	}
	l.create(id, expires, "first@example.com")
	l.shared[caller].Store(&id)
	switch rand.N(9) {
	case 0:
		if expires == far { // the other may have been purged
			l.create(id, far, "second@example.com")
		}
	case 1:
		l.consumeAt(id, far)
	case 2:
		l.revoke(id)
	case 3:
		l.purge()
	case 4:
		l.consume("mlk_nobody" + id[10:])
	case 5, 6, 7:
		l.consume(id)
		if other := l.shared[rand.N(callers)].Load(); other != nil {
			l.consume(*other)
		}
	}
}

// context gives up early in one call of eight.
func (l *load) context() (context.Context, context.CancelFunc) {
	if rand.N(8) > 0 {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), rand.N(time.Millisecond))
}

func (l *load) create(id string, expires int64, email string) {
	ctx, cancel := l.context()
	defer cancel()
	err := l.store.Create(ctx, magiclink.Record{
		ID: id, Subject: magiclink.Subject{Email: email}, SessionTimeout: time.Hour, CreatedAt: time.UnixMilli(old), ExpiresAt: time.UnixMilli(expires),
	})
	l.report(event{Op: "create", ID: id, Expires: expires, Email: email, Outcome: nameOutcome(err)})
}

func (l *load) consume(id string) { l.consumeAt(id, l.at()) }

func (l *load) consumeAt(id string, at int64) {
	ctx, cancel := l.context()
	defer cancel()
	_, err := l.store.Consume(ctx, id, time.UnixMilli(at), "")
	l.report(event{Op: "consume", ID: id, At: at, Outcome: nameOutcome(err)})
}

func (l *load) revoke(id string) {
	ctx, cancel := l.context()
	defer cancel()
	at := l.at()
	err := l.store.Revoke(ctx, id, time.UnixMilli(at))
	l.report(event{Op: "revoke", ID: id, At: at, Outcome: nameOutcome(err)})
}

func (l *load) purge() {
	ctx, cancel := l.context()
	defer cancel()
	_, err := l.store.Purge(ctx, time.UnixMilli(old+1), 20)
	l.report(event{Op: "purge", Outcome: nameOutcome(err)})
}
