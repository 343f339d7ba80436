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

// A record is one string under the key of its id:
//
//	expires consumed revoked timeout repeat n\n      the state, which scripts read and write
//	by                                               n bytes
//	created creation n1 n2 n3 n4 n5 n6\n             what never changes
//	tenant business external email path extension    n1 to n6 bytes
//
// Times are decimal milliseconds, "-" where there is none. The timeout is in seconds. Creation is the mark of the Create, and repeat is
// the mark of the Consume with an empty by: a mark shows a call that is sent again that it has taken place already. The id is in the key.
const (
	none      = "-"
	textCount = 6
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
	creation string
	repeat   string
}

// newMark returns what no other call has.
func newMark() string {
	return strconv.FormatUint(rand.Uint64(), 36) //nolint:gosec // G404: it tells calls apart and is no secret
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

// encode returns the value of the key.
func (e *entry) encode() []byte {
	b := make([]byte, 0, 160+len(e.TenantID)+len(e.BusinessID)+len(e.ExternalBusinessID)+len(e.Email)+len(e.Path)+len(e.Extension))
	b = strconv.AppendInt(b, e.ExpiresAt.UnixMilli(), 10)
	b = appendEvent(b, e.ConsumedAt)
	b = appendEvent(b, e.RevokedAt)
	b = appendNumber(b, int64(e.SessionTimeout/time.Second))
	b = append(b, " "+none...) // repeat
	b = appendNumber(b, int64(len(e.ConsumedBy)))
	b = append(b, '\n')
	b = append(b, e.ConsumedBy...)
	b = strconv.AppendInt(b, e.CreatedAt.UnixMilli(), 10)
	b = append(append(b, ' '), e.creation...)
	texts := e.texts()
	for _, s := range texts {
		b = appendNumber(b, int64(len(*s)))
	}
	b = append(b, '\n')
	for _, s := range texts {
		b = append(b, *s...)
	}
	return b
}

func (e *entry) texts() [textCount]*string {
	return [textCount]*string{&e.TenantID, &e.BusinessID, &e.ExternalBusinessID, &e.Email, &e.Path, &e.Extension}
}

func appendNumber(b []byte, n int64) []byte { return strconv.AppendInt(append(b, ' '), n, 10) }

func appendEvent(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, " "+none...)
	}
	return appendNumber(b, t.UnixMilli())
}

// decode reads the value of the key of an id.
func decode(id, value string) (entry, error) {
	e := entry{Record: magiclink.Record{ID: id}}
	state, rest, ok := strings.Cut(value, "\n")
	f := fields{text: state, ok: ok}
	e.ExpiresAt, e.ConsumedAt, e.RevokedAt = f.time(), f.time(), f.time()
	e.SessionTimeout = time.Duration(f.number()) * time.Second
	e.repeat = f.next()
	e.ConsumedBy, rest = f.cut(rest, f.number())

	var line string
	line, rest, ok = strings.Cut(rest, "\n")
	f = fields{text: line, ok: f.end() && ok}
	e.CreatedAt, e.creation = f.time(), f.next()
	for _, s := range e.texts() {
		*s, rest = f.cut(rest, f.number())
	}
	if !f.end() || rest != "" {
		return entry{}, errNoRecord
	}
	return e, nil
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

func (f *fields) time() time.Time {
	word := f.next()
	if word == none {
		return time.Time{}
	}
	n, err := strconv.ParseInt(word, 10, 64)
	f.ok = f.ok && err == nil
	return moment(n)
}

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
