package main

import (
	"errors"
	"log/slog"
	"time"
)

const (
	minRotateEvery = 10 * time.Minute
	maxPublishLead = time.Hour // how long before it signs the next key is published, at most
)

// step does what is due by now: it prepares the next key, lets it sign, and retires keys. It reports whether it changed
// something.
func (r *rotation) step(every time.Duration, logger *slog.Logger) (changed bool, err error) {
	active, ok := r.find(isActive)
	if !ok {
		return false, nil // public keys alone: somebody else rotates them
	}
	due := r.began(active.CreatedAt).Add(every)
	prepared, isThere := r.find(isPrepared)
	switch {
	case !isThere && !r.now.Before(due.Add(-min(maxPublishLead, every/2))):
		id, err := r.prepare()
		if err != nil {
			return false, err
		}
		logger.Info("prepared the next key", "kid", id)
		changed = true
	case isThere && !r.now.Before(due) && !r.now.Before(r.publishedAt(prepared)):
		id, err := r.rotate(false)
		if err != nil {
			return false, err
		}
		logger.Info("rotated the keys", "kid", id)
		changed = true
	}
	for _, key := range r.keys.Keys() {
		after := r.retireAfter(key)
		if key.Active || key.Prepared || after.IsZero() || r.now.Before(after) {
			continue
		}
		if err := r.retire(key.ID, false); err != nil {
			return changed, err
		}
		logger.Info("retired a key", "kid", key.ID)
		changed = true
	}
	return changed, nil
}

// began is when the signing key began to sign: when the key before it stopped, or else when it was made.
func (r *rotation) began(created time.Time) time.Time {
	latest := created
	for _, key := range r.keys.Keys() {
		if at := key.SignedUntil; at.After(latest) {
			latest = at
		}
	}
	if latest.IsZero() {
		return r.changed
	}
	return latest
}

// rotateKeys does what is due to the keys on disk. Several processes may do so: the first one changes them.
func rotateKeys(data *dataDir, every time.Duration, logger *slog.Logger) error {
	return locked(data.keysPath(), func() error {
		r, err := loadRotation(data, time.Now())
		if err != nil {
			return err
		}
		changed, err := r.step(every, logger)
		if changed {
			err = errors.Join(err, r.save())
		}
		return err
	})
}
