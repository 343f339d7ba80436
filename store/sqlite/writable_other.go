//go:build !unix

package sqlite

// guard checks nothing here: SQLite's own errors must suffice.
type guard struct{}

func newGuard(string) *guard { return new(guard) }

func (g *guard) writable() error { return nil }

func (g *guard) closable() error { return nil }

func (g *guard) mapped() error { return nil }

func (g *guard) opened() {}

func (g *guard) closed() {}

func checkNames(string) error { return nil }
