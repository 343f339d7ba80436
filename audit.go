package magiclink

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Audit returns a function for [Config.OnEvent] that writes each event as one line of JSON:
//
//	{"at":"2026-01-02T03:04:05.678Z","op":"issue","reason":"","actor":"client:crm","tenant_id":"t1","business_id":"biz_…","link_id":"mlk_…","count":0,"took_ms":1.25}
//
// The names are stable: members may be added behind these, and none is renamed or left out. "at" is [Event.At] in UTC, "reason" is
// empty on success, and every other member is the field of [Event] with its name. A line holds no token, no link, no address and no path.
//
// Each line is one call of Write, and calls do not overlap. The function waits for Write, so pass a file or a buffer. A line that cannot
// be written is reported to [slog.Default] and lost: events are hints. A panic of the writer is contained as one of OnEvent.
func Audit(w io.Writer) func(context.Context, Event) {
	var mu sync.Mutex
	return func(ctx context.Context, event Event) {
		line, err := json.Marshal(auditLine{
			At: event.At.UTC(), Op: event.Op, Reason: event.Reason, Actor: event.Actor,
			TenantID: event.TenantID, BusinessID: event.BusinessID, LinkID: event.LinkID, Count: event.Count,
			TookMS: float64(event.Took.Microseconds()) / 1000,
		})
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			_, err = w.Write(append(line, '\n'))
		}
		if err != nil {
			slog.ErrorContext(ctx, "magiclink: a line of the audit log could not be written", "op", string(event.Op), "error", err)
		}
	}
}

type auditLine struct {
	At         time.Time `json:"at"`
	Op         Op        `json:"op"`
	Reason     Reason    `json:"reason"`
	Actor      string    `json:"actor"`
	TenantID   string    `json:"tenant_id"`
	BusinessID string    `json:"business_id"`
	LinkID     string    `json:"link_id"`
	Count      int       `json:"count"`
	TookMS     float64   `json:"took_ms"`
}
