// Package language chooses one of the languages in which the product's pages and mails are written.
package language

import (
	"slices"
	"strconv"
	"strings"
)

// Default is the language of a text where a person's browser names none of the others.
const Default = "en"

// All are the languages, by their primary subtags (RFC 5646).
var All = []string{"en", "de", "fr", "es", "pt", "pl", "tr", "ar", "hi", "ja", "zh"}

// maxRanges bounds how many entries of a header are read.
const maxRanges = 32

// Match returns the language that the Accept-Language header likes best (RFC 9110, section 12.5.4), or Default. Of equally good
// entries the first one wins. A region or a script is ignored: "de-CH" and "zh-Hant" are "de" and "zh". A language with the weight 0
// is not acceptable.
func Match(acceptLanguage string) string {
	best, weight := Default, 0.0
	for i, entry := range strings.Split(acceptLanguage, ",") {
		if i == maxRanges {
			break
		}
		tag, q := parse(entry)
		if q > weight && slices.Contains(All, tag) {
			best, weight = tag, q
		}
	}
	return best
}

// Primary returns the primary subtag of a language tag in lower case: "pt" for "pt-BR".
func Primary(tag string) string {
	primary, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
	return strings.ToLower(primary)
}

// Direction returns "rtl" for a language that is written from right to left, and "ltr" for every other one. It is a value of
// the attribute dir in HTML.
func Direction(tag string) string {
	if tag == "ar" {
		return "rtl"
	}
	return "ltr"
}

// parse returns the primary subtag of an entry and its weight, which is 0 for a malformed one.
func parse(entry string) (tag string, weight float64) {
	tag, parameters, weighted := strings.Cut(entry, ";")
	if !weighted {
		return Primary(tag), 1
	}
	name, value, _ := strings.Cut(strings.TrimSpace(parameters), "=")
	q, err := strconv.ParseFloat(value, 64)
	if !strings.EqualFold(name, "q") || err != nil || !(q >= 0 && q <= 1) {
		return "", 0
	}
	return Primary(tag), q
}
