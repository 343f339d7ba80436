package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
	"github.com/magiclink-go/magiclink/benchmarks/internal/report"
)

func page() report.Page {
	tenth, few := measure.AtMost(1.1), measure.AtMost(6)
	return report.Page{Results: []measure.Result{
		{
			Section: "A", Name: "slow & <sure>", Unit: "µs", Ours: measure.Exactly(30), Floor: measure.Exactly(20), Against: "floor",
			Ratio: measure.Spread{Low: 1.4, Median: 1.5, High: 1.62}, Goal: &tenth,
		},
		measure.Figure("allocations", "", measure.Exactly(3), &few),
		measure.Figure("for information", "ms", measure.Exactly(0.123), nil),
	}}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	text, err := page().Markdown()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Of 2 goals 1 was missed in this run:\n\n- slow & <sure>\n",
		"| slow & <sure> | 30.0 µs | 20.0 µs (floor) | 1.50 × | 1.40–1.62 | ≤ 1.1 | **no** |",
		"| allocations | 3.00 |  |  |  | ≤ 6 | yes |",
		"| for information | 0.123 ms |  |  |  |  |  |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestSVGIsWellFormed(t *testing.T) {
	t.Parallel()
	decoder := xml.NewDecoder(strings.NewReader(string(page().SVG())))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
