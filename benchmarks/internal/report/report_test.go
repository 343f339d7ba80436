package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"

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
		"Of 2 goals 1 was missed in this run:\n\n- A: slow & <sure>\n",
		"| slow & <sure> | 30.0 µs | 20.0 µs (floor) | 1.50 × | 1.40–1.62 | ≤ 1.1 | **no** |",
		"| allocations | 3.00 |  |  |  | ≤ 6 | yes |",
		"| for information | 0.123 ms |  |  |  |  |  |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// Benchstat's own reader takes every line.
func TestGoBench(t *testing.T) {
	t.Parallel()
	p := report.Page{Results: []measure.Result{
		{
			Section: "Many links", Name: "Issue, 64 callers", Unit: "µs",
			Ours: measure.SpreadOf([]float64{30, 31}), Floor: measure.SpreadOf([]float64{20, 22}),
		},
		{Section: "HTTP", Name: "Issue", Unit: "/s", Ours: measure.Exactly(12345.6), Floor: measure.Exactly(20000)},
		measure.Figure("log", "MB", measure.Exactly(8.4), nil),
	}}
	var got []string
	reader := benchfmt.NewReader(bytes.NewReader(p.GoBench()), "benchmarks.txt")
	for reader.Scan() {
		line, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			t.Fatal(reader.Result())
		}
		for _, value := range line.Values {
			got = append(got, fmt.Sprintf("%s %.6g %s", line.Name, value.Value, value.Unit))
		}
	}
	want := []string{
		"Many_links/Issue,_64_callers/side=floor 2e-05 sec/op",
		"Many_links/Issue,_64_callers/side=floor 2.2e-05 sec/op",
		"Many_links/Issue,_64_callers/side=ours 3e-05 sec/op",
		"Many_links/Issue,_64_callers/side=ours 3.1e-05 sec/op",
		"HTTP/Issue/side=floor 20000 op/s",
		"HTTP/Issue/side=ours 12345.6 op/s",
		"/log/side=ours 8.4e+06 B",
	}
	if reader.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q, error %v", got, want, reader.Err())
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
