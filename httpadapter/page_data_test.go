package httpadapter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// TestPageDataHidesItsCredentials prints the data in every way in which a value lands in a log.
func TestPageDataHidesItsCredentials(t *testing.T) {
	const secret = "CANARY"
	data := httpadapter.PageData{
		State: httpadapter.StateConfirm, LinkURL: "https://app.example.com/magic?token=" + secret, Action: "/" + secret,
		Token: secret, FormToken: secret, Account: secret, ActiveAccount: secret, Destination: secret,
	}
	inside := struct {
		Page  httpadapter.PageData
		Pages []*httpadapter.PageData
	}{data, []*httpadapter.PageData{&data}}
	var said strings.Builder
	for _, value := range []any{data, &data, inside, &inside, []httpadapter.PageData{data}, map[string]httpadapter.PageData{"x": data}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			fmt.Fprintf(&said, verb+"\n", value)
		}
		text, err := json.Marshal(value)
		require.NoError(t, err)
		said.Write(text)
		slog.New(slog.NewTextHandler(&said, nil)).Info("x", "page", value)
		slog.New(slog.NewJSONHandler(&said, nil)).Info("x", "page", value)
	}
	require.Contains(t, said.String(), "PageData{State:confirm}", "the control: there was something to read")
	require.Contains(t, said.String(), `{"state":"confirm"}`)
	require.NotContains(t, said.String(), secret)

	var page bytes.Buffer
	require.NoError(t, template.Must(template.New("x").Parse(`{{.Token}} {{.FormToken}} {{.LinkURL}} {{.Account}}`)).Execute(&page, data))
	require.Equal(t, 4, strings.Count(page.String(), secret), "templates reach the fields")
}
