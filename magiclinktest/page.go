package magiclinktest

import (
	"net/http"
	"net/url"
	"strings"
)

// Page is where a [Browser] has arrived.
type Page struct {
	Status int
	URL    *url.URL // after all redirections
	Header http.Header
	Body   string

	browser *Browser
}

// Submit fills in and sends a form of the page, as a person does who presses its button: the first form with the method post that
// has all the named fields. Values are names and values in turn; hidden fields are sent as they are. It fails the test if there
// is no such form.
//
//	page.Submit()                          // the first form
//	page.Submit("email", "jane@example.com")
func (p *Page) Submit(values ...string) *Page {
	p.browser.tb.Helper()
	given := pairs(values)
	for _, each := range p.forms() {
		if each.method == http.MethodPost && each.hasAll(given) {
			return p.browser.submit(p, each, given)
		}
	}
	p.browser.tb.Fatalf("magiclinktest: the page %s (%d) has no form with the fields %q", p.URL.Path, p.Status, values)
	return nil
}

// SubmitTo is Submit for the form that goes to this path.
func (p *Page) SubmitTo(path string, values ...string) *Page {
	p.browser.tb.Helper()
	for _, each := range p.forms() {
		if each.method == http.MethodPost && each.action(p.URL).Path == path {
			return p.browser.submit(p, each, pairs(values))
		}
	}
	p.browser.tb.Fatalf("magiclinktest: the page %s (%d) has no form that goes to %s", p.URL.Path, p.Status, path)
	return nil
}

// Has reports whether the page contains the text as it is written in HTML.
func (p *Page) Has(text string) bool { return strings.Contains(p.Body, text) }

func pairs(values []string) url.Values {
	given := url.Values{}
	for n := 0; n+1 < len(values); n += 2 {
		given.Set(values[n], values[n+1])
	}
	return given
}
