package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/magiclink-go/magiclink"
)

// purgeBatch is how many records are removed between two reports of progress.
const purgeBatch = 10_000

// purgeFlags are the flags of the purge command.
type purgeFlags struct {
	data  dataDir
	store storeFlag
	json  bool
}

func (f *purgeFlags) declare(set *flag.FlagSet) {
	f.data.declare(set)
	f.store.declare(set)
	declareJSON(set, &f.json)
}

func purgeCommand() *command {
	return &command{
		name:    "purge",
		args:    "[flags]",
		summary: "removes expired links",
		long: "Removes the records of links that have expired, and of links whose session is over, and says how many. serve does so\n" +
			"by itself every minute. purge works in small steps, so a running serve waits for it only briefly.",
		example: "magiclink purge -data /var/lib/magiclink",
		flags:   new(purgeFlags).declare,
		run:     runPurge,
	}
}

func runPurge(ctx context.Context, p *program, args []string) error {
	var f purgeFlags
	words, err := p.parse("purge", f.declare, args)
	if err == nil {
		err = noWords(words)
	}
	if err != nil {
		return err
	}
	store, closeStore, err := f.store.openBeside(ctx, &f.data)
	if err != nil {
		return err
	}
	total, err := purge(ctx, p, store)
	if err = errors.Join(err, closeStore()); err != nil {
		return err
	}
	if f.json {
		return printJSON(p.stdout, map[string]int{"removed": total})
	}
	_, err = fmt.Fprintf(p.stdout, "removed %s\n", count(total, "expired link", "expired links"))
	return err
}

func purge(ctx context.Context, p *program, store magiclink.Store) (total int, err error) {
	for before := time.Now(); ; {
		removed, err := store.Purge(ctx, before, purgeBatch)
		total += removed
		if err != nil {
			return total, fmt.Errorf("removed %s, and then: %w", count(total, "expired link", "expired links"), err)
		}
		if removed < purgeBatch {
			return total, nil
		}
		fmt.Fprintf(p.stderr, "removed %d so far\n", total)
	}
}
