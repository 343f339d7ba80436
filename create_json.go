package magiclink

import (
	"context"
	"math"
	"reflect"
	"time"

	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// SyntaxError says why a text is not one JSON object that has only one reading. It never quotes the text.
type SyntaxError struct {
	Reason string // a predicate such as "must be one JSON object"
}

func (e *SyntaxError) Error() string { return "magiclink: the body " + e.Reason }

// UnmarshalJSON reads the request body of the spec's POST /v0/auth/magic-link, strictly. The text must be one JSON object
// in valid UTF-8 without duplicate member names; any member that the spec does not name is ignored, and names count
// case and all. Numbers are integers by value, as in JSON Schema: 5, 5.0 and 50e-1 are one number.
//
// A member that is absent leaves its field zero, which stands for the default. A null is accepted where the schema has
// one (business_id, external_business_id, path) and means absent. A ttl or session_timeout of 0 is an error here, unlike
// the zero of a Go caller: who writes a number means it.
//
// It returns [FieldErrors] with every field that breaks its rule, or a [*SyntaxError] that says why the text is not such
// an object. On an error the receiver is unchanged; otherwise the fields that JSON does not have keep their values.
func (in *MagicLinkCreate) UnmarshalJSON(text []byte) error {
	read, err := parseCreate(text, maxSessionTimeout*time.Second)
	if err != nil {
		return err
	}
	read.TenantID, read.ScopedBusinessID = in.TenantID, in.ScopedBusinessID
	*in = read
	return nil
}

// ParseCreate reads a request body as [MagicLinkCreate.UnmarshalJSON] does, and holds it against the limits of this Issuer
// at the same time, so that its [FieldErrors] are complete.
func (i *Issuer) ParseCreate(text []byte) (MagicLinkCreate, error) {
	if !i.ready() {
		return MagicLinkCreate{}, errNotNew
	}
	return parseCreate(text, i.longestSession)
}

// IssueJSON issues the link that a request body asks for, read as [MagicLinkCreate.UnmarshalJSON] does, on behalf of a tenant
// and, if scopedBusinessID is not empty, for that one business alone. It is ParseCreate and Issue in one, and holds the input
// against the rules once instead of twice.
//
// Errors: [*SyntaxError], and those of [Issuer.Issue].
func (i *Issuer) IssueJSON(ctx context.Context, text []byte, tenantID, scopedBusinessID string) (MagicLinkResponse, error) {
	if !i.ready() {
		return MagicLinkResponse{}, errNotNew
	}
	r, err := readCreate(text)
	if err == nil && len(r.faults) > 0 {
		err = r.complete(i.longestSession)
	}
	if err != nil {
		i.observer.tell(ctx, refusal(ReasonInvalidInput, i.now(), tenantID))
		return MagicLinkResponse{}, err
	}
	r.in.TenantID, r.in.ScopedBusinessID = tenantID, scopedBusinessID
	return i.Issue(ctx, r.in)
}

func parseCreate(text []byte, longestSession time.Duration) (MagicLinkCreate, error) {
	r, err := readCreate(text)
	if err == nil {
		err = r.complete(longestSession)
	}
	if err != nil {
		return MagicLinkCreate{}, err
	}
	return r.in, nil
}

func readCreate(text []byte) (r createReader, err error) {
	if err := strictjson.Object(text, r.member); err != nil {
		return createReader{}, &SyntaxError{Reason: err.Error()}
	}
	return r, nil
}

// createReader collects the members of a body, and of those that cannot be read the faults.
type createReader struct {
	in     MagicLinkCreate
	faults FieldErrors
}

// complete adds the rules that were broken by what could be read, and returns all faults, or nil.
func (r *createReader) complete(longestSession time.Duration) error {
	for _, fault := range check(&r.in, longestSession) {
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

// text reads a string. An empty one breaks the field's rule; it is found here because the struct tags take it for absent.
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

// integer reads a number that must be 1 or more. Zero is found here for the same reason.
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
