package signin_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

type store = func(*testing.T) magiclink.Store

const level = 0.01

// spin keeps a processor busy, as work does and sleep does not.
func spin(d time.Duration) {
	for until := time.Now().Add(d); time.Now().Before(until); {
	}
}

func TestTimesTellNothing(t *testing.T) {
	for name, open := range stores {
		for _, j := range journeys {
			t.Run(name+"/"+j.name, func(t *testing.T) { requireAlike(t, j, name, open) })
		}
	}
}

func requireAlike(t *testing.T, j journey, name string, open store) {
	t.Helper()
	j.measure(t, open, 5, 0, nil)
	rounds := samples(t)
	if rounds == 0 {
		return
	}
	suspects := kinds[1:]
	for try := range 2 {
		m := j.measure(t, open, rounds, try+1, nil)
		m.print(t, t.Name())
		apart := m.apart(level)
		suspects = slices.DeleteFunc(slices.Clone(suspects), func(kind string) bool { return !slices.Contains(apart, kind) })
		if len(suspects) == 0 {
			break
		}
	}
	require.Empty(t, suspects, "are told from the known address")
	twin := j.measure(t, open, rounds, 3, func(address string) {
		if kindOf(address) == kindKnown {
			spin(20*time.Microsecond)
		}
	})
	twin.print(t, t.Name()+", its twin")
	require.Equal(t, kinds[1:], twin.apart(level), "the control: a leak is told")
}
