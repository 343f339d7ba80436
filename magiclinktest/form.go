package magiclinktest

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// The few things that a test needs of a page are read by patterns: forms with their fields, and links. They read well-formed HTML with
// quoted attributes.
var (
	formPattern      = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	fieldPattern     = regexp.MustCompile(`(?is)<(?:input|button|textarea|select)\b([^>]*)>`)
	linkPattern      = regexp.MustCompile(`(?is)<a\b([^>]*)>`)
	attributePattern = regexp.MustCompile(`(?is)([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
)

type form struct {
	method string
	target string // the attribute action
	fields []field
}

type field struct {
	name, value string
	sent        bool // also by somebody who types nothing
}

func (p *Page) forms() (forms []form) {
	for _, match := range formPattern.FindAllStringSubmatch(p.Body, -1) {
		attributes := attributesOf(match[1])
		f := form{method: http.MethodGet, target: attributes["action"]}
		if strings.EqualFold(attributes["method"], "post") {
			f.method = http.MethodPost
		}
		for _, each := range fieldPattern.FindAllStringSubmatch(match[2], -1) {
			if a := attributesOf(each[1]); a["name"] != "" {
				f.fields = append(f.fields, field{name: a["name"], value: a["value"], sent: a["type"] != "checkbox" && a["type"] != "radio"})
			}
		}
		forms = append(forms, f)
	}
	return forms
}

// links are those of the page's own host.
func (p *Page) links() (links []*url.URL) {
	for _, match := range linkPattern.FindAllStringSubmatch(p.Body, -1) {
		target, err := p.URL.Parse(attributesOf(match[1])["href"])
		if err == nil && target.Host == p.URL.Host && target.Scheme == p.URL.Scheme {
			links = append(links, target)
		}
	}
	return links
}

func attributesOf(tag string) map[string]string {
	attributes := map[string]string{}
	for _, match := range attributePattern.FindAllStringSubmatch(tag, -1) {
		attributes[strings.ToLower(match[1])] = html.UnescapeString(match[2] + match[3] + match[4])
	}
	return attributes
}

func (f form) hasAll(given url.Values) bool {
	names := f.values()
	for name := range given {
		if _, ok := names[name]; !ok {
			return false
		}
	}
	return true
}

func (f form) values() url.Values {
	values := url.Values{}
	for _, each := range f.fields {
		if each.sent {
			values.Add(each.name, each.value)
		}
	}
	return values
}

// action is the address that the form goes to: that of the page where it names none.
func (f form) action(page *url.URL) *url.URL {
	target, err := page.Parse(f.target)
	if err != nil {
		return page
	}
	return target
}
