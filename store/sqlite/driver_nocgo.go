//go:build !cgo

package sqlite

import "errors"

// checkDriver says why no store can be opened: the driver is written in C.
func checkDriver() error { return errors.New("needs cgo: build with CGO_ENABLED=1 and a C compiler") }

func isLocked(error) bool { return false }

func isDamaged(error) bool { return false }

func isUnopened(error) bool { return false }

func lacksDescriptors(error) bool { return false }

func isNested(error) bool { return false }

func isTaken(error) bool { return false }
