package magiclink

import (
	"net/url"
	"strings"
)

// maxPath is the greatest length of a local path in bytes.
const maxPath = 512

// localPath reports whether path is an address on the link's own origin for every reader: it is an allow-list, because
// browsers repair what servers accept. They drop tabs and line breaks, read "\" as "/", and resolve dot segments also
// where they are percent-encoded; net/url does none of that, so its verdict alone is worth nothing here.
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

// ValidLocalPath reports whether path can be the Path of a [MagicLinkCreate], and is safe to redirect to: an address on the
// own origin for every browser.
func ValidLocalPath(path string) bool { return localPath(path) }

// visibleASCII refuses white space, controls, everything beyond ASCII, and the backslash.
func visibleASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}

// escapesWhole refuses a "%" without two hexadecimal digits behind it: readers differ on what it means.
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

// keepsOrigin is the last line of defence: whatever the rules above let through must also be a reference without scheme,
// user and host, which resolves to the origin it stands on (RFC 3986 section 5.2.2).
func keepsOrigin(path string) bool {
	reference, err := url.Parse(path)
	return err == nil && reference.Scheme == "" && reference.Host == "" && reference.User == nil && reference.Opaque == ""
}
