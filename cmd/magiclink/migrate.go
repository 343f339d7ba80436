package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/magiclink-go/magiclink/store/postgres"
)

// migrateFlags are the flags of the migrate command.
type migrateFlags struct {
	store storeFlag
	print bool
}

func (f *migrateFlags) declare(set *flag.FlagSet) {
	f.store.declare(set)
	set.BoolVar(&f.print, "print", false, "only print the SQL, for a migration tool of your own; this needs no -store")
}

func migrateCommand() *command {
	return &command{
		name:    "migrate",
		args:    "-store postgres://… | -print",
		summary: "makes the tables in PostgreSQL, or brings them to this version",
		long: "Makes the schema \"magiclink\" and its tables in a PostgreSQL database, or brings them to this version. Run it in each\n" +
			"deployment, before serve: it does nothing where nothing is to do, and several may run at the same time. The role\n" +
			"needs the right to create tables. serve needs SELECT, INSERT, UPDATE and DELETE on them alone.\n" +
			"The other stores need no migration: serve brings a SQLite file to its version, and Redis has no tables.",
		example: "magiclink migrate -store postgres://owner@db.example.com/app",
		flags:   new(migrateFlags).declare,
		run:     runMigrate,
	}
}

func runMigrate(ctx context.Context, p *program, args []string) error {
	var f migrateFlags
	words, err := p.parse("migrate", f.declare, args)
	if err == nil {
		err = errors.Join(noWords(words), f.store.check())
	}
	switch {
	case err != nil:
		return err
	case f.print:
		return postgres.WriteMigrations(p.stdout, "")
	case !strings.HasPrefix(f.store.where, "postgres"):
		return usagef("only PostgreSQL has tables to migrate: give its URL with -store postgres://…")
	}
	store, closeStore, err := connectPostgres(ctx, f.store.where)
	if err != nil {
		return err
	}
	if err := errors.Join(adviseServer(store.Migrate(ctx)), closeStore()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, "the tables are at the version of this command")
	return err
}
