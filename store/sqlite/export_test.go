package sqlite

// Waiting returns how many calls wait for a commit.
func (s *Store) Waiting() int {
	s.commit.mu.Lock()
	defer s.commit.mu.Unlock()
	return len(s.commit.pending)
}

// Leading reports whether somebody commits for those who wait.
func (s *Store) Leading() bool {
	s.commit.mu.Lock()
	defer s.commit.mu.Unlock()
	return s.commit.led
}

// Gathering decides whether to wait for companions.
type Gathering = gathering

// Wait is wait after a batch in which so many calls took part.
func (g *gathering) Wait(crowd int) int {
	g.crowd = crowd
	return g.wait()
}

// Waited is waited.
func (g *gathering) Waited(inVain bool) { g.waited(inVain) }
