package mail

import (
	"strings"
	"unicode"
)

// The characters that keep the direction of a text apart from that of the text around it: FSI and PDI of the Unicode Bidirectional Algorithm
// (UAX #9). Nobody sees them. They are to a text what <bdi> is to HTML.
const (
	firstStrongIsolate = "\u2068"
	popIsolate         = "\u2069"
)

// isolate returns a value as it stands in a text of this direction. Where both may have different directions, the value is isolated: otherwise the
// punctuation behind a name such as "Acme (Beta)" would be shown in front of the name. The value has no such characters of its own: see clean.
func isolate(direction, value string) string {
	if value == "" || direction != "rtl" && !strings.ContainsFunc(value, isRightToLeft) {
		return value
	}
	return firstStrongIsolate + value + popIsolate
}

func isRightToLeft(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam)
}
