package crashtest_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// frame is what SQLite appends to its log for each page: a header, in a write of its own, and the page.
type frame struct {
	page   []byte
	commit bool // the last of a transaction
	end    int
}

const frameHeader = 24

func frames(events []*syscallEvent) (frames []frame) {
	var header []byte
	for _, e := range events {
		if !strings.HasSuffix(e.path, "-wal") || !strings.Contains(e.name, "write") {
			continue
		}
		if len(e.data) == frameHeader {
			header = e.data
		} else if header != nil {
			frames = append(frames, frame{e.data, binary.BigEndian.Uint32(header[4:]) != 0, e.end})
			header = nil
		}
	}
	return frames
}

// acknowledgement is an answer that a child has given. The needle is what it has put into the database before.
type acknowledgement struct {
	text   string
	needle []byte
	begin  int
}

var (
	answered = regexp.MustCompile(`^HTTP/1\.1 201 (?s:.*)"magic_link_id":"(mlk_\w{22})"`)
	printed  = regexp.MustCompile(`ACK (created|redeemed) (\w+)\n`)
)

func acknowledgements(events []*syscallEvent) (acks []acknowledgement) {
	for _, e := range events {
		if found := answered.FindSubmatch(e.data); found != nil {
			acks = append(acks, acknowledgement{string(found[1]), found[1], e.begin})
		}
		for _, found := range printed.FindAllSubmatch(e.data, -1) {
			needle := found[2]
			if at, err := strconv.ParseUint(string(needle), 10, 64); err == nil {
				needle = binary.BigEndian.AppendUint64(nil, at)[2:] // SQLite keeps it in six bytes
			}
			acks = append(acks, acknowledgement{string(found[0]), needle, e.begin})
		}
	}
	return acks
}

// unsynced returns the acknowledgements before which no sync of the log has begun and ended after the commit of what
// they acknowledge was written.
func unsynced(events []*syscallEvent) (acks int, faults []string) {
	log := frames(events)
	all := acknowledgements(events)
	for _, ack := range all {
		if written := committed(log, ack.needle); written < 0 || !synced(events, written, ack.begin) {
			faults = append(faults, fmt.Sprintf("%q: committed at %d, acknowledged at %d", ack.text, written, ack.begin))
		}
	}
	return len(all), faults
}

// committed returns when the transaction was written in which the needle first appears, or -1.
func committed(log []frame, needle []byte) int {
	there := false
	for _, f := range log {
		there = there || bytes.Contains(f.page, needle)
		if there && f.commit {
			return f.end
		}
	}
	return -1
}

func synced(events []*syscallEvent, after, before int) bool {
	for _, e := range events {
		if strings.HasSuffix(e.path, "-wal") && strings.HasSuffix(e.name, "sync") && !e.failed && e.begin > after && e.end < before {
			return true
		}
	}
	return false
}

func TestSyncBeforeAcknowledgement(t *testing.T) {
	for _, callers := range []int{1, 8} {
		t.Run(fmt.Sprint(callers, " callers"), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "links.db")
			events := runTraced(t, path, strconv.Itoa(callers), "")
			acks, faults := unsynced(events)
			require.Equal(t, 2*linksEach*callers, acks)
			require.Empty(t, faults)
			requireFolderSynced(t, events, filepath.Dir(path))
			t.Logf("%d acknowledgements, %d syncs of the log", acks, syncs(events))
		})
	}
}

// requireFolderSynced asserts that the log itself is still there after a loss of power: its entry in the folder is synced
// before anything is acknowledged.
func requireFolderSynced(t *testing.T, events []*syscallEvent, folder string) {
	t.Helper()
	first := acknowledgements(events)[0].begin
	for _, e := range events {
		if e.path == folder && e.name[0] == 'f' && !e.failed && e.end < first {
			return
		}
	}
	t.Error("the folder was not synced before the first acknowledgement")
}

func syncs(events []*syscallEvent) (n int) {
	for _, e := range events {
		if strings.HasSuffix(e.path, "-wal") && strings.HasSuffix(e.name, "sync") {
			n++
		}
	}
	return n
}

// TestSyncCheckFindsFlaws is the control: the same check refuses writers that do not sync, or too late.
func TestSyncCheckFindsFlaws(t *testing.T) {
	for _, test := range []struct{ flaw, callers string }{{"normal", "1"}, {"normal", "4"}, {"partial", "1"}} {
		t.Run(test.flaw+" "+test.callers, func(t *testing.T) {
			acks, faults := unsynced(runTraced(t, filepath.Join(t.TempDir(), "links.db"), test.callers, test.flaw))
			require.NotZero(t, acks)
			require.GreaterOrEqual(t, len(faults), acks/2)
		})
	}
}

// TestServeSyncsBeforeItAnswers traces the command itself: the answer to each caller is the acknowledgement.
func TestServeSyncsBeforeItAnswers(t *testing.T) {
	const callers, each = 8, 10
	trace := filepath.Join(t.TempDir(), "trace")
	s := serve(t, t.TempDir(), func(cmd *exec.Cmd) *exec.Cmd { return strace(t, cmd, trace) })
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range each {
				s.issue()
			}
		})
	}
	group.Wait()
	require.Equal(t, 0, s.Stop(syscall.SIGTERM))
	acks, faults := unsynced(readTrace(t, trace))
	require.Equal(t, callers*each, acks)
	require.Empty(t, faults)
}
