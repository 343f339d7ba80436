package httpadapter

import "github.com/magiclink-go/magiclink"

// listedSession is a session in a list. Every member is always there, with a null for what is not set.
type listedSession struct {
	SessionID          string  `json:"session_id"`
	MagicLinkID        string  `json:"magic_link_id"`
	BusinessID         *string `json:"business_id"`
	ExternalBusinessID *string `json:"external_business_id"`
	Email              *string `json:"email"`
	CreatedAt          string  `json:"created_at"`
	ExpiresAt          string  `json:"expires_at"`
}

type sessionListData struct {
	Sessions   []listedSession `json:"sessions"`
	NextCursor *string         `json:"next_cursor"`
}

// revokedSessionData is the answer to ending a session.
type revokedSessionData struct {
	SessionID string          `json:"session_id"`
	State     magiclink.State `json:"state"`
}

func dataOfSession(session magiclink.Session) listedSession {
	return listedSession{
		SessionID: session.ID, MagicLinkID: session.MagicLinkID,
		BusinessID: orNull(session.BusinessID), ExternalBusinessID: orNull(session.ExternalBusinessID),
		Email: orNull(session.Email), CreatedAt: timeText(session.CreatedAt), ExpiresAt: timeText(session.ExpiresAt),
	}
}
