package httpadapter

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/magiclink-go/magiclink"
)

// authenticate does the same work for a client that is not there, so that the time of the answer names no client.
func (h *TokenHandler) authenticate(ctx context.Context, form tokenForm, address netip.Addr) (Client, *problem) {
	if form.clientID == "" || form.secret == "" {
		return Client{}, invalidClient("the client must send its id and its secret")
	}
	counters := countersOf(form.clientID, address)
	if wait := h.throttle.wait(counters, h.config.Now()); wait > 0 {
		return Client{}, tooManyFailures(wait)
	}
	client, err := h.config.Clients.FindClient(ctx, form.clientID)
	known := err == nil
	if !known && !errors.Is(err, ErrClientNotFound) {
		return Client{}, unavailable(err)
	}
	want := h.decoy
	if known {
		want = client.SecretSHA256
	}
	got := HashSecret(form.secret)
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 || !known {
		h.throttle.fail(counters, h.config.Now())
		return Client{}, invalidClient("the client's credentials are not valid" + form.hint)
	}
	return client, nil
}

func tooManyFailures(wait time.Duration) *problem {
	seconds := int64((wait + time.Second - 1) / time.Second)
	fault := oauthProblem(http.StatusTooManyRequests, "temporarily_unavailable",
		"too many wrong secrets from this address: try again in "+strconv.FormatInt(seconds, 10)+" s")
	fault.retryAfter = wait
	return fault
}

// token decides what the client gets of what it asks for.
func (h *TokenHandler) token(ctx context.Context, client Client, form tokenForm) (magiclink.AccessToken, *problem) {
	scopes := client.Scopes
	if form.scopes != nil {
		scopes = form.scopes
	}
	for _, scope := range scopes {
		if !slices.Contains(client.Scopes, scope) {
			return magiclink.AccessToken{}, oauthProblem(http.StatusForbidden, "invalid_scope", "the client may not have this scope")
		}
	}
	audience, fault := h.audience(form.resources)
	if fault != nil {
		return magiclink.AccessToken{}, fault
	}
	business, fault := h.business(ctx, client, form.businessID)
	if fault != nil {
		return magiclink.AccessToken{}, fault
	}
	now := h.config.Now().Truncate(time.Second)
	return magiclink.AccessToken{
		Issuer: h.config.Issuer, Audience: audience, Subject: client.ID, ClientID: client.ID,
		Scopes: scopes, TenantID: client.TenantID, BusinessID: business,
		IssuedAt: now, ExpiresAt: now.Add(h.lifetime(form.lifetime)),
	}, nil
}

// audience returns the configured spellings of the resources, each once. A resource that was not configured gets no token:
// a token for it, signed with our key, could be worth something there.
func (h *TokenHandler) audience(asked []string) ([]string, *problem) {
	if len(asked) == 0 {
		return []string{h.config.Audience}, nil
	}
	audience := make([]string, 0, len(asked))
	for _, resource := range asked {
		form, ok := canonicalResource(resource)
		if !ok {
			return nil, invalidTarget("resource must be an absolute URI without a fragment")
		}
		known, allowed := h.resources[form]
		if !allowed {
			return nil, invalidTarget("this server issues no tokens for this resource: leave resource out to call this API")
		}
		if !slices.Contains(audience, known) {
			audience = append(audience, known)
		}
	}
	return audience, nil
}

func (h *TokenHandler) lifetime(seconds int64) time.Duration {
	if seconds == 0 {
		return min(defaultLifetime, h.config.MaxLifetime)
	}
	return time.Duration(min(seconds, int64(h.config.MaxLifetime/time.Second))) * time.Second
}

// business returns the one business that the token is scoped to, or "".
func (h *TokenHandler) business(ctx context.Context, client Client, asked string) (string, *problem) {
	switch {
	case asked == "":
		return client.BusinessID, nil
	case client.BusinessID != "" && asked != client.BusinessID:
		return "", oauthProblem(http.StatusForbidden, "invalid_request", "the client may not act for this business")
	case h.config.Businesses == nil && asked == client.BusinessID:
		return asked, nil
	case h.config.Businesses == nil:
		return "", invalidRequest("this server knows no businesses: leave business_id out")
	}
	found, err := h.config.Businesses.FindBusiness(ctx, client.TenantID, magiclink.BusinessRef{ID: asked})
	if errors.Is(err, magiclink.ErrBusinessNotFound) {
		return "", oauthProblem(http.StatusNotFound, "invalid_request", "there is no such business")
	}
	if err == nil && found.ID != asked {
		err = errors.New("the directory answered with another business")
	}
	if err != nil {
		return "", unavailable(err)
	}
	return asked, nil
}
