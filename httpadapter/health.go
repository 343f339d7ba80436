package httpadapter

import (
	"context"
	"errors"
	"net/http"

	"github.com/magiclink-go/magiclink"
)

// The usual paths of the health checks of a [Service].
const (
	HealthPath = "/healthz"
	ReadyPath  = "/readyz"
)

// unknownLink is the id of a link that no store has.
const unknownLink = "mlk_2222222222222222222222"

type healthData struct {
	Status string `json:"status"`
}

// showHealth answers that the process is alive.
func showHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, success{Data: healthData{Status: "ok"}})
}

// readiness answers whether links can be issued and redeemed now.
type readiness struct {
	store magiclink.Store
	keys  []*magiclink.Keyring
	more  func(context.Context) error // may be nil
	endpoint
}

func (h *readiness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.answer(w, r, func() *problem {
		ctx, cancel := h.deadline(r)
		defer cancel()
		if err := h.check(ctx); err != nil {
			fault := unavailable(err)
			fault.code = "the service is not ready"
			return fault
		}
		showHealth(w, r)
		return nil
	})
}

func (h *readiness) check(ctx context.Context) error {
	for _, keys := range h.keys {
		if !keys.CanSign() {
			return magiclink.ErrNoSigningKey
		}
	}
	if err := pingStore(ctx, h.store); err != nil {
		return err
	}
	if h.more == nil {
		return nil
	}
	return h.more(ctx)
}

// pingStore asks the store whether it answers. A store without a Ping is asked for a link that it does not have.
func pingStore(ctx context.Context, store magiclink.Store) error {
	if pinger, ok := magiclink.StoreAs[interface{ Ping(context.Context) error }](store); ok {
		return pinger.Ping(ctx)
	}
	if _, err := store.Get(ctx, unknownLink); err != nil && !errors.Is(err, magiclink.ErrNotFound) {
		return err
	}
	return nil
}
