package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// variable names the environment variable of a flag.
func variable(name string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// parse reads flags from the environment and then from the command line, which wins. Flags may stand before, between and
// behind the words. Parse returns the words.
func (p *program) parse(name string, declare func(*flag.FlagSet), args []string) (words []string, err error) {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard) // report prints the error
	set.Usage = func() {}
	declare(set)
	if err := p.parseEnvironment(set); err != nil {
		return nil, err
	}
	for {
		if err := set.Parse(args); err != nil {
			return nil, flagFault(set, err)
		}
		rest := set.Args()
		if len(rest) == 0 {
			return words, nil
		}
		if read := len(args) - len(rest); read > 0 && args[read-1] == "--" {
			return append(words, rest...), nil
		}
		words, args = append(words, rest[0]), rest[1:]
	}
}

func (p *program) parseEnvironment(set *flag.FlagSet) (fault error) {
	set.VisitAll(func(f *flag.Flag) {
		text, given := p.lookupEnv(variable(f.Name))
		if given && text == "" && f.Name == "store" && fault == nil {
			fault = usagef("%s is empty: write where links are kept, as %s, or unset it", variable(f.Name), storeSQLite)
		}
		if text == "" || fault != nil {
			return
		}
		if err := set.Set(f.Name, text); err != nil {
			fault = usagef("%s=%q is malformed: %s", variable(f.Name), text, wanted(f))
		}
		if list, ok := f.Value.(*listFlag); ok {
			list.replace = true
		}
	})
	return fault
}

// flagFault rewrites the errors of package flag, so that they say what to write instead.
func flagFault(set *flag.FlagSet, err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return unknownFlag(set, name)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return usagef("-%s needs a value: %s", name, wanted(set.Lookup(name)))
	}
	if rest, ok := strings.CutPrefix(text, "invalid "); ok { // invalid value "x" for flag -name: parse error
		_, rest, _ = strings.Cut(rest, "for ")
		_, rest, _ = strings.Cut(rest, "-")
		name, _, _ := strings.Cut(rest, ":")
		if f := set.Lookup(name); f != nil {
			return usagef("the value of -%s is malformed: %s", name, wanted(f))
		}
	}
	return usageError{err}
}

func unknownFlag(set *flag.FlagSet, name string) error {
	var names []string
	set.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	if near := nearest(name, names); near != "" {
		return usagef("there is no flag -%s: did you mean -%s?", name, near)
	}
	return usagef("there is no flag -%s", name)
}

// wanted says what a flag's value looks like.
func wanted(f *flag.Flag) string {
	kind, usage := flag.UnquoteUsage(f)
	example := map[string]string{"minutes": "5", "seconds": "3600", "duration": "720h", "rate": "10/1m"}[kind]
	switch {
	case example != "":
		return fmt.Sprintf("write for example -%s %s", f.Name, example)
	case isSwitch(f):
		return fmt.Sprintf("write -%s, or -%s=false", f.Name, f.Name)
	}
	for _, of := range []string{"add: ", "list: ", "preview: ", "send: ", "show KEY: ", "with Redis: "} { // for which of the words the flag is
		usage = strings.TrimPrefix(usage, of)
	}
	if _, forms, found := strings.Cut(usage, ": "); found && kind == "time" {
		return "write " + forms
	}
	return "it is " + usage
}

func isSwitch(f *flag.Flag) bool {
	s, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && s.IsBoolFlag()
}

// listFlag is a flag that may stand several times. One value may also hold several words, since an environment variable
// stands once.
type listFlag struct {
	values  []string
	replace bool // the values came from the environment: the command line replaces them
}

// String implements [flag.Value].
func (l *listFlag) String() string { return strings.Join(l.values, " ") }

// Set implements [flag.Value].
func (l *listFlag) Set(text string) error {
	if l.replace {
		l.values, l.replace = nil, false
	}
	l.values = append(l.values, strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ',' })...)
	return nil
}

// noWords refuses words behind a command that takes flags alone.
func noWords(words []string) error {
	if len(words) > 0 {
		return usagef("%q is one word too many: leave it out, or write it as the value of a flag", words[0])
	}
	return nil
}

// action takes the first word of a command that has several actions.
func action(words, actions []string) (name string, rest []string, err error) {
	list := strings.Join(actions, ", ")
	if len(words) == 0 {
		return "", nil, usagef("say what to do: %s", list)
	}
	for _, known := range actions {
		if words[0] == known {
			return known, words[1:], nil
		}
	}
	if near := nearest(words[0], actions); near != "" {
		return "", nil, usagef("%q is not an action: did you mean %q?", words[0], near)
	}
	return "", nil, usagef("%q is not an action: write one of %s", words[0], list)
}

// oneWord takes the one word that an action needs.
func oneWord(words []string, missing string) (string, error) {
	if len(words) == 0 || words[0] == "" {
		return "", usagef("%s", missing)
	}
	return words[0], noWords(words[1:])
}
