package magiclink

import (
	"reflect"
	"slices"
	"strconv"
)

// fieldOrder is the order in which faults are reported: that of MagicLinkCreate.
var fieldOrder = []string{
	"TenantID", "ScopedBusinessID", "business_id", "external_business_id", "ttl", "session_timeout", "email", "path",
}

func (e FieldErrors) sort() {
	slices.SortStableFunc(e, func(a, b FieldError) int {
		return slices.Index(fieldOrder, a.Field) - slices.Index(fieldOrder, b.Field)
	})
}

// messages say what to do. None quotes the value: it may be an address, or have come from an attacker.
var messages = map[string]string{
	"required_without": "is missing: give business_id or external_business_id",
	"biz_string":       `must be a business id: "biz_" and 22 characters of ` + idDigits,
	"plaintext":        "must be text without control characters",
	"email":            "must be one plain address such as jane@example.com, in ASCII, with a dotted domain",
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

func maxFault(field string, limit int) FieldError {
	return FieldError{Field: field, Rule: "max", Message: message("max", strconv.Itoa(limit), reflect.Int)}
}
