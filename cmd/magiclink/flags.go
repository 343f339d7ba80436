package main

import (
	"errors"
	"flag"
	"io"
	"strings"
)

// variable names the environment variable of a flag.
func variable(name string) string {
	return "MAGICLINK_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// parse reads flags from the environment and then from the command line, which wins. It returns what is left.
func (p *program) parse(name string, declare func(*flag.FlagSet), args []string) ([]string, error) {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard) // run reports the error
	set.Usage = func() {}
	declare(set)
	var fault error
	set.VisitAll(func(f *flag.Flag) {
		text := p.getenv(variable(f.Name))
		if text == "" || fault != nil {
			return
		}
		if err := set.Set(f.Name, text); err != nil {
			fault = usagef("%s is malformed: %w", variable(f.Name), err)
		}
	})
	if fault != nil {
		return nil, fault
	}
	err := set.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		err = usageError{err}
	}
	return set.Args(), err
}

// parseAll is parse for a command that takes flags alone.
func (p *program) parseAll(name string, declare func(*flag.FlagSet), args []string) error {
	rest, err := p.parse(name, declare, args)
	if err == nil && len(rest) > 0 {
		return usagef("%q is one argument too many", rest[0])
	}
	return err
}

// parseAround is parse for a command with one argument, which may stand before the flags or behind them.
func (p *program) parseAround(name string, declare func(*flag.FlagSet), args []string) ([]string, error) {
	var first []string
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		first, args = args[:1], args[1:]
	}
	rest, err := p.parse(name, declare, args)
	return append(first, rest...), err
}
