package mail_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

func ExampleNew() {
	mailer, err := mail.New(mail.Config{
		URL:      "smtp://app@smtp.example.com:587",
		Password: os.Getenv("SMTP_PASSWORD"),
		From:     "login@acme.example, other@acme.example",
	})
	fmt.Println(mailer != nil)
	fmt.Println(err)
	// Output:
	// false
	// magiclink: invalid configuration: Password is missing, since URL names a user; From must be a sender such as "Acme <login@acme.example>", with one plain address and a name without control characters
}

// Mails for development are files, which mail programs open.
func ExampleNewDirectory() {
	path, _ := os.MkdirTemp("", "mails")
	defer os.RemoveAll(path)
	mailer, err := mail.NewDirectory(mail.DirectoryConfig{
		Path: path,
		From: "Acme <login@acme.example>",
		Now:  func() time.Time { return time.Date(2030, 1, 15, 9, 30, 0, 0, time.UTC) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := mailer.Send(context.Background(), mail.Sample(signin.KindSignIn, "de")); err != nil {
		fmt.Println(err)
		return
	}
	files, _ := filepath.Glob(filepath.Join(path, "*.eml"))
	for _, file := range files {
		fmt.Println(filepath.Base(file))
	}
	// Output: 20300115T093000.000000000Z-b5afe956.eml
}

// What a mail looks like.
func ExampleTemplates_Render() {
	templates, err := mail.LoadTemplates(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	rendered, err := templates.Render(mail.Sample(signin.KindInvitation, "en"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rendered.Subject)
	fmt.Println()
	fmt.Println(rendered.Text)
	// Output:
	// Invitation to Acme
	//
	// John Doe invites you to Acme.
	//
	// To accept the invitation, open this link:
	//
	// https://app.example.com/magic/eyJhbGciOiJFZERTQSIsImtpZCI6InNhbXBsZSIsInR5cCI6Im1sK2p3dCJ9.c2FtcGxl.c2FtcGxl
	//
	// The link works until 15 January 2030, 09:45 UTC.
	//
	// If you did not expect this invitation, ignore this mail.
	//
	// Acme
}
