package crashtest_test

import (
	"context"
	"errors"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// playStore serves the store of this path on its standard input and output.
func playStore(args []string) error {
	store, err := sqlite.Open(args[0])
	if err != nil {
		return err
	}
	server := rpc.NewServer()
	if err := server.Register(&Host{store}); err != nil {
		return err
	}
	server.ServeConn(pipe{os.Stdin, os.Stdout})
	return store.Close()
}

// pipe is two ends that go different ways.
type pipe struct {
	io.Reader
	io.WriteCloser
}

// Request is a call of a store.
type Request struct {
	Op      string
	Record  magiclink.Record
	ID      string
	At      time.Time
	By      string
	Limit   int
	Timeout time.Duration // zero: none
}

// Reply is its outcome, by name.
type Reply struct {
	Record  magiclink.Record
	Removed int
	Outcome string
}

// Host makes the calls in the process of the store.
type Host struct{ store magiclink.Store }

// Call is called by [remote].
func (h *Host) Call(request Request, reply *Reply) error {
	ctx := context.Background()
	if request.Timeout != 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, request.Timeout)
		defer cancel()
	}
	var err error
	switch request.Op {
	case "create":
		err = h.store.Create(ctx, request.Record)
	case "get":
		reply.Record, err = h.store.Get(ctx, request.ID)
	case "consume":
		reply.Record, err = h.store.Consume(ctx, request.ID, request.At, request.By)
	case "revoke":
		err = h.store.Revoke(ctx, request.ID, request.At)
	case "purge":
		reply.Removed, err = h.store.Purge(ctx, request.At, request.Limit)
	}
	reply.Outcome = nameOutcome(err)
	return nil
}

// remote is a store in another process.
type remote struct{ client *rpc.Client }

// startStore opens the store of this path in another process, until the end of the test.
func startStore(t *testing.T, path string) magiclink.Store {
	t.Helper()
	return startStoreBy(t, child(t, "store", path))
}

// startStoreBy is startStore with a command that was prepared.
func startStoreBy(t *testing.T, cmd *exec.Cmd) magiclink.Store {
	t.Helper()
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	client := rpc.NewClient(pipe{out, in})
	t.Cleanup(func() {
		require.NoError(t, client.Close())
		require.NoError(t, cmd.Wait())
	})
	return remote{client}
}

func (r remote) call(ctx context.Context, request Request) (reply Reply, err error) {
	if deadline, ok := ctx.Deadline(); ok {
		request.Timeout = max(1, time.Until(deadline))
	}
	if err := r.client.Call("Host.Call", request, &reply); err != nil {
		panic(err) // the other process has gone
	}
	if reply.Outcome == "ok" {
		return reply, nil
	}
	for _, each := range outcomes {
		if each.name == reply.Outcome {
			return reply, each.err
		}
	}
	return reply, errors.New(reply.Outcome)
}

func (r remote) Create(ctx context.Context, record magiclink.Record) error {
	_, err := r.call(ctx, Request{Op: "create", Record: record})
	return err
}

func (r remote) Get(ctx context.Context, id string) (magiclink.Record, error) {
	reply, err := r.call(ctx, Request{Op: "get", ID: id})
	return reply.Record, err
}

func (r remote) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	reply, err := r.call(ctx, Request{Op: "consume", ID: id, At: at, By: by})
	return reply.Record, err
}

func (r remote) Revoke(ctx context.Context, id string, at time.Time) error {
	_, err := r.call(ctx, Request{Op: "revoke", ID: id, At: at})
	return err
}

func (r remote) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	reply, err := r.call(ctx, Request{Op: "purge", At: before, Limit: limit})
	return reply.Removed, err
}
