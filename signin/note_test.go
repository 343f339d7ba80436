package signin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/signin"
)

func TestNote(t *testing.T) {
	const note = `mails are <in> "./mail"`
	s := newSite(t, func(c *signin.Config) { c.Note = note })
	b := s.browser()
	const shown = `<bdi>mails are &lt;in&gt; &#34;./mail&#34;</bdi>`
	require.Contains(t, b.get("/sign-in").body, shown)
	require.Equal(t, http.StatusSeeOther, b.ask(jane, "").status)
	require.Equal(t, 1, strings.Count(b.get("/sign-in/check").body, shown))
	require.NotContains(t, newSite(t).browser().get("/sign-in").body, "<bdi>mails", "the control")
}
