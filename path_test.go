package magiclink_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// pathsAccepted are local paths in the sense of the allow-list.
var pathsAccepted = []string{
	"/", "/reports", "/reports/", "/a/b/c", "/a/b/c/", "/reports?y=1", "/reports?y=1#top", "/#top", "/?", "/#", "/?#",
	"/...", "/..a", "/a..", "/.a", "/a.", "/.well-known/x", "/a.b/c..d", "/%2e%2e%2e", "/a%2e", "/%2ea", "/.%2e.",
	"/a%20b", "/%C3%BC", "/%41", "/100%25", "/%252e%252e/a", "/%252f", "/a%7eb", "/%21", "/%3f", "/%23", "/%3a",
	"/a:b", "/a@b", "/user:pw@host", "/http:", "/javascript:alert(1)", "/a;b=c", "/;", "/..;", "/a,b", "/*", "/~a", "/!$&'()*+,;=",
	"/a?b=/../..", "/a?next=//evil.com", "/a?next=https://evil.com/", "/a#//evil.com", "/a#/../..", "/a?%2f%5c", "/a?b=%0d%0a",
	"/a#%00", "/a??b", "/a?#", "/a?b#c?d", "/a#b#c", "/[a]", "/{a}", "/a|b", "/<a>", `/"a"`, "/`a`", "/^", "/a'b",
	"/" + repeat("a", 511), "/?" + repeat("b", 510), "/" + repeat("a/", 255),
}

// pathsRefused leave the origin for some reader, or are read differently by two of them.
var pathsRefused = []string{
	"reports", "a/b", "?a", "#a", ".", "..", "./a", "../a", " /a", "\t/a", "http://evil.com", "https:evil.com", "//",
	"//evil.com", "///evil.com", "////evil.com", "//evil.com/..", "//@evil.com", "/\\", "/\\evil.com", "/\\/evil.com", "\\/evil.com",
	"\\\\evil.com", "/a\\b", "/a\\..\\b", "/..", "/../", "/..//evil.com", "/../evil", "/.", "/./", "/.//evil.com", "/./a",
	"/a/.", "/a/./b", "/a/..", "/a/../b", "/a/../..//evil.com", "/a//b", "/a//", "/a//?b", "/a/b//", "//?a", "//#a",
	"/..?a", "/..#a", "/.?a", "/a/..?b", "/%2e", "/%2E", "/%2e/", "/%2e%2e", "/%2E%2e", "/%2e%2e/", "/%2e%2e//evil.com",
	"/.%2e", "/%2e.", "/.%2E//evil.com", "/a/%2e%2e/b", "/a/%2e", "/a/.%2e?b", "/%2f", "/%2F", "/%2fevil.com", "/a%2fb", "/%5c",
	"/%5C", "/%5cevil.com", "/a%5Cb", "/%00", "/a%00b", "/%01", "/%09", "/%0a", "/%0d%0aSet-Cookie:a", "/%1f", "/%1F", "/%7f",
	"/%7F", "/.\t//evil.com", "/\t/evil.com", "/\n/evil.com", "/\r/evil.com", "/a\tb", "/a\nb", "/a\rb", "/.\n./a", "/a b",
	"/ ", "/a ", "/a\x00", "/a\x01", "/a\x1f", "/a\x7f", "/a?b c", "/a?\t", "/a?\\", "/a#\\", "/a# ", "/a?\n", "/a#\x7f",
	"/ü", "/a?ü", "/a#ü", "/\u2215evil.com", "/\uff0fevil.com", "/\u2028", "/\ufeff", "\ufeff/a", "/\u3002\u3002/", "/\xff",
	"/%", "/%2", "/%zz", "/%g0", "/a%", "/a?%", "/a?%zz", "/a#%", "/a#%2", "/%u002f", "/%-1", "/%+1", "/%2 ",
	"/" + repeat("a", 512), "/?" + repeat("b", 511), "/#" + repeat("c", 511),
}

func TestPathAccepted(t *testing.T) {
	f := newFixture(t)
	for _, path := range pathsAccepted {
		t.Run(short(path), func(t *testing.T) {
			response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA, Path: path})
			require.NoError(t, err)
			record, err := f.store.Get(t.Context(), response.MagicLinkID)
			require.NoError(t, err)
			require.Equal(t, path, record.Path)
		})
	}
}

func TestPathRefused(t *testing.T) {
	f := newFixture(t)
	for _, path := range pathsRefused {
		t.Run(short(path), func(t *testing.T) {
			_, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA, Path: path})
			require.Equal(t, []string{"path:localpath"}, fieldsOf(t, err))
		})
	}
}

// ValidLocalPath has the rule of Issue. The empty text, which stands for no path there, is no path.
func TestValidLocalPath(t *testing.T) {
	for _, path := range pathsAccepted {
		require.True(t, magiclink.ValidLocalPath(path), short(path))
	}
	for _, path := range append(pathsRefused, "") {
		require.False(t, magiclink.ValidLocalPath(path), short(path))
	}
}
