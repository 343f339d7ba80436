package main

import (
	"flag"
	"fmt"
	"time"
)

// timeFlag is a time of issue: RFC 3339, a day, or how long ago.
type timeFlag struct {
	at   time.Time
	text string
}

func declareTime(set *flag.FlagSet, to *timeFlag, name, usage string) {
	set.Var(to, name, usage+": a `time` as 2026-01-02T15:04:05Z, a day in UTC as 2026-01-02, or how long ago as 90m or 24h")
}

// String implements [flag.Value].
func (f *timeFlag) String() string { return f.text }

// Set implements [flag.Value].
func (f *timeFlag) Set(text string) error {
	f.text = text
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			f.at = at
			return nil
		}
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago < 0 {
		return fmt.Errorf("%q is neither a time nor a duration", text)
	}
	f.at = now().Add(-ago)
	return nil
}
