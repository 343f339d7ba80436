package mail_test

import (
	"testing"

	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

func BenchmarkRender(b *testing.B) {
	templates, err := mail.LoadTemplates(nil)
	if err != nil {
		b.Fatal(err)
	}
	message := mail.Sample(signin.KindSignIn, "hi")
	for b.Loop() {
		if _, err := templates.Render(message); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoadTemplates(b *testing.B) {
	for b.Loop() {
		if _, err := mail.LoadTemplates(nil); err != nil {
			b.Fatal(err)
		}
	}
}
