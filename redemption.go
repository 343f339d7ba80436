package magiclink

import (
	"errors"
	"time"
)

// Redemption is what a link stands for.
type Redemption struct {
	MagicLinkID string
	Subject     // whom the link signs in

	Path           string        // a local path, checked again, or empty
	SessionTimeout time.Duration // how long the session lasts, from RedeemedAt on
	Extension      string        // as it was given when the link was issued
	IssuedAt       time.Time     // UTC, like the following
	ExpiresAt      time.Time     // when the link expires, not the session
	RedeemedAt     time.Time     // when the link was used, the record's ConsumedAt; zero in what Inspect returns
	Device         string        // on which device the link was used, where that is known: see WithDevice

	// Delivered says how the link reached its person, where the package that has sent it knows. The core does not send links and leaves it
	// empty.
	Delivered Delivery

	// Repeated reports that an earlier call with the same "by" has used the link, and that this call returns the result
	// of that call again. If two calls overlap, both may report false.
	Repeated bool
}

// Delivery is a way on which a link reaches its person.
type Delivery string

// DeliveredByMail says that the link was sent to the Email of its Subject by the package signin, and nowhere else: who redeems it reads that
// mailbox. A link that the application has issued and sent itself proves nothing about a mailbox.
const DeliveredByMail Delivery = "mail"

// verdict turns the outcome of a store into one of ours. A link that the store does not have is as good as forged.
func verdict(doing string, err error) error {
	for _, outcome := range []error{ErrRevoked, ErrConsumed, ErrExpired} {
		if errors.Is(err, outcome) {
			return outcome
		}
	}
	if errors.Is(err, ErrNotFound) {
		return ErrInvalidToken
	}
	return unavailable(doing, err)
}

// redemption takes over what a store has answered. The path was checked when the link was issued. It is checked again
// because it is about to become a redirection, and somebody may have changed what is stored.
func redemption(doing, id string, record Record, err error) (Redemption, error) {
	if err == nil && record.ID != id {
		err = errOtherRecord
	}
	if err != nil {
		return Redemption{}, verdict(doing, err)
	}
	path := record.Path
	if !localPath(path) {
		path = ""
	}
	return Redemption{
		MagicLinkID:    record.ID,
		Subject:        record.Subject,
		Path:           path,
		SessionTimeout: record.SessionTimeout,
		Extension:      record.Extension,
		IssuedAt:       record.CreatedAt,
		ExpiresAt:      record.ExpiresAt,
		RedeemedAt:     record.ConsumedAt,
		Device:         record.device(),
	}, nil
}
