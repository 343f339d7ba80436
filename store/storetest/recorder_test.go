package storetest_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/storetest"
)

// recorder stands in for *testing.T and keeps what a case reports.
type recorder struct {
	ctx      context.Context
	mu       sync.Mutex
	messages []string
}

var _ storetest.Tester = (*recorder)(nil)

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skipf(string, ...any) { runtime.Goexit() }

// failures runs one case in a goroutine of its own, which Fatalf may end, and returns what it reported.
func failures(ctx context.Context, name string, s magiclink.Store) []string {
	r := &recorder{ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		storetest.RunCase(name, r, s)
	}()
	<-done
	return r.messages
}
