package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/magiclink-go/magiclink"
)

// scanCount is how many keys the server looks at in one step of a Purge: other commands wait meanwhile, less than a millisecond.
const scanCount = 500

// Purge removes at most limit records whose [magiclink.Record.End] is before the given time and returns how many it removed.
//
// The server removes each record by itself, [Margin] after its End: nothing needs to call Purge. A Purge reads every key of the
// database, which takes some seconds for a million keys, in small steps between which the server does other work.
//
// A Purge that has removed every such record also looks through the indexes, and takes out the ids whose links are gone for certain. It does
// not look at the keys of [Store.Take]: the server forgets them by itself.
//
// When Purge fails after some of them, for example because the context has ended, it returns the error together with the
// number of records that are gone. If the error matches [magiclink.ErrUnknownOutcome], another 500 at most may be gone. While a
// cluster moves slots, a Purge can pass over records.
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	if !s.usable() {
		return 0, failed("purge", errNoStore)
	}
	if limit < 1 {
		return 0, failed("purge", fmt.Errorf("the limit is %d: pass a limit of at least 1", limit))
	}
	servers, err := apart(ctx, s, false, func(ctx context.Context) ([]*goredis.Client, error) { return masters(ctx, s.client) })
	if err != nil {
		return 0, failed("purge", withAdvice(err))
	}
	removed := 0
	for _, server := range servers {
		n, err := s.purgeServer(ctx, server, before, limit-removed)
		if removed += n; err != nil {
			return removed, failed("purge", err)
		}
	}
	if removed < limit && len(s.options.Indexes) > 0 {
		return removed, s.trimIndexes(ctx, servers)
	}
	return removed, nil
}

// page is one step of a scan.
type page struct {
	keys []string
	next uint64
}

// purgeServer removes records of one server.
func (s *Store) purgeServer(ctx context.Context, server *goredis.Client, before time.Time, limit int) (removed int, err error) {
	var p page
	for removed < limit {
		cursor := p.next // of its own: the goroutine may go on when the caller has left
		p, err = apart(ctx, s, false, func(ctx context.Context) (page, error) { return s.scan(ctx, server, cursor, before) })
		if err != nil {
			return removed, withAdvice(err)
		}
		for len(p.keys) > 0 && removed < limit {
			keys := p.keys[:min(len(p.keys), limit-removed)]
			p.keys = p.keys[len(keys):]
			n, err := apart(ctx, s, true, func(ctx context.Context) (int, error) { return s.remove(ctx, keys, before) })
			if removed += n; err != nil {
				return removed, withAdvice(err)
			}
		}
		if p.next == 0 {
			break
		}
	}
	return removed, nil
}

// globEscaper makes a text match itself alone.
var globEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// scan returns the next keys whose records may have ended: the server removes a key [Margin] after that, by its own clock, which may differ
// from those of the callers by another Margin.
func (s *Store) scan(ctx context.Context, server *goredis.Client, cursor uint64, before time.Time) (page, error) {
	keys, next, err := server.ScanType(ctx, cursor, globEscaper.Replace(s.options.Prefix)+"*", scanCount, "string").Result()
	keys = slices.DeleteFunc(keys, func(key string) bool { return strings.HasPrefix(key, s.options.Prefix+apartFromIDs) })
	if err != nil || len(keys) == 0 {
		return page{next: next}, err
	}
	commands := make([]*goredis.Cmd, 0, len(keys))
	_, err = server.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for _, key := range keys {
			commands = append(commands, p.Do(ctx, "pexpiretime", key))
		}
		return nil
	})
	p := page{next: next}
	for i, c := range commands {
		stop, failure := c.Int64()
		if failure == nil && stop <= broom(before)+Margin.Milliseconds() { // also a key without an expiry
			p.keys = append(p.keys, keys[i])
		}
	}
	return p, err
}

// remove lets the server look at each of the records again, and remove those that have ended. It returns how many it removed.
func (s *Store) remove(ctx context.Context, keys []string, before time.Time) (removed int, err error) {
	at := min(max(truncate(before).UnixMilli(), -largest), largest)
	open, full := keys, false
	for len(open) > 0 {
		commands := make([]goredis.Cmder, len(open))
		for i, key := range open {
			commands[i] = newCommand(ctx, purgeScript.call(key, full, at))
		}
		pipeline := s.client.Pipeline()
		_ = pipeline.BatchProcess(ctx, commands...)
		_, _ = pipeline.Exec(ctx) // each command has its error
		var again []string
		for i, c := range commands {
			n, failure := c.(command).Int()
			switch {
			case failure == nil:
				removed += n
			case goredis.HasErrorPrefix(failure, "NOSCRIPT") && !full:
				again = append(again, open[i])
			case errors.Is(failure, goredis.Nil), goredis.HasErrorPrefix(failure, "magiclink: not a record"):
			case harmless(failure):
				err = failure
			default:
				err = fmt.Errorf("%w: %w", magiclink.ErrUnknownOutcome, failure)
			}
		}
		if err != nil {
			return removed, err
		}
		open, full = again, true
	}
	return removed, nil
}
