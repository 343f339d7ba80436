// Package strictjson reads one JSON object the way a security boundary has to: what two readers could understand
// differently is refused.
//
// encoding/json takes the last of several members with one name, matches names without regard to case, and replaces
// invalid UTF-8 and lone surrogates by U+FFFD. Here each of these is an error, at every depth, as I-JSON (RFC 7493)
// asks. Nothing is allocated unless a string has escapes or an object has many members.
package strictjson

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest. The objects that we read are flat; the rest is ignored members.
const MaxDepth = 64

// ErrNotObject says that the text is well-formed so far as it was read but is not one JSON object.
var ErrNotObject = errors.New("must be one JSON object")

// A SyntaxError says what is wrong with a text and where. It never quotes the text.
type SyntaxError struct {
	Offset int // in bytes
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("is not valid JSON: %s at byte %d", e.Reason, e.Offset)
}

// Object reads data as one JSON object with nothing but white space around it, and calls member for each of its own
// members in order. It stops at the first error that member returns. Names come unescaped and are valid only during
// the call. A fault may be found after members have been handed out: what they said counts only when Object returns nil.
func Object(data []byte, member func(name []byte, value Value) error) error {
	if !utf8.Valid(data) {
		return &SyntaxError{Offset: invalidAt(data), Reason: "invalid UTF-8"}
	}
	s := scanner{data: data}
	s.space()
	if s.peek() != '{' {
		return ErrNotObject
	}
	if err := s.object(1, member); err != nil {
		return err
	}
	s.space()
	if s.pos != len(data) {
		return s.fault("data after the JSON object")
	}
	return nil
}

func invalidAt(data []byte) int {
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}
