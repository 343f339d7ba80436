package magiclink

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// FieldError is one field that breaks one rule.
type FieldError struct {
	Field   string `json:"field"`   // the JSON name, such as "ttl"; "Extension", "MagicLinkID" and "IdempotencyKey" are Go names
	Rule    string `json:"rule"`    // required_without, biz_string, mlk_string, min, max, plaintext, email, localpath, type or same_business
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

// has reports whether the field is among the faults.
func (e FieldErrors) has(field string) bool {
	for _, fault := range e {
		if fault.Field == field {
			return true
		}
	}
	return false
}

// fieldOrder is the order in which faults are reported: that of MagicLinkCreate.
var fieldOrder = []string{
	"business_id", "external_business_id", "ttl", "session_timeout", "email", "path", "Extension", "MagicLinkID", "IdempotencyKey",
}

func (e FieldErrors) sort() {
	slices.SortStableFunc(e, func(a, b FieldError) int {
		return slices.Index(fieldOrder, a.Field) - slices.Index(fieldOrder, b.Field)
	})
}

// messages say what to do. None quotes the value, which may be an address or come from an attacker.
var messages = map[string]string{
	"required_without": "is missing: give business_id or external_business_id",
	"mlk_string":       "must be an id that NewMagicLinkID has made",
	"biz_string":       `must be a business id: "biz_" and 22 characters of ` + idDigits,
	"plaintext":        "must be text without control characters",
	"email": "must be one plain address such as jane@example.com, in ASCII, with a dotted domain; " +
		`write a domain with other letters in its ASCII form, which begins with "xn--"`,
	"localpath": `must be a local path such as /reports: at most 512 visible ASCII characters that begin with one "/", ` +
		"without backslashes, empty or dot segments, or encoded separators and controls",
}

// message returns the text for a rule with its parameter, on a field of this kind.
func message(rule, parameter string, kind reflect.Kind) string {
	switch rule {
	case "min", "max":
		bound := map[string]string{"min": "at least ", "max": "at most "}[rule] + parameter
		if kind == reflect.String {
			return "must have " + bound + " characters"
		}
		return "must be " + bound
	}
	if text, ok := messages[rule]; ok {
		return text
	}
	return "breaks the rule " + rule
}

// bound adds a fault for a value beyond its limit, unless the field has a fault already.
func (e *FieldErrors) bound(field string, value, limit int, message string) {
	if value <= limit || e.has(field) {
		return
	}
	*e = append(*e, FieldError{Field: field, Rule: "max", Message: fmt.Sprintf(message, limit)})
	e.sort()
}
