package sqlite

import (
	"database/sql/driver"

	"github.com/magiclink-go/magiclink"
)

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

// ListStatements returns the statements of a List, for a database with these indexes.
func ListStatements(query magiclink.ListQuery, there ...Index) (statements []string, args [][]any) {
	known := map[Index]bool{}
	for _, index := range there {
		known[index] = true
	}
	l := newListing(query, known)
	skip, skipArgs := l.from("SELECT id", query.Before)
	step, stepArgs := l.from(selectColumns, query.Before)
	stepArgs = append(append(stepArgs, l.filterArgs...), int64(10))
	statements = []string{skip + " ORDER BY id DESC LIMIT 1 OFFSET ?", step + l.filters + " ORDER BY id DESC LIMIT ?"}
	for _, values := range [][]driver.Value{append(skipArgs, int64(10)), stepArgs} {
		plain := make([]any, len(values))
		for i, value := range values {
			plain[i] = value
		}
		args = append(args, plain)
	}
	return statements, args
}

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
