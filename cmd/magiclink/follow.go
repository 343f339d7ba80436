package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	followInterval = time.Second            // how often the files are read
	lookInterval   = 100 * time.Millisecond // how often requests can make serve read the files, at most
	lookPatience   = 300 * time.Millisecond // how long a request waits for that
)

// watched is a file whose content is in force in this process.
type watched struct {
	name  string
	path  string
	read  func(path string) ([]byte, error)
	apply func(text []byte) error // puts a content in force

	applied [sha256.Size]byte // the hash of the content in force
}

// check reads the file, and puts its content in force if that is another one. A content that could not be put in force is
// tried again at the next check.
func (w *watched) check() (changed bool, err error) {
	text, err := w.read(w.path)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256(text)
	if sum == w.applied {
		return false, nil
	}
	if err := w.apply(text); err != nil {
		return false, err
	}
	w.applied = sum
	return true, nil
}

// follower keeps what is in force in agreement with the files.
type follower struct {
	files  []*watched
	logger *slog.Logger
	asked  chan chan struct{}

	mu    sync.Mutex
	fault error // why they do not agree
}

func newFollower(logger *slog.Logger, files ...*watched) *follower {
	return &follower{files: files, logger: logger, asked: make(chan chan struct{})}
}

// begin notes the contents that are in force since the start. A fault is found again by the first look.
func (f *follower) begin() {
	for _, file := range f.files {
		_, _ = file.check()
	}
}

// run follows the files until the context ends.
func (f *follower) run(ctx context.Context) {
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	for {
		var answers []chan struct{}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case answer := <-f.asked:
			answers = f.waiting(answer)
		}
		f.look()
		for _, answer := range answers {
			close(answer)
		}
		if len(answers) > 0 && !pause(ctx, lookInterval) {
			return
		}
	}
}

// waiting returns the answers to all requests that wait now: they share one look.
func (f *follower) waiting(answers ...chan struct{}) []chan struct{} {
	for {
		select {
		case answer := <-f.asked:
			answers = append(answers, answer)
		default:
			return answers
		}
	}
}

func pause(ctx context.Context, d time.Duration) (whole bool) {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// look checks all files. It logs each fault each time, because the process works with an old state meanwhile.
func (f *follower) look() {
	var faults []error
	for _, file := range f.files {
		changed, err := file.check()
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", file.name, err))
			f.logger.Error("the file and what is in force do not agree: correct the file", "file", file.name, "error", oneLine(err))
		}
		if changed {
			f.logger.Info("took over a changed file", "file", file.name)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = errors.Join(faults...)
}

// lookNow has the files read at once, and waits for that for a moment.
func (f *follower) lookNow(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	answer := make(chan struct{})
	select {
	case f.asked <- answer:
	case <-ctx.Done():
		return
	}
	select {
	case <-answer:
	case <-ctx.Done():
	}
}

// ready returns an error while a file and what is in force do not agree.
func (f *follower) ready(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault
}
