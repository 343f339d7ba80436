// Package report writes what was measured: as lines, as a page and as a plot.
package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"

	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

// Print writes one line for each result.
func Print(w io.Writer, results []measure.Result) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WHAT\tOURS\tAGAINST\tRATIO\tSPREAD\tGOAL\tREACHED")
	section := ""
	for _, r := range results {
		if r.Section != section {
			section = r.Section
			fmt.Fprintf(table, "%s\t\t\t\t\t\t\n", section)
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, ours(r), floor(r), ratio(r), spread(r), goal(r), reached(r))
	}
	_ = table.Flush() // as the lines themselves
}

func ours(r measure.Result) string { return number(r.Ours.Median) + unit(r.Unit) }

func floor(r measure.Result) string {
	if r.Plain {
		return ""
	}
	return number(r.Floor.Median) + unit(r.Unit)
}

func unit(name string) string {
	if name == "" || name == "/s" {
		return name
	}
	return " " + name
}

func ratio(r measure.Result) string {
	if r.Plain {
		return ""
	}
	return number(r.Ratio.Median) + " ×"
}

func spread(r measure.Result) string {
	if r.Ratio.Low == r.Ratio.High {
		return ""
	}
	return number(r.Ratio.Low) + "–" + number(r.Ratio.High)
}

func goal(r measure.Result) string {
	if r.Goal == nil {
		return ""
	}
	sign := "≥ "
	if r.Goal.AtMost {
		sign = "≤ "
	}
	return sign + strconv.FormatFloat(r.Goal.Bound, 'f', -1, 64)
}

func reached(r measure.Result) string {
	switch {
	case r.Goal == nil:
		return ""
	case r.Reached():
		return "yes"
	}
	return "no"
}

// number writes three digits that count, or all of a large number.
func number(x float64) string {
	if x == 0 {
		return "0"
	}
	digits := max(0, 2-int(math.Floor(math.Log10(math.Abs(x)))))
	return strconv.FormatFloat(x, 'f', digits, 64)
}
