package dbtest

import "os"

// Full reports whether the tests have all the time they want, as in "make full".
func Full() bool { return os.Getenv("MAGICLINK_TEST_FULL") != "" }
