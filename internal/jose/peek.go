package jose

import "strings"

// ReadsAs reports whether a text has the form of a token of the kind: three parts in base64url, the first of them a header
// with the kind's "typ". It says nothing about the signature, so it only tells our tokens from other texts.
func ReadsAs(token string, kind Kind) bool {
	if len(token) > MaxToken || strings.Count(token, ".") != 2 {
		return false
	}
	for part := range strings.SplitSeq(token, ".") {
		if _, ok := decode(new([]byte), part); !ok {
			return false
		}
	}
	head, _, _ := strings.Cut(token, ".")
	decoded, _ := decode(new([]byte), head)
	header, ok := parseHeader(decoded)
	return ok && header.typ == types[kind]
}
