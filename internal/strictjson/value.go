package strictjson

import "strconv"

// Kind is the kind of a JSON value.
type Kind uint8

// The kinds. Nobody here looks into an array or an object inside an object, so they share one.
const (
	Null Kind = iota
	Bool
	Number
	String
	Composite
)

// Value is one JSON value in the text it was read from. It is well-formed.
type Value struct {
	Kind Kind
	Raw  []byte // part of the text that Object was given
}

// Text returns the meaning of a String, and "" of anything else.
func (v Value) Text() string {
	if v.Kind != String {
		return ""
	}
	s := scanner{data: v.Raw}
	text, err := s.string()
	if err != nil {
		return "" // Raw was read once already: it cannot fail here
	}
	return string(text)
}

// Int returns the value of a Number that is an integer in the sense of JSON Schema, which looks at the value and not at
// how it is written: 5, 5.0, 50e-1 and 1e1 are integers, 5.5 is not. A value outside int64 is cut to its nearest end.
func (v Value) Int() (n int64, ok bool) {
	if v.Kind != Number {
		return 0, false
	}
	if n, plain := v.plain(); plain { // nearly all are written so
		return n, true
	}
	d := parseDecimal(v.Raw)
	if d.exponent < 0 {
		return 0, false
	}
	return d.int64(), true
}

// UnixTime returns a Number that is written as a plain non-negative integer, as our tokens write times: digits alone,
// at most twelve of them.
func (v Value) UnixTime() (seconds int64, ok bool) { return v.plain() }

// plain reads what UnixTime accepts.
func (v Value) plain() (n int64, ok bool) {
	if v.Kind != Number || len(v.Raw) > 12 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v.Raw), 10, 64)
	return n, err == nil && v.Raw[0] != '-'
}

// Elements calls element for each value of an array, and reports whether the value is an array.
func (v Value) Elements(element func(Value) bool) bool {
	if v.Kind != Composite || v.Raw[0] != '[' {
		return false
	}
	s := scanner{data: v.Raw, pos: 1}
	s.space()
	if s.peek() == ']' {
		return true
	}
	for {
		value, err := s.value(1)
		if err != nil || !element(value) {
			return err == nil
		}
		if more, err := s.next(']'); err != nil || !more {
			return err == nil
		}
	}
}
