package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// versionFlags are the flags of the version command.
type versionFlags struct{ json bool }

func (f *versionFlags) declare(set *flag.FlagSet) { declareJSON(set, &f.json) }

func declareJSON(set *flag.FlagSet, to *bool) {
	set.BoolVar(to, "json", false, "print JSON for programs")
}

func versionCommand() *command {
	return &command{
		name:    "version",
		args:    "[-json]",
		summary: "prints the version",
		long:    "Prints the version of the command, the commit that it was built from, and the version of Go.",
		example: "magiclink version",
		flags:   new(versionFlags).declare,
		run:     runVersion,
	}
}

func runVersion(_ context.Context, p *program, args []string) error {
	var f versionFlags
	words, err := p.parse("version", f.declare, args)
	if err == nil {
		err = noWords(words)
	}
	if err != nil {
		return err
	}
	build := readBuild()
	if f.json {
		return printJSON(p.stdout, build)
	}
	commit := ""
	if build.Commit != "" {
		commit = " (commit " + build.Commit + ")"
	}
	_, err = fmt.Fprintf(p.stdout, "magiclink %s%s, %s %s\n", build.Version, commit, build.Go, build.Platform)
	return err
}

// build is what the command was built from.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			b.Commit = setting.Value + b.Commit
		case setting.Key == "vcs.modified" && setting.Value == "true":
			b.Commit += ", with changes"
		}
	}
	return b
}

// printJSON prints a value as indented JSON.
func printJSON(w io.Writer, value any) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(value)
}
