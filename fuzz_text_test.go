package magiclink_test

import (
	"context"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// forbidden is the rule for paths written down a second time, as what must not match.
var forbidden = []*regexp.Regexp{
	regexp.MustCompile(`^[^/]`), regexp.MustCompile(`^/[/\\]`), regexp.MustCompile(`[^!-~]`), regexp.MustCompile(`\\`),
	regexp.MustCompile(`^[^?#]*//`), regexp.MustCompile(`(?i)^[^?#]*/(\.|%2e){1,2}([/?#]|$)`),
	regexp.MustCompile(`(?i)^[^?#]*%(2f|5c|7f|[01].)`), regexp.MustCompile(`(?i)%([^0-9a-f]|.[^0-9a-f]|.?$)`),
}

// browserOrigin resolves a reference roughly as browsers do (WHATWG URL): white space and controls are stripped, tabs and
// line breaks dropped wherever they stand, backslashes are slashes. It returns the host it arrives at.
func browserOrigin(reference string) string {
	reference = strings.TrimFunc(reference, func(r rune) bool { return r <= ' ' })
	reference = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(reference)
	if scheme := regexp.MustCompile(`^(?i)[a-z][a-z0-9+.-]*:`).FindString(reference); scheme != "" {
		return "scheme " + scheme
	}
	path, _, _ := strings.Cut(reference, "#")
	path, _, _ = strings.Cut(path, "?")
	if strings.HasPrefix(path, "//") {
		return "host " + strings.TrimLeft(path, "/")
	}
	var kept []string
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, segment)
		}
	}
	if strings.HasPrefix("/"+strings.Join(kept, "/"), "//") {
		return "host " + strings.Join(kept, "/")
	}
	return "origin"
}

// keepOne is a store that remembers the last record alone.
type keepOne struct {
	magiclink.Store
	record magiclink.Record
}

func (s *keepOne) Create(_ context.Context, record magiclink.Record) error {
	s.record = record
	return nil
}

// forgetful lets a fixture live through millions of links.
func forgetful(store *keepOne) func(*magiclink.Config) {
	return func(c *magiclink.Config) { c.Store, c.OnEvent = store, nil }
}

func FuzzPath(f *testing.F) {
	fixture := newFixture(f, forgetful(new(keepOne)))
	for _, path := range append(pathsAccepted, pathsRefused...) {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		_, err := fixture.Issue(context.Background(), magiclink.MagicLinkCreate{BusinessID: businessA, Path: path})
		allowed := path == "" || len(path) <= 512
		for _, rule := range forbidden {
			allowed = allowed && !rule.MatchString(path)
		}
		require.Equal(t, allowed, err == nil, "the two writings of the rule disagree on %q", path)
		if err != nil || path == "" {
			return
		}
		reference, err := url.Parse(path)
		require.NoError(t, err)
		base := &url.URL{Scheme: "https", Host: "app.example.com", Path: "/magic"}
		resolved := base.ResolveReference(reference)
		require.Equal(t, "https://app.example.com", resolved.Scheme+"://"+resolved.Host)
		require.Nil(t, resolved.User)
		require.Equal(t, "origin", browserOrigin(path))
	})
}

func TestBrowserOriginKnowsTheTraps(t *testing.T) {
	require.Equal(t, "origin", browserOrigin("/reports?a#b"))
	for _, trap := range []string{
		"//evil.com", "///evil.com", `/\evil.com`, "/..//evil.com", "/%2e%2e//evil.com", "/.\t//evil.com", "/\t/evil.com",
		" //evil.com", "https://evil.com",
	} {
		require.NotEqual(t, "origin", browserOrigin(trap), trap)
	}
}

func FuzzEmail(f *testing.F) {
	store := new(keepOne)
	fixture := newFixture(f, forgetful(store))
	for address := range emailsAccepted {
		f.Add(address)
	}
	for _, address := range emailsRefused {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		in := magiclink.MagicLinkCreate{BusinessID: businessA, Email: address}
		_, err := fixture.Issue(context.Background(), in)
		if err != nil || address == "" {
			return
		}
		require.LessOrEqual(t, len(address), 254)
		require.NotRegexp(t, `[^!-~]`, address)
		parsed, err := mail.ParseAddress(address)
		require.NoError(t, err)
		require.Equal(t, mail.Address{Address: address}, *parsed)

		record := store.record
		at := strings.LastIndexByte(address, '@')
		require.Equal(t, address[:at], record.Email[:at], "the local part stays")
		require.True(t, strings.EqualFold(address, record.Email))
		require.NotRegexp(t, `[A-Z]`, record.Email[at:])
	})
}
