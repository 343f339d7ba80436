package magiclink

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// ErrIdempotencyMismatch says that a [MagicLinkCreate.IdempotencyKey] was used before, with another input. Nothing was issued.
var ErrIdempotencyMismatch = errors.New("magiclink: the idempotency key was used with another input")

const maxIdempotencyKey = 1024 // bytes

const (
	prefixIdempotency = "idk_"
	// idempotencyTenant has the form of no tenant's id, so no list and no search meets a record of a key.
	idempotencyTenant = "\x01idempotency"
)

// A record of a key is written before the link. Its Extension is the id of the link, and behind it the digest of the input. It expires with the
// link, and no token leads to it. When a call dies between the two writes, the next call with the key finds no link with
// that id, and issues it.

// reserve plans the link's id under its idempotency key. For a key that was used before it returns the response for the repetition, or takes over the id of a link
// that was planned and never stored.
func (i *Issuer) reserve(ctx context.Context, in *MagicLinkCreate, record *Record, now time.Time) (MagicLinkResponse, error) {
	if in.IdempotencyKey == "" {
		return MagicLinkResponse{}, nil
	}
	key := Record{
		ID: idempotencyID(in), Subject: Subject{TenantID: idempotencyTenant},
		Extension: record.ID + inputDigest(in, *record),
		CreatedAt: record.CreatedAt, ExpiresAt: record.ExpiresAt,
	}
	err := i.settings.Store.Create(ctx, key)
	if err == nil {
		return MagicLinkResponse{}, nil
	}
	if !errors.Is(err, ErrExists) {
		return MagicLinkResponse{}, unavailable("store the idempotency key", err)
	}
	before, err := i.settings.Store.Get(ctx, key.ID)
	if err != nil {
		return MagicLinkResponse{}, unavailable("look the idempotency key up", err)
	}
	if len(before.Extension) != len(key.Extension) || before.TenantID != idempotencyTenant {
		return MagicLinkResponse{}, unavailable("look the idempotency key up", errOtherRecord)
	}
	id, digest := before.Extension[:len(record.ID)], before.Extension[len(record.ID):]
	if digest != key.Extension[len(record.ID):] {
		return MagicLinkResponse{}, ErrIdempotencyMismatch
	}
	record.ID = id
	return i.repeated(ctx, id, before.ExpiresAt, now)
}

// repeated returns the response for a link that was issued before, or the zero response if the link was never stored.
func (i *Issuer) repeated(ctx context.Context, id string, expires, now time.Time) (MagicLinkResponse, error) {
	issued, err := i.settings.Store.Get(ctx, id)
	switch {
	case err == nil:
		expires = issued.ExpiresAt
	case !errors.Is(err, ErrNotFound):
		return MagicLinkResponse{}, unavailable("look the link up", err)
	case now.Before(expires):
		return MagicLinkResponse{}, nil
	} // otherwise the store has forgotten the link, and not yet the key
	return MagicLinkResponse{MagicLinkID: id, ExpiresAt: expires, Repeated: true}, nil
}

func idempotencyID(in *MagicLinkCreate) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "magiclink idempotency key\x00%d:%s%s", len(in.Caller.TenantID), in.Caller.TenantID, in.IdempotencyKey)
	return prefixIdempotency + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:24])
}

// inputDigest covers everything that makes the link another one.
func inputDigest(in *MagicLinkCreate, r Record) string {
	hash := sha256.New()
	for _, part := range []string{
		in.Caller.TenantID, in.Caller.BusinessID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path, r.Extension,
		r.SessionTimeout.String(), r.ExpiresAt.Sub(r.CreatedAt.Truncate(time.Second)).String(),
	} {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return string(hash.Sum(nil))
}
