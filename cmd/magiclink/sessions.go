package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/magiclink-go/magiclink"
)

// sessionsFlags are the flags of the sessions command.
type sessionsFlags struct {
	where whereFlags
	limit int
	all   bool
	json  bool
}

func (f *sessionsFlags) declare(set *flag.FlagSet) {
	f.where.declare(set)
	declareJSON(set, &f.json)
	set.IntVar(&f.limit, "limit", 50, "list: the greatest `number` of sessions")
	set.BoolVar(&f.all, "all", false, "list: all of them, as they come")
}

func sessionsCommand() *command {
	return &command{
		name:    "sessions",
		args:    "list | end ID | end -email ADDRESS … [flags]",
		summary: "lists the sessions that last, and ends them",
		long: "list shows the sessions that last, those of the newest links first, with the device on which each has begun. end ID signs that\n" +
			"browser out. end with -email, and with -business or -external-business, signs the subject out everywhere; it also revokes the\n" +
			"links that the subject has not used yet, since each of them would start a new session. It asks nothing, and says how many\n" +
			"these were.\n" +
			"A server whose sessions are checked at each request, as those of serve are, refuses the session from that moment on.\n\n" +
			"The sessions are those of the data directory or of -store, also while serve runs. Without -tenant, list looks at all tenants of\n" +
			"the configuration. end of a subject needs -tenant where there are several, unless it names a business.\n" +
			"With -server the sessions are those that the client of MAGICLINK_CLIENT_ID may see; the client needs the scopes auth:read\n" +
			"or auth:revoke. The server does not tell the devices.",
		example: "magiclink sessions end -email jane@example.com",
		flags:   new(sessionsFlags).declare,
		run:     runSessions,
	}
}

func runSessions(ctx context.Context, p *program, args []string) error {
	var f sessionsFlags
	words, err := p.parse("sessions", f.declare, args)
	if err != nil {
		return err
	}
	name, words, err := action(words, []string{"list", "end"})
	switch {
	case err != nil:
		return err
	case name == "list":
		return f.list(ctx, p, words)
	}
	return f.end(ctx, p, words)
}

func (f *sessionsFlags) list(ctx context.Context, p *program, words []string) error {
	err := noWords(words)
	if err == nil && f.limit < 1 {
		err = usagef("-limit must be at least 1; -all shows all sessions")
	}
	if err != nil {
		return err
	}
	query := linkQuery{subject: f.where.subject(), most: f.limit}
	if f.all {
		query.most = 0
	}
	return f.where.withOperator(ctx, p, func(ctx context.Context, on operator) error {
		if f.json {
			return printJSONList(p.stdout, on.sessions(ctx, query))
		}
		headings := []string{"ID", "SIGNED IN", "UNTIL", "DEVICE", "TENANT", "BUSINESS", "EMAIL"}
		n, err := printTable(p.stdout, headings, on.sessions(ctx, query), sessionCells)
		if err == nil && n == query.most {
			fmt.Fprintf(p.stderr, "These are the newest %d: -limit N shows more, -all shows all.\n", n)
		}
		return err
	})
}

func sessionCells(row sessionRow) []string {
	return []string{
		cell(row.ID), clockTime(row.CreatedAt), clockTime(row.ExpiresAt), cell(row.Device), cell(row.Tenant),
		cell(business(row.ExternalBusinessID, row.BusinessID)), cell(text(row.Email)),
	}
}

func (f *sessionsFlags) end(ctx context.Context, p *program, words []string) error {
	if len(words) == 0 {
		return endSubject(ctx, p, &f.where, f.json, "say which session, or whose: magiclink sessions end ID, or -email ADDRESS, -business ID or -external-business ID")
	}
	id, err := sessionWord(words)
	if err == nil && !f.where.namesNobody() {
		err = usagef("write the id of a session, or a subject, not both")
	}
	if err != nil {
		return err
	}
	return f.where.withOperator(ctx, p, func(ctx context.Context, on operator) error {
		if err := on.endSession(ctx, id); err != nil {
			return noSuchSession(err)
		}
		return printDone(p, f.json, map[string]string{"session_id": id, "state": "revoked"}, "ended the session "+id)
	})
}

// sessionWord takes the id of a session, and also that of its link.
func sessionWord(words []string) (string, error) {
	return idWord(words, "session", "end", sessionPrefix, linkPrefix)
}

func noSuchSession(err error) error {
	if !errors.Is(err, magiclink.ErrNotFound) {
		return err
	}
	return errors.New("there is no such session: it was never started here, or it is over and was removed")
}
