package magiclink_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func withKey(key string, change ...func(*magiclink.MagicLinkCreate)) magiclink.MagicLinkCreate {
	in := fullInput
	in.IdempotencyKey = key
	for _, c := range change {
		c(&in)
	}
	return in
}

func TestIssueOnce(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			first, err := f.Issue(t.Context(), withKey("k"))
			require.NoError(t, err)
			require.False(t, first.Repeated)
			f.clock.set(noon.Add(9 * time.Minute))
			again, err := f.Issue(t.Context(), withKey("k"))
			require.NoError(t, err)
			require.Equal(t, magiclink.MagicLinkResponse{MagicLinkID: first.MagicLinkID, ExpiresAt: first.ExpiresAt, Repeated: true}, again)
			require.Equal(t, first.MagicLinkID, f.told.last(t).LinkID)

			for what, change := range map[string]func(*magiclink.MagicLinkCreate){
				"business": func(in *magiclink.MagicLinkCreate) { in.BusinessID = businessB },
				"external": func(in *magiclink.MagicLinkCreate) { in.ExternalBusinessID = "" },
				"ttl":      func(in *magiclink.MagicLinkCreate) { in.TTL = 9 },
				"session":  func(in *magiclink.MagicLinkCreate) { in.SessionTimeout = 3601 },
				"email":    func(in *magiclink.MagicLinkCreate) { in.Email = "john@example.com" },
				"path":     func(in *magiclink.MagicLinkCreate) { in.Path = "" },
				"ext":      func(in *magiclink.MagicLinkCreate) { in.Extension = "x" },
			} {
				_, err := f.Issue(t.Context(), withKey("k", change))
				require.Equal(t, magiclink.ErrIdempotencyMismatch, err, what)
				require.Equal(t, magiclink.ReasonInvalidInput, f.told.last(t).Reason)
			}
			for _, other := range []magiclink.MagicLinkCreate{
				withKey("K"), withKey(""), withKey("k", func(in *magiclink.MagicLinkCreate) { in.Caller.TenantID = "tenant-2" }),
			} {
				response, err := f.Issue(t.Context(), other)
				require.NoError(t, err)
				require.False(t, response.Repeated)
				require.NotEqual(t, first.MagicLinkID, response.MagicLinkID)
			}
			_, err = f.Redeem(t.Context(), tokenOf(t, first.MagicLink))
			require.NoError(t, err)
			again, err = f.Issue(t.Context(), withKey("k"))
			require.NoError(t, err)
			require.Equal(t, first.MagicLinkID, again.MagicLinkID, "also after its use")
			links, err := f.List(t.Context(), caller("tenant-1", ""), magiclink.ListQuery{})
			require.NoError(t, err)
			require.Len(t, links, 3, "keys are no links")
		})
	}
}

// Of racing calls with one key one gets the link, and all get its id.
func TestIssueOnceRace(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			for _, key := range []string{"a", "b", "c"} {
				responses := make([]magiclink.MagicLinkResponse, 32)
				var group sync.WaitGroup
				for n := range responses {
					group.Go(func() {
						var err error
						responses[n], err = f.Issue(t.Context(), withKey(key))
						require.NoError(t, err)
					})
				}
				group.Wait()
				links := 0
				for _, each := range responses {
					require.Equal(t, responses[0].MagicLinkID, each.MagicLinkID)
					require.Equal(t, each.Repeated, each.MagicLink == "")
					if !each.Repeated {
						links++
					}
				}
				require.Equal(t, 1, links)
			}
		})
	}
}

// A call that dies between its two writes has issued nothing. The next call with the key issues the link that was planned.
func TestIssueOnceAfterACrash(t *testing.T) {
	f := newFixture(t)
	creates := 0
	planned := ""
	f.store.create = func(record *magiclink.Record) {
		if creates++; creates == 2 {
			planned = record.ID
			record.ID = "lost" // the link, and not the key
		}
	}
	_, err := f.Issue(t.Context(), withKey("k"))
	require.NoError(t, err)
	f.clock.set(noon.Add(time.Minute))
	response, err := f.Issue(t.Context(), withKey("k"))
	require.NoError(t, err)
	require.Equal(t, planned, response.MagicLinkID)
	require.False(t, response.Repeated)
	_, err = f.Redeem(t.Context(), tokenOf(t, response.MagicLink))
	require.NoError(t, err)
}

// A call that a limit has refused may be repeated with its key.
func TestIssueOnceAfterALimit(t *testing.T) {
	f := newFixture(t, limits(magiclink.Rate{Burst: 1, Every: time.Minute}, magiclink.Rate{}))
	first, err := f.Issue(t.Context(), withKey("a"))
	require.NoError(t, err)
	_, err = f.Issue(t.Context(), withKey("b"))
	require.ErrorIs(t, err, magiclink.ErrLimited)
	again, err := f.Issue(t.Context(), withKey("a"))
	require.NoError(t, err, "a repetition takes nothing")
	require.Equal(t, first.MagicLinkID, again.MagicLinkID)
	f.clock.set(noon.Add(time.Minute))
	response, err := f.Issue(t.Context(), withKey("b"))
	require.NoError(t, err)
	require.NotEmpty(t, response.MagicLink)
}

func TestIssueOnceRefuses(t *testing.T) {
	f := newFixture(t)
	_, err := f.Issue(t.Context(), withKey(strings.Repeat("k", 1025)))
	require.Equal(t, []string{"IdempotencyKey:max"}, fieldsOf(t, err))
	_, err = f.Issue(t.Context(), withKey(strings.Repeat("\xff", 1024)))
	require.NoError(t, err)

	f.store.before = failing(errors.New("outage"))
	_, err = f.Issue(t.Context(), withKey("k"))
	require.NoError(t, err, "a new key is only written")
	response, err := f.Issue(t.Context(), withKey("k"))
	require.ErrorIs(t, err, magiclink.ErrUnavailable)
	require.Zero(t, response)
}

func TestIssueJSONOnce(t *testing.T) {
	f := newFixture(t)
	body := []byte(withID(`"ttl":5`))
	first, err := f.IssueJSONOnce(t.Context(), magiclink.Caller{}, "k", body)
	require.NoError(t, err)
	again, err := f.IssueJSONOnce(t.Context(), magiclink.Caller{}, "k", []byte(" "+withID(`"ttl":5.0`)))
	require.NoError(t, err)
	require.True(t, again.Repeated)
	require.Equal(t, first.MagicLinkID, again.MagicLinkID)
}
