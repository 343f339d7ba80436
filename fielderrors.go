package magiclink

import (
	"iter"
	"strings"
)

// FieldError is one field that breaks one rule.
type FieldError struct {
	Field   string `json:"field"`   // the JSON name; the Go name of a field that JSON does not have
	Rule    string `json:"rule"`    // what to match on: "max", "email", "type" …
	Message string `json:"message"` // for people; it never quotes the value
}

// FieldErrors is every field of an input that breaks a rule, in the order in which [MagicLinkCreate] has them. Get it from
// an error with [errors.As]. It is never empty when it is returned.
type FieldErrors []FieldError

// Error names all fields in one line. It never quotes a value, so it can be logged.
func (e FieldErrors) Error() string {
	var b strings.Builder
	b.WriteString("magiclink: invalid input: ")
	for n, fault := range e {
		if n > 0 {
			b.WriteString("; ")
		}
		b.WriteString(fault.Field + " " + fault.Message)
	}
	return b.String()
}

// All iterates over the faults.
func (e FieldErrors) All() iter.Seq[FieldError] {
	return func(yield func(FieldError) bool) {
		for _, fault := range e {
			if !yield(fault) {
				return
			}
		}
	}
}

// has reports whether the field is among the faults.
func (e FieldErrors) has(field string) bool {
	for _, fault := range e {
		if fault.Field == field {
			return true
		}
	}
	return false
}
