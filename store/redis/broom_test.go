package redis_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
)

// TestServerRemovesRecords looks at when the server removes a key: a margin after the end of the record, whatever its state.
func TestServerRemovesRecords(t *testing.T) {
	client := openClient(t, dbtest.RedisURL(t), nil)
	options := redis.Options{Prefix: newPrefix()}
	store := openStore(t, client, options)
	at := time.Now().Add(24 * time.Hour).Truncate(time.Second)
	round := time.UnixMilli(8_000_000_000_000) // a number that a server could write as 8e+12
	for name, r := range map[string]magiclink.Record{
		"session outlasts link": {SessionTimeout: 48 * time.Hour, ExpiresAt: at.Add(time.Hour)},
		"link outlasts session": {SessionTimeout: time.Minute, ExpiresAt: at.Add(time.Hour)},
		"no session":            {ExpiresAt: at.Add(time.Hour)},
		"round number":          {SessionTimeout: time.Duration(1_000_000_000)*time.Second - redis.Margin, ExpiresAt: round.Add(-redis.Margin)},
		"far away":              {SessionTimeout: time.Hour, ExpiresAt: at.AddDate(100_000, 0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			r.ID = "mlk_" + name
			require.NoError(t, store.Create(t.Context(), r))
			requireBroom(t, client.Do(t.Context(), "pexpiretime", options.Prefix+r.ID).Val(), r)
			used, err := store.Consume(t.Context(), r.ID, at, "by")
			require.NoError(t, err)
			stay := client.PTTL(t.Context(), options.Prefix+r.ID).Val()
			require.InDelta(t, r.SessionTimeout+redis.Margin, stay, float64(10*time.Second), "from the use on, whatever the clock of the caller says")
			require.NoError(t, store.Revoke(t.Context(), r.ID, at))
			used.RevokedAt = at
			requireBroom(t, client.Do(t.Context(), "pexpiretime", options.Prefix+r.ID).Val(), used)
		})
	}
}

func requireBroom(t *testing.T, got any, r magiclink.Record) {
	t.Helper()
	require.Equal(t, r.End().Add(redis.Margin).UnixMilli(), got)
}

// TestTextsLookLikeState keeps texts that look like what the scripts look for.
func TestTextsLookLikeState(t *testing.T) {
	store := openStore(t, openClient(t, dbtest.RedisURL(t), nil), redis.Options{Prefix: newPrefix()})
	at := time.Now().Truncate(time.Millisecond).UTC()
	for i, text := range []string{"-", "+", "!", "\n", "-1 - 2\nby+", "1!", "-1!", "-1 - 0\n+2!", "1 1 1 1 1 1 1 1 1 1\n"} {
		r := link(i)
		r.Path, r.Extension = text, text
		by := "a session\n" + text
		require.NoError(t, store.Create(t.Context(), r))
		requireRecord(t, store, r)
		used, err := store.Consume(t.Context(), r.ID, at, by)
		require.NoError(t, err)
		r.ConsumedAt, r.ConsumedBy = at, by
		require.Equal(t, r, used)
		requireRecord(t, store, r)
		_, err = store.Consume(t.Context(), r.ID, at, "another")
		require.ErrorIs(t, err, magiclink.ErrConsumed)
		n, err := store.Purge(t.Context(), r.End(), 10)
		require.NoError(t, err)
		require.Zero(t, n)
		require.NoError(t, store.Revoke(t.Context(), r.ID, at))
		r.RevokedAt = at
		requireRecord(t, store, r)
		r.ID += "/made so"
		require.NoError(t, store.Create(t.Context(), r))
		requireRecord(t, store, r)
		n, err = store.Purge(t.Context(), r.End().Add(time.Millisecond), 10)
		require.NoError(t, err)
		require.Equal(t, 2, n, "positive control")
	}
}

func requireRecord(t *testing.T, store *redis.Store, want magiclink.Record) {
	t.Helper()
	got, err := store.Get(t.Context(), want.ID)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// TestTimesOutOfRange gives times whose milliseconds a script cannot compare exactly.
func TestTimesOutOfRange(t *testing.T) {
	store := openStore(t, openClient(t, dbtest.RedisURL(t), nil), redis.Options{})
	far := time.UnixMilli(1 << 60)
	for _, change := range []func(*magiclink.Record){
		func(r *magiclink.Record) { r.ExpiresAt = far },
		func(r *magiclink.Record) { r.CreatedAt = time.UnixMilli(-1 << 60) },
		func(r *magiclink.Record) { r.ConsumedAt = far },
		func(r *magiclink.Record) { r.RevokedAt = far },
		func(r *magiclink.Record) { r.Email = "\xff" },
	} {
		r := link(1)
		change(&r)
		require.Error(t, store.Create(t.Context(), r))
	}
	require.NoError(t, store.Create(t.Context(), link(1)), "positive control")
	_, err := store.Consume(t.Context(), link(1).ID, far, "by")
	require.ErrorContains(t, err, "out of range")
	require.ErrorContains(t, store.Revoke(t.Context(), link(1).ID, far), "out of range")
	got, err := store.Get(t.Context(), link(1).ID)
	require.NoError(t, err)
	require.Equal(t, got, got.Canonical())
	require.True(t, got.ConsumedAt.IsZero() && got.RevokedAt.IsZero())
}
