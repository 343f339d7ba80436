package signin_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// What these tests show: nobody without the mail can tell by the time of an answer, or by what it looks like, whether an address is known, unknown,
// limited or refused, whether the mail server is down or does not take the address, whether Admit would refuse the person, and whether the person has used
// the link. Everything is compared that one can do without the mail: see journeys.
//
//   - TestStoreCallsTellNothing compares what the store is asked for. It needs no clock and holds for stores that are far away.
//   - TestTimesTellNothing compares the times of each journey, in this process, where no network hides anything.
//   - TestTimesOverTheNetworkTellNothing compares the times of two requests on one connection to a process with one processor, where the work for the first
//     one delays the answer to the second.
//
// How p is judged. Each kind of address is compared with the known one by the Mann–Whitney test, and is told apart where p is below 1 %. With
// no difference at all that happens to one of a hundred comparisons. So kinds that are told apart are measured once more, with as many new samples, and
// leak if they are told apart again: chance alone fails one comparison in 10,000, and about one run of everything in fifty. A leak which the
// samples show fails both times.
//
// Two controls belong to each comparison. The kind "again" is the known one under another name: when it is told apart, the comparison itself is at fault. And
// a twin that leaks must be told apart in each comparison.
//
// Times are compared where MAGICLINK_TEST_SAMPLES gives the number of samples of each kind. 10000 show differences below a microsecond; the machine must be
// idle. Without it the tests compare only what the answers look like, because a machine that is busy with other tests hides the leaks of the twins.
const level = 0.01

type store = func(*testing.T) magiclink.Store

func TestTimesTellNothing(t *testing.T) {
	for name, open := range stores {
		for _, j := range journeys {
			t.Run(name+"/"+j.name, func(t *testing.T) {
				if samples(t) == 0 {
					j.measure(t, open, 3, 0, nil)
					return
				}
				j.requireAlike(t, open, samples(t), leakOn[name])
			})
		}
	}
}

// leakOn is how much longer the twin takes for the known address.
var leakOn = map[string]time.Duration{"memory": 10 * time.Microsecond, "sqlite": 50 * time.Microsecond}

func (j journey) requireAlike(t *testing.T, open store, rounds int, longer time.Duration) {
	t.Helper()
	seed := 0
	requireNoneApart(t, []string{"the answer"}, func() []measured {
		seed++
		return []measured{j.measure(t, open, rounds, seed, nil)}
	})
	twin := j.measure(t, open, fewer(rounds), seed+1, func(address string) {
		if kindOf(address) == kindKnown {
			spin(longer)
		}
	})
	twin.print(t, t.Name()+", its twin")
	require.Equal(t, kinds[1:], twin.apart(level), "the control: a leak is told")
}

// fewer samples than those that show nothing have to show the leak of a twin.
func fewer(rounds int) int { return max(min(rounds, 1000), rounds/5) }

// requireNoneApart measures up to two times. Each measurement returns as many comparisons as there are names.
func requireNoneApart(t *testing.T, names []string, measure func() []measured) {
	t.Helper()
	suspects := make([][]string, len(names))
	for try := range 2 {
		found := false
		for i, m := range measure() {
			m.print(t, t.Name()+", "+names[i])
			apart := m.apart(level)
			if try > 0 {
				apart = slices.DeleteFunc(apart, func(kind string) bool { return !slices.Contains(suspects[i], kind) })
			}
			suspects[i] = apart
			found = found || len(apart) > 0
		}
		if !found {
			return
		}
	}
	require.Fail(t, "kinds of addresses are told from the known one", "%v: %v", names, suspects)
}

// spin keeps a processor busy, as work does and sleep does not.
func spin(d time.Duration) {
	for until := time.Now().Add(d); time.Now().Before(until); {
	}
}
