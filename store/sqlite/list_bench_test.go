//go:build cgo

package sqlite_test

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// BenchmarkList measures the first and the hundredth page of 100 records among MAGICLINK_LIVE_LINKS links (default: 300,000), and
// reports the medians. The tenant has 99 of 100 records, the rare one the others.
func BenchmarkList(b *testing.B) {
	links, _ := strconv.Atoi(os.Getenv("MAGICLINK_LIVE_LINKS"))
	if links == 0 {
		links = 300_000
	}
	path := newPath(b)
	s := open(b, path)
	fillTable(b, path, links)
	at := time.UnixMilli(1_850_000_000_000)
	tenant := magiclink.ListQuery{Subject: magiclink.Subject{TenantID: "tenant-1"}, Limit: 100}
	live, rare, jane, business := tenant, tenant, tenant, tenant
	live.State, live.At = magiclink.StateLive, at
	rare.TenantID = "rare"
	jane.Email = "a1@example.com" // the oldest
	business.BusinessID = "biz_7"
	for _, part := range []struct {
		name    string
		index   sqlite.Index
		queries map[string]magiclink.ListQuery
	}{
		{"NoIndex", "", map[string]magiclink.ListQuery{"tenant": tenant, "live": live, "rare": rare, "business": business}},
		{"ByTenant", sqlite.ByTenant, map[string]magiclink.ListQuery{"tenant": tenant, "live": live, "rare": rare}},
		{"ByEmail", sqlite.ByEmail, map[string]magiclink.ListQuery{"jane": jane}},
		{"ByBusiness", sqlite.ByBusiness, map[string]magiclink.ListQuery{"business": business}},
	} {
		if part.index != "" {
			createIndexes(b, s, part.index)
		}
		for name, query := range part.queries {
			b.Run(part.name+"/"+name, func(b *testing.B) { benchList(b, s, query) })
		}
	}
}

func benchList(b *testing.B, s magiclink.Lister, query magiclink.ListQuery) {
	cursor := query
	for range 99 {
		page, err := s.List(b.Context(), cursor)
		require.NoError(b, err)
		if len(page) == query.Limit {
			cursor.Before = page[len(page)-1].ID
		}
	}
	took := make([][]time.Duration, 2)
	for range b.N {
		for i, q := range []magiclink.ListQuery{query, cursor} {
			began := time.Now()
			page, err := s.List(b.Context(), q)
			took[i] = append(took[i], time.Since(began))
			require.NoError(b, err)
			require.True(b, i > 0 || len(page) > 0)
		}
	}
	for i, name := range []string{"first-ms", "hundredth-ms"} {
		slices.Sort(took[i])
		b.ReportMetric(float64(took[i][b.N/2])/1e6, name)
	}
}
