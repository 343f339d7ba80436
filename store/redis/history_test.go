package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/magiclink-go/magiclink"
)

const (
	ids         = 3   // of each history
	calls       = 120 // of all callers together
	span        = 20  // of the times of a history, in milliseconds
	checkWithin = 3 * time.Second
)

// old is the beginning of all times of a history. It lies in the future, so that the server removes nothing by itself.
var old = time.Now().Add(24 * time.Hour).UnixMilli()

// historian makes a random concurrent history.
type historian struct {
	stores  []magiclink.Store // used in turn by the callers
	name    string            // in its ids
	cancels bool
	begun   time.Time

	mu      sync.Mutex
	history []porcupine.Operation
	unknown int
	failed  int // calls that say that they have changed nothing

	undecided bool
}

// record lets callers work side by side, and looks at every id in the end.
func record(stores []magiclink.Store, name string, callers int, cancels bool) *historian {
	h := &historian{stores: stores, name: name, cancels: cancels, begun: time.Now()}
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for n := range calls / callers {
				h.call(caller, h.choose(fmt.Sprint(caller, "/", n)))
			}
		})
	}
	group.Wait()
	h.cancels = false
	for id := range ids {
		h.call(callers, input{op: "get", id: id})
	}
	return h
}

func (h *historian) choose(tag string) input {
	in := input{id: rand.N(ids), at: 1 + rand.Int64N(span)}
	switch n := rand.N(20); {
	case n < 5:
		in.op, in.tag, in.at, in.expires, in.lasting = "create", tag, 0, 1+rand.Int64N(span), rand.N(2) == 0
	case n < 8:
		in.op, in.at = "get", 0
	case n < 16:
		in.op, in.by = "consume", []string{"", "one", "two"}[rand.N(3)]
	case n < 17:
		in.op = "revoke"
	default:
		in.op, in.id, in.at, in.limit = "purge", 0, in.at+span/2, 1+rand.N(ids+1)
	}
	return in
}

// call makes one call and records it.
func (h *historian) call(caller int, in input) {
	ctx := context.Background()
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
	switch out.outcome {
	case "unknown":
		operation.Return = never
		h.unknown++
	case "failed":
		h.failed++
	}
	switch {
	case in.op == "purge":
		h.history = append(h.history, steps(operation, removed)...)
	case out.outcome != "failed":
		h.history = append(h.history, operation)
	}
}

// steps returns the moments of a purge, which works in several steps: one for each record that it has removed, and one at
// which nothing was left. With an unknown outcome it may have removed more.
func steps(purge porcupine.Operation, removed int) []porcupine.Operation {
	in, out := purge.Input.(input), purge.Output.(output)
	if out.outcome == "unknown" {
		removed = in.limit
	}
	var all []porcupine.Operation
	for range removed {
		step := purge
		step.Output = output{outcome: "removed"}
		all = append(all, step)
	}
	if out.outcome == "ok" && removed < in.limit {
		purge.Output = output{outcome: "none left"}
		all = append(all, purge)
	}
	return all
}

func (h *historian) carryOut(ctx context.Context, s magiclink.Store, in input) (out output, removed int) {
	id := fmt.Sprintf("mlk_%s%d", h.name, in.id)
	at := time.UnixMilli(old + in.at)
	var r magiclink.Record
	var err error
	switch in.op {
	case "create":
		r := magiclink.Record{ID: id, Extension: in.tag, CreatedAt: time.UnixMilli(old), ExpiresAt: time.UnixMilli(old + in.expires)}
		if in.lasting {
			r.SessionTimeout = time.Hour
		}
		err = s.Create(ctx, r)
	case "get":
		r, err = s.Get(ctx, id)
	case "consume":
		r, err = s.Consume(ctx, id, at, in.by)
	case "revoke":
		err = s.Revoke(ctx, id, at)
	case "purge":
		removed, err = s.Purge(ctx, at, in.limit)
	}
	out.outcome = nameOutcome(err)
	if r.ID != "" {
		out.cell = cell{
			there: true, tag: r.Extension, by: r.ConsumedBy, lasting: r.SessionTimeout > 0, expires: r.ExpiresAt.UnixMilli() - old,
			consumed: sinceOld(r.ConsumedAt), revoked: sinceOld(r.RevokedAt),
		}
	}
	return out, removed
}

func nameOutcome(err error) string {
	for name, outcome := range map[string]error{
		"exists": magiclink.ErrExists, "not found": magiclink.ErrNotFound, "revoked": magiclink.ErrRevoked,
		"consumed": magiclink.ErrConsumed, "expired": magiclink.ErrExpired, "unknown": magiclink.ErrUnknownOutcome,
	} {
		if errors.Is(err, outcome) {
			return name
		}
	}
	if err != nil {
		return "failed"
	}
	return "ok"
}

func sinceOld(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli() - old
}

// fault says what is wrong with the history, or nothing. It lists the calls for the id with the fault. A history of many calls at
// the same time can be too hard to decide.
func (h *historian) fault() string {
	for _, part := range partition(h.history) {
		switch porcupine.CheckOperationsTimeout(model, part, checkWithin) {
		case porcupine.Illegal:
			return "not linearizable:\n" + describe(part)
		case porcupine.Unknown:
			h.undecided = true
		}
	}
	return ""
}

// describe lists calls in the order of their beginnings.
func describe(part []porcupine.Operation) string {
	var text strings.Builder
	slices.SortFunc(part, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	for _, o := range part {
		fmt.Fprintf(&text, "%9d-%9d caller %d: %s\n", o.Call, o.Return, o.ClientId, model.DescribeOperation(o.Input, o.Output))
	}
	return text.String()
}
