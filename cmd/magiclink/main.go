// Command magiclink serves magic links from one data directory and lets an operator handle them from a shell. It is the
// embedded default of the library github.com/magiclink-go/magiclink: SQLite, a generated key, and a JSON file that names
// the clients and the businesses. Run "magiclink help" for the list of commands.
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
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// program is the environment of a command.
type program struct {
	lookupEnv      func(string) (string, bool)
	stdout, stderr io.Writer
}

// getenv returns a variable of the environment, or nothing.
func (p *program) getenv(name string) string {
	text, _ := p.lookupEnv(name)
	return text
}

// usageError is a fault of the command line. Its text says how to write the line correctly.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p := &program{lookupEnv: os.LookupEnv, stdout: stdout, stderr: stderr}
	if len(args) == 0 {
		fmt.Fprint(stderr, overview())
		return exitUsage
	}
	name := canonicalName(args[0])
	c := find(name)
	if c == nil {
		fmt.Fprintf(stderr, "magiclink: %s\n", unknownCommand(name))
		return exitUsage
	}
	if name != "serve" { // which logs them
		for _, warning := range mistyped(os.Environ()) {
			fmt.Fprintf(stderr, "Warning: %s\n", warning)
		}
	}
	return p.report(c, c.run(ctx, p, args[1:]))
}

// canonicalName takes the flags that other programs have for these commands.
func canonicalName(name string) string {
	switch name {
	case "-h", "-help", "--help":
		return "help"
	case "-version", "--version":
		return "version"
	}
	return name
}

// report prints an error as one line and returns the exit code.
func (p *program) report(c *command, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(p.stdout, c.help())
		return exitDone
	case errors.As(err, &usage):
		fmt.Fprintf(p.stderr, "magiclink %s: %s; run \"magiclink help %s\"\n", c.name, oneLine(err), c.name)
		return exitUsage
	}
	fmt.Fprintf(p.stderr, "magiclink %s: %s\n", c.name, oneLine(err))
	return exitFailed
}

// oneLine drops the prefix of the library's errors, because the name of the command stands in front.
func oneLine(err error) string {
	text := strings.NewReplacer(":\n\t", ": ", "\n\t", "; ", "\n", "; ").Replace(withoutTLSAttempts(err.Error()))
	return strings.TrimPrefix(text, "magiclink: ")
}
