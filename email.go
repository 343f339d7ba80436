package magiclink

import "strings"

const (
	maxEmail     = 254 // RFC 5321 section 4.5.3.1.3, less the angle brackets
	maxLocalPart = 64  // RFC 5321 section 4.5.3.1.1
	maxLabel     = 63  // RFC 1035 section 2.3.4
)

// strictEmail reports whether s is one bare ASCII address with a dotted domain. It refuses what net/mail and RFC 5322
// accept beyond that (quoted local parts, comments, display names, groups, lists, domain literals): two systems that
// read such an address differently let one person sign in as another.
func strictEmail(s string) bool {
	if len(s) > maxEmail {
		return false
	}
	local, domain, ok := strings.Cut(s, "@")
	return ok && len(local) <= maxLocalPart && dotAtom(local) && dottedDomain(domain)
}

// dotAtom is RFC 5322 section 3.2.3: atoms with single dots between them.
func dotAtom(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			if !isAlphanumeric(atom[i]) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", atom[i]) < 0 {
				return false
			}
		}
	}
	return true
}

// dottedDomain is a host name of at least two labels that nobody can take for an IP address.
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

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// lowerDomain returns a strict address with its domain in lower case. The local part is the receiving host's to read and
// stays as it is. strings.ToLower folds by ASCII here since nothing else passed.
func lowerDomain(address string) string {
	at := strings.IndexByte(address, '@')
	if at < 0 {
		return address
	}
	if domain := strings.ToLower(address[at:]); domain != address[at:] {
		return address[:at] + domain
	}
	return address
}
