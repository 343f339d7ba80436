package httpadapter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

type withDeadline func(context.Context, time.Time) (context.Context, context.CancelFunc)

type keyOfTest struct{}

// life does what the letters say to a context that lasts three seconds, one a second, and returns what could be seen. It looks for an error
// before and after each: which of two ends was the first, a context cannot know that nobody has looked at in between.
func life(steps string, make withDeadline, parentLasts time.Duration) (seen string) {
	root, cancelRoot := context.WithCancelCause(context.WithValue(context.Background(), keyOfTest{}, "value"))
	defer cancelRoot(nil)
	parent, cancelParent := context.WithTimeout(root, parentLasts)
	defer cancelParent()
	ctx, cancel := make(parent, time.Now().Add(3*time.Second))
	defer cancel()
	child, cancelChild := context.Context(nil), context.CancelFunc(nil)
	for _, step := range steps {
		time.Sleep(time.Second) // of the bubble
		synctest.Wait()
		seen += fmt.Sprintln("before", ctx.Err())
		switch step {
		case 'd':
			seen += fmt.Sprintln("done", ended(ctx), ctx.Err(), context.Cause(ctx))
		case 't':
			at, ok := ctx.Deadline()
			seen += fmt.Sprintln("deadline", time.Until(at), ok)
		case 'v':
			seen += fmt.Sprintln("value", ctx.Value(keyOfTest{}))
		case 'c':
			cancel()
			synctest.Wait()
		case 'p':
			cancelRoot(context.DeadlineExceeded)
			synctest.Wait()
		case 'n':
			child, cancelChild = context.WithCancel(ctx)
			defer cancelChild()
		case 'x':
			if child != nil {
				seen += fmt.Sprintln("child", ended(child), child.Err(), context.Cause(child))
			}
		}
		seen += fmt.Sprintln("after", ctx.Err())
	}
	return seen
}

func ended(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// Whatever is done to it, in whatever order, nothing tells it from a context of the standard library.
func TestDeadlineIsThatOfTheStandardLibrary(t *testing.T) {
	const letters = " dtvcpnx"
	random := rand.New(rand.NewPCG(1, 2))
	lives := []string{"     ", "ddddd", "c", "cd", "p", "pd", "nxcx", "nxpx", "xnxxx", " cd ", " pd ", "cp", "pc", "    c", "nccx"}
	for range 3000 {
		var steps strings.Builder
		for range 1 + random.IntN(7) {
			steps.WriteByte(letters[random.IntN(len(letters))])
		}
		lives = append(lives, steps.String())
	}
	for _, parentLasts := range []time.Duration{time.Hour, 2500 * time.Millisecond} {
		for _, steps := range lives {
			synctest.Test(t, func(t *testing.T) {
				want := life(steps, context.WithDeadline, parentLasts)
				require.Equal(t, want, life(steps, httpadapter.WithDeadline, parentLasts), steps)
			})
		}
	}
}

// A context that nobody waits for costs one allocation for itself and one for its cancellation.
func TestDeadlineIsCheapUntilSomebodyWaits(t *testing.T) {
	parent, cancel := context.WithCancel(t.Context())
	defer cancel()
	at := time.Now().Add(time.Hour)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		ctx, cancel := httpadapter.WithDeadline(parent, at)
		require.NoError(t, ctx.Err())
		cancel()
	}), 2.0)
}
