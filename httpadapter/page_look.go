package httpadapter

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/magiclink-go/magiclink"
)

// pageLook is what all pages of a configuration show in the same way.
type pageLook struct {
	app    string
	logo   template.URL
	icon   template.URL
	style  template.CSS
	images string // the sources of img-src: data: for the icon, and the logo
}

func newPageLook(found *faults, config PageConfig) pageLook {
	route := newPageRoute(config.Redeemer.BaseURL())
	look := pageLook{app: plain(config.App), images: "data:"}
	if look.app == "" {
		look.app = route.host
	}
	light, dark := newPalettes(found, config.Colors, config.DarkColors)
	look.style, look.icon = styleOf(light, dark), iconOf(look.app, light)
	logo, source, ok := logoOf(route, config.Logo)
	if !ok {
		found.add("Logo", "must be a local path, an https URL without a query, or a data: URI of an image in base64")
	}
	look.logo = template.URL(logo) //nolint:gosec // logoOf accepts addresses of images alone
	if source != "" && source != look.images {
		look.images += " " + source
	}
	return look
}

// fillIn completes the data of a page. It is the one place through which every text goes that is shown.
func (l pageLook) fillIn(data *PageData) {
	data.App, data.Logo, data.Icon, data.Style = l.app, l.logo, l.icon, l.style
	data.Account = middle(plain(data.Account))
	data.ActiveAccount = middle(plain(data.ActiveAccount))
	data.Destination = middle(plain(data.Destination))
}

var (
	// A directory is no image, and a source of a policy has no query.
	imageAddress = regexp.MustCompile(`^https?://[^/?#@]+/[!"$->@-\[\]-~]*[!"$-.0->@-\[\]-~]$`)
	publicHost   = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$`) // none that a policy would read as a pattern
)

var imageData = regexp.MustCompile(`^data:image/(png|jpeg|gif|webp|avif|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}$`)

// logoOf returns the address of the logo, and the source that allows exactly it in a Content-Security-Policy. A local path
// becomes an absolute address, so that it is found on a page that was opened at another host.
func logoOf(route pageRoute, logo string) (address, source string, ok bool) {
	switch {
	case logo == "":
		return "", "", true
	case imageData.MatchString(logo):
		return logo, "data:", true
	case magiclink.ValidLocalPath(logo):
		logo = strings.TrimSuffix(route.home, "/") + logo
	}
	own := strings.HasPrefix(logo, route.home)
	u, err := url.Parse(logo)
	if err != nil || u.Scheme != "https" && !own || !imageAddress.MatchString(logo) {
		return "", "", false
	}
	if own && route.source() == "'self'" {
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
