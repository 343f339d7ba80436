package magiclink_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// A header that says magiclink+jwt, and two more parts.
const someToken = "eyJhbGciOiJFZERTQSIsImtpZCI6ImsiLCJ0eXAiOiJtYWdpY2xpbmsrand0In0.e30.c2lnbmF0dXJl"

func TestTokenOf(t *testing.T) {
	const link = "https://app.example.com/magic/reports?token="
	for name, given := range map[string]string{
		"a token":                                someToken,
		"a token with white space":               " \n" + someToken + "\r\n",
		"a link":                                 link + someToken,
		"a path":                                 "/magic?token=" + someToken,
		"a parameter of the path's own in front": "https://a.example/magic/reports?token=abc&token=" + someToken,
		"a token of the path's own in front":     "https://a.example/magic/reports?token=" + strings.Replace(someToken, "e30", "e30K", 1) + "&token=" + someToken,
		"a fragment":                             link + someToken + "#top",
		"a parameter behind":                     link + someToken + "&utm_source=mail",
		"an encoded question mark":               "https://a.example/magic/reports%3Ftoken=" + someToken,
		"encoded twice":                          "https://a.example/magic/reports%253Ftoken=" + someToken,
		"everything encoded":                     "https://a.example/magic/reports%3ftoken%3d" + someToken,
		"a tracker's link behind":                link + someToken + "&url=https%3A%2F%2Fx.example%3Ftoken%3Dabc",
		"HTML":                                   "https://a.example/magic?y=1&amp;token=" + someToken,
		"quoted-printable":                       link + "3D" + someToken,
		"a space before":                         link + " " + someToken,
		"a plus before":                          link + "+" + someToken,
		"a full stop behind":                     link + someToken + ".",
		"a parenthesis behind":                   link + someToken + ")",
		"an angle bracket behind":                link + someToken + ">",
		"brackets around":                        "<" + link + someToken + ">",
		"an encoded space behind":                link + someToken + "%20",
		"a plus behind":                          link + someToken + "+",
		"a zero-width space":                     link + someToken + "\u200b",
		"a zero-width space inside":              link + someToken[:20] + "\u200b" + someToken[20:],
		"text behind":                            link + someToken + " Kind regards",
	} {
		require.Equal(t, someToken, magiclink.TokenOf(given), name)
	}
}

// A link is longer than the lines of a mail, so programs break it.
func TestTokenOfABrokenLink(t *testing.T) {
	for _, signature := range []int{43, 86} {
		token := someToken[:strings.LastIndex(someToken, ".")+1] + strings.Repeat("Ab3-_x", 15)[:signature-1] + "A"
		link := "https://app.example.com/magic/reports?token=" + token
		for name, gap := range map[string]string{
			"a line break": "\n", "that of Windows": "\r\n", "indented": "\n    ", "quoted": "\r\n> ", "quoted twice": "\n>> ", "a space": " ", "no-break space": "\u00a0",
			"a soft line break": "=\r\n", "a soft line break in a browser": "=", "an empty line of a quotation": "\n>\n> ", "spaces at the end of the line": "  \n",
		} {
			var broken strings.Builder
			for rest := link; rest != ""; {
				n := min(len(rest), 50)
				broken.WriteString(rest[:n])
				if rest = rest[n:]; rest != "" {
					broken.WriteString(gap)
				}
			}
			for _, behind := range []string{"", gap, "\n\nOr type this code", " Kind regards", ">", "&utm_source=mail"} {
				require.Equal(t, token, magiclink.TokenOf(broken.String()+behind), "%s, %q", name, behind)
			}
		}
		require.Equal(t, token, magiclink.TokenOf(link+"\nOr"), "a whole token takes no word behind it")
		require.NotEqual(t, token, magiclink.TokenOf(link[:len(link)-1]+"\n"), "what is missing stays missing")
	}
}

func TestTokenOfFindsNothing(t *testing.T) {
	access := "eyJhbGciOiJFZERTQSIsImtpZCI6ImsiLCJ0eXAiOiJhdCtqd3QifQ.e30.c2lnbmF0dXJl" // its type is at+jwt
	for name, given := range map[string]string{
		"nothing":                    "",
		"a word":                     "abc",
		"an app's own token":         "https://app.example.com/reset-password?token=abc",
		"a token of another kind":    "https://app.example.com/?token=" + access,
		"two parts":                  "https://app.example.com/?token=" + someToken[:strings.LastIndex(someToken, ".")],
		"four parts":                 someToken + ".abc",
		"no parameter":               "https://app.example.com/" + someToken,
		"another parameter":          "https://app.example.com/?mytoken=" + someToken,
		"the last is not ours":       "https://app.example.com/?token=" + someToken + "&token=abc",
		"a part that is no base64":   "eyJhbGciOiJFZERTQSIsImtpZCI6ImsiLCJ0eXAiOiJtYWdpY2xpbmsrand0In0.e30=.c2lnbmF0dXJl",
		"more than a verifier reads": someToken + strings.Repeat("A", 4096),
		"a very long text":           "?token=" + someToken + strings.Repeat(" ", 20_000),
	} {
		require.Empty(t, magiclink.TokenOf(given), name)
	}
}

func FuzzTokenOf(f *testing.F) {
	f.Add("https://app.example.com/magic?token=" + someToken)
	f.Add("%253Ftoken%253D3D" + someToken + ".")
	f.Fuzz(func(t *testing.T, text string) {
		token := magiclink.TokenOf(text)
		if token != "" {
			require.Equal(t, 2, strings.Count(token, "."))
			require.Equal(t, token, magiclink.TokenOf(token))
		}
	})
}
