package e2e_test

import (
	"os"
	"testing"

	"github.com/magiclink-go/magiclink/internal/servetest"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	defer closeBrowser()
	return servetest.Main(m)
}
