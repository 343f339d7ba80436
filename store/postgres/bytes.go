package postgres

import (
	"encoding/hex"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

var errNotBytes = errors.New("the server has sent bytes in an unknown format")

// scan is Scan of the rows, whatever bytea_output is set to: of the text formats of bytes pgx reads that of "hex" alone. Where
// pgx lets the server send bytes as such, as a rule, scan has nothing to do. Targets of bytes are a [pgtype.DriverBytes] or a
// []byte.
func scan(rows pgx.Rows, targets ...any) error {
	values := rows.RawValues()
	for i, field := range rows.FieldDescriptions() {
		if field.DataTypeOID != pgtype.ByteaOID || field.Format != pgtype.TextFormatCode || i >= len(targets) || values[i] == nil {
			continue
		}
		taken, err := takeBytes(targets[i], values[i]) //nolint:gosec // G602: the condition above
		if err != nil {
			return err
		}
		if taken {
			targets[i] = nil //nolint:gosec // G602: likewise; pgx passes over it
		}
	}
	return rows.Scan(targets...)
}

// takeBytes writes the text format of bytes to a target of bytes. It reports whether the target is one.
func takeBytes(target any, text []byte) (taken bool, err error) {
	switch bytes := target.(type) {
	case *pgtype.DriverBytes:
		*bytes, err = decodeBytes(text)
	case *[]byte:
		*bytes, err = decodeBytes(text)
	default:
		return false, nil
	}
	return true, err
}

// decodeBytes reads both text formats of bytes. In that of "escape" a backslash begins three octal digits or another backslash,
// and is never followed by an x.
func decodeBytes(text []byte) ([]byte, error) {
	if len(text) >= 2 && text[0] == '\\' && text[1] == 'x' {
		return hex.AppendDecode(nil, text[2:])
	}
	b := make([]byte, 0, len(text))
	for len(text) > 0 {
		c, size := text[0], 1
		if c == '\\' {
			c, size = unescapeByte(text[1:])
		}
		if size > len(text) {
			return nil, errNotBytes
		}
		b, text = append(b, c), text[size:]
	}
	return b, nil
}

// unescapeByte reads what follows a backslash. The size includes the backslash, and is too large if nothing right follows.
func unescapeByte(text []byte) (c byte, size int) {
	octal := func(c byte) bool { return '0' <= c && c <= '7' }
	switch {
	case len(text) >= 1 && text[0] == '\\':
		return '\\', 2
	case len(text) >= 3 && octal(text[0]) && octal(text[1]) && octal(text[2]):
		return text[0]<<6 | (text[1]-'0')<<3 | (text[2] - '0'), 4
	}
	return 0, len(text) + 2
}
