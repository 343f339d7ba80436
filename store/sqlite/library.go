package sqlite

import "fmt"

// checkLibrary returns an error for a version of SQLite that can corrupt a database in WAL. The number is that of
// sqlite3_libversion_number, such as 3051003 for 3.51.3.
//
// In the versions 3.7.0 to 3.51.2 a checkpoint that overlaps with the commit that begins the log anew can skip committed
// pages (https://sqlite.org/wal.html#walresetbug). The correction is also in 3.50.7 and 3.44.6. Versions before 3.7.0 have no
// WAL. The driver's own SQLite is newer. A build with the tag libsqlite3 takes the SQLite of the system instead.
func checkLibrary(version string, number int) error {
	const (
		corrected     = 3_051_003
		corrected3_50 = 3_050_007
		corrected3_44 = 3_044_006
		nextMinor     = 1000
	)
	isCorrected := number >= corrected ||
		number >= corrected3_50 && number/nextMinor == corrected3_50/nextMinor ||
		number >= corrected3_44 && number/nextMinor == corrected3_44/nextMinor
	if isCorrected {
		return nil
	}
	return fmt.Errorf("the program uses SQLite %s, which can corrupt a database in WAL: build it without the tag libsqlite3, "+
		"or with SQLite 3.51.3 or newer (3.50.7 and 3.44.6 are corrected, too)", version)
}
