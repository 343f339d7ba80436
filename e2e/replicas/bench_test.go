package replicas_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/internal/servetest"
)

// BenchmarkIssue lets 64 clients issue links at one replica and at three, in turns, on one PostgreSQL that syncs every commit. It also says
// how many processors one replica alone has used, and how many the replicas, PostgreSQL and the clients with three.
func BenchmarkIssue(b *testing.B) {
	store := dbtest.StartPostgres(b).URL()
	got := servetest.Run(b, "", nil, "migrate", "-store", store)
	require.Zero(b, got.Code, got.Stderr)
	f := start(b, store)
	token := f.token()
	counts := []int{1, len(f.replicas)}
	const slice = 500 * time.Millisecond
	var issued [2]int64
	var used [2]usage
	turns := 0
	for b.Loop() {
		for k := range counts {
			which := (turns + k) % 2
			before := usageNow(b)
			issued[which] += f.issueFor(b, slice, counts[which], token)
			used[which].add(usageNow(b), before)
		}
		turns++
	}
	seconds := float64(turns) * slice.Seconds()
	b.ReportMetric(float64(issued[0])/seconds, "one/s")
	b.ReportMetric(float64(issued[1])/seconds, "three/s")
	b.ReportMetric(float64(issued[1])/float64(issued[0]), "x-one")
	b.ReportMetric(used[0].replicas.Seconds()/seconds, "cpu-one")
	b.ReportMetric(used[1].replicas.Seconds()/seconds, "cpu-replicas")
	b.ReportMetric(used[1].postgres.Seconds()/seconds, "cpu-postgres")
	b.ReportMetric(used[1].clients.Seconds()/seconds, "cpu-clients")
}

// issueFor issues links at the first n replicas and returns how many there were.
func (f *fleet) issueFor(b *testing.B, d time.Duration, n int, token string) int64 {
	b.Helper()
	var count atomic.Int64
	var group sync.WaitGroup
	until := time.Now().Add(d)
	for client := range 64 {
		group.Go(func() {
			for time.Now().Before(until) {
				if got := issue(f.replicas[client%n].Origin, token); got.Status != http.StatusCreated {
					b.Errorf("answered %d %s %v", got.Status, got.Body, got.Err)
					return
				}
				count.Add(1)
			}
		})
	}
	group.Wait()
	return count.Load()
}

// usage is processor time.
type usage struct{ replicas, postgres, clients time.Duration }

func (u *usage) add(after, before usage) {
	u.replicas += after.replicas - before.replicas
	u.postgres += after.postgres - before.postgres
	u.clients += after.clients - before.clients
}

// usageNow adds up the processes by their names, as Linux has them in /proc.
func usageNow(b *testing.B) (u usage) {
	b.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(b, err)
	own := "/proc/" + strconv.Itoa(os.Getpid()) + "/stat"
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		head, rest, _ := strings.Cut(string(text), ")")
		fields := strings.Fields(rest)
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		const tick = 10 * time.Millisecond // of USER_HZ
		took := time.Duration(user+system) * tick
		switch {
		case path == own:
			u.clients += took
		case strings.Contains(head, "(magiclink"):
			u.replicas += took
		case strings.Contains(head, "(postgres"):
			u.postgres += took
		}
	}
	return u
}
