package redis

import (
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

var (
	create  = &operation{command: createCommand, settle: settleCreate}
	get     = &operation{command: getCommand, settle: settleGet, reads: true}
	consume = &operation{command: consumeCommand, settle: settleConsume}
	revoke  = &operation{command: revokeCommand, settle: settleRevoke}
)

// createCommand needs no script: the command sets the key only if there is none. A command that is sent again after an attempt with
// an unknown outcome asks for the value that is there: the call finds its own mark in it.
func createCommand(c *call, _ bool) []any {
	if c.unknown {
		return []any{"set", c.key, c.value, "pxat", c.stop, "nx", "get"}
	}
	return []any{"set", c.key, c.value, "pxat", c.stop, "nx"}
}

func settleCreate(c *call, reply any) {
	value, replied := reply.(string)
	if replied != c.unknown { // "OK", or no value that was there
		return
	}
	if !strings.HasPrefix(value, string(c.value)) { // a use or a revocation may have been appended to it
		c.verdict = magiclink.ErrExists
	}
}

// getCommand reads by a command that Redis counts among the writes, so that no replica answers.
func getCommand(c *call, _ bool) []any { return []any{"getex", c.key} }

func settleGet(c *call, reply any) {
	c.verdict = c.read(reply)
}

// read sets the entry from the value of the key.
func (c *call) read(reply any) (err error) {
	value, ok := reply.(string)
	if !ok {
		return magiclink.ErrNotFound
	}
	c.entry, err = decode(c.id, value)
	return err
}

func consumeCommand(c *call, full bool) []any {
	use := appendUse(make([]byte, 0, useSize+len(c.by)), c.at, c.mark, c.by)
	return c.confirmed(consumeScript.call(c.key, full, c.at.UnixMilli(), use))
}

// useSize is as large as a use without its by.
const useSize = 40

// settleConsume reads the record as it is after the script. The call has consumed the record if the record says so.
func settleConsume(c *call, reply any) {
	if c.verdict = c.read(reply); c.verdict != nil {
		return
	}
	e := c.entry
	if e.RevokedAt.IsZero() && e.repeat != none && e.repeat == c.mark {
		return
	}
	if c.verdict = e.Verdict(c.at, c.by); c.verdict == nil && e.ConsumedAt.IsZero() {
		c.verdict = failed("consume", errNotDecided)
	}
}

func revokeCommand(c *call, full bool) []any {
	return c.confirmed(revokeScript.call(c.key, full, appendRevocation(nil, c.at)))
}

func settleRevoke(c *call, reply any) {
	if reply == nil {
		c.verdict = magiclink.ErrNotFound
	}
}

// call returns the command that runs the script. Full sends the text of the script, which the server then keeps.
func (s *script) call(key string, full bool, args ...any) []any {
	begin := s.bySHA
	if full {
		begin = s.byText
	}
	return append(append(append(make([]any, 0, len(begin)+len(args)+2), begin...), key), args...) // with room for confirmed
}

// confirmed lets the script write also where nothing changes, so that replicas have something to confirm.
func (c *call) confirmed(command []any) []any {
	if c.confirm {
		return append(command, "1")
	}
	return command
}

func flag(set bool) string {
	if set {
		return "1"
	}
	return ""
}

// markOf returns what a Consume with an empty by is known by when it is sent again.
func markOf(by string) string {
	if by == "" {
		return string(appendMark(nil))
	}
	return none
}

// deadlineOf returns the zero time for a context without a deadline.
func deadlineOf(deadline time.Time, ok bool) time.Time {
	if !ok {
		return time.Time{}
	}
	return deadline
}
