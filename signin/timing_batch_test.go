package signin_test

import (
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// batch is a number of visits that take each step together. So what is done for one address is long over when the next step of its visit comes, and lies as
// far back as what is done for every other one.
type batch struct {
	*site
	mails  *outbox
	client client
	visits []*visit
}

// each sends a request of each visit, and waits until all that comes of it is done.
func (b *batch) each(request func(*visit) *http.Request) {
	b.t.Helper()
	for _, v := range b.visits {
		b.learned(v, request(v))
	}
	b.settled()
}

func (b *batch) learned(v *visit, r *http.Request) {
	answer := httptest.NewRecorder()
	b.ServeHTTP(answer, r)
	b.client.learn(v, answer)
}

// newBatch begins visits of the given kinds.
func newBatch(s *site, mails *outbox, c client, kinds []string, from int) *batch {
	b := &batch{s, mails, c, make([]*visit, len(kinds))}
	for i, kind := range kinds {
		b.visits[i] = &visit{address: addressOf(kind, from+i), code: "2222-2222"}
	}
	b.limit()
	return b
}

// limit uses up the limits of the addresses of that kind.
func (b *batch) limit() {
	b.t.Helper()
	for _, v := range b.visits {
		if v.is(kindLimited) {
			b.ServeHTTP(httptest.NewRecorder(), singlePage{b.t}.ask(v))
		}
	}
	b.settled()
}

// later moves the clock.
func (b *batch) later(d time.Duration) {
	b.t.Helper()
	b.clock.move(d)
	b.limit()
}

func (b *batch) asked() { b.t.Helper(); b.each(b.client.ask); b.spend() }

// spend uses the links of that kind of addresses.
func (b *batch) spend() {
	b.t.Helper()
	for _, v := range b.visits {
		if v.is(kindSpent) {
			_, err := b.Redeemer().Redeem(b.t.Context(), magiclink.TokenOf(b.mails.to(v.address).Link))
			require.NoError(b.t, err)
		}
	}
}

// over makes room for the next batch.
func (b *batch) over() {
	b.t.Helper()
	b.settled()
	b.mails.clear()
	b.clock.move(100 * time.Hour)
	for removed := 1; removed > 0; {
		var err error
		removed, err = b.store.Purge(b.t.Context(), b.clock.Now(), 1000)
		require.NoError(b.t, err)
	}
}
