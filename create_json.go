package magiclink

import (
	"math"
	"reflect"

	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// SyntaxError says why a text is not one unambiguous JSON object. It never quotes the text.
type SyntaxError struct {
	Reason string // a predicate such as "must be one JSON object"
}

// Error implements the error interface.
func (e *SyntaxError) Error() string { return "magiclink: the body " + e.Reason }

// UnmarshalJSON reads the request body of the specification's POST /v0/auth/magic-link, strictly. The text must be one JSON
// object in valid UTF-8 without duplicate member names. Members that the specification does not name are ignored, and
// names are case-sensitive. Numbers are integers by value, as in JSON Schema: 5, 5.0 and 50e-1 are one number.
//
// A member that is absent sets its field to zero, which stands for the default, also where the receiver had a value. A null is accepted where the schema allows
// it (business_id, external_business_id, path) and means absent. A ttl or session_timeout of 0 is an error here, unlike
// the zero of a Go caller: a client that writes a number means the number.
//
// It returns [FieldErrors] with every field that breaks its rule, or a [*SyntaxError] that says why the text is not such
// an object. On an error the receiver is unchanged. Otherwise Caller, Extension, MagicLinkID and IdempotencyKey, which are not part of the JSON,
// keep their values.
func (in *MagicLinkCreate) UnmarshalJSON(text []byte) error {
	r, err := readCreate(text)
	if err == nil {
		err = r.complete(specification)
	}
	if err != nil {
		return err
	}
	r.in.Caller, r.in.Extension = in.Caller, in.Extension
	r.in.MagicLinkID, r.in.IdempotencyKey = in.MagicLinkID, in.IdempotencyKey
	*in = r.in
	return nil
}

func readCreate(text []byte) (r createReader, err error) {
	if err := strictjson.Object(text, r.member); err != nil {
		return createReader{}, &SyntaxError{Reason: err.Error()}
	}
	return r, nil
}

// createReader collects the members of a body, and the faults of the members that cannot be read.
type createReader struct {
	in     MagicLinkCreate
	faults FieldErrors
}

// complete adds the faults of the members that could be read, and returns all faults, or nil.
func (r *createReader) complete(longest bounds) error {
	for _, fault := range check(&r.in, longest) {
		if !r.faults.has(fault.Field) { // a value that could not be read is not there to be judged
			r.faults = append(r.faults, fault)
		}
	}
	if len(r.faults) == 0 {
		return nil
	}
	r.faults.sort()
	return r.faults
}

func (r *createReader) member(name []byte, value strictjson.Value) error {
	const nullable = true
	switch string(name) {
	case "business_id":
		r.text("business_id", "biz_string", &r.in.BusinessID, value, nullable)
	case "external_business_id":
		r.text("external_business_id", "min", &r.in.ExternalBusinessID, value, nullable)
		if r.faults.has("external_business_id") {
			r.in.ExternalBusinessID = "unreadable" // so that business_id is not reported as missing beside it
		}
	case "ttl":
		r.integer("ttl", &r.in.TTL, value)
	case "session_timeout":
		r.integer("session_timeout", &r.in.SessionTimeout, value)
	case "email":
		r.text("email", "email", &r.in.Email, value, !nullable)
	case "path":
		r.text("path", "localpath", &r.in.Path, value, nullable)
	}
	return nil
}

// text reads a string. An empty string breaks the field's rule. It is found here because the struct tags take an empty
// string for an absent one.
func (r *createReader) text(field, rule string, to *string, value strictjson.Value, nullable bool) {
	switch {
	case value.Kind == strictjson.Null && nullable:
	case value.Kind != strictjson.String && nullable:
		r.fault(field, "type", "must be a string or null")
	case value.Kind != strictjson.String:
		r.fault(field, "type", "must be a string")
	default:
		if *to = value.Text(); *to == "" {
			r.fault(field, rule, message(rule, "1", reflect.String))
		}
	}
}

// integer reads a number that must be 1 or more. Zero is found here because the struct tags take zero for absent.
func (r *createReader) integer(field string, to *int, value strictjson.Value) {
	n, ok := value.Int()
	switch {
	case !ok:
		r.fault(field, "type", "must be an integer; leave it out for the default")
	case n == 0:
		r.fault(field, "min", message("min", "1", reflect.Int))
	default:
		*to = int(max(math.MinInt32, min(n, math.MaxInt32)))
	}
}

func (r *createReader) fault(field, rule, message string) {
	r.faults = append(r.faults, FieldError{Field: field, Rule: rule, Message: message})
}
