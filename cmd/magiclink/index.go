package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/postgres"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// indexFlags are the flags of the index command.
type indexFlags struct {
	data  dataDir
	store storeFlag
	json  bool
}

func (f *indexFlags) declare(set *flag.FlagSet) {
	f.data.declare(set)
	f.store.declare(set)
	declareJSON(set, &f.json)
}

func indexCommand() *command {
	return &command{
		name:    "index",
		args:    "list | create NAME | drop NAME [flags]",
		summary: "makes and removes the optional indexes of SQLite and PostgreSQL",
		long: "NAME is tenant, email, business or external-business: what \"links list\", \"links revoke\", \"sessions\" and the API look for.\n" +
			"Without an index they read the newest records first, until they have found enough. That is fast where one tenant has most of\n" +
			"the links, and takes a second for some millions of links where little or nothing matches.\n" +
			"An index makes each issue slower: by 1 to 13 % for a lone caller, and with 64 callers at once up to three times in SQLite and\n" +
			"by 40 % in PostgreSQL. So make email if people are looked up by their addresses in a large database, or with -supersede and a list of\n" +
			"their sessions; business or external-business if customers are; tenant if there are many tenants; and none otherwise.\n" +
			"create reads all links: some seconds for a million of them. In SQLite a running serve cannot write meanwhile, and answers 503\n" +
			"after two seconds; in PostgreSQL it goes on, and the role must own the table. drop is quick. With Redis, -redis-index says what is indexed.",
		example: "magiclink index create email",
		flags:   new(indexFlags).declare,
		run:     runIndex,
	}
}

// indexNames are the names of the command for what the stores call an index.
var indexNames = []string{"tenant", "email", "business", "external-business"}

// indexed is a store with optional indexes.
type indexed interface {
	list(ctx context.Context) (names []string, err error)
	create(ctx context.Context, name string) error
	drop(ctx context.Context, name string) error
}

// indexes are those of a store whose type for the name of an index is I.
type indexes[I ~string] struct {
	all    map[string]I
	listed func(context.Context) ([]I, error)
	made   func(context.Context, I) error
	gone   func(context.Context, I) error
}

func (x indexes[I]) list(ctx context.Context) (names []string, err error) {
	there, err := x.listed(ctx)
	for _, name := range indexNames {
		if slices.Contains(there, x.all[name]) {
			names = append(names, name)
		}
	}
	return names, err
}

func (x indexes[I]) create(ctx context.Context, name string) error { return x.made(ctx, x.all[name]) }

func (x indexes[I]) drop(ctx context.Context, name string) error { return x.gone(ctx, x.all[name]) }

func indexesOf(store magiclink.Store) (indexed, error) {
	if s, ok := magiclink.StoreAs[*sqlite.Store](store); ok {
		all := map[string]sqlite.Index{"tenant": sqlite.ByTenant, "email": sqlite.ByEmail, "business": sqlite.ByBusiness, "external-business": sqlite.ByExternalBusiness}
		return indexes[sqlite.Index]{all, s.Indexes, s.CreateIndex, s.DropIndex}, nil
	}
	if s, ok := magiclink.StoreAs[*postgres.Store](store); ok {
		all := map[string]postgres.Index{"tenant": postgres.ByTenant, "email": postgres.ByEmail, "business": postgres.ByBusiness, "external-business": postgres.ByExternalBusiness}
		return indexes[postgres.Index]{all, s.Indexes, s.CreateIndex, s.DropIndex}, nil
	}
	return nil, errors.New("only SQLite and PostgreSQL have indexes to make; with Redis, -redis-index says what is indexed")
}

func runIndex(ctx context.Context, p *program, args []string) (err error) {
	var f indexFlags
	words, err := p.parse("index", f.declare, args)
	if err != nil {
		return err
	}
	do, words, err := action(words, []string{"list", "create", "drop"})
	if err != nil {
		return err
	}
	name, err := indexWord(do, words)
	if err != nil {
		return err
	}
	store, closeStore, err := f.store.openBeside(ctx, &f.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	on, err := indexesOf(store)
	switch {
	case err != nil:
		return err
	case do == "list":
		return f.list(ctx, p, on)
	case do == "create":
		return f.change(p, "made the index "+name, func() error { return on.create(ctx, name) })
	}
	return f.change(p, "removed the index "+name, func() error { return on.drop(ctx, name) })
}

func indexWord(do string, words []string) (string, error) {
	if do == "list" {
		return "", noWords(words)
	}
	list := strings.Join(indexNames, ", ")
	name, err := oneWord(words, "say which index: magiclink index "+do+" NAME, with one of "+list)
	if err == nil && !slices.Contains(indexNames, name) {
		err = usagef("%q is not an index: write one of %s", name, list)
	}
	return name, err
}

func (f *indexFlags) list(ctx context.Context, p *program, on indexed) error {
	there, err := on.list(ctx)
	if err != nil {
		return err
	}
	if f.json {
		return printJSON(p.stdout, append([]string{}, there...))
	}
	rows := func(yield func([]string, error) bool) {
		for _, name := range indexNames {
			state := "no"
			if slices.Contains(there, name) {
				state = "yes"
			}
			if !yield([]string{name, state}, nil) {
				return
			}
		}
	}
	_, err = printTable(p.stdout, []string{"INDEX", "THERE"}, rows, func(row []string) []string { return row })
	return err
}

// progressEvery is how often a change that takes long says that it goes on.
const progressEvery = 5 * time.Second

// change says how long the change took, and meanwhile that it goes on.
func (f *indexFlags) change(p *program, done string, do func() error) error {
	began := time.Now()
	result := make(chan error, 1)
	go func() { result <- do() }()
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		select {
		case err := <-result:
			took := time.Since(began).Round(time.Millisecond)
			if err != nil {
				return fmt.Errorf("after %s: %w", took, err)
			}
			return printDone(p, f.json, map[string]any{"done": done, "took_ms": took.Milliseconds()}, done+" in "+took.String())
		case <-ticker.C:
			fmt.Fprintf(p.stderr, "working for %s\n", time.Since(began).Round(time.Second))
		}
	}
}
