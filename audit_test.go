package magiclink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestAudit(t *testing.T) {
	var log lockedBuffer
	f := newFixture(t, func(c *magiclink.Config) { c.OnEvent = magiclink.Audit(&log) })
	ctx := magiclink.WithActor(t.Context(), "client:crm")
	response, err := f.Issue(ctx, fullInput)
	require.NoError(t, err)
	_, err = f.RevokeAll(ctx, fullInput.Caller, magiclink.Subject{Email: fullInput.Email})
	require.NoError(t, err)
	_, err = f.Redeem(t.Context(), tokenOf(t, response.MagicLink))
	require.Error(t, err)

	var got []map[string]any
	for line := range strings.Lines(log.String()) {
		require.NotContains(t, line, fullInput.Email)
		require.NotContains(t, line, "reports")
		var members map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &members))
		require.GreaterOrEqual(t, members["took_ms"], 0.0)
		delete(members, "took_ms")
		got = append(got, members)
	}
	line := func(op, reason, actor, business, link string, count float64) map[string]any {
		tenant := "tenant-1"
		if reason != "" {
			tenant = ""
		}
		return map[string]any{
			"at": "2026-03-14T12:00:07.891234567Z", "op": op, "reason": reason, "actor": actor, "tenant_id": tenant,
			"business_id": business, "link_id": link, "count": count,
		}
	}
	require.Equal(t, []map[string]any{
		line("issue", "", "client:crm", businessA, response.MagicLinkID, 0),
		line("revoke_all", "", "client:crm", "", "", 1),
		line("redeem", "revoked", "", "", response.MagicLinkID, 0),
	}, got)
}

// Each event is one Write, and no two overlap.
func TestAuditLinesAreWhole(t *testing.T) {
	var log bytes.Buffer // without a lock of its own
	audit := magiclink.Audit(&log)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() { audit(t.Context(), magiclink.Event{Op: magiclink.OpIssue, TenantID: "a\nb\u2028\"c"}) })
	}
	group.Wait()
	lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
	require.Len(t, lines, 50)
	for _, line := range lines {
		require.True(t, json.Valid([]byte(line)))
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAuditReportsWhatIsLost(t *testing.T) {
	var log lockedBuffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	magiclink.Audit(fullDisk{})(t.Context(), magiclink.Event{Op: magiclink.OpIssue})
	require.Contains(t, log.String(), "audit log")
	require.Contains(t, log.String(), "no space left on device")
}

func TestActor(t *testing.T) {
	for actor, want := range map[string]string{
		"client:crm": "client:crm", "": "", "a\nb": "", "\xff": "",
		strings.Repeat("ä", 255): strings.Repeat("ä", 255), strings.Repeat("ä", 256): "",
	} {
		f := newFixture(t)
		ctx := magiclink.WithActor(t.Context(), actor)
		_, _ = f.Issue(ctx, fullInput)
		require.Equal(t, want, f.told.last(t).Actor)
	}
	f := newFixture(t)
	ctx, cancel := context.WithTimeout(magiclink.WithActor(t.Context(), "inner"), time.Minute)
	defer cancel()
	_, _ = f.sessions.List(ctx, magiclink.Subject{})
	require.Equal(t, "inner", f.told.last(t).Actor)
}
