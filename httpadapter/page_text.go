package httpadapter

import (
	"strings"
	"unicode"
)

const (
	zeroWidthNonJoiner = '\u200c' // a letter form of Persian and other scripts
	zeroWidthJoiner    = '\u200d' // joins emoji
)

// plain removes the characters that change how a text is read and are not seen: controls, line separators and format
// characters such as U+202E, which turns the text behind it around. The two joiners stay, since names are written with them.
func plain(text string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		switch {
		case c == zeroWidthNonJoiner || c == zeroWidthJoiner:
			return c
		case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs):
			return -1
		}
		return c
	}, text))
}

// The longest text that a page shows whole, in characters, and what it shows of a longer one.
const (
	maxShown  = 120
	shownHead = 70
	shownTail = 49
)

// middle shortens a long text in its middle. The end of an address says as much as its beginning: whose domain it is.
func middle(text string) string {
	runes := []rune(text)
	if len(runes) <= maxShown {
		return text
	}
	return string(runes[:shownHead]) + "…" + string(runes[len(runes)-shownTail:])
}

// maskEmail shows enough of an address for its owner to know it: j•••@example.com. It returns "" for a text without an "@".
func maskEmail(address string) string {
	local, domain, found := strings.Cut(address, "@")
	if !found {
		return ""
	}
	first := ""
	if runes := []rune(local); len(runes) > 1 {
		first = string(runes[:1])
	}
	return first + "•••@" + domain
}

// destinationPath is the path to show: a query and a fragment may be secret.
func destinationPath(path string) string {
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "?")
	if path == "" {
		return "/"
	}
	return path
}

// parts splits an address where a line may end.
func parts(address string) []string { return strings.SplitAfter(address, "/") }
