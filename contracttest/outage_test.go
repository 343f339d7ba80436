package contracttest

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

type authenticatorFunc func(*http.Request) (httpadapter.Principal, error)

func (f authenticatorFunc) Authenticate(r *http.Request) (httpadapter.Principal, error) { return f(r) }

func failing(err error) func(*countingStore) {
	return func(s *countingStore) { s.fail = func(context.Context) error { return err } }
}

func TestOutages(t *testing.T) {
	panics := directoryFunc(func(context.Context) (magiclink.Business, error) { panic(errOutage.Error()) })
	hangs := directoryFunc(func(ctx context.Context) (magiclink.Business, error) {
		return magiclink.Business{}, hang(ctx)
	})
	wrong := directoryFunc(func(context.Context) (magiclink.Business, error) {
		return magiclink.Business{ID: globex}, nil
	})
	briefly := func(o *options) { o.handler.Timeout = 20 * time.Millisecond }
	for _, row := range []struct {
		name   string
		store  func(*countingStore)
		change func(*options)
	}{
		{"the store fails", failing(errOutage), nil},
		{"the store does not know", failing(magiclink.ErrUnknownOutcome), nil},
		{"the store has the id already", failing(magiclink.ErrExists), nil},
		{"the store says not found", failing(magiclink.ErrNotFound), nil},
		{"the store hangs", func(s *countingStore) { s.fail = hang }, briefly},
		{"the store panics", func(s *countingStore) {
			s.fail = func(context.Context) error { panic(errOutage.Error()) }
		}, nil},
		{"the directory fails", nil, func(o *options) { o.core.Businesses = brokenDirectory }},
		{"the directory hangs", nil, func(o *options) { briefly(o); o.core.Businesses = hangs }},
		{"the directory panics", nil, func(o *options) { o.core.Businesses = panics }},
		{"the directory answers with another business", nil, func(o *options) { o.core.Businesses = wrong }},
		{"the authenticator fails", nil, func(o *options) {
			o.handler.Authenticator = authenticatorFunc(func(*http.Request) (httpadapter.Principal, error) {
				return httpadapter.Principal{}, errOutage
			})
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newService(t, func(o *options) {
				if row.change != nil {
					row.change(o)
				}
			})
			if row.store != nil {
				row.store(s.store)
			}
			got := s.expect(t, s.good(t), outage)
			require.Equal(t, "2", got.header.Get("Retry-After"))
			require.NotContains(t, string(got.body), errOutage.Error())
			require.Contains(t, s.log.String(), "level=ERROR")
		})
	}
}

func TestCauseOfAnOutageIsLogged(t *testing.T) {
	s := newService(t)
	s.expect(t, s.good(t), created)
	require.Empty(t, s.log.String())
	s.store.fail = func(context.Context) error { return errOutage }
	s.expect(t, s.good(t), outage)
	require.Contains(t, s.log.String(), errOutage.Error())
	s.store.fail = nil
	s.expect(t, s.good(t), created)
}

func TestSigningKeyIsGone(t *testing.T) {
	var keys *magiclink.Keyring
	s := newService(t, func(o *options) {
		var err error
		keys, err = magiclink.GenerateKeyring(magiclink.EdDSA)
		require.NoError(t, err)
		o.core.Keys = keys
	})
	s.expect(t, s.good(t), created)
	public, err := keys.Public()
	require.NoError(t, err)
	require.False(t, public.CanSign())
	jwks, err := keys.PublicJWKS()
	require.NoError(t, err)
	require.NoError(t, keys.Reload(keyFile(t, jwks)))
	s.expect(t, s.good(t), outage)
	require.True(t, errors.Is(signWith(keys), magiclink.ErrNoSigningKey))
}

// An Authenticator that asks another system is bound by the deadline like everything else.
func TestAuthenticatorIsBoundByTheTimeout(t *testing.T) {
	s := newService(t, func(o *options) {
		o.handler.Timeout = 20 * time.Millisecond
		o.handler.Authenticator = authenticatorFunc(func(r *http.Request) (httpadapter.Principal, error) {
			if _, bound := r.Context().Deadline(); !bound {
				return httpadapter.Principal{}, httpadapter.ErrInvalidCredentials // instead of hanging for ever
			}
			return httpadapter.Principal{}, hang(r.Context())
		})
	})
	s.expect(t, s.good(t), outage)
}
