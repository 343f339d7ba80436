package main

import (
	"context"
	"os"
	"time"
)

// keysInterval is how often the key file is looked at.
const keysInterval = time.Second

// followKeys takes over what "magiclink keys" changes, until the context ends. A file that cannot be read leaves the keys
// as they are.
func (s *server) followKeys(ctx context.Context) {
	path := s.data.keysPath()
	known, _ := os.Stat(path) // serve has just read it
	ticker := time.NewTicker(keysInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		found, err := os.Stat(path)
		if err != nil || sameFile(known, found) {
			continue
		}
		known = found
		if err := s.keys.Reload(path); err != nil {
			s.logger.Error("the changed keys were not taken over", "error", err)
			continue
		}
		s.logger.Info("took over the changed keys", "keys", len(s.keys.Keys()))
	}
}

// sameFile reports that nothing has replaced or changed the file.
func sameFile(a, b os.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
