package main

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// connections caps the connections of a server, so that clients cannot use up descriptors and memory. At the cap a new
// connection takes the place of the one that has been without a request for longest. While every connection has a request
// that runs, new ones wait.
type connections struct {
	net.Listener
	most int

	mu      sync.Mutex
	changed *sync.Cond // a connection has ended or become idle, or the listener has
	open    int
	closed  bool
	idle    *list.List // of connections without a request, the longest first
	places  map[net.Conn]*list.Element
}

func capConnections(listener net.Listener, most int) *connections {
	c := &connections{Listener: listener, most: most, idle: list.New(), places: map[net.Conn]*list.Element{}}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// Accept implements [net.Listener].
func (c *connections) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open >= c.most {
		switch oldest := c.idle.Front(); {
		case c.closed:
			_ = conn.Close()
			return nil, net.ErrClosed
		case oldest != nil:
			c.closeIdle(oldest)
		default:
			c.changed.Wait()
		}
	}
	c.open++
	return &counted{Conn: conn, ended: sync.OnceFunc(c.end)}, nil
}

// closeIdle closes an idle connection, without the lock because the connection ends there.
func (c *connections) closeIdle(oldest *list.Element) {
	conn := oldest.Value.(net.Conn)
	c.forget(conn)
	c.mu.Unlock()
	_ = conn.Close() // its place is free in any case
	c.mu.Lock()
}

func (c *connections) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	c.changed.Signal()
}

// Close implements [net.Listener].
func (c *connections) Close() error {
	c.mu.Lock()
	c.closed = true
	c.changed.Broadcast()
	c.mu.Unlock()
	return c.Listener.Close()
}

// note is the ConnState hook of the server.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(conn)
	if state == http.StateIdle || state == http.StateNew {
		c.places[conn] = c.idle.PushBack(conn)
		c.changed.Signal()
	}
}

func (c *connections) forget(conn net.Conn) {
	if place, ok := c.places[conn]; ok {
		c.idle.Remove(place)
		delete(c.places, conn)
	}
}

// counted reports its end once.
type counted struct {
	net.Conn
	ended func()
}

// Close implements [net.Conn].
func (c *counted) Close() error {
	defer c.ended()
	return c.Conn.Close()
}
