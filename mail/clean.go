package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxName   = 100 // characters of the name of an application or a person
	maxDevice = 50  // characters of the name of a browser or a system
)

// clean returns a text that people can have written, such that it stays within its line: white space becomes single spaces;
// controls, invisible characters and those that change the direction of writing are left out, and so is what is not UTF-8. The two
// joiners that Indic and Persian words need stay. Where the text has more than limit characters, it ends with "…".
//
// "=?" is taken apart, since mail programs decode what looks like an encoded word (RFC 2047).
func clean(text string, limit int) string {
	const joiners = "\u200c\u200d"
	text = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(joiners, r):
			return r
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	text = strings.ReplaceAll(text, "=?", "= ?")
	return truncate(text, limit)
}

func truncate(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return strings.TrimSpace(string([]rune(text)[:limit-1])) + "…"
}

// unlinked returns a text in which mail programs find nothing to make a link of: a stranger may have chosen the text, and the mail must
// not advertise the stranger's site. "www.example.com" becomes "www. example. com".
func unlinked(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch r {
		case '/', '\\', ':', '<', '>':
			b.WriteRune(' ')
		case '.', '。', '．', '｡': // browsers take all of them for the dot of a domain
			b.WriteRune(r)
			b.WriteRune(' ')
		default:
			b.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
