package httpadapter

import "github.com/magiclink-go/magiclink/internal/webpage"

// PageColors are colours of the page, each written as "#rrggbb". An empty one is the built-in colour; an empty Accent of
// DarkColors is the Accent of Colors. All other colours are derived from these three, with a contrast that people can read
// (WCAG 2.2, level AA).
type PageColors struct {
	Accent     string // the button. Its text becomes black or white, whichever is easier to read
	Background string // behind the text
	Text       string // the text. Its contrast to Background is at least 4.5
}

// newLook makes the look of the pages at a route.
func newLook(found *faults, route pageRoute, config webpage.LookConfig) webpage.Look {
	config.Origin, config.Home = route.origin, route.home
	if webpage.Plain(config.App) == "" {
		config.App = route.host
	}
	return webpage.NewLook(found.add, config)
}

// dress completes the data of a page. It is the one place through which every text goes that is shown.
func (d *PageData) dress(frame webpage.Frame) {
	d.App, d.Logo, d.Icon, d.Style, d.Nonce = frame.App, frame.Logo, frame.Icon, frame.Style, frame.Nonce
	d.Language, d.Direction = frame.Language, frame.Direction
	d.Account = webpage.Middle(webpage.Plain(d.Account))
	d.ActiveAccount = webpage.Middle(webpage.Plain(d.ActiveAccount))
	d.Destination = webpage.Middle(webpage.Plain(d.Destination))
}
