package magiclink_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestLink(t *testing.T) {
	const jws = "<token>"
	for path, want := range map[string]string{
		"":                     baseURL + "?token=<token>",
		"/":                    baseURL + "/?token=<token>",
		"/reports":             baseURL + "/reports?token=<token>",
		"/reports/":            baseURL + "/reports/?token=<token>",
		"/reports?y=1":         baseURL + "/reports?y=1&token=<token>",
		"/reports?y=1#top":     baseURL + "/reports?y=1&token=<token>#top",
		"/reports#top":         baseURL + "/reports?token=<token>#top",
		"/reports#":            baseURL + "/reports?token=<token>#",
		"/reports?":            baseURL + "/reports?token=<token>",
		"/reports?#top":        baseURL + "/reports?token=<token>#top",
		"/reports?y=1&":        baseURL + "/reports?y=1&token=<token>",
		"/reports?y=1&z=2":     baseURL + "/reports?y=1&z=2&token=<token>",
		"/#a?b":                baseURL + "/?token=<token>#a?b",
		"/a?b?c":               baseURL + "/a?b?c&token=<token>",
		"/?next=//evil.com/..": baseURL + "/?next=//evil.com/..&token=<token>",
		"/a%20b?c=%2F":         baseURL + "/a%20b?c=%2F&token=<token>",
	} {
		t.Run(path, func(t *testing.T) {
			response, err := newFixture(t).Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA, Path: path})
			require.NoError(t, err)
			token := tokenOf(t, response.MagicLink)
			require.Equal(t, want, strings.Replace(response.MagicLink, token, jws, 1))

			u, err := url.Parse(response.MagicLink)
			require.NoError(t, err)
			require.Equal(t, origin, u.Scheme+"://"+u.Host)
			require.Equal(t, []string{token}, u.Query()["token"])
		})
	}
}
