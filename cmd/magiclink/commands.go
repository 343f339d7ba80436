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
	return []*command{serveCommand(), issueCommand(), redeemCommand(), keysCommand(), purgeCommand(), helpCommand()}
}

func find(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return nil
}

func overview() string {
	var b strings.Builder
	b.WriteString("magiclink issues one-time sign-in links.\n\nUsage: magiclink COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-6s  %s\n", c.name, c.summary)
	}
	b.WriteString("\n\"magiclink help COMMAND\" explains one with an example. Every flag can be given by the environment:\n" +
		"-base-url is MAGICLINK_BASE_URL.\n")
	return b.String()
}

func (c *command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: magiclink %s %s\n\n%s\n", c.name, c.args, c.long)
	if c.flags != nil {
		set := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.flags(set)
		b.WriteString("\nFlags, each with the environment variable that stands for it:\n")
		set.VisitAll(func(f *flag.Flag) {
			kind, usage := flag.UnquoteUsage(f)
			fmt.Fprintf(&b, "  -%s %s (%s)\n        %s", f.Name, kind, variable(f.Name), usage)
			if f.DefValue != "" {
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
		long:    "Explains a command, or lists all of them.",
		example: "magiclink help serve",
		run: func(_ context.Context, p *program, args []string) error {
			if len(args) == 0 {
				fmt.Fprint(p.stdout, overview())
				return nil
			}
			c := find(args[0])
			if c == nil || len(args) > 1 {
				return usagef("there is no command %q", strings.Join(args, " "))
			}
			fmt.Fprint(p.stdout, c.help())
			return nil
		},
	}
}
