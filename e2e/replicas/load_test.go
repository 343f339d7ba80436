package replicas_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/servetest"
)

func readAll(t *testing.T, answer *http.Response) string {
	t.Helper()
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(text)
}

// TestRacers lets clients race for each link, at all replicas at the same time.
func TestRacers(t *testing.T) {
	const links, racers = 1000, 16
	onEachStore(t, func(t *testing.T, store string) {
		f := start(t, store)
		for i := range links {
			link := f.issueAt(i % 3)
			statuses := make([]int, racers)
			begin := make(chan struct{})
			var group sync.WaitGroup
			for racer := range racers {
				group.Go(func() {
					<-begin
					statuses[racer] = redeem(f.replicas[racer%3].Origin, link).Status
				})
			}
			close(begin)
			group.Wait()
			count := map[int]int{}
			for _, status := range statuses {
				count[status]++
			}
			require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusGone: racers - 1}, count, "link %d", i)
		}
	})
}

// load issues links through the proxy from several clients until it is stopped. With redeeming set, each link is redeemed at once.
type load struct {
	mu        sync.Mutex
	issued    []string       // what was acknowledged
	statuses  map[string]int // how often each kind of answer came, such as "redeem 200"
	rounds    atomic.Int64
	redeeming bool
	done      chan struct{}
	group     sync.WaitGroup
}

func (f *fleet) load(redeeming bool) *load {
	l := &load{statuses: map[string]int{}, redeeming: redeeming, done: make(chan struct{})}
	token := f.token()
	for range 6 {
		l.group.Go(func() {
			for {
				select {
				case <-l.done:
					return
				default:
					l.round(f, token)
				}
			}
		})
	}
	return l
}

func (l *load) round(f *fleet, token string) {
	defer l.rounds.Add(1)
	got := issue(f.origin, token)
	l.note("issue", got)
	if got.Status != http.StatusCreated {
		return
	}
	var answer struct {
		Data struct {
			MagicLink string `json:"magic_link"`
		} `json:"data"`
	}
	if json.Unmarshal([]byte(got.Body), &answer) != nil {
		return
	}
	l.mu.Lock()
	l.issued = append(l.issued, answer.Data.MagicLink)
	l.mu.Unlock()
	if l.redeeming {
		l.note("redeem", redeem(f.origin, answer.Data.MagicLink))
	}
}

func (l *load) note(what string, got servetest.Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.statuses[what+" "+http.StatusText(got.Status)]++
}

// more waits until clients have made so many more rounds.
func (l *load) more(t *testing.T, rounds int64) {
	t.Helper()
	until := l.rounds.Load() + rounds
	require.Eventually(t, func() bool { return l.rounds.Load() >= until }, patience, time.Millisecond)
}

func (l *load) stop() (issued []string, statuses map[string]int) {
	close(l.done)
	l.group.Wait()
	return l.issued, l.statuses
}

// TestKeysRotateUnderLoad prepares, rotates and retires a key while clients issue and redeem. The first rotation waits until the key
// is published for long enough; the second one does not, as an operator does whose key was stolen.
func TestKeysRotateUnderLoad(t *testing.T) {
	onEachStore(t, func(t *testing.T, store string) {
		f := start(t, store)
		l := f.load(true)
		l.more(t, 50)
		prepared := f.backdate(f.command("keys", "prepare"))
		l.more(t, 50)
		require.Equal(t, prepared, f.command("keys", "rotate"))
		l.more(t, 200)
		f.followed(f.command("keys", "rotate", "-force"))
		l.more(t, 200)
		_, statuses := l.stop()
		require.Subset(t, []string{"issue Created", "redeem OK"}, keysOf(statuses), "no live link was refused: %v", statuses)
		require.Greater(t, statuses["redeem OK"], 400)
		for _, replica := range f.replicas {
			require.NotContains(t, replica.Stderr(), "give all replicas the same -keys", "a rotation is no reason to warn")
		}
	})
}

// followed waits until all replicas have a key.
func (f *fleet) followed(kid string) {
	f.t.Helper()
	for _, replica := range f.replicas {
		require.Eventually(f.t, func() bool {
			return strings.Contains(replica.Send(http.MethodGet, "/.well-known/jwks.json", "").Body, kid)
		}, patience, 10*time.Millisecond)
	}
}

func keysOf(statuses map[string]int) (names []string) {
	for name := range statuses {
		names = append(names, name)
	}
	return names
}

// backdate makes a key look as if it had been published for an hour: the id of a key begins with the time when it was made.
func (f *fleet) backdate(kid string) (aged string) {
	f.t.Helper()
	aged = strings.Replace(magiclink.NewBusinessID(time.Now().Add(-time.Hour)), "biz_", "key_", 1)
	path := filepath.Join(f.folder, "magiclink-data", "keys.json")
	text, err := os.ReadFile(path)
	require.NoError(f.t, err)
	require.Contains(f.t, string(text), kid)
	require.NoError(f.t, os.WriteFile(path, []byte(strings.ReplaceAll(string(text), kid, aged)), 0o600))
	return aged
}

// TestReplicaIsKilled kills a replica under load. Every link that was acknowledged can be redeemed at the others.
func TestReplicaIsKilled(t *testing.T) {
	onEachStore(t, func(t *testing.T, store string) {
		f := start(t, store)
		l := f.load(false)
		l.more(t, 100)
		f.replicas[2].Kill()
		l.more(t, 100)
		issued, statuses := l.stop()
		require.NotZero(t, statuses["issue Bad Gateway"], "the control: the proxy still asks the dead one")
		require.Greater(t, len(issued), 100)
		for i, link := range issued {
			require.Equal(t, http.StatusOK, redeem(f.replicas[i%2].Origin, link).Status)
		}
	})
}
