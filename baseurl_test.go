package magiclink_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

func TestBaseURLAccepted(t *testing.T) {
	for base, want := range map[string]string{
		"https://app.example.com":           "https://app.example.com/x?token=",
		"https://app.example.com/":          "https://app.example.com/x?token=",
		"https://app.example.com/magic":     "https://app.example.com/magic/x?token=",
		"https://app.example.com/magic/":    "https://app.example.com/magic/x?token=",
		"https://app.example.com/a/b/c":     "https://app.example.com/a/b/c/x?token=",
		"https://APP.Example.com/Magic":     "https://app.example.com/Magic/x?token=",
		"HTTPS://app.example.com":           "https://app.example.com/x?token=",
		"https://app.example.com:8443/m":    "https://app.example.com:8443/m/x?token=",
		"https://app.example.com/a%20b":     "https://app.example.com/a%20b/x?token=",
		"https://192.0.2.1/m":               "https://192.0.2.1/m/x?token=",
		"https://[2001:db8::1]/m":           "https://[2001:db8::1]/m/x?token=",
		"https://xn--bcher-kva.example/m":   "https://xn--bcher-kva.example/m/x?token=",
		"http://localhost":                  "http://localhost/x?token=",
		"http://LOCALHOST:8080/m":           "http://localhost:8080/m/x?token=",
		"http://127.0.0.1:8080/m":           "http://127.0.0.1:8080/m/x?token=",
		"http://127.0.0.2/m":                "http://127.0.0.2/m/x?token=",
		"http://127.255.255.254":            "http://127.255.255.254/x?token=",
		"http://[::1]":                      "http://[::1]/x?token=",
		"http://[::1]:8080/m":               "http://[::1]:8080/m/x?token=",
		"http://[0:0:0:0:0:0:0:1]:8080/m/":  "http://[::1]:8080/m/x?token=",
		"https://[2001:DB8::0:1]/m":         "https://[2001:db8::1]/m/x?token=",
		"https://app.example.com:443/m":     "https://app.example.com/m/x?token=",
		"https://app.example.com:0443/m":    "https://app.example.com/m/x?token=",
		"https://app.example.com:443":       "https://app.example.com/x?token=",
		"HTTPS://App.example.com:443/m":     "https://app.example.com/m/x?token=",
		"https://app.example.com:80/m":      "https://app.example.com:80/m/x?token=",
		"https://app.example.com:08443/m":   "https://app.example.com:8443/m/x?token=",
		"https://[2001:db8::1]:443/m":       "https://[2001:db8::1]/m/x?token=",
		"http://localhost:80/m":             "http://localhost/m/x?token=",
		"http://127.0.0.1:80":               "http://127.0.0.1/x?token=",
		"http://[::1]:80/m":                 "http://[::1]/m/x?token=",
		"http://localhost:443/m":            "http://localhost:443/m/x?token=",
		"https://app.example.com:4430/m":    "https://app.example.com:4430/m/x?token=",
		"https://localhost.evil.example/m":  "https://localhost.evil.example/m/x?token=",
		"https://app.example.com/magic..x/": "https://app.example.com/magic..x/x?token=",
	} {
		t.Run(base, func(t *testing.T) {
			f := newFixture(t, func(c *magiclink.Config) { c.BaseURL = base })
			response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA, Path: "/x"})
			require.NoError(t, err)
			require.Equal(t, want, response.MagicLink[:len(want)])
			require.Equal(t, strings.TrimSuffix(want, "/x?token="), f.BaseURL())
		})
	}
}

func TestBaseURLRefused(t *testing.T) {
	ring := seededKeyring(t)
	for _, base := range []string{
		"", " ", "/", "magic", "//app.example.com/magic", "app.example.com/magic",
		"http://app.example.com/magic", "http://localhost.evil.example", "http://evillocalhost", "http://128.0.0.1",
		"http://[::2]", "http://127.1", "http://0.0.0.0", "http://[::]", "http://127.0.0.1.evil.example",
		"http://localhost@evil.example", "http://127.0.0.1:80@evil.example",
		"https://", "https:///magic", "https://:443/magic", "https:app.example.com", "https:/app.example.com",
		"https://user@app.example.com", "https://user:password@app.example.com", "https://@app.example.com",
		"https://app.example.com?", "https://app.example.com/?a=b", "https://app.example.com/magic?",
		"https://app.example.com#", "https://app.example.com/#top", "https://app.example.com/magic#",
		"https://app.example.com/a//b", "https://app.example.com//a", "https://app.example.com/./a",
		"https://app.example.com/../a", "https://app.example.com/a/..", "https://app.example.com/a/.",
		"https://app.example.com/a/%2e%2e", "https://app.example.com/a%2fb", "https://app.example.com/a%5Cb",
		"https://app.example.com/a%00b", "https://app.example.com/a%0d%0ab", "https://app.example.com/%7f",
		"ftp://app.example.com/", "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "ws://localhost",
		"https://app.example.com/a b", " https://app.example.com", "https://app.example.com/ ", "https://app .example.com",
		"https://app.example.com\\magic", "https://app.example.com/a\\b", "https://app.example.com/\tmagic",
		"https://app.example.com/\n", "https://bücher.example", "https://app.example.com/bücher",
		"https://app.example.com/%", "https://app.example.com/%zz", "https://app.example.com:port/", "https://[::1",
		"https://app.example.com:-1/",
	} {
		t.Run(base, func(t *testing.T) {
			_, err := magiclink.New(magiclink.Config{BaseURL: base, Keys: ring, Store: memory.New()})
			var faults magiclink.ConfigErrors
			require.ErrorAs(t, err, &faults)
			require.Len(t, faults, 1)
			require.Equal(t, "BaseURL", faults[0].Field)
		})
	}
}

// A route has no slash at its end, and its host is a host name or an address as it stands in every URL.
func TestBaseURLOfOddShape(t *testing.T) {
	newFixture(t, func(c *magiclink.Config) { c.BaseURL = "https://app.example.com/a/" })
	for _, base := range []string{
		"https://app.example.com//", "https://app.example.com/a//",
		"https://%e4%b8%96.example", `https://a"b.example`, "https://a<b>.example", "https://a,b.example", "https://*.example.com",
		"https://a%25b", "https://..", "https://a..b", "https://host:", "https://host:99999", "http://[::1%25lo]/",
		"http://[::ffff:127.0.0.1]/", "https://[::ffff:c000:201]/", "https://host:+443", "https://host:0",
	} {
		t.Run(base, func(t *testing.T) {
			_, err := magiclink.New(magiclink.Config{BaseURL: base, Keys: seededKeyring(t), Store: memory.New()})
			require.Error(t, err)
		})
	}
}
