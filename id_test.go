package magiclink_test

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

var linkID = regexp.MustCompile(`^mlk_[` + idAlphabet + `]{22}$`)

func TestIDsSortByTime(t *testing.T) {
	for _, step := range []time.Duration{time.Microsecond, time.Millisecond, 333 * time.Millisecond, 9999 * time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			f := newFixture(t)
			f.clock.step = step
			var ids []string
			for range 500 {
				response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
				require.NoError(t, err)
				require.Regexp(t, linkID, response.MagicLinkID)
				ids = append(ids, response.MagicLinkID)
			}
			require.True(t, slices.IsSorted(ids))
			require.Len(t, slices.Compact(ids), 500)
		})
	}
}

func TestIDsOfOneMomentDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		seen[magiclink.NewBusinessID(noon)] = true
	}
	require.Len(t, seen, 10_000)
}

// The ends of the 48 bits that a UUIDv7 has for the time, and the ends of a millisecond.
func TestIDsAtTheEndsOfTime(t *testing.T) {
	end := time.UnixMilli(1<<48 - 1).Add(time.Millisecond - 1)
	times := []time.Time{
		time.Unix(0, 0), time.Unix(0, 999_999), time.Unix(0, 1_000_000), noon.Truncate(time.Millisecond),
		noon.Truncate(time.Millisecond).Add(999_999), noon.Truncate(time.Millisecond).Add(1_000_000), end,
	}
	var ids []string
	for _, at := range times {
		id := magiclink.NewBusinessID(at)
		require.Regexp(t, `^biz_[`+idAlphabet+`]{22}$`, id)
		ids = append(ids, id)
	}
	require.True(t, slices.IsSorted(ids))
}

func TestBusinessIDs(t *testing.T) {
	id := magiclink.NewBusinessID(noon)
	require.Regexp(t, `^biz_[`+idAlphabet+`]{22}$`, id)
	require.True(t, magiclink.ValidBusinessID(id))
	require.True(t, magiclink.ValidBusinessID(businessA))
	for _, id := range []string{"", "biz_", businessA[:25], businessA + "2", "mlk_" + businessA[4:], "biz_0000000000000000000000"} {
		require.False(t, magiclink.ValidBusinessID(id), id)
	}
}

func TestKeyInfoTellsTheTimeOfGeneratedKeysAlone(t *testing.T) {
	generated, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), generated.Keys()[0].CreatedAt, time.Minute)
	require.Equal(t, time.UTC, generated.Keys()[0].CreatedAt.Location())
	require.Zero(t, seededKeyring(t).Keys()[0].CreatedAt)
}
