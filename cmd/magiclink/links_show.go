package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/magiclink-go/magiclink"
)

// linkShown is a link with its history. The link is nil where only the audit log knows it.
type linkShown struct {
	ID string `json:"magic_link_id"`
	*linkRow
	Events *history `json:"events,omitempty"`
}

func (f *linksFlags) show(ctx context.Context, p *program, words []string) error {
	id, err := linkID(words, "show")
	if err != nil {
		return err
	}
	shown := linkShown{ID: id}
	if path := f.where.audit.path; path != "" && path != "-" {
		if shown.Events, err = readHistory(ctx, path, id); err != nil {
			return err
		}
		if n := shown.Events.unreadable; n > 0 {
			fmt.Fprintf(p.stderr, "%s of the audit log about this link cannot be read, perhaps because the disk was full.\n", count(n, "line", "lines"))
		}
	}
	return f.where.withOperator(ctx, p, func(ctx context.Context, on operator) error {
		row, err := on.link(ctx, id)
		switch {
		case err == nil:
			shown.linkRow = &row
		case !errors.Is(err, magiclink.ErrNotFound) || shown.Events == nil || shown.Events.isEmpty():
			return notFound(err)
		}
		if f.json {
			return printJSON(p.stdout, shown)
		}
		return shown.print(p.stdout)
	})
}

func (l *linkShown) print(w io.Writer) error {
	var err error
	if l.linkRow != nil {
		err = printLink(w, *l.linkRow, now())
	} else {
		_, err = fmt.Fprintf(w, "The link %s was removed since: an unused link is removed within minutes after it has expired, and a used one\n"+
			"after the end of its session.\n", l.ID)
	}
	if err == nil && l.Events != nil {
		err = l.Events.print(w)
	}
	return err
}

// printLink shows one link, and says in words what that means.
func printLink(w io.Writer, row linkRow, at time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, value string) { fmt.Fprintf(table, "%s\t%s\n", name, value) }
	line("Link", cell(row.ID))
	if row.Tenant != "" {
		line("Tenant", cell(row.Tenant))
	}
	line("Business", cell(text(row.BusinessID)))
	if row.ExternalBusinessID != nil {
		line("External id", cell(*row.ExternalBusinessID))
	}
	line("E-mail", cell(text(row.Email)))
	line("Path", cell(text(row.Path)))
	line("Issued", withAge(row.CreatedAt, at))
	line("Expires", withAge(row.ExpiresAt, at))
	line("Used", timeLine(row.ConsumedAt, at, "by nobody"))
	if row.Device != "" {
		line("Device", cell(row.Device))
	}
	line("Revoked", timeLine(row.RevokedAt, at, "no"))
	if row.SessionExpiresAt != nil {
		line("Session until", withAge(*row.SessionExpiresAt, at))
	}
	line("State", cell(row.State))
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", meaning(row, at))
	return err
}

func timeLine(t *time.Time, at time.Time, none string) string {
	if t == nil {
		return none
	}
	return withAge(*t, at)
}

// withAge writes a time and how far away it is.
func withAge(t, at time.Time) string {
	if t.After(at) {
		return clockTime(t) + " (in " + roughly(t.Sub(at)) + ")"
	}
	return clockTime(t) + " (" + roughly(at.Sub(t)) + " ago)"
}

// roughly rounds a duration to two units at most.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return count(int(d/time.Second), "second", "seconds")
	case d < time.Hour:
		return count(int(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return count(int(d/time.Hour), "hour", "hours")
	}
	return count(int(d/(24*time.Hour)), "day", "days")
}

// meaning answers why a person could not use the link.
func meaning(row linkRow, at time.Time) string {
	used, life := row.ConsumedAt != nil, roughly(row.ExpiresAt.Sub(row.CreatedAt))
	switch {
	case row.State == "revoked" && used:
		return "The link was used once, " + roughly(row.ConsumedAt.Sub(row.CreatedAt)) + " after it was issued. Its session has ended before its time: by signing out, by\n" +
			"a new sign-in in the same browser, or because the link or everything of its subject was revoked. The audit log says which.\n" +
			"The person needs a new link."
	case row.State == "revoked":
		return "Nobody has used the link, and nobody can: it was ended by \"links revoke\", by the API, or by a newer link for the same person\n" +
			"(-supersede). The audit log says which. The newest mail of the person has the link that works."
	case used && row.SessionExpiresAt != nil && at.Before(*row.SessionExpiresAt):
		return "The link was used once, " + roughly(row.ConsumedAt.Sub(row.CreatedAt)) + " after it was issued, and the session that came from it lasts. A link works once: whoever\n" +
			"opens it again in another browser is told that it no longer works. If the person did not use it, somebody else who can read\n" +
			"the mail has: end that session with \"magiclink sessions end\", and ask who can. Mail scanners do not use links up: that takes a click."
	case used:
		return "The link was used once, " + roughly(row.ConsumedAt.Sub(row.CreatedAt)) + " after it was issued. A link works once: the person needs a new one to sign in again."
	case !at.Before(row.ExpiresAt):
		return "Nobody has used the link within the " + life + " that it could be used. The person needs a new link. If mails take longer\n" +
			"than that to arrive, issue links with a longer ttl."
	}
	return "The link can be used for " + roughly(row.ExpiresAt.Sub(at)) + " more, and nobody has used it. If it does not work for the person, the mail program may have\n" +
		"damaged it: the whole link must be copied, all that stands behind token= too. Or the browser keeps no cookies: the page says so then."
}
