package redis_test

import (
	"fmt"
	"math"

	"github.com/anishathalye/porcupine"
)

// input is one call of a store, as the model sees it. Times are milliseconds after old.
type input struct {
	op      string // create, get, consume, revoke, purge
	id      int
	at      int64 // of a consumption or revocation; a purge removes what ends before it
	by      string
	expires int64 // of a creation
	lasting bool  // of a creation: the session lasts for ever, or else for no time
	tag     string
	limit   int // of a purge
}

// output is what came of a call.
type output struct {
	outcome string // of a purge: "removed" or "none left"
	cell    cell   // the record that was returned
}

// cell is what a store has under one id. It is the state of the model.
type cell struct {
	there             bool
	tag, by           string
	lasting           bool
	expires           int64
	consumed, revoked int64 // zero: not
}

// ended reports whether the record's End is before the time.
func (c cell) ended(before int64) bool {
	switch {
	case !c.there:
		return false
	case c.consumed == 0 || c.revoked != 0:
		return c.expires < before
	case c.lasting:
		return false
	}
	return c.consumed < before
}

// never is the end of a call with an unknown outcome: it may take place after everything else.
const never = math.MaxInt64

var model = (&porcupine.NondeterministicModel{
	Partition: partition,
	Init:      func() []any { return []any{cell{}} },
	Step:      func(state, in, out any) []any { return step(state.(cell), in.(input), out.(output)) },
	Equal:     func(one, other any) bool { return one == other },
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
	if out.outcome == "unknown" || out.outcome == outcome && out.cell == shown {
		return []any{next}
	}
	return nil
}

func apply(c cell, in input) (next cell, outcome string, shown cell) {
	switch {
	case in.op == "create" && c.there:
		return c, "exists", cell{}
	case in.op == "create":
		return cell{there: true, tag: in.tag, lasting: in.lasting, expires: in.expires}, "ok", cell{}
	case !c.there:
		return c, "not found", cell{}
	case in.op == "get":
		return c, "ok", c
	case in.op == "consume":
		return applyConsume(c, in)
	}
	if c.revoked == 0 {
		c.revoked = in.at
	}
	return c, "ok", cell{}
}

func applyConsume(c cell, in input) (next cell, outcome string, shown cell) {
	switch {
	case c.revoked != 0:
		return c, "revoked", cell{}
	case c.consumed != 0 && c.by == in.by && in.by != "":
		return c, "ok", c
	case c.consumed != 0:
		return c, "consumed", cell{}
	case in.at >= c.expires:
		return c, "expired", cell{}
	}
	c.consumed, c.by = in.at, in.by
	return c, "ok", c
}

// stepPurge is one moment of a purge: the record that it removed may be this one, or nothing was left.
func stepPurge(c cell, in input, out output) []any {
	switch {
	case !c.ended(in.at):
		return []any{c}
	case out.outcome == "removed":
		return []any{c, cell{}}
	}
	return nil
}

// partition gives each id its own history, and each purge to all of them: a purge need not be one step for all ids.
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
