package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// runRemote asks a server for its limits. It knows their rates, so the -limit flags mean nothing here.
func (f *limitsFlags) runRemote(ctx context.Context, p *program, name string, words []string) error {
	if err := f.checkRemote(name, words); err != nil {
		return err
	}
	server, err := newRemote(f.server, p.getenv)
	if err != nil {
		return err
	}
	if name == "reset" {
		err = f.resetRemote(ctx, p, server)
	} else {
		err = f.showRemote(ctx, p, server)
	}
	if errors.Is(err, magiclink.ErrNotFound) {
		return errors.New("there is no such limit for this client: its tenant has no such business, or the client is that of one business " +
			"and may see and reset the limit of this business alone, by -business or -external-business")
	}
	return err
}

func (f *limitsFlags) checkRemote(name string, words []string) error {
	named := 0
	for _, value := range []string{f.email, f.business, f.external} {
		if value != "" {
			named++
		}
	}
	switch {
	case f.tenant != "":
		return usagef("-tenant has no place beside -server: the tenant is that of the client; show without -email and -business shows its limit")
	case len(words) > 0 || f.client != "":
		return usagef("a server shows the limits of links alone: with -server name -email, -business or -external-business; a KEY and " +
			"-client-address need the data directory or -store")
	case named > 1:
		return usagef("name one limit: -email, -business or -external-business")
	case named == 0 && name == "reset":
		return usagef("say which limit: -email ADDRESS, -business ID or -external-business ID; that of a whole tenant is reset on the data directory or -store alone")
	}
	return nil
}

// remoteSubject is the subject in the words of the API.
func (f *limitsFlags) remoteSubject() map[string]string {
	subject := map[string]string{}
	for name, value := range map[string]string{"business_id": f.business, "external_business_id": f.external, "email": lowerDomain(f.email)} {
		if value != "" {
			subject[name] = value
		}
	}
	return subject
}

// remoteLimit is a limit in an answer of the API.
type remoteLimit struct {
	Kind         magiclink.LimitKind `json:"limit"`
	Burst        int                 `json:"burst"`
	EveryMS      int64               `json:"every_ms"`
	Left         int                 `json:"left"`
	RetryAfterMS int64               `json:"retry_after_ms"`
	FullAt       *time.Time          `json:"full_at"`
}

func (f *limitsFlags) showRemote(ctx context.Context, p *program, server *remote) error {
	values := url.Values{}
	for name, value := range f.remoteSubject() {
		values.Set(name, value)
	}
	var data struct {
		Limits []remoteLimit `json:"limits"`
	}
	if err := server.call(ctx, scopeRead, http.MethodGet, httpadapter.LimitsPath+"?"+values.Encode(), nil, &data); err != nil {
		return err
	}
	rows := make([]limitRow, len(data.Limits))
	for n, limit := range data.Limits {
		rows[n] = limit.row(f.remoteWhat(limit.Kind))
	}
	return f.print(p, rows)
}

func (l remoteLimit) row(what string) limitRow {
	rate := (&rateFlag{magiclink.Rate{Burst: l.Burst, Every: time.Duration(l.EveryMS) * time.Millisecond}}).String()
	seconds := float64(l.RetryAfterMS) / 1000
	row := limitRow{Limit: what, Rate: &rate, Left: &l.Left, RetryAfter: &seconds}
	if l.FullAt != nil {
		full := l.FullAt.UTC().Format(time.RFC3339)
		row.Full = &full
	}
	return row
}

// remoteWhat says in words what a limit counts.
func (f *limitsFlags) remoteWhat(kind magiclink.LimitKind) string {
	switch kind {
	case magiclink.LimitAddress:
		return "links for " + plain(f.email)
	case magiclink.LimitBusiness:
		return "links for " + plain(f.business+f.external) + " without an address" // one of both is empty
	case magiclink.LimitTenant:
		return "links of the tenant"
	}
	return plain(string(kind)) // of a newer server
}

func (f *limitsFlags) resetRemote(ctx context.Context, p *program, server *remote) error {
	err := server.call(ctx, scopeRevoke, http.MethodPost, httpadapter.LimitsPath+"/reset", f.remoteSubject(), new(any))
	if err != nil {
		return err
	}
	kind := magiclink.LimitBusiness
	if f.email != "" {
		kind = magiclink.LimitAddress
	}
	return f.printReset(p, f.remoteWhat(kind), nil)
}
