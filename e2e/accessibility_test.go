package e2e_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/e2e/internal/browser"
	"github.com/magiclink-go/magiclink/internal/dbtest"
)

// axe is a program that finds faults of pages which keep people out who use a screen reader, for example.
const axe = "axe/node_modules/axe-core/axe.min.js"

// checker runs axe-core in Chromium.
type checker struct {
	tour
	source string
	pages  int
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	source, err := os.ReadFile(axe)
	if os.IsNotExist(err) && os.Getenv("CI") != "true" {
		t.Skip("there is no axe-core: run ./install.sh, which needs npm")
	}
	require.NoError(t, err, "there is no axe-core: run ./install.sh, which needs npm")
	return &checker{
		tour:   tour{t: t, b: browser.Open(t, browser.Chromium, browser.Options{}), server: startMailServer(t)},
		source: string(source),
	}
}

// violations are the rules that the page breaks in light or dark colours, with the elements.
func (c *checker) violations() (found []string) {
	c.t.Helper()
	c.b.Script(nil, c.source)
	for _, scheme := range []string{"light", "dark"} {
		c.b.PreferDark(scheme == "dark")
		var dark bool
		c.b.Script(&dark, `return matchMedia("(prefers-color-scheme: dark)").matches`)
		require.Equal(c.t, scheme == "dark", dark)
		var broken []string
		c.b.Script(&broken, `return axe.run(document, {resultTypes: ["violations", "incomplete"]}).then(result =>
			result.violations.concat(result.incomplete).map(v => v.id + ": " + v.nodes.map(n => n.html).join(" ")))`)
		for _, rule := range broken {
			found = append(found, scheme+": "+rule)
		}
	}
	return found
}

// TestPagesAreAccessible leads axe-core to every page and every mail, in light and dark colours, and looks for what does not fit on the screen, written from left
// to right and from right to left. In full axe-core reads the pages that are written from right to left, too. It also has to find the faults of pages
// that were spoilt.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	c, reads := newChecker(t), true
	c.show = func(name string) {
		t.Helper()
		c.pages++
		faults := c.overflow()
		if reads {
			faults = append(faults, c.violations()...)
		}
		for _, fault := range faults {
			t.Error(name, fault)
		}
	}
	c.signIn()
	c.unusable()
	c.strangeNames()
	for _, tag := range []string{"en", "ar"} {
		reads = tag == "en" || dbtest.Full()
		c.byMail(tag)
		c.rare(tag)
		c.mails(tag)
	}
	require.Greater(t, c.pages, 80)
	t.Logf("%d pages and mails", c.pages)

	for fault, act := range map[string]string{
		"label":          `document.querySelector("label").remove()`,
		"color-contrast": `document.querySelector("p").style.color = getComputedStyle(document.querySelector("button")).color`,
		"html-has-lang":  `document.documentElement.removeAttribute("lang")`,
	} {
		c.ask(newApplication(t, c.server), "control")
		c.b.Script(nil, act)
		require.Contains(t, fmt.Sprint(c.violations()), fault)
	}
	require.Empty(t, c.overflow())
	c.b.Script(nil, `document.querySelector("button").textContent = "long".repeat(100)`)
	require.Empty(t, c.overflow(), "a long word is broken")
	c.b.Script(nil, `document.querySelector("main").style.overflowWrap = "normal"`)
	require.Contains(t, fmt.Sprint(c.overflow()), "<button")
}
