package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	auditLineSize = 64 << 10 // bytes; a longer line is none of an audit log
	historyHalf   = 100      // events at the beginning of a history, and at its end, that are kept
)

// history is what an audit log says of one link, in the order of the log. It is bounded: of very many events those in the middle are left out.
type history struct {
	first, last []auditEvent
	left        int // how many are left out between the two
	unreadable  int // whole lines that name the link and are no JSON: a disk was full
}

// auditEvent is one line of an audit log.
type auditEvent struct {
	At     time.Time        `json:"at"`
	Op     magiclink.Op     `json:"op"`
	Reason magiclink.Reason `json:"reason"`
	Actor  string           `json:"actor"`
	LinkID string           `json:"link_id"`
	line   json.RawMessage  // the whole, with what a later version may have added
}

// readHistory reads an audit log as far as it goes now.
func readHistory(ctx context.Context, path, id string) (*history, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no audit log %s: \"magiclink serve -audit %s\" writes one; without -audit, show tells what the store knows", path, path)
	case err != nil:
		return nil, fmt.Errorf("read the audit log: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read the audit log: %s is not a file", path)
	}
	file, err := os.Open(path) //nolint:gosec // G304: the file that the operator has named
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	h := new(history)
	if err := h.read(ctx, io.LimitReader(file, info.Size()), id); err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return h, nil
}

// read takes the lines about the link. The last line may be torn, since serve may be writing it.
func (h *history) read(ctx context.Context, from io.Reader, id string) error {
	lines, name := bufio.NewReaderSize(from, auditLineSize), []byte(`"`+id+`"`)
	for skipping := false; ; {
		line, err := lines.ReadSlice('\n')
		tooLong := errors.Is(err, bufio.ErrBufferFull)
		if !tooLong && !skipping && bytes.Contains(line, name) {
			h.take(bytes.TrimSpace(line), id, err == nil)
		}
		skipping = tooLong
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !tooLong:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

func (h *history) take(line []byte, id string, whole bool) {
	event := auditEvent{line: slices.Clone(line)}
	if json.Unmarshal(line, &event) != nil {
		if whole {
			h.unreadable++
		}
		return
	}
	switch {
	case event.LinkID != id:
	case len(h.first) < historyHalf:
		h.first = append(h.first, event)
	default:
		if len(h.last) == historyHalf {
			h.last = slices.Delete(h.last, 0, 1)
			h.left++
		}
		h.last = append(h.last, event)
	}
}

func (h *history) isEmpty() bool { return len(h.first) == 0 }

// MarshalJSON writes the events as they are in the log.
func (h *history) MarshalJSON() ([]byte, error) {
	lines := []json.RawMessage{}
	for _, event := range slices.Concat(h.first, h.last) {
		lines = append(lines, event.line)
	}
	return json.Marshal(lines)
}

// print writes the events for people.
func (h *history) print(w io.Writer) error {
	if h.isEmpty() {
		_, err := fmt.Fprint(w, "\nThe audit log says nothing of this link.\n")
		return err
	}
	fmt.Fprint(w, "\nFrom the audit log:\n")
	table, used := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), false
	rows := func(events []auditEvent) {
		for _, event := range events {
			fmt.Fprintf(table, "%s\t%s\t%s\n", clockTime(event.At), plain(event.words(used)), cell(event.Actor))
			used = used || event.Op == magiclink.OpRedeem && event.Reason == ""
		}
	}
	rows(h.first)
	if h.left > 0 {
		fmt.Fprintf(table, "…\t%s left out; the file has them\t\n", count(h.left, "event", "events"))
	}
	rows(h.last)
	return table.Flush()
}

// words says what has happened. A link that was used can succeed again for the one who has used it alone.
func (e *auditEvent) words(used bool) string {
	happened := map[magiclink.Op]string{
		magiclink.OpIssue: "issued", magiclink.OpRedeem: "used", magiclink.OpGrant: "session granted", magiclink.OpRevoke: "revoked",
		magiclink.OpEnd: "session ended", magiclink.OpGet: "looked at", magiclink.OpSupersede: "older links of the person ended",
		"sign_in_mail": "mail handed over", "sign_in_code": "right code typed",
	}[e.Op]
	switch {
	case e.Reason != "" && e.Op == magiclink.OpRedeem:
		return "refused: " + string(e.Reason)
	case e.Reason != "":
		return string(e.Op) + " failed: " + string(e.Reason)
	case used && e.Op == magiclink.OpRedeem:
		return "used again by the same person"
	case happened == "":
		return string(e.Op)
	}
	return happened
}
