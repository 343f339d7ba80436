package e2e_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// slowWire is a network between a browser and a service: what is sent arrives after a delay, in both directions.
type slowWire struct {
	origin string
	delay  time.Duration

	mu sync.Mutex
	to string // the address of the service
}

// newSlowWire returns a wire that leads nowhere yet. Its origin is for the base URL of the service.
func newSlowWire(t *testing.T, delay time.Duration) *slowWire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	w := &slowWire{origin: "http://" + listener.Addr().String(), delay: delay}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go w.carry(near)
		}
	}()
	return w
}

func (w *slowWire) leadTo(address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = address
}

func (w *slowWire) carry(near net.Conn) {
	w.mu.Lock()
	to := w.to
	w.mu.Unlock()
	far, err := net.Dial("tcp", to)
	if err != nil {
		_ = near.Close()
		return
	}
	go w.send(far, near)
	w.send(near, far)
}

// send carries what one end sends to the other end, and at last that nothing follows.
func (w *slowWire) send(to io.WriteCloser, from io.Reader) {
	type parcel struct {
		due  time.Time
		text []byte
	}
	parcels := make(chan parcel, 1024)
	go func() {
		defer close(parcels)
		for {
			text := make([]byte, 32<<10)
			n, err := from.Read(text)
			parcels <- parcel{time.Now().Add(w.delay), text[:n]}
			if err != nil {
				return
			}
		}
	}()
	defer to.Close()
	for p := range parcels {
		time.Sleep(time.Until(p.due))
		_, _ = to.Write(p.text) // the reader finds out about an end that has gone
	}
}
