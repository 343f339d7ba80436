// Command app is a small web application with sign-in by mail, for a team to start from: README.md says how to run and to change it.
package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

var (
	listen      = flag.String("listen", "127.0.0.1:8080", "`address` to listen on")
	origin      = flag.String("origin", "http://127.0.0.1:8080", "`URL` at which people reach the application, without a path")
	dir         = flag.String("data", "app-data", "`directory` of the keys, of SQLite's database, and of mails without -smtp")
	databaseURL = flag.String("postgres", os.Getenv("DATABASE_URL"), "`URL` of PostgreSQL, also $DATABASE_URL; empty means SQLite")
	smtpURL     = flag.String("smtp", os.Getenv("SMTP_URL"), "`URL` of the mail server, also $SMTP_URL; its password is $SMTP_PASSWORD; empty means files")
	from        = flag.String("from", "Example <login@example.com>", "`sender` of the mails")
	domain      = flag.String("domain", "example.com", "everybody with an address at this `domain` may sign up; others are invited")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	if err := os.MkdirAll(*dir, 0o700); err != nil {
		return err
	}
	keys, errKeys := loadKeys(filepath.Join(*dir, "keys.json"))
	mailer, errMailer := newMailer(filepath.Join(*dir, "mail"))
	db, errDatabase := openDatabase(ctx, *databaseURL, filepath.Join(*dir, "app.db"), *domain)
	if err := errors.Join(errKeys, errMailer, errDatabase); err != nil {
		return err
	}
	defer db.close()
	config := magiclink.Config{BaseURL: *origin + "/magic", Keys: keys, Store: db.links}
	a, err := newApp(ctx, config, db, mailer)
	if err != nil {
		return err
	}
	go magiclink.PurgeEvery(ctx, db.links, 10*time.Minute, nil)
	return serve(ctx, a)
}

// serve answers requests until the context ends, and then finishes the requests and the mails that are under way.
func serve(ctx context.Context, a *app) error {
	server := &http.Server{Addr: *listen, Handler: a, ReadTimeout: 30 * time.Second, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	log.Print("open ", *origin)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return errors.Join(server.Shutdown(last), a.flow.Close(last))
}

// loadKeys makes the keys at the first start. All replicas need the same file.
func loadKeys(file string) (*magiclink.Keyring, error) {
	keys, err := magiclink.LoadKeyring(file)
	if errors.Is(err, fs.ErrNotExist) {
		if keys, err = magiclink.GenerateKeyring(magiclink.EdDSA); err == nil {
			err = keys.Save(file)
		}
	}
	return keys, err
}

func newMailer(files string) (signin.Mailer, error) {
	if *smtpURL != "" {
		return mail.New(mail.Config{URL: *smtpURL, Password: os.Getenv("SMTP_PASSWORD"), From: *from})
	}
	log.Print("for development: mails are not sent, but written to ", files)
	return mail.NewDirectory(mail.DirectoryConfig{Path: files, From: *from})
}
