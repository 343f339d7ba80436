package magiclink

import (
	"errors"
	"reflect"
	"strings"

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
		"mlk_string": func(s string) bool { return validID(prefixLink, s) },
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

// bounds are the largest values that an operator allows, at most those of the tags.
type bounds struct {
	ttl     int // minutes
	session int // seconds
}

var specification = bounds{ttl: maxTTL, session: maxSessionTimeout}

// check returns every field of the input that breaks a rule, or nil.
func check(in *MagicLinkCreate, longest bounds) FieldErrors {
	var faults FieldErrors
	// The input is passed by value: behind a pointer, the validator would copy each of its fields to the heap.
	invalid, _ := errors.AsType[validator.ValidationErrors](validate.Struct(*in)) // of a struct it is the only error
	for _, fault := range invalid {
		faults = append(faults, FieldError{
			Field: fault.Field(), Rule: fault.Tag(), Message: message(fault.Tag(), fault.Param(), fault.Kind()),
		})
	}
	faults.bound("ttl", in.TTL, longest.ttl, "must be at most %d")
	faults.bound("session_timeout", in.SessionTimeout, longest.session, "must be at most %d")
	faults.bound("Extension", len(in.Extension), maxExtension, "must have at most %d bytes")
	faults.bound("IdempotencyKey", len(in.IdempotencyKey), maxIdempotencyKey, "must have at most %d bytes")
	return faults
}
