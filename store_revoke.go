package magiclink

import (
	"context"
	"time"
)

// SubjectRevoker is an optional interface of a [Store] that can revoke everything of a subject at once: links, and with them the
// sessions that came from them. Find it with [StoreAs]:
//
//	revoker, ok := magiclink.StoreAs[magiclink.SubjectRevoker](store)
//
// # Which records
//
// RevokeSubject revokes the records of the subject whose CreatedAt is not after issuedUpTo, in every state: used or not, expired or
// not. An expired link is revoked, too, because a machine whose clock is behind still accepts it. The TenantID of the subject is
// always compared, and so is each other field that is not empty.
//
// A subject without Email, BusinessID and ExternalBusinessID is refused: an empty field, by a mistake in a form, would otherwise end
// the links and sessions of a whole tenant. To end those, [Lister] lists them and [Store.Revoke] revokes each.
//
// # What it does not promise
//
// RevokeSubject works in batches. On every store, each matching record whose Create has returned before the call began is revoked
// when the call has succeeded. A record that is created during the call may survive, even if its CreatedAt is not after issuedUpTo;
// so may a record of a transaction that is committed during the call. Therefore first stop what issues links for the subject, for
// example by locking the account, and then call RevokeSubject.
//
// Clocks of several machines differ: a link of another machine may have a CreatedAt that is later than the present time of this one.
// Pass an issuedUpTo that is later than the present by that difference, for example by a minute.
type SubjectRevoker interface {
	// RevokeSubject sets RevokedAt of each matching record that was not revoked, and returns how many these are. The verdict of
	// such a record is [ErrRevoked] from then on, as after [Store.Revoke]. A record that was revoked before keeps its time and
	// is not counted.
	//
	// The times are truncated to the millisecond. A zero issuedUpTo or at is an error, and so is what
	// [CheckRevokeSubject] refuses; nothing is changed then. When RevokeSubject fails after some batches, it
	// returns the error together with the number of records that it has revoked. If the error matches [ErrUnknownOutcome],
	// more may be revoked than were counted. The same call may be repeated.
	//
	// When RevokeSubject has returned nil, its effect is as durable as that of Revoke.
	RevokeSubject(ctx context.Context, subject Subject, issuedUpTo, at time.Time) (int, error)
}

// CheckRevokeSubject returns the error for arguments that [SubjectRevoker] refuses: a subject that names only a tenant, text that is
// not valid UTF-8, and a zero time. Each store calls it first, so that all stores refuse the same.
func CheckRevokeSubject(subject Subject, issuedUpTo, at time.Time) error {
	switch {
	case subject.Email == "" && subject.BusinessID == "" && subject.ExternalBusinessID == "":
		return inputError("magiclink: the Subject names nobody: set Email, BusinessID or ExternalBusinessID")
	case !subject.text():
		return inputError("magiclink: the Subject must be valid UTF-8")
	case canonicalTime(issuedUpTo).IsZero() || canonicalTime(at).IsZero():
		return inputError("magiclink: a time is zero: pass the current time")
	}
	return nil
}
