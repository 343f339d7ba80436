package magiclink

import (
	"context"
	"encoding/base64"
	"errors"
	"time"
)

// ErrIdempotencyMismatch says that a [MagicLinkCreate.IdempotencyKey] was used before, with another input. Nothing was issued.
var ErrIdempotencyMismatch = errors.New("magiclink: the idempotency key was used with another input")

const maxIdempotencyKey = 1024 // bytes

const (
	prefixIdempotency = "idk_"
	// idempotencyTenant is not a valid tenant id. So no caller can list or revoke the record of a key.
	idempotencyTenant = "\x01idempotency"
)

// The record of a key is written before the link. Its Extension is the id of the link, followed by the digest of the input. The record
// expires with the link, and no token leads to it. If a call dies between the two writes, the next call with the key finds no
// link with that id, and issues it.

// reserve stores the planned id of the link under its idempotency key. If the key was used before, reserve returns the response for the
// repetition. If the link of that key was never stored, reserve puts its planned id into the record.
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
	digest := digestOf("magiclink idempotency key", in.Caller.TenantID, in.IdempotencyKey)
	return prefixIdempotency + base64.RawURLEncoding.EncodeToString(digest[:24])
}

// inputDigest covers everything that makes the link another one.
func inputDigest(in *MagicLinkCreate, r Record) string {
	return string(digestOf(
		in.Caller.TenantID, in.Caller.BusinessID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path, r.Extension,
		r.SessionTimeout.String(), r.ExpiresAt.Sub(r.CreatedAt.Truncate(time.Second)).String(),
	))
}
