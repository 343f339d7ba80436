package e2e_test

import (
	"hash/crc32"
	"testing"

	"github.com/magiclink-go/magiclink/e2e/internal/browser"
	"github.com/magiclink-go/magiclink/internal/dbtest"
)

// inEach runs a journey in each engine, as a test that has the engine's name. Unless the tests run in full, it leaves out Firefox in one half of the
// journeys and WebKit in the other.
func inEach(t *testing.T, journey func(t *testing.T, b *browser.Browser)) {
	t.Helper()
	t.Parallel()
	leftOut := []browser.Engine{browser.Firefox, browser.WebKit}[crc32.ChecksumIEEE([]byte(t.Name()))%2]
	for _, engine := range browser.Engines {
		t.Run(string(engine), func(t *testing.T) {
			if engine == leftOut && !dbtest.Full() {
				t.Skip("in full only: make full")
			}
			t.Parallel()
			journey(t, browser.Open(t, engine, browser.Options{}))
		})
	}
}
