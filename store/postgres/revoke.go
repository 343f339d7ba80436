package postgres

import (
	"context"

	"github.com/magiclink-go/magiclink"
)

// sendRevoke revokes one link. The first time stays.
func (s *statements) sendRevoke(ctx context.Context, q querier, calls []*call) error {
	c := calls[0]
	if c.verdict = magiclink.ErrNotFound; unknownForm(c.id) {
		return nil
	}
	tag, err := q.Exec(ctx, s.revoke, escape(c.id), c.at.UnixMilli())
	if err == nil && tag.RowsAffected() == 1 {
		c.verdict = nil
	}
	return err
}
