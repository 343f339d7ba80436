package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/stretchr/testify/require"
)

// traffic is what a tab has asked for, and what it has complained about.
type traffic struct {
	mu         sync.Mutex
	requests   []*request
	headers    map[network.RequestID][]map[string]string // as sent on the wire, one for each hop of a redirection
	idle       map[cdp.LoaderID]bool
	complaints []string
}

// request is one that the tab has sent. A redirection makes two of them, with one id.
type request struct {
	id          network.RequestID
	hop         int
	loader      cdp.LoaderID
	method, url string
}

// take is called for each event, in their order.
func (n *traffic) take(event any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		hops := 0
		for _, r := range n.requests {
			if r.id == e.RequestID {
				hops++
			}
		}
		n.requests = append(n.requests, &request{e.RequestID, hops, e.LoaderID, e.Request.Method, e.Request.URL})
	case *network.EventRequestWillBeSentExtraInfo:
		header := map[string]string{}
		for name, value := range e.Headers {
			header[strings.ToLower(name)] = fmt.Sprint(value)
		}
		if n.headers == nil {
			n.headers = map[network.RequestID][]map[string]string{}
		}
		n.headers[e.RequestID] = append(n.headers[e.RequestID], header)
	case *page.EventLifecycleEvent:
		if e.Name == "networkIdle" {
			if n.idle == nil {
				n.idle = map[cdp.LoaderID]bool{}
			}
			n.idle[e.LoaderID] = true
		}
	case *runtime.EventConsoleAPICalled:
		n.complaints = append(n.complaints, fmt.Sprint("console ", e.Type))
	case *runtime.EventExceptionThrown:
		n.complaints = append(n.complaints, "exception "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		n.complaints = append(n.complaints, string(e.Entry.Source)+": "+e.Entry.Text)
	}
}

// forget begins anew.
func (n *traffic) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests, n.complaints = nil, nil
}

// sent returns the requests so far.
func (n *traffic) sent() []*request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.requests)
}

// heard returns what the console has shown so far.
func (n *traffic) heard() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.complaints)
}

// wire returns the headers that a request was really sent with. The browser tells them apart from the request itself.
func (b *tab) wire(r *request) (header map[string]string) {
	b.t.Helper()
	waitFor(b.t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		all := b.headers[r.id]
		if len(all) <= r.hop {
			return false
		}
		header = all[r.hop]
		return true
	})
	return header
}

// find returns the only request of the method whose URL begins so.
func (b *tab) find(method, prefix string) *request {
	b.t.Helper()
	var found []*request
	for _, r := range b.sent() {
		if r.method == method && strings.HasPrefix(r.url, prefix) {
			found = append(found, r)
		}
	}
	require.Len(b.t, found, 1, "%s %s", method, prefix)
	return found[0]
}

// waitIdle waits until the page that was loaded last asks for nothing more.
func (b *tab) waitIdle() {
	b.t.Helper()
	waitFor(b.t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.requests) > 0 && b.idle[b.requests[len(b.requests)-1].loader]
	})
}
