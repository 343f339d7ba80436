package httpadapter

import (
	"errors"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// subjectReader collects whom a request is about, and what is wrong with that.
type subjectReader struct {
	magiclink.Subject
	faults magiclink.FieldErrors
}

func (s *subjectReader) fault(field, rule, message string) {
	s.faults = append(s.faults, magiclink.FieldError{Field: field, Rule: rule, Message: message})
}

// take checks a field. An empty value breaks its rule: as "not given" it would stand for everybody.
func (s *subjectReader) take(field string, value parameter) {
	if value == nil {
		return
	}
	switch field {
	case "business_id":
		if s.BusinessID = *value; !magiclink.ValidBusinessID(*value) {
			s.fault(field, "biz_string", `must be a business id such as "biz_GA6EG2qFxA97NZHtxeLPUy"`)
		}
	case "external_business_id":
		if s.ExternalBusinessID = *value; *value == "" || !magiclink.ValidTenantID(*value) { // the same rule but for the empty one
			s.fault(field, "plaintext", "must be text of 1 to 255 characters without control characters")
		}
	case "email":
		if s.Email = *value; !magiclink.ValidEmail(*value) {
			s.fault(field, "email", "must be one plain address such as jane@example.com")
		}
	}
}

// subjectFields are the members of a body that names a subject, in the order in which their faults are reported.
var subjectFields = []string{"email", "business_id", "external_business_id"}

var errOtherMember = errors.New("has a member other than " + strings.Join(subjectFields, ", "))

// readSubject reads the body that says whose links and sessions are to be revoked, or whose limit is to be reset.
func readSubject(body []byte) (magiclink.Subject, *problem) {
	given := map[string]strictjson.Value{}
	err := strictjson.Object(body, func(name []byte, value strictjson.Value) error {
		for _, field := range subjectFields {
			if field == string(name) {
				given[field] = value
				return nil
			}
		}
		return errOtherMember
	})
	if err != nil {
		return magiclink.Subject{}, malformed(unprocessable("the body " + err.Error()))
	}
	var read subjectReader
	for _, field := range subjectFields {
		switch value, ok := given[field]; {
		case ok && value.Kind != strictjson.String: // a null, too: somebody has forgotten to fill the field in
			read.fault(field, "type", "must be a string, or be left out")
		case ok:
			text := value.Text()
			read.take(field, &text)
		}
	}
	if len(given) == 0 {
		read.fault("email", "required_without", "is missing: give email, business_id or external_business_id")
	}
	if len(read.faults) > 0 {
		return magiclink.Subject{}, invalidFields(read.faults)
	}
	return read.Subject, nil
}
