package e2e_test

import (
	"testing"

	"github.com/magiclink-go/magiclink/e2e/internal/browser"
)

// inEach runs a journey in each engine, as a test that has the engine's name.
func inEach(t *testing.T, journey func(t *testing.T, b *browser.Browser)) {
	t.Helper()
	t.Parallel()
	for _, engine := range browser.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			journey(t, browser.Open(t, engine, browser.Options{}))
		})
	}
}
