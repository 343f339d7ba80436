package suite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/magiclink-go/magiclink/store/sqlite"
)

// What fill puts into a database an issuer could have put there: its tokens can be redeemed.
func TestFilledLinksAreRedeemed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "filled.db")
	if err := fill(t.Context(), path, 0, 20, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p, err := newPair(store)
	if err != nil {
		t.Fatal(err)
	}
	m, err := newMinter()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 7, 8, 19} {
		token, err := m.mint(filledID(n), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.redeemer.Redeem(t.Context(), token); err != nil {
			t.Errorf("link %d: %v", n, err)
		}
	}
	if n, err := count(t.Context(), path); err != nil || n != 20 {
		t.Errorf("got %d records and %v", n, err)
	}
}
