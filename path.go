package magiclink

import (
	"net/url"
	"strings"
)

// maxPath is the greatest length of a local path in bytes.
const maxPath = 512

// localPath reports whether every reader takes path for an address on the link's own origin. It is an allow-list, because
// browsers repair what servers accept: they drop tabs and line breaks, read "\" as "/", and resolve dot segments also where
// they are percent-encoded. net/url does none of that, so the verdict of net/url alone is not enough.
func localPath(path string) bool {
	if len(path) > maxPath || !strings.HasPrefix(path, "/") || !visibleASCII(path) || !escapesWhole(path) {
		return false
	}
	end := strings.IndexAny(path, "?#")
	if end < 0 {
		end = len(path)
	}
	return localSegments(path[1:end]) && keepsOrigin(path)
}

// ValidLocalPath reports whether path can be the Path of a [MagicLinkCreate], and whether it is safe to redirect to: every
// browser takes it for an address on the own origin. It is an allow-list: one leading slash, visible ASCII without backslash,
// at most 512 bytes, no empty segment but the last, no dot segment, and no separator or control character in
// percent-encoding. A query and a fragment are allowed. Permitted: /reports, /a/b?x=1#top, /. Prohibited: reports,
// //evil.example, /../x, /%2e%2e/x, the empty path.
func ValidLocalPath(path string) bool { return localPath(path) }

// escapesWhole refuses a "%" without two hexadecimal digits behind it: readers disagree about its meaning.
func escapesWhole(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if _, ok := unescape(s[i:]); !ok {
			return false
		}
		i += 2
	}
	return true
}

// localSegments takes the path without its first slash, query and fragment.
func localSegments(path string) bool {
	for {
		segment, rest, more := strings.Cut(path, "/")
		if segment == "" {
			return !more // empty only where it is the last
		}
		if !localSegment(segment) {
			return false
		}
		if !more {
			return true
		}
		path = rest
	}
}

// localSegment refuses dot segments, raw or encoded, and encoded separators and controls.
func localSegment(segment string) bool {
	dots, length := 0, 0
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		if c == '%' {
			c, _ = unescape(segment[i:])
			if c == '/' || c == '\\' || c < ' ' || c == 0x7f {
				return false
			}
			i += 2
		}
		if c == '.' {
			dots++
		}
		length++
	}
	return dots != length || length > 2
}

// unescape reads the percent-encoded byte that s begins with.
func unescape(s string) (c byte, ok bool) {
	if len(s) < 3 {
		return 0, false
	}
	high, ok1 := unhex(s[1])
	low, ok2 := unhex(s[2])
	return high<<4 | low, ok1 && ok2
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// keepsOrigin is the last line of defence: what passes the rules above must also be a reference without scheme, user and
// host, which resolves to the origin of the page that it stands on (RFC 3986 section 5.2.2).
func keepsOrigin(path string) bool {
	reference, err := url.Parse(path)
	return err == nil && reference.Scheme == "" && reference.Host == "" && reference.User == nil && reference.Opaque == ""
}

// appendURI appends a local path, or a fragment with its "#", as a valid URI reference. A local path may hold characters
// that browsers accept and RFC 3986 does not allow; they are percent-encoded, which every reader decodes to the same path.
func appendURI(buf []byte, path string) []byte {
	const hex = "0123456789ABCDEF"
	fragment := false
	for i := range len(path) {
		c := path[i]
		switch c {
		case '"', '<', '>', '[', ']', '^', '`', '{', '|', '}':
			buf = append(buf, '%', hex[c>>4], hex[c&15])
			continue
		case '#':
			if fragment {
				buf = append(buf, "%23"...)
				continue
			}
			fragment = true
		}
		buf = append(buf, c)
	}
	return buf
}
