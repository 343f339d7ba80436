package mail_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

// A value that no constructor has made says which one to use. It neither panics nor waits.
func TestZeroValues(t *testing.T) {
	for name, mailer := range map[string]*mail.Mailer{"zero": new(mail.Mailer), "nil": nil} {
		t.Run(name, func(t *testing.T) {
			require.EqualError(t, mailer.Send(t.Context(), sample), "magiclink/mail: Mailer is not initialized: use New")
			require.EqualError(t, mailer.Ping(t.Context()), "magiclink/mail: Mailer is not initialized: use New")
			require.NoError(t, mailer.Close())
			require.Equal(t, "Mailer{}", mailer.String())
		})
	}
	for name, directory := range map[string]signin.Mailer{"zero": new(mail.Directory), "nil": (*mail.Directory)(nil)} {
		t.Run(name, func(t *testing.T) {
			require.EqualError(t, directory.Send(t.Context(), sample), "magiclink/mail: Directory is not initialized: use NewDirectory")
		})
	}
	for name, templates := range map[string]*mail.Templates{"zero": new(mail.Templates), "nil": nil} {
		t.Run(name, func(t *testing.T) {
			_, err := templates.Render(sample)
			require.EqualError(t, err, "magiclink/mail: Templates is not initialized: use LoadTemplates")
			require.Empty(t, templates.Languages())
		})
	}
}
