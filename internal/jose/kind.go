// Package jose signs and verifies tokens in the compact form of RFC 7515 and in nothing else of JOSE.
//
// It is the only importer of jwx, and of jwx it uses the JWS signers and verifiers, fed with raw keys of the standard
// library, and the JWK formats. Everything that reads a token from outside is written here, because what a general
// parser accepts beyond the compact form (JSON serialisations, padding, duplicate members, critical headers, keys in
// headers) is what attacks on tokens are made of. RFC 8725 is the reading list.
package jose

// Kind separates the uses of a token: each has a "typ" of its own (RFC 8725 section 3.11), and a token of one kind is
// refused wherever another is expected.
type Kind uint8

// The kinds of token.
const (
	Link Kind = iota
	Session
	Access
	kinds
)

// types are the values of "typ". That of access tokens is fixed by RFC 9068 section 2.1.
var types = [kinds]string{Link: "magiclink+jwt", Session: "magiclink-session+jwt", Access: "at+jwt"}
