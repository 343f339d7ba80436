package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	linkPrefix    = "mlk_"
	sessionPrefix = "ses_"
)

// linkRow is what is shown of a link. Its names are those of the API; the tenant, the device and the end of the session are known beside the store
// alone.
type linkRow struct {
	ID                 string     `json:"magic_link_id"`
	Tenant             string     `json:"tenant,omitempty"`
	BusinessID         *string    `json:"business_id"`
	ExternalBusinessID *string    `json:"external_business_id"`
	Email              *string    `json:"email"`
	Path               *string    `json:"path"`
	State              string     `json:"state"`
	CreatedAt          time.Time  `json:"created_at"`
	ExpiresAt          time.Time  `json:"expires_at"`
	ConsumedAt         *time.Time `json:"consumed_at"`
	RevokedAt          *time.Time `json:"revoked_at"`
	SessionExpiresAt   *time.Time `json:"session_expires_at,omitempty"`
	Device             string     `json:"device,omitempty"`
}

// sessionRow is what is shown of a session. Its names are those of the API; the tenant and the device are known beside the store alone.
type sessionRow struct {
	ID                 string    `json:"session_id"`
	LinkID             string    `json:"magic_link_id"`
	Tenant             string    `json:"tenant,omitempty"`
	BusinessID         *string   `json:"business_id"`
	ExternalBusinessID *string   `json:"external_business_id"`
	Email              *string   `json:"email"`
	CreatedAt          time.Time `json:"created_at"`
	ExpiresAt          time.Time `json:"expires_at"`
	Device             string    `json:"device,omitempty"`
}

func rowOf(link magiclink.Link) linkRow {
	row := linkRow{
		ID: link.ID, Tenant: link.TenantID, BusinessID: orNil(link.BusinessID), ExternalBusinessID: orNil(link.ExternalBusinessID),
		Email: orNil(link.Email), Path: orNil(link.Path), State: stateName(link.State),
		CreatedAt: link.CreatedAt, ExpiresAt: link.ExpiresAt, ConsumedAt: orNil(link.ConsumedAt), RevokedAt: orNil(link.RevokedAt),
	}
	session, used := link.Session()
	row.Device = session.Device
	if used && link.RevokedAt.IsZero() {
		row.SessionExpiresAt = orNil(session.ExpiresAt)
	}
	return row
}

// stateName is the API's name of a state. A link whose session lasts is a used one there.
func stateName(state magiclink.State) string {
	if state == magiclink.StateSession {
		return string(magiclink.StateUsed)
	}
	return string(state)
}

func sessionEnd(link magiclink.Link) time.Time {
	return link.ConsumedAt.UTC().Truncate(time.Second).Add(link.SessionTimeout.Truncate(time.Second))
}

func sessionRowOf(link magiclink.Link) sessionRow {
	session, _ := link.Session()
	return sessionRow{
		ID: sessionIDOf(link.ID), LinkID: link.ID, Tenant: link.TenantID, BusinessID: orNil(link.BusinessID),
		ExternalBusinessID: orNil(link.ExternalBusinessID), Email: orNil(link.Email),
		CreatedAt: session.CreatedAt, ExpiresAt: session.ExpiresAt, Device: session.Device,
	}
}

func sessionIDOf(linkID string) string { return sessionPrefix + strings.TrimPrefix(linkID, linkPrefix) }

// business is how a row names a business: by the tenant's own id where there is one.
func business(external, id *string) string {
	if external != nil {
		return *external
	}
	return text(id)
}

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

// plain escapes what could steer a terminal or change the order in which a text is read.
func plain(text string) string {
	var b strings.Builder
	for _, c := range text {
		if strconv.IsPrint(c) {
			b.WriteRune(c)
		} else {
			quoted := strconv.QuoteRune(c)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// cell is plain for a table: an empty one is a dash.
func cell(text string) string {
	if text == "" {
		return "-"
	}
	return plain(text)
}

func clockTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func clockTimeOf(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return clockTime(*t)
}

// lowerDomain writes an address as links have it: with its domain in lower case.
func lowerDomain(address string) string {
	at := strings.IndexByte(address, '@')
	if at < 0 {
		return address
	}
	return address[:at] + strings.ToLower(address[at:])
}
