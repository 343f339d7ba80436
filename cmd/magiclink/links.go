package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// linksFlags are the flags of the links command.
type linksFlags struct {
	where        whereFlags
	state        string
	since, until timeFlag
	limit        int
	all          bool
	json         bool
}

func (f *linksFlags) declare(set *flag.FlagSet) {
	f.where.declare(set)
	declareJSON(set, &f.json)
	set.StringVar(&f.state, "state", "", "list: links in this `state` alone: live, used, session (used, and the session lasts), revoked or expired")
	declareTime(set, &f.since, "since", "list: links that were issued at this time or later")
	declareTime(set, &f.until, "until", "list: links that were issued before this time")
	set.IntVar(&f.limit, "limit", 50, "list: the greatest `number` of links")
	set.BoolVar(&f.all, "all", false, "list: all of them, as they come")
}

func linksCommand() *command {
	return &command{
		name:    "links",
		args:    "list | show ID | revoke ID | revoke -email ADDRESS … [flags]",
		summary: "lists and shows links, and ends them",
		long: "list shows the newest links first. show says what has become of one link, and what that means for the person who could\n" +
			"not use it. With -audit FILE it also prints what that file knows of the link: when it was issued, used, and refused, and why.\n" +
			"revoke ID ends a link, and the session that has come from it. revoke with -email, -business or -external-business ends all\n" +
			"links and sessions of that subject; it asks nothing, and says how many these were.\n" +
			"No command can show a link again that was issued: it is kept nowhere.\n\n" +
			"The links are those of the data directory or of -store, also while serve runs. Without -tenant, list and show look at\n" +
			"all tenants of the configuration. revoke of a subject needs -tenant where there are several, unless it names a business.\n" +
			"With -server the links are those that the client of MAGICLINK_CLIENT_ID may see; the client needs the scopes auth:read\n" +
			"or auth:revoke. Its secret and token go to this server alone, and over plain http to this machine alone.\n" +
			"A link that has expired, and one whose session is over, is removed within minutes, so it is shown no more.",
		example: "magiclink links list -email jane@example.com -since 24h",
		flags:   new(linksFlags).declare,
		run:     runLinks,
	}
}

func runLinks(ctx context.Context, p *program, args []string) error {
	var f linksFlags
	words, err := p.parse("links", f.declare, args)
	if err != nil {
		return err
	}
	name, words, err := action(words, []string{"list", "show", "revoke"})
	if err != nil {
		return err
	}
	switch name {
	case "list":
		return f.list(ctx, p, words)
	case "show":
		return f.show(ctx, p, words)
	}
	return f.revoke(ctx, p, words)
}

func (f *linksFlags) list(ctx context.Context, p *program, words []string) error {
	if err := errors.Join(noWords(words), f.checkList()); err != nil {
		return err
	}
	query := linkQuery{subject: f.where.subject(), state: magiclink.State(f.state), since: f.since.at, until: f.until.at, most: f.limit}
	if f.all {
		query.most = 0
	}
	return f.where.withOperator(ctx, p, func(ctx context.Context, on operator) error {
		if f.json {
			return printJSONList(p.stdout, on.links(ctx, query))
		}
		headings := []string{"ID", "STATE", "ISSUED", "EXPIRES", "USED", "TENANT", "BUSINESS", "EMAIL", "PATH"}
		n, err := printTable(p.stdout, headings, on.links(ctx, query), linkCells)
		if err == nil && n == query.most {
			fmt.Fprintf(p.stderr, "These are the newest %d: -limit N shows more, -all shows all.\n", n)
		}
		return err
	})
}

func linkCells(row linkRow) []string {
	return []string{
		cell(row.ID), cell(row.State), clockTime(row.CreatedAt), clockTime(row.ExpiresAt), clockTimeOf(row.ConsumedAt), cell(row.Tenant),
		cell(business(row.ExternalBusinessID, row.BusinessID)), cell(text(row.Email)), cell(text(row.Path)),
	}
}

func (f *linksFlags) checkList() error {
	states := []string{"live", "used", "session", "revoked", "expired"}
	switch {
	case f.limit < 1:
		return usagef("-limit must be at least 1; -all shows all links")
	case f.state == "":
		return nil
	case f.state == "session" && f.where.server != "":
		return usagef("with -server write -state used; \"magiclink sessions list\" shows the sessions that last")
	}
	for _, state := range states {
		if f.state == state {
			return nil
		}
	}
	if near := nearest(f.state, states); near != "" {
		return usagef("-state %q is not a state: did you mean %s?", f.state, near)
	}
	return usagef("-state %q is not a state: write one of %s", f.state, strings.Join(states, ", "))
}

// linkID takes the id of a link, and also that of a session.
func linkID(words []string, action string) (string, error) {
	return idWord(words, "link", action, linkPrefix, sessionPrefix)
}

// idWord takes the id of a link or a session, and also that of the other, which has the same characters behind its prefix.
func idWord(words []string, kind, action, prefix, other string) (string, error) {
	id, err := oneWord(words, fmt.Sprintf("say which %[1]s: magiclink %[1]ss %[2]s ID", kind, action))
	if err != nil {
		return "", err
	}
	if rest, ok := strings.CutPrefix(id, other); ok {
		id = prefix + rest
	}
	if !strings.HasPrefix(id, prefix) || len(id) != len(prefix)+22 {
		return "", usagef("%s is not the id of a %[2]s: it is \"%[3]s\" and 22 characters; \"magiclink %[2]ss list\" shows the ids", plain(shown(id)), kind, prefix)
	}
	return id, nil
}

// shown hides what may be a whole link or token, which is a credential.
func shown(word string) string {
	if len(word) > 40 {
		return "this"
	}
	return word
}

func notFound(err error) error {
	if !errors.Is(err, magiclink.ErrNotFound) {
		return err
	}
	return errors.New("there is no such link: it was never issued here, or it was removed: an unused link is removed within minutes after it has expired, " +
		"and a used one after the end of its session")
}

func (f *linksFlags) revoke(ctx context.Context, p *program, words []string) error {
	if len(words) == 0 {
		return endSubject(ctx, p, &f.where, f.json, "say which link, or whose: magiclink links revoke ID, or -email ADDRESS, -business ID or -external-business ID")
	}
	id, err := linkID(words, "revoke")
	if err == nil && !f.where.namesNobody() {
		err = usagef("write the id of a link, or a subject, not both")
	}
	if err != nil {
		return err
	}
	return f.where.withOperator(ctx, p, func(ctx context.Context, on operator) error {
		if err := on.revoke(ctx, id); err != nil {
			return notFound(err)
		}
		return printDone(p, f.json, map[string]string{"magic_link_id": id, "state": "revoked"}, "revoked the link "+id+"; its session, if there was one, is over")
	})
}

// endSubject revokes the links and the sessions of the subject that the flags name.
func endSubject(ctx context.Context, p *program, where *whereFlags, asJSON bool, missing string) error {
	if where.namesNobody() {
		return usagef("%s", missing)
	}
	return where.withOperator(ctx, p, func(ctx context.Context, on operator) error {
		n, err := on.revokeAll(ctx, where.subject())
		if err != nil {
			if n > 0 {
				err = fmt.Errorf("revoked %s, and then: %w", count(n, "link", "links"), err)
			}
			return err
		}
		return printDone(p, asJSON, map[string]int{"revoked": n}, "revoked "+count(n, "link with its session", "links with their sessions"))
	})
}

func printDone(p *program, asJSON bool, value any, sentence string) error {
	if asJSON {
		return printJSON(p.stdout, value)
	}
	_, err := fmt.Fprintln(p.stdout, sentence)
	return err
}
