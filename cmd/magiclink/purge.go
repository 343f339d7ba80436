package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// purgeBatch is how many records are removed between two reports of progress.
const purgeBatch = 10_000

func purgeCommand() *command {
	return &command{
		name:    "purge",
		args:    "[flags]",
		summary: "removes expired links",
		long: "Removes the records of links that have expired, and prints how many. It works in small steps, so a running\n" +
			"serve is held up only briefly.",
		example: "magiclink purge -data /var/lib/magiclink",
		flags:   new(dataDir).declare,
		run:     runPurge,
	}
}

func runPurge(ctx context.Context, p *program, args []string) (err error) {
	var data dataDir
	if err := p.parseAll("purge", data.declare, args); err != nil {
		return err
	}
	store, err := data.database()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	before, total := time.Now(), 0
	for {
		removed, err := store.Purge(ctx, before, purgeBatch)
		total += removed
		if err != nil {
			return fmt.Errorf("removed %d, then: %w", total, err)
		}
		if removed < purgeBatch {
			_, err := fmt.Fprintln(p.stdout, total)
			return err
		}
		fmt.Fprintf(p.stderr, "removed %d so far\n", total)
	}
}
