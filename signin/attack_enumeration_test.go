package signin_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/signin"
)

// The answers for every kind of address take times that nobody can tell apart, and look the same. The kinds are asked for by lot,
// so that what slows the machine down slows all kinds down alike.
//
// A step has six comparisons with the known address. The level of each is 1 % divided by their number, so that chance alone fails one step in a
// hundred. Kinds that are told apart are measured once more, with new samples, and the step leaks if one of them is told apart again: chance alone fails one in
// some ten thousand. The leaking twins must be told apart at the same level at the first try.
//
// Times are compared where MAGICLINK_TEST_SAMPLES gives the number of samples of each kind: 250 take a minute on an idle machine, and 10000 take an
// hour. Without it the tests compare only what the answers look like, because a machine that is busy with other tests hides the leaks of the twins.
const level = 0.01 / 6

// spin keeps a processor busy, as work does and sleep does not.
func spin(d time.Duration) {
	for until := time.Now().Add(d); time.Now().Before(until); {
	}
}

// requireAlike measures a step, and a twin of it that leaks.
func requireAlike(t *testing.T, step string, s *site, serve server, who client, rounds int, leak func(address string)) {
	t.Helper()
	measure(t, s, serve, who, 10, 0, nil) // what is made once
	if rounds == 0 {
		return
	}
	const twice = 2
	suspects := kinds[1:]
	for try := range twice {
		m := measure(t, s, serve, who, rounds, 1000+try*rounds*len(kinds), nil)
		m.print(t, t.Name(), step)
		if suspects = both(suspects, m.apart(step, level)); len(suspects) == 0 {
			break
		}
	}
	require.Empty(t, suspects, "are told from the known address")
	m := measure(t, s, serve, who, rounds, 1000+twice*rounds*len(kinds), leak)
	m.print(t, t.Name()+", its twin,", step)
	require.Equal(t, kinds[1:], m.apart(step, level), "the control: a leak is told")
}

func both(a, b []string) (in []string) {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				in = append(in, x)
			}
		}
	}
	return in
}

// The request itself. Its twin needs a little longer for the known address.
func TestAskingTellsNothing(t *testing.T) {
	defer signin.SetCodeRounds(2000)()
	for name, open := range stores {
		longer := 50 * time.Microsecond
		if name == "sqlite" { // waits for the disk
			longer = time.Millisecond
		}
		for how, who := range clients {
			t.Run(name+"/"+how, func(t *testing.T) {
				s := timingSite(t, open(t))
				requireAlike(t, "ask", s, s.direct(), askOnly(who), samples(t), func(address string) {
					if kindOf(address) == kindKnown {
						spin(longer)
					}
				})
			})
		}
	}
}

// A request that comes over the network at once after it, to a process with one processor. Its twin has more to do for the known address, outside
// of the request. The digests of codes are as slow as ever here: made for the known address alone they are such a leak.
func TestLookingTellsNothing(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s := timingSite(t, stores["memory"](t))
	requireAlike(t, "look", s, s.overTCP(), askOnly(inPages), samples(t), func(address string) {
		if kindOf(address) == kindKnown {
			go spin(5 * time.Millisecond)
		}
	})
}

// A wrong code later on. Its twin needs a little longer for the known address. Digests are made faster here, which hides less.
func TestWrongCodesTellNothing(t *testing.T) {
	defer signin.SetCodeRounds(2000)()
	for name, open := range stores {
		longer := 100 * time.Microsecond
		if name == "sqlite" {
			longer = 3 * time.Millisecond
		}
		for how, who := range clients {
			t.Run(name+"/"+how, func(t *testing.T) {
				s := timingSite(t, open(t))
				requireAlike(t, "code", s, s.direct(), who, samples(t), func(address string) {
					if kindOf(address) == kindKnown {
						spin(longer)
					}
				})
			})
		}
	}
}

// askOnly leaves out the later steps.
func askOnly(who client) client {
	return func(t *testing.T, s *site) func(string) (atOnce, later []step) {
		t.Helper()
		steps := who(t, s)
		return func(address string) (atOnce, later []step) {
			atOnce, _ = steps(address)
			return atOnce, nil
		}
	}
}
