package signin

import "time"

// What the tests of the package's readers need.

func ReadCode(typed string) (string, bool) { return readCode(typed) }

func NewCode() string { return newCode() }

func ShowCode(code string) string { return showCode(code) }

// RecodeFlow returns the encoding of what a text was decoded to.
func RecodeFlow(text string) (again, address, next string, ok bool) {
	a, ok := decodeFlow(text)
	if !ok {
		return "", "", "", false
	}
	return a.encode(), a.address, a.next, true
}

func LinkIDs(text string) []string {
	a, ok := decodeFlow(text)
	if !ok {
		return nil
	}
	return a.linkIDs()
}

func ASCIIDomain(address string) string { return asciiDomain(address) }

func Mailbox(address string) string { return mailbox(address) }

func Hide(err error, secrets ...string) string { return hide(err, secrets...) }

var Words = words

const CodeDigits = codeDigits

const CodeRounds = codeRounds

func init() { rounds, restsUpTo = 100, 0 }

// SetCodeRounds makes digests of codes cost something until undo is called. Nothing may run meanwhile.
func SetCodeRounds(n int) (undo func()) {
	before := rounds
	rounds = n
	return func() { rounds = before }
}

// SetLongestRest changes how long the work for an address may wait until undo is called. Nothing may run meanwhile.
func SetLongestRest(d time.Duration) (undo func()) {
	before := restsUpTo
	restsUpTo = d
	return func() { restsUpTo = before }
}
