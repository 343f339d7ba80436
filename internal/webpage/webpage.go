// Package webpage has what all pages of the product share: the layout, the look that an application gives it, the headers of
// every answer, and texts in several languages. Pages have no scripts and load nothing but the application's logo.
//
// A page is a template that is parsed into [Layout]. It executes "layout" and defines two templates:
//
//	{{template "layout" .}}
//	{{define "title"}}{{.Text "confirm-title"}}{{end}}
//	{{define "content"}}<h1>{{.Text "confirm-heading"}}</h1>…{{end}}
//
// The data of a page has the fields of [Frame], and a method Text that calls [Words.Text].
package webpage

import (
	_ "embed"
	"html/template"
	"strings"
)

//go:embed layout.html
var layoutHTML string

// Layout returns a new template with the layout and the function "parts", which splits an address where a line may end.
func Layout() *template.Template {
	parts := func(address string) []string { return strings.SplitAfter(address, "/") }
	return template.Must(template.New("page").Funcs(template.FuncMap{"parts": parts}).Parse(layoutHTML))
}

// Frame is what the layout needs.
type Frame struct {
	App       string       // the name of the application
	Logo      template.URL // the logo; may be empty
	Icon      template.URL // a small picture with the first letter of App
	Style     template.CSS // the colours, as custom properties
	Nonce     string       // of the style; new for each answer
	Language  string       // the attribute lang
	Direction string       // the attribute dir: "ltr" or "rtl"
}
