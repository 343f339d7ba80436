package suite

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/magiclink-go/magiclink/benchmarks/internal/load"
	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

// connections is how many clients there are at the same time.
var connections = []int{8, crowd}

// http measures the route that issues links, each server in a process of its own.
func (s *Suite) http(ctx context.Context) ([]measure.Result, error) {
	dir, remove, err := s.folder("http")
	if err != nil {
		return nil, err
	}
	defer remove()
	var addresses []string
	for _, store := range []string{"fixed", "memory floor", "memory", "sqlite floor", "sqlite"} {
		server, err := start(ctx, dir, nil, s.Self, "-serve", store, "-dir", dir, "-profile", s.Profile)
		if err != nil {
			return nil, err
		}
		defer server.stop() //nolint:errcheck // it has been measured
		addresses = append(addresses, server.address)
	}
	var results []measure.Result
	for _, n := range connections {
		found, err := s.issuing(n, addresses)
		if err != nil {
			return nil, err
		}
		results = append(results, found...)
	}
	return results, nil
}

func (s *Suite) issuing(n int, addresses []string) ([]measure.Result, error) {
	subjects := make([]measure.Subject, 0, len(addresses))
	request := issueRequest()
	for _, address := range addresses {
		conns, err := load.Dial(address, n)
		if err != nil {
			return nil, err
		}
		defer load.Close(conns)
		subjects = append(subjects, posts(conns, request, http.StatusCreated))
	}
	rates, err := measure.Interleave(s.plan(5, 200*time.Millisecond), subjects...)
	if err != nil {
		return nil, err
	}
	fixed, goal := rates[0], new(measure.AtLeast(0.85))
	var results []measure.Result
	for i, store := range []string{"memory store", "SQLite"} {
		floor, ours := rates[1+2*i], rates[2+2*i]
		name := func(what string) string { return fmt.Sprintf("%s, %s, %d connections", what, store, n) }
		results = append(results,
			perSecond(name("A handler that signs once and stores once"), floor, fixed, "a handler that writes a fixed answer", nil),
			perSecond(name("Issue over HTTP"), ours, floor, "a handler that signs once and stores once", goal))
	}
	return results, nil
}

// posts sends one request again and again on all connections.
func posts(conns []*load.Conn, request []byte, want int) measure.Subject {
	return measure.Subject{Slice: func(d time.Duration) (int, time.Duration, error) {
		done, err := load.Callers(len(conns), d, func(caller int) error {
			status, body, err := conns[caller].Do(request)
			return expect(want, status, body, err)
		})
		return done.Calls, done.Took, err
	}}
}

func expect(want, status int, body []byte, err error) error {
	if err == nil && status != want {
		err = fmt.Errorf("answered %d: %s", status, body)
	}
	return err
}
