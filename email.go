package magiclink

import "strings"

const (
	maxEmail     = 254 // RFC 5321 section 4.5.3.1.3, less the angle brackets
	maxLocalPart = 64  // RFC 5321 section 4.5.3.1.1
)

// ValidEmail reports whether address can be the Email of a [MagicLinkCreate]: one bare ASCII address of at most 254 bytes,
// such as jane@example.com, with a local part of at most 64 bytes and a dotted domain. A domain with other letters has to be
// written in its ASCII form, which begins with "xn--" (RFC 5890 section 2.3.2.1).
func ValidEmail(address string) bool { return strictEmail(address) }

// strictEmail reports whether s is one bare ASCII address with a dotted domain. It refuses what net/mail and RFC 5322 accept
// beyond that (quoted local parts, comments, display names, groups, lists, domain literals): if two systems read such an
// address differently, one person can sign in as another.
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

// lowerDomain returns a strict address with its domain in lower case. Only the receiving host knows whether
// case matters in the local part, so the local part stays as it is. A strict address is ASCII, so strings.ToLower folds only
// ASCII here.
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
