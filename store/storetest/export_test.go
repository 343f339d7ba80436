package storetest

import "github.com/magiclink-go/magiclink"

// Tester is what a case needs of *testing.T.
type Tester = tester

// CaseNames returns the names of all subtests of Run in their order.
func CaseNames() []string {
	var names []string
	for _, c := range everyCase() {
		names = append(names, c.name)
	}
	return names
}

// RunCase runs the case with this name.
func RunCase(name string, t Tester, s magiclink.Store) {
	for _, c := range everyCase() {
		if c.name == name {
			c.check(t, s)
			return
		}
	}
	t.Fatalf("no case is named %q", name)
}

// Wrap returns the store as a case below "Wrapped/" gets it.
func Wrap(s magiclink.Store) magiclink.Store { return wrapper{s} }
