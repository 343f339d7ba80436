package report

import (
	"bytes"
	_ "embed"
	"text/template"

	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

// Page is the document about one run.
type Page struct {
	Results []measure.Result
	Machine Machine
	Suite   Size
}

// Size is how much was measured.
type Size struct{ Runs, Records, Expired, Links int }

//go:embed page.md
var text string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"ours": ours, "floor": floor, "ratio": ratio, "spread": spread, "goal": goal, "reached": verdict,
}).Parse(text))

// verdict makes what was missed stand out.
func verdict(r measure.Result) string {
	if r.Reached() {
		return reached(r)
	}
	return "**no**"
}

type part struct {
	Title   string
	Results []measure.Result
}

// Parts are the results by their sections.
func (p Page) Parts() []part {
	var parts []part
	for _, r := range p.Results {
		if len(parts) == 0 || parts[len(parts)-1].Title != r.Section {
			parts = append(parts, part{Title: r.Section})
		}
		last := &parts[len(parts)-1]
		last.Results = append(last.Results, r)
	}
	return parts
}

// Goals counts the results that have one.
func (p Page) Goals() (n int) {
	for _, r := range p.Results {
		if r.Goal != nil {
			n++
		}
	}
	return n
}

// Missed are the sections and names of the results that did not reach their goals.
func (p Page) Missed() (names []string) {
	for _, r := range p.Results {
		if !r.Reached() {
			names = append(names, r.Section+": "+r.Name)
		}
	}
	return names
}

// Markdown returns the document.
func (p Page) Markdown() ([]byte, error) {
	var b bytes.Buffer
	err := page.Execute(&b, p)
	return b.Bytes(), err
}
