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
