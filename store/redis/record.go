package redis

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/magiclink-go/magiclink"
)

// A record is one string under the key of its id. It begins with what Create writes, and never changes:
//
//	expires stay timeout created creation n1 n2 n3 n4 n5 size\n
//	tenant business external email path extension
//	-
//
// A use and a revocation are appended, in this order, so that the last byte says what happened to the link:
//
//	at repeat n\nby+
//	at!
//
// Times are decimal milliseconds. Stay is for how many milliseconds the server keeps the record after a use, and the timeout is in
// seconds. The first five texts have n1 to n5 bytes, all six together have size, and by has n. Creation is the mark of the Create, and
// repeat is the mark of the Consume with an empty by: a mark shows a call that is sent again that it has taken place already. The id is in
// the key.
const (
	unused  = "-"
	used    = "+"
	revoked = "!"

	none = "-" // no mark
)

// largest is the largest number of milliseconds, in both directions from 1970, that a number of Lua holds exactly.
const largest = 1 << 53

var (
	errNotText    = errors.New("a field of the record is not valid UTF-8: only Extension may hold other bytes")
	errTime       = errors.New("a time of the record is out of range: use years between -280000 and 280000")
	errNoRecord   = errors.New("the value of the key is not a record of this package: give the store a prefix of its own by Options.Prefix")
	errNotDecided = errors.New("the script has neither consumed the link nor said why: report this as a bug")
)

// entry is what Redis keeps of a record.
type entry struct {
	magiclink.Record
	repeat string
}

// appendMark appends what no other call has.
func appendMark(b []byte) []byte {
	return strconv.AppendUint(b, rand.Uint64(), 32) //nolint:gosec // G404: it tells calls apart and is no secret
}

func checkRecord(r *magiclink.Record) error {
	for _, s := range []string{r.ID, r.TenantID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path} {
		if !utf8.ValidString(s) {
			return errNotText
		}
	}
	for _, t := range []time.Time{r.CreatedAt, r.ExpiresAt, r.ConsumedAt, r.RevokedAt} {
		if outOfRange(t) {
			return errTime
		}
	}
	return nil
}

var earliest, latest = moment(-largest), moment(largest)

func outOfRange(t time.Time) bool { return t.Before(earliest) || t.After(latest) }

// newValue returns the value of the key of a canonical record, with a mark that no other call has.
func newValue(r *magiclink.Record) []byte {
	texts := textsOf(r)
	size := len(r.Extension)
	for _, s := range texts {
		size += len(*s)
	}
	b := make([]byte, 0, headSize+size+len(r.ConsumedBy))
	b = strconv.AppendInt(b, r.ExpiresAt.UnixMilli(), 10)
	b = appendNumber(b, stay(r.SessionTimeout))
	b = appendNumber(b, int64(r.SessionTimeout/time.Second))
	b = appendNumber(b, r.CreatedAt.UnixMilli())
	b = appendMark(append(b, ' '))
	for _, s := range texts {
		b = appendNumber(b, int64(len(*s)))
	}
	b = append(appendNumber(b, int64(size)), '\n')
	for _, s := range texts {
		b = append(b, *s...)
	}
	b = append(append(b, r.Extension...), unused...)
	if !r.ConsumedAt.IsZero() {
		b = appendUse(b, r.ConsumedAt, none, r.ConsumedBy)
	}
	if !r.RevokedAt.IsZero() {
		b = appendRevocation(b, r.RevokedAt)
	}
	return b
}

// headSize is as large as the first line of most records, with the last byte.
const headSize = 96

// textsOf returns all texts but the extension, which is the rest.
func textsOf(r *magiclink.Record) [5]*string {
	return [5]*string{&r.TenantID, &r.BusinessID, &r.ExternalBusinessID, &r.Email, &r.Path}
}

func appendNumber(b []byte, n int64) []byte { return strconv.AppendInt(append(b, ' '), n, 10) }

func appendUse(b []byte, at time.Time, mark, by string) []byte {
	b = strconv.AppendInt(b, at.UnixMilli(), 10)
	b = append(append(b, ' '), mark...)
	b = append(appendNumber(b, int64(len(by))), '\n')
	return append(append(b, by...), used...)
}

func appendRevocation(b []byte, at time.Time) []byte {
	return append(strconv.AppendInt(b, at.UnixMilli(), 10), revoked...)
}

// decode reads the value of the key of an id.
func decode(id, value string) (*entry, error) {
	e := &entry{Record: magiclink.Record{ID: id}, repeat: none}
	line, rest, ok := strings.Cut(value, "\n")
	f := fields{text: line, ok: ok}
	e.ExpiresAt = f.time()
	f.number() // stay
	e.SessionTimeout = time.Duration(f.number()) * time.Second
	e.CreatedAt = f.time()
	f.next() // creation
	size := int64(len(rest))
	for _, s := range textsOf(&e.Record) {
		*s, rest = f.cut(rest, f.number())
	}
	e.Extension, rest = f.cut(rest, f.number()-size+int64(len(rest)))
	if !f.end() || !e.decodeEvents(rest) {
		return nil, errNoRecord
	}
	return e, nil
}

// decodeEvents reads what follows the texts. It reports whether that is as it should be.
func (e *entry) decodeEvents(text string) bool {
	text, ok := strings.CutPrefix(text, unused)
	if line, rest, isUsed := strings.Cut(text, "\n"); isUsed {
		f := fields{text: line, ok: ok}
		e.ConsumedAt, e.repeat = f.time(), f.next()
		e.ConsumedBy, rest = f.cut(rest, f.number())
		if text, ok = strings.CutPrefix(rest, used); !f.end() {
			return false
		}
	}
	if at, isRevoked := strings.CutSuffix(text, revoked); isRevoked {
		f := fields{text: at, ok: ok}
		e.RevokedAt = f.time()
		return f.end()
	}
	return ok && text == ""
}

// fields reads a line word by word. Ok is false from the first word on that is not as it should be.
type fields struct {
	text string
	ok   bool
}

func (f *fields) next() (word string) {
	word, f.text, _ = strings.Cut(f.text, " ")
	f.ok = f.ok && word != ""
	return word
}

func (f *fields) number() int64 {
	n, err := strconv.ParseInt(f.next(), 10, 64)
	f.ok = f.ok && err == nil
	return n
}

func (f *fields) time() time.Time { return moment(f.number()) }

// cut takes the first n bytes of the rest.
func (f *fields) cut(rest string, n int64) (text, after string) {
	if n < 0 || n > int64(len(rest)) {
		f.ok = false
		return "", ""
	}
	return rest[:n], rest[n:]
}

func (f *fields) end() bool { return f.ok && f.text == "" }

// moment returns the time in the form of [magiclink.Record.Canonical].
func moment(milliseconds int64) time.Time { return time.UnixMilli(milliseconds).UTC() }

// truncate returns the time to the millisecond, as the contract compares times.
func truncate(t time.Time) time.Time { return moment(t.UnixMilli()) }

// broom returns when the server may remove the key, in milliseconds: a margin after the end of the record.
func broom(end time.Time) int64 {
	return max(1, min(end.Add(Margin).UnixMilli(), largest))
}

// stay returns for how long the server keeps a record after its use, in milliseconds: a margin longer than the session lasts.
func stay(timeout time.Duration) int64 {
	return max(1, timeout.Milliseconds()+Margin.Milliseconds())
}

// checkCall checks the time of a Consume or a Revoke.
func checkCall(at time.Time) error {
	if at.IsZero() {
		return errZeroTime
	}
	if outOfRange(at) {
		return errors.New("the time is out of range: pass the current time")
	}
	return nil
}
