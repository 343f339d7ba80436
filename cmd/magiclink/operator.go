package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"time"

	"github.com/magiclink-go/magiclink"
)

// operator is what the commands links and sessions work on: the store of an installation, or a server over its API.
type operator interface {
	// links returns the links that match, newest first.
	links(ctx context.Context, query linkQuery) iter.Seq2[linkRow, error]
	link(ctx context.Context, id string) (linkRow, error)
	revoke(ctx context.Context, id string) error
	// revokeAll revokes the links and the sessions of a subject, and returns how many these were.
	revokeAll(ctx context.Context, subject magiclink.Subject) (int, error)

	// sessions returns the sessions that last, newest first.
	sessions(ctx context.Context, query linkQuery) iter.Seq2[sessionRow, error]
	endSession(ctx context.Context, id string) error
}

// linkQuery says which links or sessions are shown. Empty fields match everything.
type linkQuery struct {
	subject      magiclink.Subject
	state        magiclink.State
	since, until time.Time
	most         int // 0: all of them
}

// pageSize is how many rows are asked for at once.
func (q linkQuery) pageSize(largest int) int {
	if q.most == 0 || q.most > largest {
		return largest
	}
	return q.most
}

// whereFlags say which links are meant, and where they are kept.
type whereFlags struct {
	data     dataDir
	store    storeFlag
	server   string
	audit    auditFlag
	tenant   string
	business string
	external string
	email    string
}

func (f *whereFlags) declare(set *flag.FlagSet) {
	f.data.declare(set)
	f.store.declare(set)
	f.audit.declare(set)
	declareServer(set, &f.server)
	set.StringVar(&f.tenant, "tenant", "", "the tenant's `id`; with -server the client decides")
	set.StringVar(&f.business, "business", "", "the business, by its `id`")
	set.StringVar(&f.external, "external-business", "", "the business, by the tenant's own `id` for it")
	set.StringVar(&f.email, "email", "", "the user's e-mail `address`")
}

func declareServer(set *flag.FlagSet, server *string) {
	set.StringVar(server, "server", "", "ask this server by its API: a `URL` such as https://app.example.com; it needs a client in MAGICLINK_CLIENT_ID and MAGICLINK_CLIENT_SECRET")
}

func (f *whereFlags) check() error {
	switch {
	case f.server != "" && f.tenant != "":
		return usagef("-tenant has no place beside -server: the tenant is that of the client")
	case f.tenant != "" && !magiclink.ValidTenantID(f.tenant):
		return usagef("-tenant must be at most 255 characters without control characters")
	case f.business != "" && !magiclink.ValidBusinessID(f.business):
		return usagef("-business must be \"biz_\" and 22 characters: copy it from \"magiclink businesses list\", or write the tenant's own id with -external-business")
	}
	return nil
}

func (f *whereFlags) subject() magiclink.Subject {
	return magiclink.Subject{TenantID: f.tenant, BusinessID: f.business, ExternalBusinessID: f.external, Email: lowerDomain(f.email)}
}

// namesNobody reports whether the flags name neither a person nor a business.
func (f *whereFlags) namesNobody() bool { return f.business == "" && f.external == "" && f.email == "" }

// withOperator calls do with what the flags name, and closes it.
func (f *whereFlags) withOperator(ctx context.Context, p *program, do func(context.Context, operator) error) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	if f.server != "" {
		remote, err := newRemote(f.server, p.getenv)
		if err != nil {
			return err
		}
		return do(ctx, remote)
	}
	trail, err := f.audit.open(newPlainLogger(p.stderr))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, trail.close()) }()
	store, closeStore, err := f.store.openBeside(ctx, &f.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	local, err := newLocal(f, store, trail)
	if err != nil {
		return err
	}
	err = do(asCLI(ctx), local)
	if errors.Is(err, magiclink.ErrUnsupported) && f.store.expires() {
		err = fmt.Errorf("Redis has no index for this search: give serve and this command the same -redis-index, such as tenant: %w", err) //nolint:staticcheck // ST1005: a name
	}
	return err
}

// asCLI marks what a command does, for the audit log.
func asCLI(ctx context.Context) context.Context { return magiclink.WithActor(ctx, "cli") }
