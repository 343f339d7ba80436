package httpadapter

import (
	"time"

	"github.com/magiclink-go/magiclink"
)

// timeFormat is RFC 3339 with milliseconds, which is as exact as a store keeps times.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// linkData is a link in an answer. Every member is always there, with a null for what is not set.
type linkData struct {
	MagicLinkID        string  `json:"magic_link_id"`
	BusinessID         *string `json:"business_id"`
	ExternalBusinessID *string `json:"external_business_id"`
	Email              *string `json:"email"`
	Path               *string `json:"path"`
	State              string  `json:"state"`
	CreatedAt          string  `json:"created_at"`
	ExpiresAt          string  `json:"expires_at"`
	ConsumedAt         *string `json:"consumed_at"`
	RevokedAt          *string `json:"revoked_at"`
}

type linkListData struct {
	MagicLinks []linkData `json:"magic_links"`
	NextCursor *string    `json:"next_cursor"`
}

// revokedLinkData is the answer to revoking a link.
type revokedLinkData struct {
	MagicLinkID string          `json:"magic_link_id"`
	State       magiclink.State `json:"state"`
}

// revokedCountData is the answer to revoking a subject.
type revokedCountData struct {
	Revoked int `json:"revoked"`
}

func dataOfLink(link magiclink.Link) linkData {
	state := link.State
	if magiclink.StateUsed.Includes(state) {
		state = magiclink.StateUsed // whether its session lasts is seen among the sessions
	}
	return linkData{
		MagicLinkID: link.ID, BusinessID: orNull(link.BusinessID), ExternalBusinessID: orNull(link.ExternalBusinessID),
		Email: orNull(link.Email), Path: orNull(link.Path), State: string(state),
		CreatedAt: timeText(link.CreatedAt), ExpiresAt: timeText(link.ExpiresAt),
		ConsumedAt: orNull(timeText(link.ConsumedAt)), RevokedAt: orNull(timeText(link.RevokedAt)),
	}
}

// timeText returns "" for the zero time.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeFormat)
}
