package jose

// Seen is what a key remembers links in.
type Seen = seen

// Put remembers a digest.
func (s *seen) Put(d [32]byte) { s.put(d) }

// Has reports whether a digest is remembered.
func (s *seen) Has(d [32]byte) bool { return s.has(d) }
