package magiclink

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"
)

// The types below hold a link or an address. Printed by fmt or slog they show ids and times alone, so that a value that lands
// in a log gives nobody access and names nobody. The same holds for the JSON of the types that are neither a request nor
// what a store keeps, since slog writes a struct that contains them as JSON.

// summary is what a value shows of itself.
type summary struct {
	name string // of the type
	id   string
	Subject
	until time.Time
}

func (s summary) String() string {
	text := fmt.Sprintf("%s{ID:%s TenantID:%q BusinessID:%s", s.name, s.id, s.TenantID, s.BusinessID)
	if !s.until.IsZero() {
		text += " ExpiresAt:" + s.until.UTC().Format(time.RFC3339)
	}
	return text + "}"
}

// LogValue implements [slog.LogValuer].
func (s summary) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("id", s.id), slog.String("tenant_id", s.TenantID), slog.String("business_id", s.BusinessID),
	}
	if !s.until.IsZero() {
		attrs = append(attrs, slog.Time("expires_at", s.until))
	}
	return slog.GroupValue(attrs...)
}

// MarshalJSON implements [json.Marshaler].
func (s summary) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID         string    `json:"id"`
		TenantID   string    `json:"tenant_id,omitempty"`
		BusinessID string    `json:"business_id,omitempty"`
		ExpiresAt  time.Time `json:"expires_at,omitzero"`
	}{s.id, s.TenantID, s.BusinessID, s.until})
}

func (r MagicLinkResponse) summary() summary {
	return summary{name: "MagicLinkResponse", id: r.MagicLinkID, until: r.ExpiresAt}
}

// String returns the id without the link, which is a credential.
func (r MagicLinkResponse) String() string { return r.summary().String() }

// GoString is String, for the verb %#v.
func (r MagicLinkResponse) GoString() string { return r.String() }

// LogValue implements [slog.LogValuer]. It leaves out the link, which is a credential.
func (r MagicLinkResponse) LogValue() slog.Value { return r.summary().LogValue() }

// MarshalJSON leaves out the link, which is a credential, since slog writes the fields of a struct as JSON. To send the link,
// write the field MagicLink into a type of your own. The HTTP adapter answers with the specification's schema.
func (r MagicLinkResponse) MarshalJSON() ([]byte, error) { return r.summary().MarshalJSON() }

func (in MagicLinkCreate) summary() summary {
	return summary{name: "MagicLinkCreate", Subject: Subject{TenantID: in.Caller.TenantID, BusinessID: in.BusinessID}}
}

// String leaves out the address and the path.
func (in MagicLinkCreate) String() string { return in.summary().String() }

// GoString is String, for the verb %#v.
func (in MagicLinkCreate) GoString() string { return in.String() }

// LogValue implements [slog.LogValuer]. It leaves out the address and the path.
func (in MagicLinkCreate) LogValue() slog.Value { return in.summary().LogValue() }

func (s Subject) summary() summary { return summary{name: "Subject", Subject: s} }

// String leaves out the address.
func (s Subject) String() string { return s.summary().String() }

// GoString is String, for the verb %#v.
func (s Subject) GoString() string { return s.String() }

// LogValue implements [slog.LogValuer]. It leaves out the address.
func (s Subject) LogValue() slog.Value { return s.summary().LogValue() }

func (r Record) summary() summary {
	return summary{name: "Record", id: r.ID, Subject: r.Subject, until: r.ExpiresAt}
}

// String leaves out the address and the path.
func (r Record) String() string { return r.summary().String() }

// GoString is String, for the verb %#v.
func (r Record) GoString() string { return r.String() }

// LogValue implements [slog.LogValuer]. It leaves out the address and the path.
func (r Record) LogValue() slog.Value { return r.summary().LogValue() }

func (r Redemption) summary() summary {
	return summary{name: "Redemption", id: r.MagicLinkID, Subject: r.Subject, until: r.ExpiresAt}
}

// String leaves out the address and the path.
func (r Redemption) String() string { return r.summary().String() }

// GoString is String, for the verb %#v.
func (r Redemption) GoString() string { return r.String() }

// LogValue implements [slog.LogValuer]. It leaves out the address and the path.
func (r Redemption) LogValue() slog.Value { return r.summary().LogValue() }

// MarshalJSON leaves out the address and the path, since slog writes the fields of a struct as JSON.
func (r Redemption) MarshalJSON() ([]byte, error) { return r.summary().MarshalJSON() }

func (s Session) summary() summary {
	return summary{name: "Session", id: s.ID, Subject: s.Subject, until: s.ExpiresAt}
}

// String leaves out the address.
func (s Session) String() string { return s.summary().String() }

// GoString is String, for the verb %#v.
func (s Session) GoString() string { return s.String() }

// LogValue implements [slog.LogValuer]. It leaves out the address.
func (s Session) LogValue() slog.Value { return s.summary().LogValue() }

// MarshalJSON leaves out the address, since slog writes the fields of a struct as JSON.
func (s Session) MarshalJSON() ([]byte, error) { return s.summary().MarshalJSON() }

// MarshalJSON leaves out the address and the path, since slog writes the fields of a struct as JSON.
func (l Link) MarshalJSON() ([]byte, error) { return l.summary().MarshalJSON() }
