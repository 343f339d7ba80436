package httpadapter

import (
	"encoding/base64"
	"strings"
)

// cursorVersion begins what a cursor holds, so that another form can be told from this one. The id of the last record follows.
const cursorVersion = "1"

const maxCursorID = 255 // characters

var cursorEncoding = base64.RawURLEncoding.Strict()

// cursorAfter returns the cursor of the page that begins after the id. It has no signature: an id is only compared, and the
// tenant and the business of the caller decide on every page which records match.
func cursorAfter(id string) string {
	return cursorEncoding.EncodeToString([]byte(cursorVersion + id))
}

// readCursor returns the id that a cursor holds. It refuses what no store has as an id, such as control characters.
func readCursor(cursor string) (id string, ok bool) {
	decoded, err := cursorEncoding.DecodeString(cursor)
	if err != nil || cursorEncoding.EncodeToString(decoded) != cursor { // a decoder skips line breaks
		return "", false
	}
	id, ok = strings.CutPrefix(string(decoded), cursorVersion)
	if !ok || id == "" || len(id) > maxCursorID || strings.ContainsFunc(id, notVisible) {
		return "", false
	}
	return id, true
}
