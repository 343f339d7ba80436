package main

import (
	"errors"
	"math"
	"strings"
	"unicode"
)

const (
	minSecretBits     = 128
	minSecretDistinct = 8 // characters; "changeme" four times has seven
)

// checkSecret refuses a secret that can be guessed. It counts what a random text of this length and these kinds of
// characters is worth, so it accepts all that a program makes at random, and refuses what is short or repeats itself.
func checkSecret(secret string) error {
	distinct := map[rune]bool{}
	for _, c := range secret {
		distinct[c] = true
	}
	length := float64(len([]rune(secret)))
	if length*math.Log2(float64(alphabet(secret))) < minSecretBits || len(distinct) < minSecretDistinct {
		return errors.New("is too easy to guess: it needs at least 128 random bits, for example those of \"openssl rand -hex 16\"")
	}
	return nil
}

// alphabet is how many characters the kinds of characters in a text have.
func alphabet(text string) (size int) {
	if text == "" {
		return 1
	}
	if strings.Trim(text, "0123456789abcdef") == "" && strings.ContainsAny(text, "0123456789") {
		return sizeOf(text, unicode.IsDigit, 10) + sizeOf(text, unicode.IsLetter, 6)
	}
	size = sizeOf(text, unicode.IsDigit, 10) + sizeOf(text, unicode.IsLower, 26) + sizeOf(text, unicode.IsUpper, 26)
	return size + sizeOf(text, func(c rune) bool {
		return !unicode.IsDigit(c) && !unicode.IsLower(c) && !unicode.IsUpper(c)
	}, 32)
}

func sizeOf(text string, is func(rune) bool, size int) int {
	if strings.ContainsFunc(text, is) {
		return size
	}
	return 0
}
