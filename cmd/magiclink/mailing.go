package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

// smtpPasswordVariable is no flag: other users of the machine see a command line.
const smtpPasswordVariable = "MAGICLINK_SMTP_PASSWORD" //nolint:gosec // G101: a name

// sampleFrom is the sender of mails that nobody sends.
const sampleFrom = "magiclink <login@magiclink.example>"

// smtpFlags are the mail server and the sender.
type smtpFlags struct{ url, from string }

func (f *smtpFlags) declare(set *flag.FlagSet) {
	set.StringVar(&f.url, "smtp", "", "send mails over this server: the `URL` smtp://USER@HOST:587, or smtps://USER@HOST:465; the password comes from "+smtpPasswordVariable)
	set.StringVar(&f.from, "from", "", "the `sender` of the mails, as 'Acme <login@acme.example>'")
}

// config returns the configuration of the mail server.
func (f *smtpFlags) config(getenv func(string) string) mail.Config {
	return mail.Config{URL: f.url, From: f.from, Password: getenv(smtpPasswordVariable)}
}

// check finds the faults of the flags that are given.
func (f *smtpFlags) check(getenv func(string) string) error {
	switch {
	case f.url != "" && f.from == "":
		return usagef("-smtp needs the sender of the mails: -from 'Acme <login@acme.example>'")
	case f.url == "" && f.from == "":
		return nil
	}
	if hidesPassword(f.url) {
		return usagef("-smtp is not a URL: write smtp://USER@HOST:587, and in the user %s; the password comes from %s", percentCodes, smtpPasswordVariable)
	}
	config := f.config(getenv)
	if f.url == "" {
		config.URL, config.Password = "smtp://localhost", "" // for the sender alone
	}
	mailer, err := mail.New(config)
	if err != nil {
		return mailFault(err)
	}
	return mailer.Close()
}

// mailFault names the flags in place of the fields.
func mailFault(err error) error {
	faults, ok := errors.AsType[magiclink.ConfigErrors](err)
	if !ok {
		return err
	}
	flags := map[string]string{"URL": "-smtp", "Password": smtpPasswordVariable, "From": "-from", "Path": "-mail-dir"}
	reasons := strings.NewReplacer("set Password", "set "+smtpPasswordVariable, "since URL ", "since -smtp ")
	texts := make([]string, 0, len(faults))
	for _, fault := range faults {
		texts = append(texts, cmp.Or(flags[fault.Field], fault.Field)+" "+reasons.Replace(fault.Reason))
	}
	return usagef("%s", strings.Join(texts, "; "))
}

// mailFlags say where the sign-in mails of serve go.
type mailFlags struct {
	smtp smtpFlags
	dir  string
}

func (f *mailFlags) declare(set *flag.FlagSet) {
	f.smtp.declare(set)
	set.StringVar(&f.dir, "mail-dir", "", "send no mails: write them as .eml files into this `directory`, for development; whoever can read it can sign in as anybody (default DATA/mail where links begin with a loopback host and -smtp is not given)")
}

func (f *mailFlags) check(getenv func(string) string) error {
	if f.smtp.url != "" && f.dir != "" {
		return usagef("-smtp sends mails, and -mail-dir writes them into a directory: leave one of the two out")
	}
	return f.smtp.check(getenv)
}

// outbox takes the sign-in mails of serve. It is made when somebody may sign in, since it makes its directory.
type outbox struct {
	make        func() (signin.Mailer, error) // nil: there is no place for mails
	dir         string                        // absolute; empty for a mail server
	development bool                          // the mails stay on this machine, and so do the links

	mu     sync.Mutex
	mailer signin.Mailer
}

// outbox returns where the mails go. Written is told the path of each file.
func (f *mailFlags) outbox(getenv func(string) string, data, baseURL string, written func(path string)) (*outbox, error) {
	local := loopbackURL(baseURL)
	switch {
	case f.smtp.url != "":
		config := f.smtp.config(getenv)
		return &outbox{make: func() (signin.Mailer, error) { return mail.New(config) }}, nil
	case f.dir == "" && !local:
		return &outbox{}, nil
	}
	dir, err := filepath.Abs(cmp.Or(f.dir, filepath.Join(data, "mail")))
	if err != nil {
		return nil, fmt.Errorf("-mail-dir: %w", err)
	}
	config := mail.DirectoryConfig{Path: dir, From: cmp.Or(f.smtp.from, sampleFrom), Written: written}
	return &outbox{
		dir: dir, development: local, make: func() (signin.Mailer, error) { return mail.NewDirectory(config) },
	}, nil
}

// open makes the outbox ready, unless it is.
func (o *outbox) open() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mailer != nil {
		return nil
	}
	mailer, err := o.make()
	if err != nil {
		return mailFault(err)
	}
	o.mailer = mailer
	return nil
}

// Send implements [signin.Mailer].
func (o *outbox) Send(ctx context.Context, message signin.Message) error {
	o.mu.Lock()
	mailer := o.mailer
	o.mu.Unlock()
	if mailer == nil {
		return fmt.Errorf("there is no place for mails: %w", signin.ErrPermanent)
	}
	err := mailer.Send(ctx, message)
	if o.dir != "" {
		return err
	}
	return advised(err)
}

// ping warns where the mail server cannot be used. It may be down for a moment only, so serve has started in any case.
func (o *outbox) ping(ctx context.Context, logger *slog.Logger) {
	o.mu.Lock()
	server, ok := o.mailer.(*mail.Mailer)
	o.mu.Unlock()
	if !ok {
		return
	}
	if err := server.Ping(ctx); err != nil && ctx.Err() == nil {
		logger.WarnContext(ctx, "the mail server cannot be used: nobody gets a sign-in mail until it can", "error", advised(err))
	}
}

// check returns why nobody can sign in with this outbox as the configuration says. It makes the outbox ready.
func (o *outbox) check(entry *signInEntry) error {
	switch {
	case entry == nil:
		return nil
	case entry.Development && !o.development:
		return errors.New("sign_in.development counts only where links begin with a loopback host and mails are written into a directory: " +
			"write in its place whose addresses may sign in, " + whatDomains + "; or remove sign_in, and nobody signs in by mail")
	case o.make == nil:
		return errors.New("sign_in needs a mail server: give -smtp smtp://USER@HOST:587 and -from, or remove sign_in from the configuration; " +
			"-mail-dir DIR writes the mails into files instead, for development, and is not taken by default since -base-url has no loopback host")
	}
	return o.open()
}

// note is what the pages say in development; else it is empty.
func (o *outbox) note() string {
	if !o.development {
		return ""
	}
	return "For development: no mail is sent. Mails are written into " + shownPath(o.dir)
}

// shownPath writes a path as a person in the working directory would.
func shownPath(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}

// loopbackURL reports whether only this machine can follow links that begin so.
func loopbackURL(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || err == nil && ip.IsLoopback()
}
