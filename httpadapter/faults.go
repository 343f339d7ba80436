package httpadapter

import (
	"errors"

	"github.com/magiclink-go/magiclink"
)

// faults collects what is wrong with a configuration.
type faults magiclink.ConfigErrors

func (f *faults) add(field, reason string) {
	*f = append(*f, &magiclink.ConfigError{Field: field, Reason: reason})
}

// err returns all faults as one [magiclink.ConfigErrors], or nil.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return magiclink.ConfigErrors(f)
}

// take adds the faults of a part whose constructor has returned err, under other names. A fault that is there already is
// left out, since parts share their settings. It reports whether the constructor has failed.
func (f *faults) take(err error, name func(field string) string) (failed bool) {
	taken, _ := errors.AsType[magiclink.ConfigErrors](err)
	for _, fault := range taken {
		if field := name(fault.Field); !f.has(field, fault.Reason) {
			f.add(field, fault.Reason)
		}
	}
	if err != nil && len(taken) == 0 {
		f.add("Config", err.Error())
	}
	return err != nil
}

func (f *faults) has(field, reason string) bool {
	for _, fault := range *f {
		if fault.Field == field && fault.Reason == reason {
			return true
		}
	}
	return false
}
