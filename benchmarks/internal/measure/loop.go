package measure

import (
	"syscall"
	"time"
)

// between is how many calls there are between two looks at the clock.
const between = 8

// Loop makes a subject of one caller that calls without pause.
func Loop(name string, call func() error) Subject {
	return looping(name, call, func() time.Duration { return time.Since(epoch) })
}

var epoch = time.Now()

// Compute is like Loop for calls that wait for nothing. It counts the time that processors worked for this process, the
// collection of garbage included, so that other processes do not matter.
func Compute(name string, call func() error) Subject { return looping(name, call, processorTime) }

func looping(name string, call func() error, clock func() time.Duration) Subject {
	return Subject{Name: name, Slice: func(d time.Duration) (int, time.Duration, error) {
		start := clock()
		for n := 0; ; n += between {
			if took := clock() - start; took >= d {
				return n, took, nil
			}
			for range between {
				if err := call(); err != nil {
					return 0, 0, err
				}
			}
		}
	}}
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it fails for wrong arguments alone
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
