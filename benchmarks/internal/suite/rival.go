package suite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/magiclink-go/magiclink/benchmarks/internal/load"
	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

// people is how many users sign in, again and again.
const people = 256

// service is a program that issues links and redeems them.
type service struct {
	child   *child
	issues  [][]byte // one request for each user
	created int      // the status of an issue
	redeem  func(token string) []byte
	fetch   func(*service) ([]string, error) // the tokens that were issued, if answers do not say them

	conns  []*load.Conn
	turn   atomic.Int64
	tokens [][]string // of each connection
}

func (s *Suite) rival(ctx context.Context) ([]measure.Result, error) {
	dir, remove, err := s.folder("rival")
	if err != nil {
		return nil, err
	}
	defer remove()
	rival, err := s.betterAuth(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer rival.child.stop() //nolint:errcheck // it has been measured
	ours, err := s.command(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer ours.child.stop() //nolint:errcheck // it has been measured
	if err := rival.greet(); err != nil {
		return nil, err
	}
	var results []measure.Result
	for _, n := range connections {
		found, err := s.contest(n, ours, rival)
		if err != nil {
			return nil, err
		}
		results = append(results, found...)
	}
	return results, nil
}

func (s *Suite) betterAuth(ctx context.Context, dir string) (*service, error) {
	program, err := filepath.Abs(s.Rival)
	if err != nil {
		return nil, err
	}
	child, err := start(ctx, program, []string{"NODE_ENV=production"}, "node", "server.js", filepath.Join(dir, "rival.db"))
	if err != nil {
		return nil, err
	}
	r := &service{child: child, created: http.StatusOK, fetch: captured}
	for n := range people {
		r.issues = append(r.issues, load.Request(http.MethodPost, "/api/auth/sign-in/magic-link", fmt.Sprintf(`{"email":"user%d@example.com"}`, n)))
	}
	r.redeem = func(token string) []byte {
		return load.Request(http.MethodGet, "/api/auth/magic-link/verify?token="+token, "")
	}
	return r, nil
}

// contest measures both services in turn. A slice of redeeming uses what the slice of issuing before it has issued.
func (s *Suite) contest(n int, ours, rival *service) ([]measure.Result, error) {
	for _, each := range []*service{ours, rival} {
		if err := each.connect(n); err != nil {
			return nil, err
		}
		defer load.Close(each.conns)
	}
	plan := measure.Plan{Runs: s.Runs, Rounds: 1, Slice: 1500 * time.Millisecond}
	rates, err := measure.Interleave(plan,
		measure.Subject{Slice: rival.issuing}, measure.Subject{Slice: ours.issuing},
		measure.Subject{Slice: rival.redeeming}, measure.Subject{Slice: ours.redeeming})
	if err != nil {
		return nil, err
	}
	return []measure.Result{
		perSecond(fmt.Sprintf("Links issued, %d connections", n), rates[1], rates[0], "Better Auth", new(measure.AtLeast(20))),
		perSecond(fmt.Sprintf("Links redeemed, %d connections", n), rates[3], rates[2], "Better Auth", new(measure.AtLeast(40))),
	}, nil
}

func (c *service) connect(n int) (err error) {
	c.conns, err = load.Dial(c.child.address, n)
	return err
}

// issuing issues links for one user after the other, and keeps their tokens.
func (c *service) issuing(d time.Duration) (int, time.Duration, error) {
	c.tokens = make([][]string, len(c.conns))
	done, err := load.Callers(len(c.conns), d, func(caller int) error {
		request := c.issues[c.turn.Add(1)%people]
		status, body, err := c.conns[caller].Do(request)
		if c.fetch == nil {
			c.tokens[caller] = append(c.tokens[caller], tokenOf(string(body)))
		}
		return expect(c.created, status, body, err)
	})
	if err == nil && c.fetch != nil {
		err = c.collect()
	}
	return done.Calls, done.Took, err
}

// collect asks for the tokens and deals them out.
func (c *service) collect() error {
	tokens, err := c.fetch(c)
	for n, token := range tokens {
		n %= len(c.conns)
		c.tokens[n] = append(c.tokens[n], token)
	}
	return err
}

// redeeming redeems what was issued, for the time or until nothing is left.
func (c *service) redeeming(d time.Duration) (int, time.Duration, error) {
	requests := make([][][]byte, len(c.conns))
	for n, tokens := range c.tokens {
		for _, token := range tokens {
			requests[n] = append(requests[n], c.redeem(token))
		}
	}
	done, err := load.Callers(len(c.conns), d, func(caller int) error {
		if len(requests[caller]) == 0 {
			return load.ErrStop
		}
		status, body, err := c.conns[caller].Do(requests[caller][0])
		requests[caller] = requests[caller][1:]
		return expect(http.StatusOK, status, body, err)
	})
	return done.Calls, done.Took, err
}

// greet signs every user in once: a user who signs in later is no new user.
func (c *service) greet() error {
	if err := c.connect(1); err != nil {
		return err
	}
	defer load.Close(c.conns)
	for _, request := range c.issues {
		status, body, err := c.conns[0].Do(request)
		if err := expect(c.created, status, body, err); err != nil {
			return err
		}
	}
	tokens, err := c.fetch(c)
	if err != nil {
		return err
	}
	if len(tokens) != people {
		return errors.New("the rival captured another number of links than it sent")
	}
	for token := range slices.Values(tokens) {
		status, body, err := c.conns[0].Do(c.redeem(token))
		if err := expect(http.StatusOK, status, body, err); err != nil {
			return err
		}
	}
	return nil
}
