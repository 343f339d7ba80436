package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

// mailCommandFlags are the flags of the mail command.
type mailCommandFlags struct {
	smtp    smtpFlags
	to      string
	lang    string
	kind    string
	out     string
	appName string
}

func (f *mailCommandFlags) declare(set *flag.FlagSet) {
	f.smtp.declare(set)
	set.StringVar(&f.to, "to", "", "send: the `address` that the mail goes to")
	set.StringVar(&f.lang, "lang", "en", "the `language`, as de; preview: all writes all of them")
	set.StringVar(&f.kind, "kind", "all", "preview: the `kind` of mail: sign-in, no-account, invitation, or all")
	set.StringVar(&f.out, "out", "mail-preview", "preview: the `directory` for the files")
	set.StringVar(&f.appName, "app-name", "", "the `name` of the application in the mails (default: that of an example)")
}

func mailCommand() *command {
	return &command{
		name:    "mail",
		args:    "preview | send -to ADDRESS [flags]",
		summary: "shows what the mails look like, and tries the mail server",
		long: "preview writes examples of the mails into -out, as HTML and as text, and prints the names of the files.\n" +
			"send sends one example over -smtp, which has neither a link nor a code, and says in words what is wrong where the server\n" +
			"does not take it. Whether the mail arrives only the mailbox shows: look into its spam folder, too.",
		example: "magiclink mail send -smtp smtp://app@smtp.example.com:587 -from 'Acme <login@acme.example>' -to you@example.com",
		flags:   new(mailCommandFlags).declare,
		run:     runMail,
	}
}

func runMail(ctx context.Context, p *program, args []string) error {
	var f mailCommandFlags
	words, err := p.parse("mail", f.declare, args)
	if err != nil {
		return err
	}
	name, words, err := action(words, []string{"preview", "send"})
	if err == nil {
		err = noWords(words)
	}
	switch {
	case err != nil:
		return err
	case name == "send":
		return f.send(ctx, p)
	}
	return f.preview(p)
}

// preview writes the files.
func (f *mailCommandFlags) preview(p *program) error {
	templates, err := mail.LoadTemplates(nil)
	if err != nil {
		return err
	}
	languages, err := f.languages(templates)
	if err != nil {
		return err
	}
	kinds, err := f.kinds()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil { //nolint:gosec // G301: examples are no secret
		return fmt.Errorf("make the directory of -out: %w", err)
	}
	for _, lang := range languages {
		for _, kind := range kinds {
			if err := f.write(p, templates, kind, lang); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *mailCommandFlags) languages(templates *mail.Templates) ([]string, error) {
	all := templates.Languages()
	switch {
	case f.lang == "all":
		return all, nil
	case slices.Contains(all, f.lang):
		return []string{f.lang}, nil
	}
	return nil, usagef("-lang %s is not a language of the mails: write one of %s, or all", plain(f.lang), strings.Join(all, ", "))
}

func (f *mailCommandFlags) kinds() ([]signin.Kind, error) {
	all := []signin.Kind{signin.KindSignIn, signin.KindNoAccount, signin.KindInvitation}
	switch kind := signin.Kind(f.kind); {
	case f.kind == "all":
		return all, nil
	case slices.Contains(all, kind):
		return []signin.Kind{kind}, nil
	}
	return nil, usagef("-kind %s is not a kind of mail: write sign-in, no-account, invitation or all", plain(f.kind))
}

// write writes one mail as two files.
func (f *mailCommandFlags) write(p *program, templates *mail.Templates, kind signin.Kind, lang string) error {
	rendered, err := templates.Render(f.sample(kind, lang))
	if err != nil {
		return err
	}
	path := filepath.Join(f.out, string(kind)+"."+lang)
	for _, file := range []struct{ name, content string }{
		{path + ".html", rendered.HTML}, {path + ".txt", "Subject: " + rendered.Subject + "\n\n" + rendered.Text},
	} {
		if err := os.WriteFile(file.name, []byte(file.content), 0o644); err != nil { //nolint:gosec // G306: as above
			return fmt.Errorf("write a preview: %w", err)
		}
		fmt.Fprintln(p.stdout, file.name)
	}
	return nil
}

func (f *mailCommandFlags) sample(kind signin.Kind, lang string) signin.Message {
	message := mail.Sample(kind, lang)
	if f.appName != "" {
		message.App = f.appName
	}
	return message
}

// send tries the mail server.
func (f *mailCommandFlags) send(ctx context.Context, p *program) error {
	switch {
	case f.smtp.url == "":
		return usagef("say which mail server: -smtp smtp://USER@HOST:587, and its password in %s", smtpPasswordVariable)
	case !magiclink.ValidEmail(f.to):
		return usagef("say where to send the mail: -to you@example.com")
	case f.lang == "all":
		return usagef("send sends one mail: write one language with -lang")
	}
	if err := f.smtp.check(p.getenv); err != nil {
		return err
	}
	mailer, err := mail.New(f.smtp.config(p.getenv))
	if err != nil {
		return mailFault(err)
	}
	message := f.sample(signin.KindNoAccount, f.lang)
	message.To = f.to
	if err := errors.Join(mailer.Send(ctx, message), mailer.Close()); err != nil {
		return inWords(err)
	}
	_, err = fmt.Fprintf(p.stdout, "The server has taken the mail for %s. Look for it in the mailbox, and in its spam folder.\n", f.to)
	return err
}
