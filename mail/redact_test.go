package mail_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/mail"
)

func TestNothingShowsThePassword(t *testing.T) {
	config := mail.Config{URL: "smtp://app@smtp.example.com", Password: password, From: from}
	mailer := newMailer(t, config)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "config", config, "nested", struct{ C mail.Config }{config}, "mailer", mailer)
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "config", config, "mailer", mailer)
	fmt.Fprintf(&log, "%v %+v %#v %v %+v %#v", config, config, config, mailer, mailer, mailer)
	require.NotContains(t, log.String(), "horse")

	templates, err := mail.LoadTemplates(nil)
	require.NoError(t, err)
	rendered, err := templates.Render(sample)
	require.NoError(t, err)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "r", rendered, "nested", struct{ R mail.Rendered }{rendered})
	fmt.Fprintf(&log, "%v %+v %#v", rendered, rendered, rendered)
	require.NotContains(t, log.String(), sample.Code)
	require.NotContains(t, log.String(), sample.Link)
}
