package magiclinktest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/magiclink-go/magiclink/signin"
)

// patience bounds how long a test waits for a mail, which comes from another goroutine.
const patience = 10 * time.Second

// Inbox is a [signin.Mailer] that keeps the messages instead of sending them. The zero Inbox is empty and ready to use. It is
// safe for concurrent use.
type Inbox struct {
	mu       sync.Mutex
	messages []signin.Message
	read     map[string]int // how many messages to an address Wait has returned
	changed  chan struct{}  // closed when a message comes
	failure  error
}

// NewInbox returns an empty Inbox.
func NewInbox() *Inbox { return new(Inbox) }

// Send implements [signin.Mailer].
func (i *Inbox) Send(_ context.Context, message signin.Message) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failure != nil {
		return i.failure
	}
	i.messages = append(i.messages, message)
	if i.changed != nil {
		close(i.changed)
		i.changed = nil
	}
	return nil
}

// Fail lets Send fail with the error from now on. Nil ends that.
func (i *Inbox) Fail(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failure = err
}

// Messages returns all messages, the oldest first.
func (i *Inbox) Messages() []signin.Message {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.messages)
}

// Wait returns the next message to the address: the first call returns the first message to it, the second call the second, and
// so on. It waits for a message that has not come yet, and fails the test after ten seconds.
func (i *Inbox) Wait(tb testing.TB, to string) signin.Message {
	tb.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		message, more, found := i.next(to)
		if found {
			return message
		}
		select {
		case <-more:
		case <-timeout.C:
			tb.Fatalf("magiclinktest: no other mail to %s has come in %v, and %d mails have come in all. Does Resolve know the address? "+
				"A second mail to one address comes only after a pause: move the clock on by a minute, or see signin.Limits", to, patience, len(i.Messages()))
		}
	}
}

// next returns a channel that is closed when a message comes, if there is none yet.
func (i *Inbox) next(to string) (message signin.Message, more <-chan struct{}, found bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	skip := i.read[to]
	for _, each := range i.messages {
		switch {
		case each.To != to:
		case skip > 0:
			skip--
		default:
			if i.read == nil {
				i.read = map[string]int{}
			}
			i.read[to]++
			return each, nil, true
		}
	}
	if i.changed == nil {
		i.changed = make(chan struct{})
	}
	return signin.Message{}, i.changed, false
}
