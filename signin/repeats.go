package signin

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"
)

// mostRepeats is how often one form may be sent again without being counted. A key that is held down sends 30 forms in a second.
const mostRepeats = 100

// repeats remembers for a moment which forms need not be counted again: those that have asked for a mail, and those whose code
// was right. A person who holds the Enter key down, or whose hand trembles, sends one form many times, and the browser shows the
// answer to the last one. That answer must not be that the person has tried too often. Each replica remembers the forms that it
// has counted itself.
type repeats struct {
	mu    sync.Mutex
	forms [256]repeat // by the first byte of the digest; a form that is pushed out is counted again
}

type repeat struct {
	form  [sha256.Size]byte
	until time.Time
	left  int
}

// formDigest tells a form that was shown, and what a person has entered in it, from all others of the flow.
func formDigest(path string, a asked, formToken, entered string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join([]string{path, a.secret, formToken, entered}, "\x00")))
}

// counted notes a form that was counted just now. It counts as repeated for one step, in which its requests have one link.
func (r *repeats) counted(form [sha256.Size]byte, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forms[form[0]] = repeat{form: form, until: now.Add(step), left: mostRepeats}
}

// again reports whether the form was counted a moment ago.
func (r *repeats) again(form [sha256.Size]byte, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := &r.forms[form[0]]
	left := known.until.Sub(now)
	if known.form != form || known.left == 0 || left <= 0 || left > step {
		return false
	}
	known.left--
	return true
}
