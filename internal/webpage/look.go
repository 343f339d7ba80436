package webpage

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/language"
)

// Report takes a fault of a configuration: the field, and what it must be.
type Report func(field, reason string)

// LookConfig configures a [Look].
type LookConfig struct {
	Origin string // of the pages, as browsers write it
	Home   string // the path "/" on that origin

	App                string // the name of the application; never empty
	Logo               string // a local path, an https URL, a data: URI of an image, or empty
	Colors, DarkColors Colors
	Language           string // the language of all pages; empty chooses one for each request
}

// Look is what all pages of an application show in the same way.
type Look struct {
	frame   Frame
	fixed   string // the language of all pages, or ""
	images  string // the sources of img-src: data: for the icon, and the logo
	formsAt string // the sources of form-action
}

// NewLook reports every fault under the name of its field.
func NewLook(report Report, config LookConfig) Look {
	look := Look{frame: Frame{App: Plain(config.App)}, images: "data:", formsAt: "'self'"}
	if source := sourceOf(config.Origin); source != look.formsAt {
		look.formsAt += " " + source
	}
	if look.fixed = config.Language; look.fixed != "" && !slices.Contains(language.All, look.fixed) {
		report("Language", "must be one of "+strings.Join(language.All, ", ")+", or empty")
		look.fixed = ""
	}
	light, dark := newPalettes(report, config.Colors, config.DarkColors)
	look.frame.Style, look.frame.Icon = styleOf(light, dark), iconOf(look.frame.App, light)
	logo, source, ok := logoOf(config, config.Logo)
	if !ok {
		report("Logo", "must be a local path, an https URL without a query, or a data: URI of an image in base64")
	}
	look.frame.Logo = template.URL(logo) //nolint:gosec // logoOf accepts addresses of images alone
	if source != "" && source != look.images {
		look.images += " " + source
	}
	return look
}

// Languages returns the languages in which pages of this look can be shown.
func (l Look) Languages() []string {
	if l.fixed != "" {
		return []string{l.fixed}
	}
	return slices.Clone(language.All)
}

// Choose returns the language of the answer to a request. It notes in the answer that the header of the request decided.
func (l Look) Choose(w http.ResponseWriter, r *http.Request) string {
	if l.fixed != "" {
		return l.fixed
	}
	w.Header().Add("Vary", "Accept-Language")
	return language.Match(strings.Join(r.Header.Values("Accept-Language"), ","))
}

// Frame returns the frame of a page in this language, with a new nonce.
func (l Look) Frame(tag string) Frame {
	frame := l.frame
	frame.Nonce, frame.Language, frame.Direction = rand.Text(), tag, language.Direction(tag)
	return frame
}

// sourceOf returns an origin as a source of a Content-Security-Policy. The policy's grammar has no IPv6 addresses (CSP Level 3
// section 2.3.1): a page of such an origin can name itself only as 'self'.
func sourceOf(origin string) string {
	if u, err := url.Parse(origin); err == nil {
		if address, err := netip.ParseAddr(u.Hostname()); err == nil && address.Is6() {
			return "'self'"
		}
	}
	return origin
}

var (
	// A directory is no image, and a source of a policy has no query.
	imageAddress = regexp.MustCompile(`^https?://[^/?#@]+/[!"$->@-\[\]-~]*[!"$-.0->@-\[\]-~]$`)
	publicHost   = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$`) // none that a policy would read as a pattern
)

var imageData = regexp.MustCompile(`^data:image/(png|jpeg|gif|webp|avif|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}$`)

// logoOf returns the address of the logo, and the source that allows exactly it in a Content-Security-Policy. A local path
// becomes an absolute address, so that it is found on a page that was opened at another host.
func logoOf(config LookConfig, logo string) (address, source string, ok bool) {
	switch {
	case logo == "":
		return "", "", true
	case imageData.MatchString(logo):
		return logo, "data:", true
	case magiclink.ValidLocalPath(logo):
		logo = strings.TrimSuffix(config.Home, "/") + logo
	}
	own := strings.HasPrefix(logo, config.Home)
	u, err := url.Parse(logo)
	if err != nil || u.Scheme != "https" && !own || !imageAddress.MatchString(logo) {
		return "", "", false
	}
	if own && sourceOf(config.Origin) == "'self'" {
		return logo, "'self'", true
	}
	source = u.Scheme + "://" + u.Host + u.EscapedPath()
	return logo, strings.NewReplacer(";", "%3B", ",", "%2C", "'", "%27").Replace(source), publicHost.MatchString(u.Host)
}

// iconOf draws the first letter or digit of the name on the accent colour.
func iconOf(name string, colors palette) template.URL {
	letter := ""
	if at := strings.IndexFunc(name, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }); at >= 0 {
		letter = strings.ToUpper(string([]rune(name[at:])[:1]))
	}
	picture := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">`+
		`<rect width="64" height="64" rx="14" fill="%s"/><text x="32" y="45" font-family="system-ui,sans-serif" font-size="38" `+
		`font-weight="700" text-anchor="middle" fill="%s">%s</text></svg>`, colors.accent, colors.onAccent, letter)
	//nolint:gosec // a picture of our own
	return template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(picture)))
}
