package report

import (
	"bytes"
	"fmt"
	"html"

	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

// The measures of the plot, in pixels.
const (
	plotWidth  = 900
	labelWidth = 470
	rowHeight  = 22
	goalAt     = 150 // the length of a bar that has just reached its goal
	longest    = 290
)

const (
	reachedColour = "#2a9d8f"
	missedColour  = "#e76f51"
)

// SVG draws one bar for each result that has a goal: how much of it was reached. All goals are at one line.
func (p Page) SVG() []byte {
	var rows bytes.Buffer
	y := 40
	for _, r := range p.Results {
		if r.Goal == nil || r.Goal.Bound == 0 {
			continue
		}
		row(&rows, y, r)
		y += rowHeight
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n",
		plotWidth, y+12, plotWidth, y+12)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	fmt.Fprintf(&b, `<text x="%d" y="20" text-anchor="middle">goal</text>`+"\n", labelWidth+goalAt)
	b.Write(rows.Bytes())
	fmt.Fprintf(&b, `<line x1="%d" y1="26" x2="%d" y2="%d" stroke="#333" stroke-dasharray="4 3"/>`+"\n", labelWidth+goalAt, labelWidth+goalAt, y)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func row(b *bytes.Buffer, y int, r measure.Result) {
	colour := missedColour
	if r.Reached() {
		colour = reachedColour
	}
	length := min(longest, goalAt*attained(r))
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, labelWidth-8, y+13, html.EscapeString(r.Name))
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.0f" height="%d" fill="%s"/>`, labelWidth, y+2, length, rowHeight-6, colour)
	fmt.Fprintf(b, `<text x="%.0f" y="%d">%s (%s)</text>`+"\n", labelWidth+max(length, goalAt)+6, y+13, number(r.Ratio.Median), goal(r))
}

// attained is one where the goal was just reached, and more where it was surpassed.
func attained(r measure.Result) float64 {
	switch {
	case !r.Goal.AtMost:
		return r.Ratio.Median / r.Goal.Bound
	case r.Ratio.Median == 0:
		return longest
	}
	return r.Goal.Bound / r.Ratio.Median
}
