// Command bench measures the library beside its floors and a rival and writes what came out of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"

	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
	"github.com/magiclink-go/magiclink/benchmarks/internal/report"
	"github.com/magiclink-go/magiclink/benchmarks/internal/suite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to release
	}
}

// options are the flags.
type options struct {
	suite suite.Suite
	only  string
	serve string
	docs  string
}

func parse(args []string, stderr io.Writer) (*options, error) {
	var o options
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&o.suite.Dir, "dir", "", "a `directory` on the disk to measure (default: a temporary one)")
	set.StringVar(&o.suite.Magiclink, "magiclink", "magiclink", "the `path` of the command")
	set.StringVar(&o.suite.Rival, "rival", "rivals/better-auth", "the `directory` of the rival")
	set.IntVar(&o.suite.Runs, "runs", 6, "how often each measurement is repeated; benchstat wants six at least")
	set.IntVar(&o.suite.Records, "records", 1_000_000, "live records in the large database")
	set.IntVar(&o.suite.Expired, "expired", 100_000, "expired records to purge")
	set.IntVar(&o.suite.Links, "links", 1_000_000, "links in memory")
	set.StringVar(&o.only, "only", "", "sections to measure, `comma-separated` (default: all)")
	set.StringVar(&o.suite.Profile, "profile", "", "a `directory` for CPU profiles, one of each section")
	set.StringVar(&o.docs, "docs", "", "a `directory` to write benchmarks.md, .svg and .txt to after all sections")
	set.StringVar(&o.serve, "serve", "", "serve `floor, signing, storing, memory or sqlite` for the measurement of another process")
	return &o, set.Parse(args)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.serve != "" {
		return suite.Serve(ctx, o.serve, o.suite.Dir, o.suite.Profile, stdout)
	}
	o.suite.Log = stderr
	dir, err := os.MkdirTemp(o.suite.Dir, "bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.suite.Dir = dir
	if o.suite.Self, err = os.Executable(); err != nil {
		return err
	}
	loadBefore := report.Load()
	results, err := o.suite.Run(ctx, o.wants, o.startProfile)
	if err != nil {
		return err
	}
	return o.publish(results, loadBefore, stdout)
}

func (o *options) wants(key string) bool {
	return o.only == "" || strings.Contains(","+o.only+",", ","+key+",")
}

// startProfile profiles one section in this process, if that is asked for.
func (o *options) startProfile(key string) (stop func(), err error) {
	if o.suite.Profile == "" {
		return func() {}, nil
	}
	file, err := os.Create(filepath.Join(o.suite.Profile, key+".pprof")) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close() // a profile that is cut short says so when it is read
	}, nil
}

func (o *options) publish(results []measure.Result, loadBefore string, stdout io.Writer) error {
	report.Print(stdout, results)
	if o.docs == "" || o.only != "" {
		return nil
	}
	page := report.Page{Results: results, Machine: report.ReadMachine(o.suite.Dir), Suite: report.Size{
		Runs: o.suite.Runs, Records: o.suite.Records, Expired: o.suite.Expired, Links: o.suite.Links,
	}}
	page.Machine.Load = loadBefore + " and " + report.Load()
	text, err := page.Markdown()
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"benchmarks.md": text, "benchmarks.svg": page.SVG(), "benchmarks.txt": page.GoBench(),
	} {
		if err := os.WriteFile(filepath.Join(o.docs, name), content, 0o644); err != nil { //nolint:gosec // G306: a document
			return err
		}
	}
	return nil
}
