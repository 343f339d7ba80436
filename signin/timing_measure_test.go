package signin_test

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/signin"
)

// measured are the times of each kind of address in seconds.
type measured map[string][]float64

const (
	batchSize = 200

	// timedRounds make digests that take a fifth of the time of those of production, and hide less. They still take longer than to look links up in a
	// file, as in production. A wrong code is answered after one.
	timedRounds = 4000
)

// measure takes the given number of samples of each kind. All of them are shuffled, and each batch is shuffled once more before it is timed: what stands before
// a request, and what it finds in the caches of the processor, is the same for all kinds. The leak makes the answers of a twin tell something; it may be nil.
func (j journey) measure(t *testing.T, open store, rounds, seed int, leak func(address string)) measured {
	t.Helper()
	s, mails := timingSite(t, open(t))
	random := rand.New(rand.NewPCG(uint64(rounds), uint64(seed)))
	drawn := slices.Repeat(kinds, rounds)
	random.Shuffle(len(drawn), func(a, b int) { drawn[a], drawn[b] = drawn[b], drawn[a] })
	times, from := measured{}, 0
	for batch := range slices.Chunk(drawn, batchSize) {
		b := newBatch(s, mails, j.client(t, s), batch, from)
		if j.before != nil {
			j.before(b)
		}
		random.Shuffle(len(b.visits), func(x, y int) { b.visits[x], b.visits[y] = b.visits[y], b.visits[x] })
		runtime.GC() // so that no kind pays for what others have left
		func() {
			defer signin.SetCodeRounds(j.rounds)()
			j.time(b, times, leak)
			b.settled()
		}()
		b.over()
		from += len(batch)
	}
	return times
}

// time times one request of each visit. Every answer must look like the first one of the batch.
func (j journey) time(b *batch, times measured, leak func(address string)) {
	b.t.Helper()
	looks := ""
	for _, v := range b.visits {
		r, answer := j.timed(b.client, v), httptest.NewRecorder()
		began := time.Now()
		if leak != nil {
			leak(v.address)
		}
		b.ServeHTTP(answer, r)
		took := time.Since(began)
		times[kindOf(v.address)] = append(times[kindOf(v.address)], took.Seconds())
		b.settled()
		look := looksOf(answer, v.address)
		if looks == "" {
			looks = look
		}
		require.Equal(b.t, looks, look, "%s for %s", j.name, v.address)
	}
}

// apart returns the kinds of address that the times tell from the known one, with p below the level.
func (m measured) apart(level float64) (found []string) {
	for _, kind := range kinds[1:] {
		if len(m[kind]) > 0 && mannWhitney(m[kindKnown], m[kind]) < level {
			found = append(found, kind)
		}
	}
	return found
}

// print writes medians in microseconds and p.
func (m measured) print(t *testing.T, name string) {
	t.Helper()
	line := fmt.Sprintf("%s, %d samples each:", name, len(m[kindKnown]))
	for _, kind := range kinds {
		if len(m[kind]) == 0 {
			continue
		}
		line += fmt.Sprintf("  %s %.1f µs", kind, 1e6*median(m[kind]))
		if kind != kindKnown {
			line += fmt.Sprintf(" p=%.3g", mannWhitney(m[kindKnown], m[kind]))
		}
	}
	t.Log(line)
}

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

// samples is how many times of each kind are compared; zero if none are.
func samples(t *testing.T) int {
	t.Helper()
	text := os.Getenv("MAGICLINK_TEST_SAMPLES")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

var flowText = regexp.MustCompile(`1\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]+\.`)

// looksOf is all that a client sees of an answer, without what is random and without the address.
func looksOf(w *httptest.ResponseRecorder, address string) string {
	text := strings.ReplaceAll(seen(answer{w.Code, w.Header(), w.Body.String()}), address, "ADDRESS")
	return flowText.ReplaceAllStringFunc(text, func(found string) string { return fmt.Sprint("#", len(found)) })
}
