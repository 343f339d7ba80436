package httpadapter_test

import (
	"html/template"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// TestBrokenTemplatesAreFaultsOfTheConfiguration has templates that are parsed well and fail when they are executed.
func TestBrokenTemplatesAreFaultsOfTheConfiguration(t *testing.T) {
	s := newSite(t)
	good := httpadapter.PageConfig{Redeemer: s.redeemer, Sessions: s.sessions, App: "Example", NewLinkURL: "/new", Logger: s.logger}
	parsed := func(text string) *template.Template {
		own := template.New("own").Funcs(template.FuncMap{"fail": func() string { panic(canaryText) }})
		return template.Must(own.Parse(text))
	}
	for name, row := range map[string]struct {
		template *template.Template
		reason   string // empty: it is no fault
	}{
		"none":                    {nil, ""},
		"every field":             {parsed(`{{.App}}{{.Token}}{{with .Account}}{{.}}{{end}}{{with .LinkURL}}<a href="{{.}}">{{end}}`), ""},
		"not made":                {new(template.Template), "panicked"},
		"not parsed":              {template.New("own"), "incomplete"},
		"an unknown field":        {parsed(`{{.Acount}}`), "Acount"},
		"of a state":              {parsed(`{{if eq .State "not-admitted"}}{{.Reason}}{{end}}`), `the state "not-admitted"`},
		"where a field is set":    {parsed(`{{if .ActiveAccount}}{{.ActiveAcount}}{{end}}`), `the state "confirm"`},
		"where a field is empty":  {parsed(`{{if not .Account}}{{.Nobody}}{{end}}`), `the state "confirm"`},
		"where the link is used":  {parsed(`{{if .LinkUsed}}{{.Used}}{{end}}`), `the state "not-admitted"`},
		"where the form is again": {parsed(`{{if and (eq .State "unavailable") .Action}}{{.Again}}{{end}}`), `the state "unavailable"`},
		"a function that panics":  {parsed(`{{if eq .State "dead"}}{{fail}}{{end}}`), `the state "dead"`},
		"an unsafe context":       {parsed(`<a href="{{if .App}}"{{end}}>`), `the state "confirm"`},
		"another template":        {parsed(`{{template "missing" .}}`), "missing"},
	} {
		config := good
		config.Template = row.template
		page, err := httpadapter.NewPage(config)
		if row.reason == "" {
			require.NoError(t, err, name)
			require.NotNil(t, page, name)
			continue
		}
		require.Equal(t, []string{"Template"}, faultyFields(t, err), name)
		require.ErrorContains(t, err, row.reason, name)
		require.Nil(t, page, name)
	}

	_, err := httpadapter.NewPage(httpadapter.PageConfig{Template: new(template.Template)})
	require.Equal(t, []string{"Redeemer", "Sessions", "Template"}, faultyFields(t, err), "all faults at once")
}
