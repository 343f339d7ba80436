//go:build !unix

package sqlite

// checkWritable and checkMapping know of nothing to check here: SQLite's own errors have to do.
func checkWritable(string) error { return nil }

func checkMapping(string) error { return nil }
