package webpage

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/magiclink-go/magiclink/internal/language"
)

// Words are the texts of some pages in all languages. They are safe for concurrent use.
type Words struct {
	languages map[string]func() (*template.Template, error)
}

// NewWords returns the words in the files dir/de.html, dir/en.html and so on, one for each language. A file defines a
// template for each text, and its actions fill the data of the page in:
//
//	{{define "confirm-heading"}}Sign in as <bdi>{{.Account}}</bdi>?{{end}}
//
// A file is read when its language is first needed.
func NewWords(files fs.FS, dir string) *Words {
	w := &Words{languages: map[string]func() (*template.Template, error){}}
	for _, tag := range language.All {
		w.languages[tag] = sync.OnceValues(func() (*template.Template, error) {
			return template.New(tag+".html").Option("missingkey=error").ParseFS(files, dir+"/"+tag+".html")
		})
	}
	return w
}

// Text returns the text of this name with the data filled in. The empty language is English. A language or a name that does not
// exist is an error.
func (w *Words) Text(tag, name string, data any) (template.HTML, error) {
	texts, err := w.of(tag)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	if err := texts.ExecuteTemplate(&text, name, data); err != nil {
		return "", fmt.Errorf("the text %q in the language %q: %w", name, tag, err)
	}
	return template.HTML(text.String()), nil //nolint:gosec // html/template has escaped the data in it
}

// Names returns the names of the texts in a language, in order.
func (w *Words) Names(tag string) ([]string, error) {
	texts, err := w.of(tag)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, text := range texts.Templates() {
		if !strings.HasSuffix(text.Name(), ".html") { // the file itself
			names = append(names, text.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func (w *Words) of(tag string) (*template.Template, error) {
	if tag == "" {
		tag = language.Default
	}
	texts, ok := w.languages[tag]
	if !ok {
		return nil, fmt.Errorf("there are no texts in the language %q", tag)
	}
	return texts()
}
