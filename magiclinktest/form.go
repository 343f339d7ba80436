package magiclinktest

import (
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// The few things that a test needs of a page are read by patterns: forms with their fields and buttons, and links. They read well-formed HTML
// with quoted attributes.
var (
	formPattern      = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	fieldPattern     = regexp.MustCompile(`(?is)<(?:input|textarea|select)\b([^>]*)>|<button\b([^>]*)>(.*?)</button>`)
	titlePattern     = regexp.MustCompile(`(?is)<title\b[^>]*>(.*?)</title>`)
	linkPattern      = regexp.MustCompile(`(?is)<a\b([^>]*)>`)
	attributePattern = regexp.MustCompile(`(?is)([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
	tagPattern       = regexp.MustCompile(`(?s)<[^>]*>`)
)

type form struct {
	method  string
	target  string // the attribute action
	fields  []field
	buttons []button // those that send the form
}

type field struct {
	name, value string
	sent        bool // also by somebody who types nothing
}

type button struct{ name, value, label string }

func (p *Page) forms() (forms []form) {
	for _, match := range formPattern.FindAllStringSubmatch(p.Body, -1) {
		attributes := attributesOf(match[1])
		f := form{method: http.MethodGet, target: attributes["action"]}
		if strings.EqualFold(attributes["method"], "post") {
			f.method = http.MethodPost
		}
		for _, each := range fieldPattern.FindAllStringSubmatch(match[2], -1) {
			f.add(attributesOf(each[1]+each[2]), strings.HasPrefix(strings.ToLower(each[0]), "<button"), plain(each[3]))
		}
		forms = append(forms, f)
	}
	return forms
}

// add takes a field or a button into the form.
func (f *form) add(a map[string]string, isButton bool, label string) {
	switch kind := strings.ToLower(a["type"]); {
	case isButton && (kind == "" || kind == "submit"):
		f.buttons = append(f.buttons, button{name: a["name"], value: a["value"], label: label})
	case !isButton && (kind == "submit" || kind == "image"):
		f.buttons = append(f.buttons, button{name: a["name"], value: a["value"], label: a["value"]})
	case !isButton && a["name"] != "":
		f.fields = append(f.fields, field{name: a["name"], value: a["value"], sent: kind != "checkbox" && kind != "radio"})
	}
}

// plain is a text as a person reads it.
func plain(markup string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tagPattern.ReplaceAllString(markup, ""))), " ")
}

func (p *Page) title() string {
	if found := titlePattern.FindStringSubmatch(p.Body); found != nil {
		return plain(found[1])
	}
	return ""
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

// hasAll reports whether the form has a field or a button of each name.
func (f form) hasAll(given url.Values) bool {
	for name := range given {
		if !slices.Contains(f.names(), name) {
			return false
		}
	}
	return true
}

func (f form) names() (names []string) {
	for _, each := range f.fields {
		names = append(names, each.name)
	}
	for _, each := range f.buttons {
		if each.name != "" {
			names = append(names, each.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// first is the button that the Enter key presses.
func (f form) first() button {
	if len(f.buttons) == 0 {
		return button{}
	}
	return f.buttons[0]
}

// values are what the form sends when somebody fills in what is given and presses the button.
func (f form) values(pressed button, given url.Values) url.Values {
	values := url.Values{}
	for _, each := range f.fields {
		if each.sent {
			values.Add(each.name, each.value)
		}
	}
	if pressed.name != "" {
		values.Add(pressed.name, pressed.value)
	}
	maps.Copy(values, given)
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
