package redis

import (
	"context"

	goredis "github.com/redis/go-redis/v9"
)

// trimCount is how many members of an index one command of a Purge looks at.
const trimCount = 500

// trimIndexes removes stale members of all indexes.
func (s *Store) trimIndexes(ctx context.Context, servers []*goredis.Client) error {
	pattern := globEscaper.Replace(s.options.Prefix+apartFromIDs) + "*"
	for _, server := range servers {
		for cursor := uint64(0); ; {
			from := cursor // of its own: the goroutine may go on when the caller has left
			p, err := apart(ctx, s, false, func(ctx context.Context) (p page, err error) {
				p.keys, p.next, err = server.ScanType(ctx, from, pattern, scanCount, "zset").Result()
				return p, err
			})
			if err != nil {
				return failed("purge", withAdvice(err))
			}
			for _, key := range p.keys {
				if err := s.trimIndex(ctx, key); err != nil {
					return err
				}
			}
			if cursor = p.next; cursor == 0 {
				break
			}
		}
	}
	return nil
}

func (s *Store) trimIndex(ctx context.Context, key string) error {
	for from := "-"; from != ""; {
		next := ""
		err := s.do(ctx, "purge", &call{key: key, operation: &operation{
			command: func(c *call, full bool) []any { return trimScript.call(c.key, full, from, trimCount) },
			settle: func(_ *call, reply any) {
				if last, ok := reply.(string); ok {
					next = "(" + last
				}
			},
		}})
		if err != nil {
			return unchanged{err} // no record
		}
		from = next
	}
	return nil
}
