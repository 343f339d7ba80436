package magiclink_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestState(t *testing.T) {
	at := func(ms int64) time.Time { return time.UnixMilli(1_800_000_000_000 + ms).UTC() }
	link := magiclink.Record{CreatedAt: at(0), ExpiresAt: at(1000), SessionTimeout: 5 * time.Second}
	used, ended, revoked := link, link, link
	used.ConsumedAt = at(100)
	ended.ConsumedAt, ended.RevokedAt = at(100), at(200)
	revoked.RevokedAt = at(200)
	for _, test := range []struct {
		record magiclink.Record
		at     time.Time
		want   magiclink.State
	}{
		{link, at(-1), magiclink.StateLive},
		{link, at(999), magiclink.StateLive},
		{link, at(1000), magiclink.StateExpired},
		{used, at(50), magiclink.StateSession},
		{used, at(5099), magiclink.StateSession},
		{used, at(5100), magiclink.StateUsed},
		{ended, at(50), magiclink.StateRevoked},
		{ended, at(9000), magiclink.StateRevoked},
		{revoked, at(0), magiclink.StateRevoked},
		{revoked, at(9000), magiclink.StateRevoked},
	} {
		require.Equal(t, test.want, test.record.State(test.at), "%+v at %v", test.record, test.at)
	}
}

// The state of a link says what Verdict says.
func TestStateAgreesWithVerdict(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_000).UTC()
	times := []time.Time{{}, at.Add(-time.Hour), at, at.Add(time.Hour)}
	for _, expires := range times[1:] {
		for _, consumed := range times {
			for _, revoked := range times {
				r := magiclink.Record{ExpiresAt: expires, ConsumedAt: consumed, RevokedAt: revoked, SessionTimeout: time.Minute}
				want := map[error][]magiclink.State{
					nil: {magiclink.StateLive}, magiclink.ErrRevoked: {magiclink.StateRevoked}, magiclink.ErrExpired: {magiclink.StateExpired},
					magiclink.ErrConsumed: {magiclink.StateUsed, magiclink.StateSession},
				}[r.Verdict(at, "")]
				require.Contains(t, want, r.State(at))
			}
		}
	}
}

func TestStateIncludes(t *testing.T) {
	all := []magiclink.State{
		magiclink.StateLive, magiclink.StateUsed, magiclink.StateSession, magiclink.StateRevoked, magiclink.StateExpired,
	}
	for _, state := range all {
		require.True(t, magiclink.State("").Includes(state))
		for _, other := range all {
			want := state == other || state == magiclink.StateUsed && other == magiclink.StateSession
			require.Equal(t, want, state.Includes(other), "%s %s", state, other)
		}
	}
}

// A query in a log names nobody.
func TestListQueryHidesTheAddress(t *testing.T) {
	query := magiclink.ListQuery{Subject: magiclink.Subject{TenantID: "t", Email: canary + "@example.com"}, Limit: 1}
	text := fmt.Sprintf("%v %+v %#v %s", query, query, query, query)
	require.NotContains(t, text, canary)
	require.NotContains(t, query.LogValue().String(), canary)
	_, err := magiclink.ListQuery{Subject: magiclink.Subject{Email: canary + "\xff"}, Limit: 1}.Canonical()
	require.Error(t, err)
	require.NotContains(t, err.Error(), canary)
}
