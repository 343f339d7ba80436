package magiclink

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/lithammer/shortuuid/v4"
)

// The prefixes of ids. Behind each stand "_" and a UUID in the 22 characters of a short UUID.
const (
	prefixLink     = "mlk_"
	prefixBusiness = "biz_"
	prefixKey      = "key_"
	prefixSession  = "ses_"
	prefixAccess   = "act_"
)

// NewBusinessID makes a new business id, for a [BusinessDirectory] that has no ids of this form yet. Ids sort by the time
// that they were made at.
func NewBusinessID(now time.Time) string { return newID(prefixBusiness, now) }

// NewMagicLinkID makes an id for [MagicLinkCreate.MagicLinkID]. With an empty seed each call makes another id. Otherwise the same time and
// seed always make the same id, so that a caller who keeps a secret seed can name its link again and nobody else can: take a seed of at
// least 128 random bits. No id shows its seed. The time counts with its nanoseconds: a caller whose database keeps fewer digits truncates
// it first. Ids sort by the time that they were made at. An id itself is no secret.
func NewMagicLinkID(now time.Time, seed string) string {
	id := newID(prefixLink, now)
	if seed != "" {
		hash := sha256.Sum256([]byte("magiclink id\x00" + seed))
		id = encodeID(prefixLink, stampOf(now), [8]byte(hash[:8]))
	}
	return id
}

// ValidMagicLinkID reports whether s has the form of a link's id: "mlk_" and 22 characters of the base-57 alphabet.
func ValidMagicLinkID(s string) bool { return validID(prefixLink, s) }

// ValidBusinessID reports whether s has the form of a business id, the spec's format biz_string: "biz_" and 22 characters
// of the base-57 alphabet. Whether there is such a business, a [BusinessDirectory] knows.
func ValidBusinessID(s string) bool { return validID(prefixBusiness, s) }

// ValidTenantID reports whether s can be the id of a tenant: at most 255 characters, in UTF-8, none of them a control
// character. The empty id is valid: it is the tenant of an application without tenants.
func ValidTenantID(s string) bool { return plainText(s) && utf8.RuneCountInString(s) <= maxName }

// idDigits is the base-57 alphabet of short UUIDs. It is in ASCII order, so ids of one prefix sort as their UUIDs do.
const idDigits = shortuuid.DefaultAlphabet

const idLength = 22

// isIDDigit is a table, since every call checks ids.
var isIDDigit = func() (table [256]bool) {
	for i := range len(idDigits) {
		table[idDigits[i]] = true
	}
	return table
}()

// newID makes an id from a UUIDv7 (RFC 9562 section 5.7). It begins with the time, so ids sort by time and an index grows at
// its end. Twelve bits below the millisecond order the ids of one millisecond; 62 random bits keep ids apart.
func newID(prefix string, now time.Time) string { return idOf(prefix, stampOf(now)) }

// stampOf returns the first half of a UUIDv7: the time and the version.
func stampOf(now time.Time) uint64 {
	fraction := uint64(now.Nanosecond()%int(time.Millisecond)) << 12 / uint64(time.Millisecond)
	return uint64(now.UnixMilli())<<16 | 7<<12 | fraction
}

func idOf(prefix string, stamp uint64) string {
	var random [8]byte
	rand.Read(random[:]) // never fails: see its documentation
	return encodeID(prefix, stamp, random)
}

func encodeID(prefix string, stamp uint64, random [8]byte) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], stamp)
	copy(id[8:], random[:])
	id[8] = id[8]&0x3f | 0x80
	return prefix + shortuuid.DefaultEncoder.Encode(id)
}

// sequence makes ids that sort in the order in which they were made, also within one reading of the clock: up to 4096 of a
// millisecond (RFC 9562 section 6.2, method 1). A clock that is set back is followed.
type sequence struct{ last atomic.Uint64 }

func (s *sequence) newID(prefix string, now time.Time) string {
	const lastOfMilli = 0xfff
	for {
		stamp, last := stampOf(now), s.last.Load()
		if stamp>>16 == last>>16 && stamp <= last && last&lastOfMilli < lastOfMilli {
			stamp = last + 1
		}
		if s.last.CompareAndSwap(last, stamp) {
			return idOf(prefix, stamp)
		}
	}
}

// validID reports whether s is the prefix and 22 characters of the alphabet.
func validID(prefix, s string) bool {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || len(digits) != idLength {
		return false
	}
	for i := range len(digits) {
		if !isIDDigit[digits[i]] {
			return false
		}
	}
	return true
}

// idTime returns when newID made the id, to the millisecond, or the zero time for an id of other origin.
func idTime(prefix, s string) time.Time {
	if !validID(prefix, s) {
		return time.Time{}
	}
	id, err := shortuuid.DefaultEncoder.Decode(s[len(prefix):])
	if err != nil || id[6]>>4 != 7 {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC()
}
