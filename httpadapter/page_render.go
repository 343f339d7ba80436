package httpadapter

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"github.com/magiclink-go/magiclink/internal/webpage"
)

//go:embed page.html
var pageHTML string

var builtIn = template.Must(webpage.Layout().Parse(pageHTML))

// openAgain is the data of a page whose button opens the link again.
func (p *Page) openAgain(token string) PageData { return PageData{LinkURL: p.route.link(token)} }

// formData is the data of a page that has the form.
func (p *Page) formData(token, secret string) PageData {
	data := p.openAgain(token)
	data.Action, data.Token, data.FormToken = p.route.action, token, formToken(secret, token)
	return data
}

// show writes a page.
func (p *Page) show(w http.ResponseWriter, r *http.Request, status int, state PageState, data PageData) {
	data.State = state
	err := p.look.Show(w, r, status, func(frame webpage.Frame) ([]byte, error) { return p.render(data, frame) })
	if err != nil {
		p.logger.ErrorContext(r.Context(), "magiclink: the page's template failed", "state", string(state))
	}
}

// render completes the data and builds the page. The error may hold anything that the template was given.
func (p *Page) render(data PageData, frame webpage.Frame) (text []byte, err error) {
	defer contain(func() { err = errPanic }) // such as that of a template which no constructor has made
	data.Host, data.HomeURL, data.NewLinkURL = p.route.host, p.route.home, p.config.NewLinkURL
	data.dress(frame)
	var page bytes.Buffer
	err = p.config.Template.Execute(&page, data)
	return page.Bytes(), err
}

// secure sets the headers that every answer of the page has.
func (p *Page) secure(header http.Header, nonce string) { p.look.Secure(header, nonce) }
