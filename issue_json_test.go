package magiclink_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestIssueJSON(t *testing.T) {
	f := newFixture(t)
	link, err := f.IssueJSON(t.Context(), caller("t1", businessA), []byte(withID(`"ttl":15,"path":"/reports"`)))
	require.NoError(t, err)
	record, err := f.store.Get(t.Context(), link.MagicLinkID)
	require.NoError(t, err)
	require.Equal(t, "t1", record.TenantID)
	require.Equal(t, "/reports", record.Path)
	require.Equal(t, noon.Truncate(time.Second).Add(15*time.Minute), record.ExpiresAt)

	_, err = f.IssueJSON(t.Context(), caller("t1", businessB), []byte(withID(`"ttl":15`)))
	require.ErrorIs(t, err, magiclink.ErrBusinessForbidden)
}

// Every fault of a body is reported, nothing is stored, and one event tells of it.
func TestIssueJSONRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want []string // nil for a body that cannot be read
	}{
		"no object":              {"[]", nil},
		"duplicate":              {withID(`"ttl":1,"ttl":1`), nil},
		"readable":               {withID(`"ttl":16,"path":"x"`), []string{"ttl:max", "path:localpath"}},
		"unreadable":             {withID(`"ttl":null`), []string{"ttl:type"}},
		"both":                   {withID(`"ttl":null,"session_timeout":3601,"path":"x"`), []string{"ttl:type", "session_timeout:max", "path:localpath"}},
		"over the longest alone": {withID(`"session_timeout":3601`), []string{"session_timeout:max"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *magiclink.Config) { c.MaxSessionTimeout = time.Hour })
			_, err := f.IssueJSON(t.Context(), caller("t1", ""), []byte(test.body))
			if test.want == nil {
				require.ErrorAs(t, err, new(*magiclink.SyntaxError))
			} else {
				require.Equal(t, test.want, fieldsOf(t, err))
			}
			n, err := f.store.Purge(t.Context(), noon.Add(24*time.Hour), 10)
			require.NoError(t, err)
			require.Zero(t, n)
			require.Equal(t, []magiclink.Event{{
				Op: magiclink.OpIssue, Reason: magiclink.ReasonInvalidInput, At: noon, TenantID: "t1",
			}}, f.told.events)
		})
	}
}
