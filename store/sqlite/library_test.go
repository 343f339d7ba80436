package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/store/sqlite"
)

func TestVersionsOfSQLite(t *testing.T) {
	for version, row := range map[string]struct {
		number  int
		refused bool
	}{
		"3.6.23":  {3006023, true},
		"3.7.0":   {3007000, true},
		"3.40.1":  {3040001, true},
		"3.43.9":  {3043009, true},
		"3.44.5":  {3044005, true},
		"3.44.6":  {3044006, false},
		"3.44.99": {3044099, false},
		"3.45.0":  {3045000, true},
		"3.50.6":  {3050006, true},
		"3.50.7":  {3050007, false},
		"3.51.0":  {3051000, true},
		"3.51.2":  {3051002, true},
		"3.51.3":  {3051003, false},
		"3.53.0":  {3053000, false},
		"3.54.1":  {3054001, false},
		"4.0.0":   {4000000, false},
	} {
		err := sqlite.CheckLibrary(version, row.number)
		if !row.refused {
			require.NoError(t, err, version)
			continue
		}
		require.ErrorContains(t, err, "the program uses SQLite "+version+",")
		require.ErrorContains(t, err, "build it without the tag libsqlite3, or with SQLite 3.51.3 or newer")
	}
}
