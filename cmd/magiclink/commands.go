package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
)

// command is one command with its help.
type command struct {
	name    string
	args    string // what stands behind the name
	summary string
	long    string
	example string
	flags   func(*flag.FlagSet) // declares the flags once more, for the help
	run     func(context.Context, *program, []string) error
}

// commands returns all commands, in the order in which help lists them.
func commands() []*command {
	return []*command{
		serveCommand(), issueCommand(), redeemCommand(), linksCommand(), sessionsCommand(), limitsCommand(),
		keysCommand(), clientsCommand(), businessesCommand(), configCommand(), mailCommand(), purgeCommand(), migrateCommand(), indexCommand(),
		versionCommand(), helpCommand(),
	}
}

func find(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return nil
}

func unknownCommand(name string) string {
	names := make([]string, 0, len(commands()))
	for _, c := range commands() {
		names = append(names, c.name)
	}
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("there is no command %q: did you mean %q?", name, "magiclink "+near)
	}
	return fmt.Sprintf("there is no command %q: run \"magiclink help\" for the list", name)
}

func overview() string {
	var b strings.Builder
	b.WriteString("magiclink issues and redeems one-time sign-in links.\n\nUsage: magiclink COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-10s  %s\n", c.name, c.summary)
	}
	b.WriteString("\n\"magiclink help COMMAND\" explains one command with an example. Every flag has an environment variable:\n" +
		"-base-url is MAGICLINK_BASE_URL. A flag on the command line wins.\n" +
		"Exit codes: 0 done, 1 failed, 2 wrong usage.\n")
	return b.String()
}

func (c *command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: magiclink %s %s\n\n%s\n", c.name, c.args, c.long)
	if c.flags != nil {
		set := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.flags(set)
		b.WriteString("\nFlags and their environment variables:\n")
		set.VisitAll(func(f *flag.Flag) {
			kind, usage := flag.UnquoteUsage(f)
			fmt.Fprintf(&b, "  %s (%s)\n        %s", strings.TrimSpace("-"+f.Name+" "+kind), variable(f.Name), usage)
			if f.DefValue != "" && f.DefValue != "false" {
				fmt.Fprintf(&b, " (default %s)", f.DefValue)
			}
			b.WriteString("\n")
		})
	}
	fmt.Fprintf(&b, "\nExample:\n  %s\n", c.example)
	return b.String()
}

func helpCommand() *command {
	return &command{
		name:    "help",
		args:    "[COMMAND]",
		summary: "explains a command",
		long:    "Explains a command, or lists all commands.",
		example: "magiclink help serve",
		run: func(_ context.Context, p *program, args []string) error {
			if len(args) == 0 {
				fmt.Fprint(p.stdout, overview())
				return nil
			}
			name := canonicalName(args[0])
			c := find(name)
			if c == nil {
				return usageError{fmt.Errorf("%s", unknownCommand(name))}
			}
			fmt.Fprint(p.stdout, c.help()) // "help keys list" explains keys
			return nil
		},
	}
}
