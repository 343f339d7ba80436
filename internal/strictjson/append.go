package strictjson

import "unicode/utf8"

// AppendString appends text as a JSON string. Invalid UTF-8 becomes U+FFFD, so that what is written can be read again.
func AppendString(buf []byte, text string) []byte {
	const hex = "0123456789abcdef"
	plain := plainLength(text)
	buf = append(buf, '"')
	buf = append(buf, text[:plain]...)
	for _, r := range text[plain:] {
		switch {
		case r == '"' || r == '\\':
			buf = append(buf, '\\', byte(r))
		case r < 0x20:
			buf = append(buf, '\\', 'u', '0', '0', hex[r>>4], hex[r&0xf])
		default:
			buf = utf8.AppendRune(buf, r)
		}
	}
	return append(buf, '"')
}

// plainLength returns how many bytes at the beginning of text need no escape. A link needs none, and to copy it rune by rune took as long as the
// validation of a whole request.
func plainLength(text string) int {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return i
		}
	}
	return len(text)
}
