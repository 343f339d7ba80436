package httpadapter

import (
	"context"
	"net/http"

	"github.com/magiclink-go/magiclink"
)

func (h *LinksHandler) revoke(w http.ResponseWriter, r *http.Request, id string) *problem {
	principal, fault := h.admit(r, ScopeRevoke)
	if fault != nil {
		return fault
	}
	ctx, cancel := h.begin(r, principal)
	defer cancel()
	if err := h.revokeOwn(ctx, principal.caller(), id); err != nil {
		return undone(err, "link")
	}
	writeJSON(w, http.StatusOK, success{Data: revokedLinkData{MagicLinkID: id, State: magiclink.StateRevoked}})
	return nil
}

// revokeOwn revokes a link that the caller may see. Revoke by itself compares the tenant alone.
func (h *LinksHandler) revokeOwn(ctx context.Context, caller magiclink.Caller, id string) error {
	if caller.BusinessID != "" {
		if _, err := h.issuer.Get(ctx, caller, id); err != nil {
			return err
		}
	}
	return h.issuer.Revoke(ctx, caller.TenantID, id)
}

func (h *LinksHandler) revokeSubject(w http.ResponseWriter, r *http.Request) *problem {
	principal, subject, fault := h.admitSubject(w, r, ScopeRevoke)
	if fault != nil {
		return fault
	}
	ctx, cancel := h.begin(r, principal)
	defer cancel()
	revoked, err := h.issuer.RevokeAll(ctx, principal.caller(), subject)
	if err != nil {
		return undone(err, "link")
	}
	writeJSON(w, http.StatusOK, success{Data: revokedCountData{Revoked: revoked}})
	return nil
}
