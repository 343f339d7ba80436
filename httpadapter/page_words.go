package httpadapter

import (
	"embed"
	"html/template"

	"github.com/magiclink-go/magiclink/internal/webpage"
)

//go:embed words
var wordFiles embed.FS

var pageWords = webpage.NewWords(wordFiles, "words/page")

// Text returns one of the texts of the built-in page in the Language of the page, with the data filled in, for a template
// that has another layout and the same words:
//
//	<h1>{{.Text "confirm-heading"}}</h1>
//
// The names are: confirm-heading, confirm-text, destination, active, confirm-button, not-asked; other-browser-heading,
// other-browser-code, other-browser-only, code-label, code-wrong, code-ended; dead-heading, dead-text,
// dead-hint; refused-heading, refused-text, refused-causes, refused-cookies, refused-browser, refused-time;
// wrong-address-heading, wrong-address-text; not-admitted-heading, not-admitted-text, link-used, link-unused;
// unavailable-heading, unavailable-text, unavailable-hint, limited-text; and, on buttons, try-again, continue, open-again, new-link, home.
// Another name is an error.
func (d PageData) Text(name string) (template.HTML, error) {
	return pageWords.Text(d.Language, name, d)
}
