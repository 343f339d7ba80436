package signin

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// asciiDomain returns an address with its domain in the ASCII form, which begins with "xn--" (RFC 5890 section 2.3.2.1). People
// write the domain as they read it. Chromium converts it before it sends the form, Firefox does not, and mails go to the ASCII
// form alone. An address whose domain has characters with another ASCII form than that of their lower case is returned as it is.
func asciiDomain(address string) string {
	local, domain, found := strings.Cut(address, "@")
	if !found || isASCII(domain) {
		return address
	}
	labels := strings.Split(strings.ReplaceAll(domain, "。", "."), ".") // the dot of a Japanese or Chinese keyboard
	for i, label := range labels {
		ascii, ok := asciiLabel(label)
		if !ok {
			return address
		}
		labels[i] = ascii
	}
	return local + "@" + strings.Join(labels, ".")
}

// asciiLabel returns the ASCII form of a part of a domain. It refuses what can be mixed up: U+212A, which is no ASCII, folds to k.
func asciiLabel(label string) (ascii string, ok bool) {
	if isASCII(label) {
		return label, true
	}
	const longest = 63 // bytes of a label (RFC 1035 section 2.3.4)
	if len(label) > utf8.UTFMax*longest || !utf8.ValidString(label) {
		return "", false
	}
	lower := []rune(label)
	for i, c := range lower {
		lower[i] = unicode.ToLower(c)
		if !isLabelRune(c) || c >= utf8.RuneSelf && lower[i] < utf8.RuneSelf {
			return "", false
		}
	}
	ascii = "xn--" + punycode(lower)
	return ascii, len(ascii) <= longest
}

// isLabelRune accepts letters, marks, digits and the hyphen. The letters of double and half width are other letters in the ASCII
// form.
func isLabelRune(c rune) bool {
	if c < utf8.RuneSelf {
		return c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	return unicode.In(c, unicode.L, unicode.M, unicode.Nd) && !(0xFF00 <= c && c <= 0xFFEF)
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(c rune) bool { return c >= utf8.RuneSelf }) < 0
}

// The parameters of Punycode (RFC 3492 section 5).
const (
	punyBase    = 36
	punyTMin    = 1
	punyTMax    = 26
	punySkew    = 38
	punyDamp    = 700
	punyBias    = 72
	punyInitial = utf8.RuneSelf
)

// punycode encodes a label that is not ASCII alone (RFC 3492 section 6.3).
func punycode(label []rune) string {
	var out []byte
	for _, c := range label {
		if c < punyInitial {
			out = append(out, byte(c))
		}
	}
	basic := len(out)
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := rune(punyInitial), 0, punyBias
	for done := basic; done < len(label); n++ {
		next := unicode.MaxRune
		for _, c := range label {
			if c >= n && c < next {
				next = c
			}
		}
		delta += int(next-n) * (done + 1)
		n = next
		for _, c := range label {
			if c < n {
				delta++
			}
			if c == n {
				out = appendPuny(out, delta, bias)
				bias = adaptPuny(delta, done+1, done == basic)
				delta = 0
				done++
			}
		}
		delta++
	}
	return string(out)
}

// appendPuny appends a number as digits of a variable length (RFC 3492 section 3.3).
func appendPuny(out []byte, number, bias int) []byte {
	const digits = "abcdefghijklmnopqrstuvwxyz0123456789"
	for k := punyBase; ; k += punyBase {
		threshold := min(max(k-bias, punyTMin), punyTMax)
		if number < threshold {
			return append(out, digits[number])
		}
		out = append(out, digits[threshold+(number-threshold)%(punyBase-threshold)])
		number = (number - threshold) / (punyBase - threshold)
	}
}

// adaptPuny is the bias after a number (RFC 3492 section 6.1).
func adaptPuny(delta, points int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / points
	k := 0
	for ; delta > (punyBase-punyTMin)*punyTMax/2; k += punyBase {
		delta /= punyBase - punyTMin
	}
	return k + (punyBase-punyTMin+1)*delta/(delta+punySkew)
}
