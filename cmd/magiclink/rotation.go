package main

import (
	"fmt"
	"os"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	// publishedFor is how long a key is published before it signs: the max-age of the JWK set, and the time that a running
	// serve takes to follow.
	publishedFor = 60*time.Second + 2*time.Second

	// The longest lives of what a key signs, each with the greatest leeway of a verifier.
	linkLife    = 15*time.Minute + leeway
	accessLife  = 24*time.Hour + leeway
	sessionLife = 7948800*time.Second + leeway // 92 days: the longest session that a caller can ask for

	leeway = time.Minute
)

// rotation is a keyring on disk at a moment.
type rotation struct {
	data    *dataDir
	keys    *magiclink.Keyring
	changed time.Time // when the key file was changed last
	now     time.Time
}

func loadRotation(data *dataDir, now time.Time) (*rotation, error) {
	keys, err := data.keys()
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(data.keysPath())
	if err != nil {
		return nil, err
	}
	return &rotation{data: data, keys: keys, changed: info.ModTime(), now: now}, nil
}

// stoppedAt is when a key stopped signing, or zero for a key that signs or has not signed yet. A key without a moment of its
// own, such as one from elsewhere, stopped when the key file was changed last, at the latest.
func (r *rotation) stoppedAt(key magiclink.KeyInfo) time.Time {
	switch {
	case key.Active || key.Prepared:
		return time.Time{}
	case key.SignedUntil.IsZero():
		return r.changed.UTC().Truncate(time.Second).Add(time.Second)
	}
	return key.SignedUntil
}

// changeKeys loads, changes and saves the keyring while no other process does.
func changeKeys(data *dataDir, change func(*rotation) error) error {
	if err := data.checkKeys(); err != nil {
		return err
	}
	return locked(data.keysPath(), func() error {
		r, err := loadRotation(data, time.Now())
		if err != nil {
			return err
		}
		if err := change(r); err != nil {
			return err
		}
		return r.save()
	})
}

func (r *rotation) save() error { return r.keys.Save(r.data.keysPath()) }

func (r *rotation) find(match func(magiclink.KeyInfo) bool) (magiclink.KeyInfo, bool) {
	for _, key := range r.keys.Keys() {
		if match(key) {
			return key, true
		}
	}
	return magiclink.KeyInfo{}, false
}

func isPrepared(key magiclink.KeyInfo) bool { return key.Prepared }
func isActive(key magiclink.KeyInfo) bool   { return key.Active }

func (r *rotation) prepare() (id string, err error) {
	if key, ok := r.find(isPrepared); ok {
		return "", fmt.Errorf("the key %s is prepared already: run \"magiclink keys rotate\" to let it sign", key.ID)
	}
	return r.keys.Prepare()
}

// publishedAt is when the verifiers can know the prepared key.
func (r *rotation) publishedAt(key magiclink.KeyInfo) time.Time {
	prepared := key.CreatedAt
	if prepared.IsZero() { // a key from elsewhere
		prepared = r.changed
	}
	return prepared.Add(publishedFor)
}

func (r *rotation) rotate(force bool) (id string, err error) {
	key, ok := r.find(isPrepared)
	switch {
	case force:
	case !ok:
		return "", fmt.Errorf("no key is prepared: run \"magiclink keys prepare\", and \"magiclink keys rotate\" a minute later, when "+
			"every verifier has fetched the key; -force makes a new key sign at once, and verifiers that keep the JWK set refuse "+
			"it for up to %s", time.Minute)
	case r.now.Before(r.publishedAt(key)):
		return "", fmt.Errorf("verifiers may not have fetched the prepared key %s yet: run this again in %s; -force lets it sign at once",
			key.ID, r.publishedAt(key).Sub(r.now).Round(time.Second)+time.Second)
	}
	return r.keys.Rotate()
}

// retireAfter is when everything that a key signed has expired. It is zero for a key that signs or has not signed yet.
func (r *rotation) retireAfter(key magiclink.KeyInfo) time.Time {
	if at := r.stoppedAt(key); !at.IsZero() {
		return at.Add(sessionLife)
	}
	return time.Time{}
}

func (r *rotation) retire(id string, force bool) error {
	key, ok := r.find(func(key magiclink.KeyInfo) bool { return key.ID == id })
	if !ok {
		return fmt.Errorf("there is no key %q: \"magiclink keys list\" shows the keys", id)
	}
	if key.Active {
		return fmt.Errorf("the key %s signs: run \"magiclink keys prepare\" and \"magiclink keys rotate\" first", id)
	}
	if after := r.retireAfter(key); r.now.Before(after) && !force {
		return fmt.Errorf("what the key %s signed may be alive: %ssessions until %s; retire it then, or now with -force, which makes "+
			"all of it invalid",
			id, r.shortLived(key), after.Format(time.RFC3339))
	}
	return r.keys.Retire(id)
}

// shortLived names links and access tokens while they may be alive.
func (r *rotation) shortLived(key magiclink.KeyInfo) (text string) {
	for _, kind := range []struct {
		name string
		life time.Duration
	}{{"links", linkLife}, {"access tokens", accessLife}} {
		if until := r.stoppedAt(key).Add(kind.life); r.now.Before(until) {
			text += kind.name + " until " + until.Format(time.RFC3339) + ", "
		}
	}
	return text
}

func (r *rotation) listed(key magiclink.KeyInfo) listedKey {
	listed := listedKey{
		KID: key.ID, Algorithm: string(key.Algorithm), Use: "verifies",
		CreatedAt: orNil(key.CreatedAt), StoppedAt: orNil(r.stoppedAt(key)), RetireAfter: orNil(r.retireAfter(key)),
	}
	switch {
	case key.Active:
		listed.Use = "signs"
	case key.Prepared:
		listed.Use = "prepared"
	}
	return listed
}
