package magiclinktest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Page is where a [Browser] has arrived.
type Page struct {
	Status int
	URL    *url.URL // after all redirections
	Header http.Header
	Body   string

	browser *Browser
	method  string // of the request that this page answers
}

// Submit fills in a form of the page and presses its first button: the first form with the method post that has all the named
// fields. Values are names and values in turn; hidden fields are sent as they are. It fails the test if there is no such form.
//
//	page.Submit()                          // the first form
//	page.Submit("email", "jane@example.com")
func (p *Page) Submit(values ...string) *Page {
	p.browser.tb.Helper()
	given := p.pairs(values)
	for _, each := range p.forms() {
		if each.method == http.MethodPost && each.hasAll(given) {
			return p.submit(each, each.first(), given)
		}
	}
	p.browser.tb.Fatalf("magiclinktest: no form of %s has the fields %q", p.seen(), slices.Sorted(maps.Keys(given)))
	return nil
}

// SubmitTo is Submit for the form that goes to this path.
func (p *Page) SubmitTo(path string, values ...string) *Page {
	p.browser.tb.Helper()
	given := p.pairs(values)
	for _, each := range p.forms() {
		if each.method == http.MethodPost && each.action(p.URL).Path == path {
			return p.submit(each, each.first(), given)
		}
	}
	p.browser.tb.Fatalf("magiclinktest: no form of %s goes to %s", p.seen(), path)
	return nil
}

// Press is Submit for the first button with this label, such as "Sign out". Upper and lower case count.
func (p *Page) Press(label string, values ...string) *Page {
	p.browser.tb.Helper()
	given := p.pairs(values)
	for _, each := range p.forms() {
		for _, button := range each.buttons {
			if button.label == label {
				return p.submit(each, button, given)
			}
		}
	}
	p.browser.tb.Fatalf("magiclinktest: no button of %s has the label %q", p.seen(), label)
	return nil
}

// submit sends a form. Where the answer is 403, the log of the test says what is wrong in most cases.
func (p *Page) submit(form form, pressed button, given url.Values) *Page {
	p.browser.tb.Helper()
	answer := p.browser.submit(p, form, form.values(pressed, given))
	if hint := p.hint(form, given); hint != "" && answer.Status == http.StatusForbidden {
		p.browser.tb.Logf("magiclinktest: %s was answered by 403: %s", answer.URL.Path, hint)
	}
	return answer
}

// hint says why a form of this page may be refused.
func (p *Page) hint(form form, given url.Values) string {
	target := form.action(p.URL)
	switch {
	case target.Scheme != p.URL.Scheme || target.Host != p.URL.Host:
		return fmt.Sprintf("the page was opened at %s://%s, and its form goes to %s://%s: open pages at the scheme and host of the BaseURL",
			p.URL.Scheme, p.URL.Host, target.Scheme, target.Host)
	case given.Has("code"):
		return "" // a wrong one
	}
	return "if the application does not refuse the person, look whether a middleware reads the body of the request, removes its cookies, or changes its Origin"
}

// seen describes the page for the message of a test that fails.
func (p *Page) seen() string {
	forms := []string{}
	for _, each := range p.forms() {
		forms = append(forms, fmt.Sprintf("%s %s %q", each.method, each.action(p.URL).Path, each.names()))
		for _, button := range each.buttons {
			forms = append(forms, fmt.Sprintf("button %q", button.label))
		}
	}
	return fmt.Sprintf("the page %s (status %d, title %q, with: %s)", p.URL.Path, p.Status, p.title(), strings.Join(forms, ", "))
}

// Has reports whether the page contains the text as it is written in HTML.
func (p *Page) Has(text string) bool { return strings.Contains(p.Body, text) }

// pairs fails the test for a name without a value, which would send something else than the test says.
func (p *Page) pairs(values []string) url.Values {
	p.browser.tb.Helper()
	if len(values)%2 != 0 {
		p.browser.tb.Fatalf("magiclinktest: a form is filled in with names and values in turn, and the last of these has no value: %q", values)
	}
	given := url.Values{}
	for pair := range slices.Chunk(values, 2) {
		given.Set(pair[0], pair[1])
	}
	return given
}
