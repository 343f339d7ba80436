// Package jose signs and verifies tokens in the compact form of RFC 7515. It knows nothing else of JOSE.
//
// The package is the only importer of jwx. Of jwx it uses the JWS signers and verifiers with raw keys of the standard
// library, and the JWK formats. The reader of tokens is our own. A general parser also accepts JSON serialisations, padding,
// duplicate members, critical headers and keys in headers, and attacks on tokens use them. RFC 8725 lists such attacks.
package jose

// Kind separates the uses of a token. Each kind has its own "typ" (RFC 8725 section 3.11), and a token of one kind is refused
// where another kind is expected.
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
