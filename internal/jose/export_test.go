package jose

// Seen is the table of the links that a key has seen.
type Seen = seen

// Put remembers a digest.
func (s *seen) Put(d [32]byte) { s.put(d) }

// Has reports whether a digest is remembered.
func (s *seen) Has(d [32]byte) bool { return s.has(d) }

// FixedWidth is the reader of DER signatures.
var FixedWidth = fixedWidth
