//go:build skewedclock

package main

import (
	"os"
	"time"
)

// A machine cannot have two clocks, so the tests of replicas whose clocks differ build the command with this file.
func init() {
	skew, err := time.ParseDuration(os.Getenv("MAGICLINK_TEST_CLOCK_SKEW"))
	if err != nil {
		panic(err)
	}
	now = func() time.Time { return time.Now().Add(skew) }
}
