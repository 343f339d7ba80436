package redis

import (
	"context"
	"fmt"
	"strconv"

	"github.com/magiclink-go/magiclink"
)

// stepLimit bounds how many members of an index one command reads, and with that how many calls of one search wait in the queues.
const stepLimit = 256

// addToIndexes writes the entries of a record that is going to be created. When it has returned nil, all of them are there: so no link is
// without its entries, wherever a process dies. An entry without a link is passed over.
func (s *Store) addToIndexes(ctx context.Context, record *magiclink.Record) error {
	if len(s.options.Indexes) == 0 {
		return nil
	}
	stop := lastStop(record)
	entry, last := member(record.ID, stop), strconv.FormatInt(stop, 10)
	width := ""
	if s.additions.Add(1)%trimEvery == 0 {
		width = strconv.Itoa(trimWidth)
	}
	var calls []*call
	for _, key := range s.indexKeys(record.Subject) {
		calls = append(calls, &call{key: key, operation: &operation{
			command: func(c *call, full bool) []any {
				return addScript.call(c.key, full, entry, last, flag(c.confirm), width)
			},
			settle: func(*call, any) {},
		}})
	}
	for _, err := range s.doAll(ctx, calls) {
		if err != nil {
			return unchanged{fmt.Errorf("the link was not created: %w", err)}
		}
	}
	return nil
}

// entries returns the ids of the next entries of an index, and the last of these ids if there may be more.
func (s *Store) entries(ctx context.Context, name, key, before string, n int) (ids []string, last string, err error) {
	from := "+"
	if before != "" {
		from = "(" + escaper.Replace(before) + "\x00"
	}
	c := &call{key: key, operation: &operation{
		reads:   true,
		command: func(c *call, full bool) []any { return entriesScript.call(c.key, full, from, n) },
		settle: func(c *call, reply any) {
			ids, c.verdict = idsOf(reply)
			if len(ids) > 0 && len(reply.([]any)) == n {
				last = ids[len(ids)-1]
			}
		},
	}}
	if err := s.do(ctx, name, c); err != nil {
		return nil, "", err
	}
	return ids, last, nil
}

// idsOf returns the ids of members, each once.
func idsOf(reply any) (ids []string, err error) {
	members, ok := reply.([]any)
	if !ok {
		return nil, errNoIndexEntry
	}
	for _, m := range members {
		text, _ := m.(string)
		id, err := idOf(text)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 || ids[len(ids)-1] != id {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
