package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/trustedfile"
)

// auditFlag says where the audit log goes.
type auditFlag struct{ path string }

func (f *auditFlag) declare(set *flag.FlagSet) {
	set.StringVar(&f.path, "audit", "", "append who did what to this `file`, as lines of JSON without addresses and links; - is standard error (default: nowhere)")
}

// auditTrail is an open audit log. Several processes may append to one file: each line is one write. The nil auditTrail writes nothing.
type auditTrail struct {
	path   string
	logger *slog.Logger

	mu   sync.Mutex
	to   io.Writer
	file *os.File // nil for standard error
	torn bool     // the last line is a part of one: the disk was full
}

// open opens the audit log, or returns nil where none is asked for.
func (f auditFlag) open(logger *slog.Logger) (*auditTrail, error) {
	if f.path == "" {
		return nil, nil
	}
	t := &auditTrail{path: f.path, logger: logger}
	if f.path == "-" {
		t.to = os.Stderr
		return t, nil
	}
	return t, t.reopen()
}

// reopen opens the file by its name, for a program that has moved the old file away. After an error the old one stays open.
func (t *auditTrail) reopen() error {
	if t == nil || t.path == "-" {
		return nil
	}
	file, err := trustedfile.OpenFile(t.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the audit log: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file != nil {
		_ = t.file.Close() // each line is written already
	}
	t.file, t.to, t.torn = file, file, false
	return nil
}

func (t *auditTrail) close() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}

// onEvent returns the function for [magiclink.Config], or nil.
func (t *auditTrail) onEvent() func(context.Context, magiclink.Event) {
	if t == nil {
		return nil
	}
	return magiclink.Audit(t)
}

// Write implements [io.Writer] for magiclink.Audit. What cannot be written is logged and lost: the call that it is about goes on.
func (t *auditTrail) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := line
	if t.torn {
		text = append([]byte("\n"), line...)
	}
	n, err := t.to.Write(text)
	t.torn = n > 0 && n < len(text) || n == 0 && t.torn
	if err != nil {
		t.logger.Error("a line of the audit log could not be written, and is lost", "file", t.path, "error", err)
	}
	return len(line), nil
}

// newPlainLogger is the log of a command that ends soon.
func newPlainLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
