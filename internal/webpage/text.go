package webpage

import (
	"strings"
	"unicode"
)

const (
	zeroWidthNonJoiner = '\u200c' // a letter form of Persian and other scripts
	zeroWidthJoiner    = '\u200d' // joins emoji
)

// Plain removes the characters that change how a text is read and are not seen: controls, line separators and format
// characters such as U+202E, which turns the text behind it around. The two joiners stay, since names are written with them.
func Plain(text string) string {
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

// Middle shortens a long text in its middle. The end of an address says as much as its beginning: whose domain it is.
func Middle(text string) string {
	runes := []rune(text)
	if len(runes) <= maxShown {
		return text
	}
	return string(runes[:shownHead]) + "…" + string(runes[len(runes)-shownTail:])
}
