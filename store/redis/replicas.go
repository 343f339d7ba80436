package redis

import (
	"context"
	"fmt"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/magiclink-go/magiclink"
)

// precheckFor is how long a server that may have too few replicas waits for them before a write. Replicas that follow it answer within
// a round trip.
const precheckFor = 250 * time.Millisecond

// confirmer sends writes together with WAIT over one connection, so that the reply to WAIT counts the replicas that have them. It talks
// to each server of a cluster by itself, since go-redis would send a WAIT to any of them.
type confirmer struct {
	client   goredis.UniversalClient
	replicas int
	timeout  time.Duration
	trusted  sync.Map // the clients of the servers whose last write was confirmed; of others the replicas are counted before a write
}

// attempt does what [sender.attempt] does, for calls that write.
func (f *confirmer) attempt(ctx context.Context, calls []*call) {
	groups := map[*goredis.Client][]*call{}
	for _, c := range calls {
		server, err := f.server(ctx, c)
		if err != nil {
			c.err = notSent{err}
			continue
		}
		c.err = errHook // until the attempt returns
		groups[server] = append(groups[server], c)
	}
	var routines sync.WaitGroup
	for server, group := range groups {
		routines.Add(1)
		go func() {
			defer routines.Done()
			defer func() { _ = recover() }() // a hook of the client has panicked
			f.attemptOn(ctx, server, group)
		}()
	}
	routines.Wait()
}

// server returns the server for a call: the one that another server has named, or the one that has the slot of the key.
func (f *confirmer) server(ctx context.Context, c *call) (*goredis.Client, error) {
	cluster, ok := f.client.(*goredis.ClusterClient)
	if !ok {
		return f.client.(*goredis.Client), nil
	}
	if c.redirect == "" {
		return cluster.MasterForKey(ctx, c.key)
	}
	all, err := masters(ctx, cluster)
	if err != nil {
		return nil, err
	}
	for _, server := range all {
		if server.Options().Addr == c.redirect {
			return server, nil
		}
	}
	c.redirect, c.asking = "", false
	return cluster.MasterForKey(ctx, c.key)
}

// attemptOn sends calls to one server.
func (f *confirmer) attemptOn(ctx context.Context, server *goredis.Client, calls []*call) {
	if err := f.precheck(ctx, server, calls[0]); err != nil {
		for _, c := range calls {
			c.err = notSent{err}
		}
		return
	}
	replies, confirmed, failure := f.exchange(ctx, server, calls)
	for i, c := range calls {
		if c.take(replies[i]); c.err != nil {
			c.follow(c.err)
		} else if c.verdict == nil {
			c.err = f.unconfirmed(confirmed, failure)
		}
	}
}

// exchange sends the calls and WAIT in one pipeline. It returns the replies, and how many replicas have confirmed the writes.
func (f *confirmer) exchange(ctx context.Context, server *goredis.Client, calls []*call) ([]command, int, error) {
	var commands []goredis.Cmder
	replies := make([]command, len(calls))
	for i, c := range calls {
		if c.asking {
			commands = append(commands, newCommand(ctx, []any{"asking"}))
		}
		replies[i] = newCommand(ctx, c.command(c, c.full))
		commands = append(commands, replies[i])
	}
	wait := newCommand(ctx, []any{"wait", f.replicas, f.patience(ctx, server).Milliseconds()})
	pipeline := server.Pipeline()
	_ = pipeline.BatchProcess(ctx, append(commands, wait)...)
	_, _ = pipeline.Exec(ctx) // each command has its error
	confirmed, failure := wait.Int()
	if failure != nil || confirmed < f.replicas {
		f.trusted.Delete(server)
	} else {
		f.trusted.Store(server, true)
	}
	return replies, confirmed, failure
}

// follow remembers where the server has sent the call.
func (c *call) follow(err error) {
	if address, ok := goredis.IsMovedError(err); ok {
		c.redirect, c.asking = address, false
	} else if address, ok := goredis.IsAskError(err); ok {
		c.redirect, c.asking = address, true
	}
}

// unconfirmed returns the error of a write that too few replicas have confirmed.
func (f *confirmer) unconfirmed(confirmed int, failure error) error {
	switch {
	case failure != nil:
		return fmt.Errorf("%w: the server has the write and did not say how many replicas have it: %w", magiclink.ErrUnknownOutcome, failure)
	case confirmed < f.replicas:
		return fmt.Errorf("%w: %d of %d replicas have confirmed the write, so a failover may lose it: repeat the call, or lower Options.RequireReplicas",
			magiclink.ErrUnknownOutcome, confirmed, f.replicas)
	}
	return nil
}

// precheck refuses writes while the server has too few replicas. It asks unless the last write was confirmed. The call is one of the
// writes.
func (f *confirmer) precheck(ctx context.Context, server *goredis.Client, c *call) error {
	if _, ok := f.trusted.Load(server); ok {
		return nil
	}
	reply := newCommand(ctx, []any{"wait", f.replicas, min(precheckFor, f.patience(ctx, server)).Milliseconds()})
	commands := []goredis.Cmder{newCommand(ctx, touchScript.call(c.key, true)), reply}
	if c.asking {
		commands = append([]goredis.Cmder{newCommand(ctx, []any{"asking"})}, commands...)
	}
	pipeline := server.Pipeline()
	// WAIT counts the replicas that have the last write of this connection. Without a write it would count a replica that hangs. Where
	// the server refuses this write, it refuses the call as well, and the call has the error.
	_ = pipeline.BatchProcess(ctx, commands...)
	_, _ = pipeline.Exec(ctx) // the command has the error
	switch connected, err := reply.Int(); {
	case err != nil:
		return fmt.Errorf("count the replicas: %w", err)
	case connected < f.replicas:
		return fmt.Errorf("%d of %d replicas follow the server: bring them back, or lower Options.RequireReplicas", connected, f.replicas)
	}
	return nil
}

// patience is how long the server waits for the replicas. The client must still be there when it has waited.
func (f *confirmer) patience(ctx context.Context, server *goredis.Client) time.Duration {
	longest := f.timeout
	if deadline, ok := ctx.Deadline(); ok {
		longest = min(longest, time.Until(deadline))
	}
	if o := server.Options(); o.ReadTimeout > 0 {
		longest = min(longest, o.ReadTimeout)
	}
	return max(time.Millisecond, longest/2)
}
