package crashtest_test

import (
	"fmt"
	"math"

	"github.com/anishathalye/porcupine"
)

// input is one call of a store, as the model sees it. Times are in milliseconds after old.
type input struct {
	op      string // create, get, consume, revoke, purge
	id      int
	at      int64 // of a consumption or revocation; of a purge, the records that have ended before go
	by      string
	expires int64 // of a creation
	tag     int   // of a creation: tells it from others of the same id, and is the session's length in seconds
}

// output is what came of it.
type output struct {
	outcome string
	cell    cell // what a get or a consumption has returned
	some    bool // a purge was cut short by its limit or a failure: it has removed any of what it was to remove
}

// cell is what a store has under one id. It is the state of the model: each id is a model of its own.
type cell struct {
	there             bool
	tag               int
	expires           int64
	consumed, revoked int64 // zero: not
	by                string
}

// model is the contract of a store in one function. A call whose outcome is unknown may take place at any time after its
// beginning; the history gives it an end that never comes, so that it may also take place after everything else.
var model = (&porcupine.NondeterministicModel{
	Partition: partition,
	Init:      func() []any { return []any{cell{}} },
	Step: func(state, in, out any) []any {
		return step(state.(cell), in.(input), out.(output))
	},
	Equal: func(one, other any) bool { return one == other },
	Hash:  func(state any) uint64 { c := state.(cell); return uint64(c.tag*31) ^ uint64(c.consumed*7+c.revoked) },
	DescribeOperation: func(in, out any) string {
		return fmt.Sprintf("%+v: %+v", in, out)
	},
}).ToModel()

// step returns the states that may follow, none if the output cannot be.
func step(c cell, in input, out output) []any {
	if in.op == "purge" {
		return stepPurge(c, in, out)
	}
	next, outcome, shown := apply(c, in)
	switch {
	case out.outcome == "unknown":
		return []any{next}
	case out.outcome == outcome && out.cell == shown:
		return []any{next}
	}
	return nil
}

func apply(c cell, in input) (next cell, outcome string, shown cell) {
	switch in.op {
	case "create":
		if c.there {
			return c, "exists", cell{}
		}
		return cell{there: true, tag: in.tag, expires: in.expires}, "ok", cell{}
	case "get":
		if !c.there {
			return c, "not found", cell{}
		}
		return c, "ok", c
	case "consume":
		if outcome := refusal(c, in); outcome != "" {
			return c, outcome, cell{}
		}
		if c.consumed == 0 {
			c.consumed, c.by = in.at, in.by
		}
		return c, "ok", c
	default:
		if !c.there {
			return c, "not found", cell{}
		}
		if c.revoked == 0 {
			c.revoked = in.at
		}
		return c, "ok", cell{}
	}
}

func refusal(c cell, in input) string {
	switch {
	case !c.there:
		return "not found"
	case c.revoked != 0:
		return "revoked"
	case c.consumed != 0 && in.by != "" && in.by == c.by:
		return ""
	case c.consumed != 0:
		return "consumed"
	case in.at >= c.expires:
		return "expired"
	}
	return ""
}

// end is the first moment at which nothing depends on the record any more.
func (c cell) end() int64 {
	if c.consumed != 0 && c.revoked == 0 {
		return c.consumed + int64(c.tag)*1000
	}
	return c.expires
}

func stepPurge(c cell, in input, out output) []any {
	gone := c
	if c.there && c.end() < in.at {
		gone = cell{}
	}
	if out.some && gone != c {
		return []any{c, gone}
	}
	return []any{gone}
}

// partition gives each id its own history, and each purge to all of them: it need not be one step for all ids.
func partition(history []porcupine.Operation) [][]porcupine.Operation {
	parts := make([][]porcupine.Operation, ids)
	for _, operation := range history {
		in := operation.Input.(input)
		for id := range parts {
			if in.op == "purge" || in.id == id {
				parts[id] = append(parts[id], operation)
			}
		}
	}
	return parts
}

const never = math.MaxInt64
