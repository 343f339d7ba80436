package magiclink

import "strings"

const maxLabel = 63 // RFC 1035 section 2.3.4

// dottedDomain is a host name of at least two labels that no reader takes for an IP address.
func dottedDomain(s string) bool {
	return strings.Contains(s, ".") && hostName(s) && !endsInNumber(s)
}

// endsInNumber reports whether browsers would read a host name as an IPv4 address: its last label is a decimal or a
// hexadecimal number.
func endsInNumber(s string) bool {
	last := strings.ToLower(s[strings.LastIndexByte(s, '.')+1:])
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// hostName is labels with single dots between them.
func hostName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if !hostLabel(label) {
			return false
		}
	}
	return true
}

func hostLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && s[i] != '-' {
			return false
		}
	}
	return true
}
