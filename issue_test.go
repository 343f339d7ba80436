package magiclink_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestIssueDefaults(t *testing.T) {
	f := newFixture(t)
	response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
	require.NoError(t, err)

	record, err := f.store.Get(t.Context(), response.MagicLinkID)
	require.NoError(t, err)
	require.Equal(t, magiclink.Record{
		ID:             response.MagicLinkID,
		Subject:        magiclink.Subject{BusinessID: businessA},
		SessionTimeout: 86400 * time.Second,
		CreatedAt:      noon.Truncate(time.Millisecond),
		ExpiresAt:      noon.Truncate(time.Second).Add(5 * time.Minute),
	}, record)
	require.Equal(t, record.ExpiresAt, response.ExpiresAt)
}

func TestIssueKeepsEveryField(t *testing.T) {
	f := newFixture(t)
	f.clock.now = noon.In(time.FixedZone("elsewhere", 5*3600))
	response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{
		Caller: caller("tenant-1", ""), BusinessID: businessA, ExternalBusinessID: "Zürich 7", TTL: 15, SessionTimeout: 7948800,
		Email: "Jane.K@Example.COM", Path: "/reports?y=1#top", Extension: "e\x00\xff",
	})
	require.NoError(t, err)

	record, err := f.store.Get(t.Context(), response.MagicLinkID)
	require.NoError(t, err)
	require.Equal(t, magiclink.Record{
		ID: response.MagicLinkID,
		Subject: magiclink.Subject{
			TenantID: "tenant-1", BusinessID: businessA, ExternalBusinessID: "Zürich 7", Email: "Jane.K@example.com",
		},
		Path: "/reports?y=1#top", SessionTimeout: 7948800 * time.Second, Extension: "e\x00\xff",
		CreatedAt: noon.Truncate(time.Millisecond),
		ExpiresAt: noon.Truncate(time.Second).Add(15 * time.Minute),
	}, record)
	require.Equal(t, time.UTC, response.ExpiresAt.Location())
	require.Zero(t, response.ExpiresAt.Nanosecond())
}

// A link's token carries an id and times, and no personal data.
func TestTokenOfLink(t *testing.T) {
	f := newFixture(t)
	response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{
		Caller: caller("tenant-1", ""), BusinessID: businessA, ExternalBusinessID: "shop-7", Email: "jane@example.com", Path: "/reports",
	})
	require.NoError(t, err)
	token := tokenOf(t, response.MagicLink)

	header := part(t, token, 0)
	require.Equal(t, []string{"alg", "kid", "typ"}, slices.Sorted(maps.Keys(header)))
	require.Equal(t, "EdDSA", header["alg"])
	require.Equal(t, seededKeyring(t).Keys()[0].ID, header["kid"])
	require.Equal(t, "magiclink+jwt", header["typ"])

	claims := part(t, token, 1)
	require.Equal(t, map[string]any{
		"iss": origin, "aud": origin + "#magic-link", "jti": response.MagicLinkID,
		"iat": json.Number("1773489607"), "exp": json.Number("1773489907"),
	}, claims)
	require.Equal(t, int64(1773489907), response.ExpiresAt.Unix())
	require.Less(t, len(response.MagicLink), 512, "a link stays short enough for every mail program")
}

func TestIssueReportsEveryBrokenField(t *testing.T) {
	f := newFixture(t)
	_, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{
		BusinessID: "biz_2", ExternalBusinessID: "a\nb", TTL: 16, SessionTimeout: 7948801, Email: "jane", Path: "reports",
		Extension: repeat("x", 1025),
	})
	require.Equal(t, []string{
		"business_id:biz_string", "external_business_id:plaintext", "ttl:max", "session_timeout:max", "email:email", "path:localpath",
		"Extension:max",
	}, fieldsOf(t, err))
}

