package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestPagesFit shows the longest names on screens of several widths: no page can be scrolled sideways.
func TestPagesFit(t *testing.T) {
	t.Parallel()
	s, b := start(t), open(t)
	label := strings.Repeat("a", 61)
	domain := strings.Join([]string{label, label, label, "example.com"}, ".")
	link := s.issueTo("jane.doe@"+domain, "/"+strings.Repeat("long", 100)).url
	require.Equal(t, http.StatusOK, b.visit(link))
	b.requireFits("confirmation page")
	require.Equal(t, http.StatusOK, b.signIn())
	b.requireFits("landing page")
	require.Equal(t, http.StatusOK, b.visit(s.issueTo("john.doe@"+domain, "/").url))
	b.requireFits("confirmation page with the warning")
	require.Equal(t, http.StatusGone, b.visit(s.BaseURL+"?token=x"))
	b.requireFits("page of a dead link")
}

func (b *tab) requireFits(page string) {
	b.t.Helper()
	for _, width := range []int64{320, 390, 880} {
		b.do(chromedp.EmulateViewport(width, 844))
		excess := ask(b, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`))
		if excess > 0 {
			b.t.Errorf("the %s is %d pixels wider than a screen of %d", page, excess, width)
		}
	}
}
