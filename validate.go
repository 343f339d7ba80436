package magiclink

import (
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"
)

// The limits and defaults of the spec's MagicLinkCreate. Those of the struct tags are the same.
const (
	maxTTL                = 15      // minutes
	defaultTTL            = 5       // minutes
	maxSessionTimeout     = 7948800 // seconds
	defaultSessionTimeout = 86400   // seconds
	maxExtension          = 1024    // bytes
	maxName               = 255     // characters of a tenant's id, and of its own id for a business
)

// validate is safe for concurrent use and caches what it learns of a struct type.
var validate = newValidator()

func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(jsonName)
	for tag, rule := range map[string]func(string) bool{
		"biz_string": func(s string) bool { return validID(prefixBusiness, s) },
		"localpath":  localPath,
		"email":      strictEmail, // instead of the validator's own rule, which lets quoted local parts pass
		"plaintext":  plainText,
	} {
		if err := v.RegisterValidation(tag, onString(rule)); err != nil {
			panic(err) // a tag name that the validator does not take: seen by the first test, never by a user
		}
	}
	return v
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	if name == "-" {
		return "" // the validator falls back to the Go name
	}
	return name
}

func onString(rule func(string) bool) validator.Func {
	return func(field validator.FieldLevel) bool { return rule(field.Field().String()) }
}

// check returns every field of the input that breaks a rule, or nil. The longest session is an operator's setting, at
// most that of the tags.
func check(in *MagicLinkCreate, longestSession time.Duration) FieldErrors {
	var faults FieldErrors
	invalid, _ := errors.AsType[validator.ValidationErrors](validate.Struct(in)) // of a struct it is the only error
	for _, fault := range invalid {
		faults = append(faults, FieldError{
			Field: fault.Field(), Rule: fault.Tag(), Message: message(fault.Tag(), fault.Param(), fault.Kind()),
		})
	}
	if len(in.Extension) > maxExtension {
		faults = append(faults, FieldError{Field: "Extension", Rule: "max", Message: "must have at most 1024 bytes"})
	}
	longest := int(longestSession / time.Second)
	if in.SessionTimeout > longest && !faults.has("session_timeout") {
		faults = append(faults, maxFault("session_timeout", longest))
		faults.sort()
	}
	return faults
}
