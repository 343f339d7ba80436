package main

import (
	"os"
	"testing"

	"github.com/magiclink-go/magiclink/internal/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

func TestRun(t *testing.T) {
	if err := run(t.Context(), dbtest.PostgresURL(t)); err != nil {
		t.Fatal(err)
	}
}
