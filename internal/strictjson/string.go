package strictjson

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string and returns its meaning: a part of the text where there is no escape, else a new slice.
func (s *scanner) string() ([]byte, error) {
	s.pos++ // "
	start := s.pos
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.data[start : s.pos-1], nil
		case c == '\\':
			return s.escaped(append([]byte(nil), s.data[start:s.pos]...))
		case c < 0x20:
			return nil, s.fault("unescaped control character in a string")
		default:
			s.pos++
		}
	}
	return nil, s.fault("unterminated string")
}

// escaped goes on with a string from its first backslash, with what was read before it.
func (s *scanner) escaped(out []byte) ([]byte, error) {
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		switch {
		case c == '"':
			s.pos++
			return out, nil
		case c < 0x20:
			return nil, s.fault("unescaped control character in a string")
		case c != '\\':
			out = append(out, c)
			s.pos++
		default:
			r, err := s.escape()
			if err != nil {
				return nil, err
			}
			out = utf8.AppendRune(out, r)
		}
	}
	return nil, s.fault("unterminated string")
}

func (s *scanner) escape() (rune, error) {
	s.pos++ // backslash
	c := s.peek()
	s.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return s.unicode()
	}
	s.pos -= 2
	return 0, s.fault("unknown escape in a string")
}

func (s *scanner) unicode() (rune, error) {
	first, err := s.hex4()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	if s.peek() == '\\' && s.pos+1 < len(s.data) && s.data[s.pos+1] == 'u' {
		s.pos += 2
		second, err := s.hex4()
		if err != nil {
			return 0, err
		}
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return r, nil
		}
	}
	return 0, s.fault("lone surrogate in a string")
}

func (s *scanner) hex4() (rune, error) {
	if len(s.data)-s.pos < 4 {
		return 0, s.fault("expected four hexadecimal digits")
	}
	n, err := strconv.ParseUint(string(s.data[s.pos:s.pos+4]), 16, 16)
	if err != nil {
		return 0, s.fault("expected four hexadecimal digits")
	}
	s.pos += 4
	return rune(n), nil
}
