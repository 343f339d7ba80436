package main

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// variablePrefix begins the name of every variable of the command.
const variablePrefix = "MAGICLINK_"

// mistyped says for each variable of the environment that no command has and that looks like one of ours, which one is meant. Unsaid,
// a variable with a wrong letter would have no effect, and nobody would know.
func mistyped(environment []string) (faults []string) {
	known := knownVariables()
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		rest, ours := strings.CutPrefix(name, variablePrefix)
		if !ours || slices.Contains(known, rest) || notForUs(rest) {
			continue
		}
		if near := nearest(rest, known); near != "" {
			faults = append(faults, fmt.Sprintf("there is no variable %s: did you mean %s?", plain(name), variablePrefix+near))
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}

// knownVariables returns the variables of all commands, without the prefix.
func knownVariables() []string {
	set := map[string]bool{}
	for _, name := range []string{clientIDVariable, clientSecretVariable, smtpPasswordVariable} {
		set[strings.TrimPrefix(name, variablePrefix)] = true
	}
	for _, c := range commands() {
		if c.flags == nil {
			continue
		}
		flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.flags(flags)
		flags.VisitAll(func(f *flag.Flag) { set[strings.TrimPrefix(variable(f.Name), variablePrefix)] = true })
	}
	return slices.Sorted(maps.Keys(set))
}

// notForUs reports whether others set a variable with our prefix: tests, and Kubernetes for a service that is named magiclink.
func notForUs(rest string) bool {
	return rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_") || strings.HasPrefix(rest, "TEST_")
}
