// Command magiclink serves magic links from one data directory and lets an operator handle them from a shell. It is the
// embedded default of the library github.com/magiclink-go/magiclink: SQLite, a generated key, and a JSON file that names
// the clients and the businesses. Run "magiclink help" to see what it does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// program is the world that a command runs in.
type program struct {
	getenv         func(string) string
	stdout, stderr io.Writer
}

// usageError is a fault of the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run carries out one command line and returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	p := &program{getenv: getenv, stdout: stdout, stderr: stderr}
	if len(args) == 0 {
		fmt.Fprint(stderr, overview())
		return exitUsage
	}
	if args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		args[0] = "help"
	}
	c := find(args[0])
	if c == nil {
		fmt.Fprintf(stderr, "magiclink: there is no command %q; run \"magiclink help\"\n", args[0])
		return exitUsage
	}
	err := c.run(ctx, p, args[1:])
	var usage usageError
	message := func() string { return strings.TrimPrefix(err.Error(), "magiclink: ") } // it stands in front already
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, c.help())
		return exitDone
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "magiclink %s: %s; run \"magiclink help %s\"\n", c.name, message(), c.name)
		return exitUsage
	}
	fmt.Fprintf(stderr, "magiclink %s: %s\n", c.name, message())
	return exitFailed
}
