package contracttest

import (
	"context"
	"testing"

	"github.com/magiclink-go/magiclink"
)

// fault is one row of the contract's table: a way to break a request, and the answer to it.
type fault struct {
	name  string
	spoil func(testing.TB, *service) spoil
	want  want
	part  string // what it breaks: two faults of one part cannot be together in a request
}

// faults are in the order in which they are judged.
var faults = []fault{
	{"another method", func(testing.TB, *service) spoil { return method("PUT") }, wrongMethod, "method"},
	{"no credentials", func(testing.TB, *service) spoil { return header("Authorization") }, noCredentials, "token"},
	{"bad token", func(testing.TB, *service) spoil { return bearer("x") }, invalidToken, "token"},
	{"no scope", func(tb testing.TB, s *service) spoil {
		return bearer(s.access(tb, func(a *magiclink.AccessToken) { a.Scopes = nil }))
	}, lacksScope, "token"},
	{"too large", func(testing.TB, *service) spoil { return padded(limit + 1) }, tooLarge, "body"},
	{"too large, chunked", func(testing.TB, *service) spoil {
		return func(r *request) { padded(limit + 1)(r); chunked(r) }
	}, tooLarge, "body"},
	{"wrong type", func(testing.TB, *service) spoil { return header("Content-Type", "text/plain") }, unreadable, "type"},
	{
		"wrong encoding", func(testing.TB, *service) spoil { return header("Content-Encoding", "gzip") },
		unreadable, "encoding",
	},
	{"not JSON", func(testing.TB, *service) spoil { return body("{") }, unreadable, "body"},
	{"a broken field of an unknown business", func(testing.TB, *service) spoil {
		return body(`{"business_id":"` + nobody + `","ttl":0}`)
	}, fields("ttl:min"), "body"},
	{"a broken field of a foreign business", func(testing.TB, *service) spoil {
		return body(`{"business_id":"` + other + `","email":"x"}`)
	}, fields("email:email"), "body"},
	{
		"two businesses", func(testing.TB, *service) spoil { return named(globex, "acme") },
		fields("external_business_id:same_business"), "body",
	},
	{
		"scoped elsewhere", func(tb testing.TB, s *service) spoil { return bearer(s.access(tb, scopedTo(globex))) },
		otherBusiness, "token",
	},
	{"unknown business", func(testing.TB, *service) spoil { return named(nobody, "") }, notFound, "body"},
	{"the store fails", func(_ testing.TB, s *service) spoil {
		s.store.fail = func(context.Context) error { return errOutage }
		return func(*request) {}
	}, outage, "store"},
}

// Every two faults that can meet in one request are answered like the first of them.
func TestTheEarlierFaultAnswers(t *testing.T) {
	s := newService(t)
	for n, first := range faults {
		for _, second := range faults[n:] {
			if first.part == second.part && first.name != second.name {
				continue
			}
			t.Run(first.name+" + "+second.name, func(t *testing.T) {
				defer func() { s.store.fail = nil }()
				s.expect(t, s.good(t, first.spoil(t, s), second.spoil(t, s)), first.want)
			})
		}
	}
	s.expect(t, s.good(t), created)
}

// A business id says by itself that the token is for another one: that needs no directory.
func TestScopeIsJudgedBeforeTheDirectoryFails(t *testing.T) {
	s := newService(t, func(o *options) { o.core.Businesses = brokenDirectory })
	s.expect(t, s.asking(t, globex, "", scopedTo(acme)), otherBusiness)
	s.expect(t, s.asking(t, acme, "", scopedTo(acme)), outage)
	s.expect(t, s.good(t, member(`"ttl":0`)), fields("ttl:min"))
	s.expect(t, s.good(t, padded(limit+1)), tooLarge)
	s.expect(t, s.good(t, bearer("x")), invalidToken)
}
