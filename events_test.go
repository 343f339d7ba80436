package magiclink_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestEvents(t *testing.T) {
	outage := &brokenStore{err: errors.New("outage")}
	healthy := func(*magiclink.Config) {}
	for name, test := range map[string]struct {
		change func(*magiclink.Config)
		in     magiclink.MagicLinkCreate
		want   magiclink.Event
	}{
		"issued": {
			healthy,
			magiclink.MagicLinkCreate{TenantID: "t", BusinessID: businessA},
			magiclink.Event{Kind: magiclink.EventIssued, At: noon, TenantID: "t", BusinessID: businessA},
		},
		"invalid": {
			healthy,
			magiclink.MagicLinkCreate{TenantID: "t"},
			magiclink.Event{Kind: magiclink.EventRefused, Reason: magiclink.ReasonInvalidInput, At: noon, TenantID: "t"},
		},
		"forbidden": {
			healthy,
			magiclink.MagicLinkCreate{TenantID: "t", BusinessID: businessA, ScopedBusinessID: businessB},
			magiclink.Event{Kind: magiclink.EventRefused, Reason: magiclink.ReasonBusinessForbidden, At: noon, TenantID: "t"},
		},
		"not found": {
			func(c *magiclink.Config) { c.Businesses = directory{} },
			magiclink.MagicLinkCreate{TenantID: "t", BusinessID: businessA},
			magiclink.Event{Kind: magiclink.EventRefused, Reason: magiclink.ReasonBusinessNotFound, At: noon, TenantID: "t"},
		},
		"unavailable": {
			func(c *magiclink.Config) { c.Store = outage },
			magiclink.MagicLinkCreate{TenantID: "t", BusinessID: businessA},
			magiclink.Event{Kind: magiclink.EventRefused, Reason: magiclink.ReasonUnavailable, At: noon, TenantID: "t"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, test.change)
			response, _ := f.Issue(t.Context(), test.in)
			test.want.LinkID = response.MagicLinkID
			require.Equal(t, []magiclink.Event{test.want}, f.told.events)
			require.Equal(t, test.want.Kind == magiclink.EventIssued, response.MagicLinkID != "")
		})
	}
}

func TestEventsOfRevoke(t *testing.T) {
	f := newFixture(t)
	response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{TenantID: "t", BusinessID: businessA})
	require.NoError(t, err)
	require.NoError(t, f.Revoke(t.Context(), "t", response.MagicLinkID))
	require.ErrorIs(t, f.Revoke(t.Context(), "other", response.MagicLinkID), magiclink.ErrNotFound)
	require.Equal(t, []magiclink.Event{
		{Kind: magiclink.EventRevoked, At: noon, TenantID: "t", BusinessID: businessA, LinkID: response.MagicLinkID},
		{Kind: magiclink.EventRefused, Reason: magiclink.ReasonNotFound, At: noon, TenantID: "other"},
	}, f.told.events[1:])
}

func TestPanicInOnEvent(t *testing.T) {
	for name, value := range map[string]any{"value": "jane@example.com", "error": errors.New("jane@example.com"), "nil": nil} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			f := newFixture(t, func(c *magiclink.Config) {
				c.Logger = slog.New(slog.NewTextHandler(&log, nil))
				c.OnEvent = func(context.Context, magiclink.Event) { panic(value) }
			})
			response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
			require.NoError(t, err)
			_, err = f.store.Get(t.Context(), response.MagicLinkID)
			require.NoError(t, err, "the link is there")
			require.Contains(t, log.String(), "OnEvent panicked")
			require.Contains(t, log.String(), response.MagicLinkID)
			require.NotContains(t, log.String(), "jane")
		})
	}
}

func TestNoOnEvent(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.OnEvent = nil })
	_, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
	require.NoError(t, err)
}
