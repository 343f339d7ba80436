package redis

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Ping reports whether the store can work: each server answers, takes writes and runs scripts, does not evict keys, and has a
// clock that is not a [Margin] ahead of this machine's. Ping reads maxmemory-policy by INFO and the clock by TIME; a server that
// does not allow this user to call them passes. It suits a readiness check.
func (s *Store) Ping(ctx context.Context) error {
	if !s.usable() {
		return failed("ping", errNoStore)
	}
	_, err := apart(ctx, s, false, func(ctx context.Context) (bool, error) { return true, s.pingAll(ctx) })
	if err != nil {
		return failed("ping", withAdvice(err))
	}
	return nil
}

func (s *Store) pingAll(ctx context.Context) error {
	servers, err := masters(ctx, s.client)
	if err != nil {
		return err
	}
	for _, server := range servers {
		info, err := ping(ctx, server)
		if err != nil {
			return err
		}
		if _, alone := s.client.(*goredis.Client); alone && clusterEnabled.MatchString(info) {
			return errors.New(clusterAdvice)
		}
	}
	return nil
}

// ping runs a script that changes nothing. The server refuses it whenever it would refuse a write. It returns what the server says of
// itself, if this user may know it.
func ping(ctx context.Context, server *goredis.Client) (info string, err error) {
	if err := server.Eval(ctx, probeScript.text, nil).Err(); err != nil {
		return "", err
	}
	if err := checkClock(ctx, server); err != nil {
		return "", err
	}
	text, err := server.Info(ctx, "memory", "cluster").Result()
	if err != nil {
		if unavailable(err) {
			return "", nil
		}
		return "", err
	}
	memory, policy := memoryLimit.FindStringSubmatch(text), memoryPolicy.FindStringSubmatch(text)
	if memory == nil || policy == nil || memory[1] == "0" || policy[1] == "noeviction" {
		return text, nil
	}
	return "", fmt.Errorf("the server removes live links when its memory is full: set maxmemory-policy to noeviction instead of %s", policy[1])
}

// checkClock looks for a server that forgets links before they expire.
func checkClock(ctx context.Context, server *goredis.Client) error {
	clock, err := server.Time(ctx).Result()
	switch ahead := time.Until(clock); {
	case err != nil && unavailable(err):
	case err != nil:
		return err
	case ahead > Margin:
		return fmt.Errorf("the clock of the server is %v ahead, so that it forgets links before they expire: set the clocks of both machines, for example by NTP",
			ahead.Round(time.Minute))
	}
	return nil
}

// unavailable reports whether the server has a command not at all, or not for this user.
func unavailable(err error) bool {
	return goredis.IsPermissionError(err) || goredis.HasErrorPrefix(err, "unknown command")
}

var (
	memoryLimit    = regexp.MustCompile(`(?m)^maxmemory:(\d+)`)
	clusterEnabled = regexp.MustCompile(`(?m)^cluster_enabled:1`)
	memoryPolicy   = regexp.MustCompile(`(?m)^maxmemory_policy:([a-z-]+)`)
)
