package dbtest

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy is a TCP proxy that can do what a bad network does.
type Proxy struct {
	listener net.Listener

	mu      sync.Mutex
	target  string
	refuse  bool          // closes new connections at once
	deaf    bool          // lets bytes of the client pass and drops those of the server
	stalled bool          // lets nothing pass
	delay   time.Duration // of the server's bytes
	links   map[net.Conn]bool
}

// NewProxy starts a proxy before the address. It is stopped when the test ends.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, target: target, links: map[net.Conn]bool{}}
	var group sync.WaitGroup
	group.Go(func() { p.accept(&group) })
	t.Cleanup(func() {
		_ = listener.Close()
		p.set(func(p *Proxy) { p.refuse = true })
		p.Cut()
		group.Wait()
	})
	return p
}

// Address returns the host and port of the proxy.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// set changes the state of the proxy under its lock.
func (p *Proxy) set(change func(*Proxy)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// Pass lets everything pass to the address.
func (p *Proxy) Pass(target string) {
	p.set(func(p *Proxy) { p.target, p.refuse, p.deaf, p.stalled, p.delay = target, false, false, false, 0 })
}

// Refuse closes all connections, and new ones at once.
func (p *Proxy) Refuse() {
	p.set(func(p *Proxy) { p.refuse = true })
	p.Cut()
}

// Deaf drops what the server answers.
func (p *Proxy) Deaf() { p.set(func(p *Proxy) { p.deaf = true }) }

// Stall lets nothing pass. What was to pass is lost for good.
func (p *Proxy) Stall() { p.set(func(p *Proxy) { p.stalled = true }) }

// Delay delays what the server answers.
func (p *Proxy) Delay(by time.Duration) { p.set(func(p *Proxy) { p.delay = by }) }

// Cut closes all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.links {
		_ = conn.Close()
	}
	clear(p.links)
}

// Links returns the number of connections of clients.
func (p *Proxy) Links() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links) / 2
}

func (p *Proxy) accept(group *sync.WaitGroup) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		target, refuse := p.target, p.refuse
		p.mu.Unlock()
		server, err := net.Dial("tcp", target)
		if err != nil || refuse {
			_ = client.Close()
			continue
		}
		p.set(func(p *Proxy) { p.links[client], p.links[server] = true, true })
		group.Go(func() { p.pump(client, server, false) })
		group.Go(func() { p.pump(server, client, true) })
	}
}

func (p *Proxy) pump(from, to net.Conn, answers bool) {
	defer p.set(func(p *Proxy) {
		delete(p.links, from)
		delete(p.links, to)
	})
	defer from.Close() //nolint:errcheck // of no use any more
	defer to.Close()   //nolint:errcheck // of no use any more
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		drop, delay := p.stalled || answers && p.deaf, p.delay
		p.mu.Unlock()
		if drop {
			_, _ = io.Copy(io.Discard, from) // the connection never carries anything again
			return
		}
		if answers {
			time.Sleep(delay)
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
