package sqlite

// Waiting returns how many calls wait for a commit.
func (s *Store) Waiting() int {
	s.commit.mu.Lock()
	defer s.commit.mu.Unlock()
	return len(s.commit.pending)
}

// Writing reports whether the goroutine runs that writes.
func (s *Store) Writing() bool {
	s.commit.mu.Lock()
	defer s.commit.mu.Unlock()
	return s.commit.active
}

// Closed reports whether Close has been called.
func (s *Store) Closed() bool {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	return s.gate.closed
}

// PurgeStatements are the statements of a purge.
var PurgeStatements = []string{postponePurge, purgeUses, purgeLinks}

// Gathering decides whether a batch waits.
type Gathering = gathering

// Wait is wait after a batch with a crowd of this size.
func (g *gathering) Wait(crowd int) int {
	g.crowd = crowd
	return g.wait()
}

// Waited is waited.
func (g *gathering) Waited(complete bool) { g.waited(complete) }

// CheckLibrary is checkLibrary.
var CheckLibrary = checkLibrary
