package strictjson

import "bytes"

// scanner is a recursive-descent reader of RFC 8259 over text that is known to be valid UTF-8.
type scanner struct {
	data []byte
	pos  int
}

func (s *scanner) fault(reason string) error { return &SyntaxError{Offset: s.pos, Reason: reason} }

// peek returns the next byte, or 0 at the end: 0 begins nothing in JSON.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) value(depth int) (Value, error) {
	start := s.pos
	var kind Kind
	var err error
	switch c := s.peek(); {
	case c == '"':
		kind = String
		_, err = s.string()
	case c == '-' || isDigit(c):
		kind, err = Number, s.number()
	case c == '{':
		kind, err = Composite, s.object(depth+1, nil)
	case c == '[':
		kind, err = Composite, s.array(depth+1)
	case c == 't':
		kind, err = Bool, s.literal("true")
	case c == 'f':
		kind, err = Bool, s.literal("false")
	case c == 'n':
		kind, err = Null, s.literal("null")
	default:
		return Value{}, s.fault("expected a JSON value")
	}
	return Value{Kind: kind, Raw: s.data[start:s.pos]}, err
}

func (s *scanner) object(depth int, member func([]byte, Value) error) error {
	if depth > MaxDepth {
		return s.fault("nested too deeply")
	}
	s.pos++ // {
	s.space()
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	var seen names
	for {
		name, value, err := s.member(depth, &seen)
		if err != nil {
			return err
		}
		if member != nil {
			if err := member(name, value); err != nil {
				return err
			}
		}
		more, err := s.next('}')
		if err != nil || !more {
			return err
		}
	}
}

func (s *scanner) member(depth int, seen *names) ([]byte, Value, error) {
	if s.peek() != '"' {
		return nil, Value{}, s.fault("expected a member name")
	}
	at := s.pos
	name, err := s.string()
	if err != nil {
		return nil, Value{}, err
	}
	if !seen.add(name) {
		s.pos = at
		return nil, Value{}, s.fault("duplicate member name")
	}
	s.space()
	if s.peek() != ':' {
		return nil, Value{}, s.fault("expected a colon")
	}
	s.pos++
	s.space()
	value, err := s.value(depth)
	return name, value, err
}

func (s *scanner) array(depth int) error {
	if depth > MaxDepth {
		return s.fault("nested too deeply")
	}
	s.pos++ // [
	s.space()
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for {
		if _, err := s.value(depth); err != nil {
			return err
		}
		more, err := s.next(']')
		if err != nil || !more {
			return err
		}
	}
}

// next reads what stands behind a member or an element: a comma, or the end of what holds it.
func (s *scanner) next(end byte) (more bool, err error) {
	s.space()
	switch s.peek() {
	case ',':
		s.pos++
		s.space()
		return true, nil
	case end:
		s.pos++
		return false, nil
	}
	return false, s.fault("expected a comma or the end")
}

func (s *scanner) literal(word string) error {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		return s.fault("expected a JSON value")
	}
	s.pos += len(word)
	return nil
}

func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return s.fault("expected a digit")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return s.fault("expected a digit")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return s.fault("expected a digit")
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
