package httpadapter

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// defaultMaxBody is the greatest body in bytes that is read.
const defaultMaxBody = 64 << 10

// The faults of a body, before anyone looks into it.
type bodyFault struct {
	status int
	reason string
}

// readBody reads a body of the media type. Its size is judged first, as the contract has it.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, mediaType string) ([]byte, *bodyFault) {
	tooLarge := &bodyFault{http.StatusRequestEntityTooLarge, "the body is larger than " + strconv.FormatInt(limit, 10) + " bytes"}
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var exceeded *http.MaxBytesError
	switch {
	case errors.As(err, &exceeded):
		return nil, tooLarge
	case err != nil:
		return nil, &bodyFault{http.StatusUnprocessableEntity, "the body could not be read to its end"}
	case !hasMediaType(r.Header, mediaType):
		return nil, &bodyFault{http.StatusUnprocessableEntity, "the Content-Type must be " + mediaType}
	case !unencoded(r.Header):
		return nil, &bodyFault{http.StatusUnprocessableEntity, "the body must be sent without a Content-Encoding"}
	}
	return body, nil
}

// hasMediaType accepts one Content-Type header of this type. A charset has to be UTF-8, the only one that JSON and
// forms have.
func hasMediaType(header http.Header, want string) bool {
	values := header.Values("Content-Type")
	if len(values) != 1 {
		return false
	}
	if values[0] == want {
		return true
	}
	got, parameters, err := mime.ParseMediaType(values[0])
	if err != nil || got != want {
		return false
	}
	charset, given := parameters["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

func unencoded(header http.Header) bool {
	for _, value := range header.Values("Content-Encoding") {
		if !strings.EqualFold(value, "identity") {
			return false
		}
	}
	return true
}