func TestIssueFields(t *testing.T) {
	long := strings.Repeat("ü", 255)
	for name, test := range map[string]struct {
		in   magiclink.MagicLinkCreate
		want string // the fault; empty: none
	}{
		"business":           {magiclink.MagicLinkCreate{BusinessID: businessA}, ""},
		"external":           {magiclink.MagicLinkCreate{ExternalBusinessID: "7"}, ""},
		"no business":        {magiclink.MagicLinkCreate{}, "business_id:required_without"},
		"short id":           {magiclink.MagicLinkCreate{BusinessID: businessA[:25]}, "business_id:biz_string"},
		"long id":            {magiclink.MagicLinkCreate{BusinessID: businessA + "a"}, "business_id:biz_string"},
		"other prefix":       {magiclink.MagicLinkCreate{BusinessID: "mlk_" + businessA[4:]}, "business_id:biz_string"},
		"upper prefix":       {magiclink.MagicLinkCreate{BusinessID: "BIZ_" + businessA[4:]}, "business_id:biz_string"},
		"digit 0":            {magiclink.MagicLinkCreate{BusinessID: "biz_0" + businessA[5:]}, "business_id:biz_string"},
		"digit 1":            {magiclink.MagicLinkCreate{BusinessID: "biz_1" + businessA[5:]}, "business_id:biz_string"},
		"letter I":           {magiclink.MagicLinkCreate{BusinessID: "biz_I" + businessA[5:]}, "business_id:biz_string"},
		"letter O":           {magiclink.MagicLinkCreate{BusinessID: "biz_O" + businessA[5:]}, "business_id:biz_string"},
		"letter l":           {magiclink.MagicLinkCreate{BusinessID: "biz_l" + businessA[5:]}, "business_id:biz_string"},
		"line break":         {magiclink.MagicLinkCreate{BusinessID: businessA + "\n"}, "business_id:biz_string"},
		"255 characters":     {magiclink.MagicLinkCreate{ExternalBusinessID: long}, ""},
		"256 characters":     {magiclink.MagicLinkCreate{ExternalBusinessID: long + "x"}, "external_business_id:max"},
		"control":            {magiclink.MagicLinkCreate{ExternalBusinessID: "a\x7f"}, "external_business_id:plaintext"},
		"C1 control":         {magiclink.MagicLinkCreate{ExternalBusinessID: "a\u0085"}, "external_business_id:plaintext"},
		"not UTF-8":          {magiclink.MagicLinkCreate{ExternalBusinessID: "a\xff"}, "external_business_id:plaintext"},
		"ttl 1":              {magiclink.MagicLinkCreate{BusinessID: businessA, TTL: 1}, ""},
		"ttl 15":             {magiclink.MagicLinkCreate{BusinessID: businessA, TTL: 15}, ""},
		"ttl 16":             {magiclink.MagicLinkCreate{BusinessID: businessA, TTL: 16}, "ttl:max"},
		"ttl -1":             {magiclink.MagicLinkCreate{BusinessID: businessA, TTL: -1}, "ttl:min"},
		"session 1":          {magiclink.MagicLinkCreate{BusinessID: businessA, SessionTimeout: 1}, ""},
		"session -1":         {magiclink.MagicLinkCreate{BusinessID: businessA, SessionTimeout: -1}, "session_timeout:min"},
		"session 7948800":    {magiclink.MagicLinkCreate{BusinessID: businessA, SessionTimeout: 7948800}, ""},
		"session 7948801":    {magiclink.MagicLinkCreate{BusinessID: businessA, SessionTimeout: 7948801}, "session_timeout:max"},
		"session overflows":  {magiclink.MagicLinkCreate{BusinessID: businessA, SessionTimeout: math.MaxInt}, "session_timeout:max"},
		"extension 1024":     {magiclink.MagicLinkCreate{BusinessID: businessA, Extension: repeat("\xff", 1024)}, ""},
		"extension 1025":     {magiclink.MagicLinkCreate{BusinessID: businessA, Extension: repeat("x", 1025)}, "Extension:max"},
		"extension in bytes": {magiclink.MagicLinkCreate{BusinessID: businessA, Extension: repeat("ü", 513)}, "Extension:max"},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := newFixture(t).Issue(t.Context(), test.in)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, []string{test.want}, fieldsOf(t, err))
			require.Zero(t, response)
		})
	}
}

func TestMaxSessionTimeout(t *testing.T) {
	hour := func(c *magiclink.Config) { c.MaxSessionTimeout = time.Hour }
	f := newFixture(t, hour)
	for asked, want := range map[int]time.Duration{0: time.Hour, 1: time.Second, 3600: time.Hour} {
		response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA, SessionTimeout: asked})
		require.NoError(t, err)
		record, err := f.store.Get(t.Context(), response.MagicLinkID)
		require.NoError(t, err)
		require.Equal(t, want, record.SessionTimeout)
	}
	for _, asked := range []int{3601, 86400, 7948801} {
		in := magiclink.MagicLinkCreate{BusinessID: businessA, SessionTimeout: asked, Path: "x"}
		_, err := f.Issue(t.Context(), in)
		require.Equal(t, []string{"session_timeout:max", "path:localpath"}, fieldsOf(t, err))
		in.Extension = repeat("x", 1025)
		_, err = f.Issue(t.Context(), in)
		require.Equal(t, []string{"session_timeout:max", "path:localpath", "Extension:max"}, fieldsOf(t, err))
	}
}

func TestIssueWithBrokenStore(t *testing.T) {
	outage := errors.New("the disk is full")
	for name, cause := range map[string]error{
		"outage": outage, "taken id": magiclink.ErrExists, "unknown outcome": magiclink.ErrUnknownOutcome,
		"deadline": context.DeadlineExceeded,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *magiclink.Config) { c.Store = &brokenStore{err: cause} })
			response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
			require.ErrorIs(t, err, magiclink.ErrUnavailable)
			require.ErrorIs(t, err, cause)
			require.Zero(t, response)
			require.Equal(t, magiclink.ReasonUnavailable, f.told.events[0].Reason)
		})
	}
}

func TestIssueWithCancelledContext(t *testing.T) {
	store := new(brokenStore)
	f := newFixture(t, func(c *magiclink.Config) { c.Store = store })
	_, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
	require.NoError(t, err, "the store takes what it is given")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Issue(ctx, magiclink.MagicLinkCreate{BusinessID: businessA})
	require.ErrorIs(t, err, magiclink.ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, store.calls, "the store was not asked again")
}
