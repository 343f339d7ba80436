package strictjson

import (
	"bytes"
	"math"
	"strconv"
)

// decimal is a JSON number as ±digits × 10^exponent without zeros at either end of digits: it is an integer exactly when
// exponent is not negative. It never expands an exponent, so that 1e999999999 costs what 1e9 costs.
type decimal struct {
	negative bool
	digits   []byte // empty for zero
	exponent int
}

// maxExponent bounds the exponent: far beyond int64, and far from overflow when the digits' own places are added.
const maxExponent = 1 << 30

func parseDecimal(raw []byte) decimal {
	var d decimal
	d.negative = raw[0] == '-'
	if d.negative {
		raw = raw[1:]
	}
	if at := bytes.IndexAny(raw, "eE"); at >= 0 {
		d.exponent = parseExponent(string(raw[at+1:]))
		raw = raw[:at]
	}
	whole, fraction, _ := bytes.Cut(raw, []byte("."))
	d.exponent -= len(fraction)
	d.digits = append(append(d.digits, whole...), fraction...)
	trimmed := bytes.TrimRight(d.digits, "0")
	d.exponent += len(d.digits) - len(trimmed)
	d.digits = bytes.TrimLeft(trimmed, "0")
	if len(d.digits) == 0 {
		return decimal{}
	}
	return d
}

func parseExponent(text string) int {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil { // out of range: the grammar was checked
		if text[0] == '-' {
			return -maxExponent
		}
		return maxExponent
	}
	return int(max(-maxExponent, min(n, maxExponent)))
}

// int64 returns the value of an integer, cut to the nearest end of int64.
func (d decimal) int64() int64 {
	if len(d.digits) == 0 {
		return 0
	}
	end := int64(math.MaxInt64)
	if d.negative {
		end = math.MinInt64
	}
	if len(d.digits)+d.exponent > 19 {
		return end
	}
	text := append([]byte(nil), d.digits...)
	text = append(text, bytes.Repeat([]byte("0"), d.exponent)...)
	if d.negative {
		text = append([]byte("-"), text...)
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return end
	}
	return n
}
