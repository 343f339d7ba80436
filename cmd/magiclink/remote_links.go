package main

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	scopeRead   = "auth:read"
	scopeRevoke = "auth:revoke"

	linksPath    = "/v0/auth/magic-links"
	sessionsPath = "/v0/auth/sessions"
	largestPage  = 200

	// clockDifference is how much later a link with an older id may have been issued, on a machine whose clock is behind.
	clockDifference = time.Minute
)

func (r *remote) links(ctx context.Context, query linkQuery) iter.Seq2[linkRow, error] {
	values := query.values()
	if query.state != "" {
		values.Set("state", string(query.state))
	}
	type page struct {
		Rows []linkRow `json:"magic_links"`
		Next *string   `json:"next_cursor"`
	}
	rows := pages(ctx, r, linksPath, values, func(p page) ([]linkRow, *string) { return p.Rows, p.Next })
	return func(yield func(linkRow, error) bool) {
		n := 0
		for row, err := range rows {
			switch {
			case err == nil && !query.until.IsZero() && !row.CreatedAt.Before(query.until):
				continue
			case err == nil && row.CreatedAt.Before(query.since):
				if row.CreatedAt.Before(query.since.Add(-clockDifference)) {
					return
				}
				continue
			}
			if n++; !yield(row, err) || err != nil || n == query.most {
				return
			}
		}
	}
}

func (r *remote) sessions(ctx context.Context, query linkQuery) iter.Seq2[sessionRow, error] {
	type page struct {
		Rows []sessionRow `json:"sessions"`
		Next *string      `json:"next_cursor"`
	}
	rows := pages(ctx, r, sessionsPath, query.values(), func(p page) ([]sessionRow, *string) { return p.Rows, p.Next })
	return func(yield func(sessionRow, error) bool) {
		n := 0
		for row, err := range rows {
			if n++; !yield(row, err) || err != nil || n == query.most {
				return
			}
		}
	}
}

func (q linkQuery) values() url.Values {
	values := url.Values{"limit": {strconv.Itoa(q.pageSize(largestPage))}}
	for name, value := range map[string]string{
		"business_id": q.subject.BusinessID, "external_business_id": q.subject.ExternalBusinessID, "email": q.subject.Email,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// pages asks for one page after the other.
func pages[T, P any](ctx context.Context, r *remote, path string, values url.Values, split func(P) ([]T, *string)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			var page P
			if err := r.call(ctx, scopeRead, http.MethodGet, path+"?"+values.Encode(), nil, &page); err != nil {
				yield(*new(T), err)
				return
			}
			rows, next := split(page)
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			if next == nil || *next == "" || *next == values.Get("cursor") {
				return
			}
			values.Set("cursor", *next)
		}
	}
}

func (r *remote) link(ctx context.Context, id string) (row linkRow, err error) {
	err = r.call(ctx, scopeRead, http.MethodGet, linksPath+"/"+url.PathEscape(id), nil, &row)
	return row, err
}

func (r *remote) revoke(ctx context.Context, id string) error {
	return r.call(ctx, scopeRevoke, http.MethodPost, linksPath+"/"+url.PathEscape(id)+"/revoke", nil, new(any))
}

func (r *remote) endSession(ctx context.Context, id string) error {
	return r.call(ctx, scopeRevoke, http.MethodPost, sessionsPath+"/"+url.PathEscape(id)+"/revoke", nil, new(any))
}

func (r *remote) revokeAll(ctx context.Context, subject magiclink.Subject) (int, error) {
	body := map[string]string{}
	for name, value := range map[string]string{
		"business_id": subject.BusinessID, "external_business_id": subject.ExternalBusinessID, "email": subject.Email,
	} {
		if value != "" {
			body[name] = value
		}
	}
	var data struct {
		Revoked int `json:"revoked"`
	}
	err := r.call(ctx, scopeRevoke, http.MethodPost, linksPath+"/revoke", body, &data)
	return data.Revoked, err
}
