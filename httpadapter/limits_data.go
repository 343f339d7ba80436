package httpadapter

import (
	"time"

	"github.com/magiclink-go/magiclink"
)

// limitData is a limit in an answer. Every member is always there.
type limitData struct {
	Limit        magiclink.LimitKind `json:"limit"`
	Burst        int                 `json:"burst"`
	EveryMS      int64               `json:"every_ms"`
	Left         int                 `json:"left"`
	RetryAfterMS int64               `json:"retry_after_ms"`
	FullAt       *string             `json:"full_at"` // null where the whole burst is there
}

type limitListData struct {
	Limits []limitData `json:"limits"`
}

// resetCountData is the answer to resetting a limit.
type resetCountData struct {
	Reset int `json:"reset"`
}

func dataOfLimit(state magiclink.LimitState) limitData {
	return limitData{
		Limit: state.Kind, Burst: state.Rate.Burst, EveryMS: int64(state.Rate.Every / time.Millisecond),
		Left: state.Left, RetryAfterMS: int64(state.RetryAfter / time.Millisecond), FullAt: orNull(timeText(state.FullAt)),
	}
}

// readLimitQuery reads whose limits are meant. Parameters that it does not know are ignored.
func readLimitQuery(rawQuery string) (magiclink.Subject, *problem) {
	read, fault := newQueryReader(rawQuery)
	if fault != nil {
		return magiclink.Subject{}, fault
	}
	read.takeSubject()
	if len(read.subject.faults) > 0 {
		return magiclink.Subject{}, invalidFields(read.subject.faults)
	}
	return read.subject.Subject, checkOneLimit(read.subject.Subject)
}

// checkOneLimit refuses an address beside a business: the limit of an address counts for every business, which the caller may not expect.
func checkOneLimit(subject magiclink.Subject) *problem {
	if subject.Email == "" || subject.BusinessID == "" && subject.ExternalBusinessID == "" {
		return nil
	}
	return invalidFields(magiclink.FieldErrors{{
		Field: "email", Rule: "excluded_with", Message: "must not be given beside a business: the limit of an address is one for all businesses",
	}})
}
