package crashtest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/magiclink-go/magiclink"
)

const (
	ids         = 3  // of each history
	callsEach   = 30 // of each caller
	span        = 20 // of the times of a history, in milliseconds
	checkWithin = 20 * time.Second
)

// historian makes a random concurrent history.
type historian struct {
	stores  []magiclink.Store // used in turn by the callers
	name    string            // in its ids
	cancels bool
	begun   time.Time

	mu       sync.Mutex
	history  []porcupine.Operation
	unknown  int
	refused  int // calls that have changed nothing, or so they say
	balanced bool
	balance  int // links created, less those removed
}

// record lets callers work side by side, and looks at every id in the end.
func record(stores []magiclink.Store, name string, callers int, cancels bool) *historian {
	h := &historian{stores: stores, name: name, cancels: cancels, begun: time.Now(), balanced: true}
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for n := range callsEach * 8 / callers {
				h.call(context.Background(), caller, h.choose(caller*1000+n+1))
			}
		})
	}
	group.Wait()
	h.cancels = false
	for id := range ids {
		h.call(context.Background(), callers, input{op: "get", id: id})
	}
	h.clear()
	return h
}

// clear leaves nothing to the next history.
func (h *historian) clear() {
	if _, err := h.stores[0].Purge(context.Background(), time.UnixMilli(far), ids+1); err != nil {
		panic(err)
	}
}

func (h *historian) choose(tag int) input {
	in := input{id: rand.N(ids), at: 1 + rand.Int64N(span)}
	switch n := rand.N(20); {
	case n < 5:
		in.op, in.tag, in.at, in.expires = "create", tag, 0, 1+rand.Int64N(span)
	case n < 8:
		in.op, in.at = "get", 0
	case n < 16:
		in.op, in.by = "consume", []string{"", "one", "other"}[rand.N(3)]
	case n < 17:
		in.op = "revoke"
	default:
		in.op, in.id, in.at = "purge", 0, in.at+span/2
		if rand.N(4) == 0 {
			in.at += 100_000 // also sessions that have ended
		}
	}
	return in
}

// call makes one call and books it.
func (h *historian) call(ctx context.Context, caller int, in input) {
	if h.cancels && rand.N(4) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rand.N(2*time.Millisecond))
		defer cancel()
	}
	operation := porcupine.Operation{ClientId: caller, Input: in, Call: int64(time.Since(h.begun))}
	out, removed := h.carryOut(ctx, h.stores[caller%len(h.stores)], in)
	operation.Output, operation.Return = out, int64(time.Since(h.begun))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.balance -= removed
	switch {
	case out.outcome == "unknown":
		operation.Return = never
		h.unknown++
		h.balanced = false
	case out.outcome == "failed" && removed == 0:
		h.refused++
		return
	case in.op == "create" && out.outcome == "ok":
		h.balance++
	}
	h.history = append(h.history, operation)
}

func (h *historian) carryOut(ctx context.Context, s magiclink.Store, in input) (out output, removed int) {
	id := fmt.Sprintf("mlk_%s%d", h.name, in.id)
	at := time.UnixMilli(old + in.at)
	var record magiclink.Record
	var err error
	switch in.op {
	case "create":
		err = s.Create(ctx, magiclink.Record{
			ID: id, SessionTimeout: time.Duration(in.tag) * time.Second,
			CreatedAt: time.UnixMilli(old), ExpiresAt: time.UnixMilli(old + in.expires),
		})
	case "get":
		record, err = s.Get(ctx, id)
	case "consume":
		record, err = s.Consume(ctx, id, at, in.by)
	case "revoke":
		err = s.Revoke(ctx, id, at)
	case "purge":
		limit := 1 + rand.N(ids+1)
		removed, err = s.Purge(ctx, at, limit)
		out.some = err != nil || removed == limit
	}
	out.outcome = nameOutcome(err)
	if record.ID != "" {
		out.cell = cell{
			there: true, tag: int(record.SessionTimeout / time.Second), expires: record.ExpiresAt.UnixMilli() - old,
			consumed: sinceOld(record.ConsumedAt), by: record.ConsumedBy, revoked: sinceOld(record.RevokedAt),
		}
	}
	return out, removed
}

func sinceOld(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli() - old
}

// check says what is wrong with the history, or nothing.
func (h *historian) check() string {
	switch porcupine.CheckOperationsTimeout(model, h.history, checkWithin) {
	case porcupine.Illegal:
		return "not linearizable"
	case porcupine.Unknown:
		return "not decided in time"
	}
	there := 0
	for _, operation := range h.history[len(h.history)-ids:] {
		if operation.Output.(output).cell.there {
			there++
		}
	}
	if h.balanced && h.balance != there {
		return fmt.Sprintf("%d links are there, and %d were created and not purged", there, h.balance)
	}
	return ""
}

// describe lists the history in the order of the beginnings.
func (h *historian) describe() (text string) {
	slices.SortFunc(h.history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	for _, o := range h.history {
		text += fmt.Sprintf("%9d-%9d caller %d: %s\n", o.Call, o.Return, o.ClientId, model.DescribeOperation(o.Input, o.Output))
	}
	return text
}
