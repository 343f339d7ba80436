package memory

import (
	"time"

	"github.com/magiclink-go/magiclink"
)

// kept is a canonical record as the store keeps it: its texts are one string, and its times are numbers. So a record needs little
// memory, and the garbage collector follows one pointer of it. A text that was cut out of a long one, such as the body of a request,
// does not keep the long one in memory.
type kept struct {
	texts   string // all texts, one behind the other
	ends    [7]int // where each of the texts but the last ends
	timeout time.Duration

	created, expires, consumed, revoked int64 // Unix time in milliseconds
}

func keep(r magiclink.Record) *kept {
	texts := [...]string{
		r.ID, r.TenantID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path, r.Extension, r.ConsumedBy,
	}
	k := &kept{
		timeout: r.SessionTimeout,
		created: r.CreatedAt.UnixMilli(), expires: r.ExpiresAt.UnixMilli(),
		consumed: r.ConsumedAt.UnixMilli(), revoked: r.RevokedAt.UnixMilli(),
	}
	end := 0
	for i := range k.ends {
		end += len(texts[i])
		k.ends[i] = end
	}
	k.texts = texts[0] + texts[1] + texts[2] + texts[3] + texts[4] + texts[5] + texts[6] + texts[7]
	return k
}

func (k *kept) id() string { return k.texts[:k.ends[0]] }

func (k *kept) record() magiclink.Record {
	text := func(i int) string { return k.texts[k.ends[i-1]:k.ends[i]] }
	return magiclink.Record{
		ID:             k.id(),
		Subject:        magiclink.Subject{TenantID: text(1), BusinessID: text(2), ExternalBusinessID: text(3), Email: text(4)},
		Path:           text(5),
		SessionTimeout: k.timeout,
		Extension:      text(6),
		CreatedAt:      fromMilli(k.created),
		ExpiresAt:      fromMilli(k.expires),
		ConsumedAt:     fromMilli(k.consumed),
		RevokedAt:      fromMilli(k.revoked),
		ConsumedBy:     k.texts[k.ends[6]:],
	}
}

// revoke keeps the time of an earlier revocation. It reports whether there was none.
func (k *kept) revoke(at time.Time) bool {
	if !fromMilli(k.revoked).IsZero() {
		return false
	}
	k.revoked = at.UnixMilli()
	return true
}

// fromMilli is the inverse of UnixMilli for a canonical time. The zero time comes back as the zero time.
func fromMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
