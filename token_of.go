package magiclink

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// maxLinkText bounds the text in which TokenOf looks for a token, in bytes.
const maxLinkText = 16 << 10

// TokenOf returns the token in a link, or the token itself when it is given alone. Use it for everything that a person has
// clicked, copied or typed:
//
//	redeemed, err := redeemer.Redeem(ctx, magiclink.TokenOf(r.URL.String()))
//
// A link's path may have a parameter "token" of its own, in front of the link's token, so URL.Query().Get("token") is wrong
// here: the last one counts.
//
// TokenOf forgives what mail programs and gateways do to links and what is certainly not part of a token: a "?" or "=" that was
// percent-encoded, once or twice; "&amp;"; the "=3D" of quoted-printable; invisible characters such as the zero-width space; line
// breaks and spaces within the token, such as those of a mail that was quoted or copied from its source; and white space,
// punctuation and other text around the token. It returns "" where nothing reads as a token of a link. It checks no signature:
// whether the token is valid, [Redeemer.Inspect] says. A text longer than 16 KiB gives "".
func TokenOf(linkOrToken string) string {
	if len(linkOrToken) > maxLinkText {
		return ""
	}
	text := strings.TrimSpace(strings.Map(visible, linkOrToken))
	for _, find := range []func(string) (string, bool){lastParameter, lastEncodedParameter} {
		if value, ok := find(text); ok {
			return asToken(value)
		}
	}
	if strings.Contains(text, "://") {
		return ""
	}
	return asToken(text)
}

func asToken(text string) string {
	token := trimToken(text)
	if !isWhole(token) {
		if joined := joinToken(text); joined != "" {
			return joined
		}
	}
	if !jose.ReadsAs(token, jose.Link) {
		return ""
	}
	return token
}

// isWhole reports whether a token has a signature of the length that ours have: 32 bytes, or 64, in base64url. A token that was
// cut may read as a token.
func isWhole(token string) bool {
	signature := token[strings.LastIndexByte(token, '.')+1:]
	return (len(signature) == 43 || len(signature) == 86) && jose.ReadsAs(token, jose.Link)
}

// tokenBreak is what stands within a token that was broken: the soft line break of quoted-printable, whose line break a browser
// removes; a line break with the indentation or the marks of a quoted mail; or the spaces that a browser makes of these.
var tokenBreak = regexp.MustCompile(`^=?[ \t\x{a0}]*(\r?\n[ \t\x{a0}>|]*)*`)

// joinToken returns the token at the beginning of a text when the token was broken into several pieces, and "" otherwise. Text
// behind the last piece is not looked at.
func joinToken(text string) string {
	var token strings.Builder
	for rest := trimFront(text); rest != ""; {
		end := tokenEnd(rest)
		token.WriteString(rest[:end])
		if end == 0 || token.Len() > jose.MaxToken {
			return ""
		}
		if isWhole(token.String()) {
			return token.String()
		}
		gap := tokenBreak.FindString(rest[end:])
		if gap == "" {
			return ""
		}
		rest = rest[end+len(gap):]
	}
	return ""
}

// visible drops invisible characters: browsers and mail programs keep them when a link is copied.
func visible(c rune) rune {
	if unicode.Is(unicode.Cf, c) {
		return -1
	}
	return c
}

// lastParameter returns the text behind the last "token=" that stands behind a "?", a "&" or a ";".
func lastParameter(text string) (value string, ok bool) {
	return lastToken(text, func(front, behind string) (string, bool) {
		value, ok := strings.CutPrefix(behind, "=")
		return value, ok && front != "" && strings.IndexByte("?&;", front[len(front)-1]) >= 0
	})
}

// lastEncodedParameter is lastParameter where the separator or the "=" may be percent-encoded, once or twice.
func lastEncodedParameter(text string) (value string, ok bool) {
	return lastToken(text, func(front, behind string) (string, bool) {
		value, ok := cutEncoded(behind, "=", "3D")
		return value, ok && endsInSeparator(front)
	})
}

// lastToken returns the value of the last "token" that is the name of a parameter, as the text in front and behind tells.
func lastToken(text string, parameter func(front, behind string) (value string, ok bool)) (string, bool) {
	const name = "token"
	for front := text; ; {
		at := strings.LastIndex(front, name)
		if at < 0 {
			return "", false
		}
		if value, ok := parameter(text[:at], text[at+len(name):]); ok {
			return value, true
		}
		front = text[:at]
	}
}

// cutEncoded removes a character in front of the text, or one of its percent-encodings.
func cutEncoded(text, char, code string) (rest string, ok bool) {
	for _, form := range []string{char, "%" + code, "%25" + code} {
		if len(text) >= len(form) && strings.EqualFold(text[:len(form)], form) {
			return text[len(form):], true
		}
	}
	return text, false
}

func endsInSeparator(text string) bool {
	if text == "" {
		return false
	}
	if strings.IndexByte("?&;", text[len(text)-1]) >= 0 {
		return true
	}
	for _, code := range []string{"%3F", "%26", "%3B", "%253F", "%2526", "%253B"} {
		if len(text) >= len(code) && strings.EqualFold(text[len(text)-len(code):], code) {
			return true
		}
	}
	return false
}

// trimToken keeps what can be a token at the beginning of the text.
func trimToken(text string) string {
	text = trimFront(text)
	return strings.TrimRight(text[:tokenEnd(text)], ".")
}

// trimFront removes what is in front of a token. Every token of ours begins with "eyJ", the encoding of `{"`, so a "3D" in front
// of that is the rest of a quoted-printable "=3D".
func trimFront(text string) string {
	text = strings.TrimLeft(text, "<(\"'[=+ \t\r\n\u00a0")
	if rest, ok := strings.CutPrefix(text, "3D"); ok && strings.HasPrefix(rest, "eyJ") {
		return rest
	}
	return text
}

// tokenEnd returns how many bytes at the beginning of the text can be those of a token.
func tokenEnd(text string) int {
	end := strings.IndexFunc(text, func(c rune) bool {
		return c > unicode.MaxASCII || !isAlphanumeric(byte(c)) && c != '-' && c != '_' && c != '.'
	})
	if end < 0 {
		return len(text)
	}
	return end
}
