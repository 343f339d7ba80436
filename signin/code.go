package signin

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"unicode"
)

const (
	// codeDigits leave out what people mix up: 0 and O, 1 and I. There are 32 of them, so a code has 40 bits.
	codeDigits = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	codeLength = 8
	codeGroup  = 4
)

// codeRounds make a guess at a stored digest slow: see docs/adr/0023. A code lives for 15 minutes at most, and to try half of all codes in that time at
// 20,000 rounds takes more than a thousand of the fastest graphics processors. Every request costs as much, so more rounds would help
// those who flood the service with requests.
const codeRounds = 20_000

// rounds is codeRounds but in the tests, which make many digests.
var rounds = codeRounds

// newCode returns a random code without its dash.
func newCode() string {
	var code [codeLength]byte
	rand.Read(code[:]) // never fails: see its documentation
	for i := range code {
		code[i] = codeDigits[code[i]%byte(len(codeDigits))] // 256 is a multiple of 32
	}
	return string(code[:])
}

// showCode writes a code as people read it: XXXX-XXXX.
func showCode(code string) string { return code[:codeGroup] + "-" + code[codeGroup:] }

// readCode reads what a person has typed or pasted: in any case, with the letters and digits of other keyboards, with or without
// dashes, spaces and characters that nobody sees. It reports false for what cannot be a code.
func readCode(typed string) (code string, ok bool) {
	const longest = 64 // bytes, spaces included
	if len(typed) > longest {
		return "", false
	}
	code = strings.Map(codeDigit, typed)
	if len(code) != codeLength || strings.Trim(code, codeDigits) != "" {
		return "", false
	}
	return code, true
}

// zeros are the digits 0 of the keyboards that people of our languages have. The digits 1 to 9 follow each of them.
const zeros = "０٠۰०" // Japanese and Chinese, Arabic, Persian and Urdu, Hindi

// codeDigit returns a character as codes have it, and -1 for one that stands between the others. Programs put marks of the
// writing direction around a text that is copied from a page in Arabic, and a word joiner or a byte order mark around others.
func codeDigit(c rune) rune {
	switch {
	case 'a' <= c && c <= 'z':
		return c - 'a' + 'A'
	case 'Ａ' <= c && c <= 'Ｚ':
		return c - 'Ａ' + 'A'
	case 'ａ' <= c && c <= 'ｚ':
		return c - 'ａ' + 'A'
	case unicode.IsSpace(c), unicode.In(c, unicode.Cf, unicode.Pd), strings.ContainsRune("\u2212ー", c): // the minus, and the dash of a Japanese keyboard
		return -1
	}
	for _, zero := range zeros {
		if zero <= c && c <= zero+9 {
			return c - zero + '0'
		}
	}
	return c
}

// codeDigest is what is stored of a code. The flow's digest is the salt. It is slow: several milliseconds.
func codeDigest(flowDigest [sha256.Size]byte, code string) [sha256.Size]byte {
	key, err := pbkdf2.Key(sha256.New, "magiclink code\x00"+code, flowDigest[:], rounds, sha256.Size)
	if err != nil { // the lengths above are in order
		return sha256.Sum256([]byte(rand.Text())) // no code has it
	}
	return [sha256.Size]byte(key)
}
