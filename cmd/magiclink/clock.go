package main

import "time"

// now is the clock of the service. Only a build for tests changes it: see clock_skewed.go.
var now = time.Now
