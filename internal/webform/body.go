// Package webform reads requests that browsers and programs send, and says which of them a page of our own has sent.
package webform

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// The media types of bodies.
const (
	MediaJSON = "application/json"
	MediaForm = "application/x-www-form-urlencoded"
)

// Fault is what is wrong with a body before anybody looks into it.
type Fault struct {
	Status int    // 413 or 422
	Reason string // for the client; it quotes nothing
}

// Unprocessable is the fault of a body that arrived and cannot be used.
func Unprocessable(reason string) *Fault {
	return &Fault{http.StatusUnprocessableEntity, reason}
}

func tooLarge(limit int64) *Fault {
	return &Fault{http.StatusRequestEntityTooLarge, "the body is larger than " + strconv.FormatInt(limit, 10) + " bytes"}
}

// BodyTaken is the fault of a body that something in front of the handler has read and not put back. A server reports a body that ends too early
// in another way.
var BodyTaken = Unprocessable("the body was read before this handler: let no middleware read it, or let it put the body back")

// isTaken reports whether nothing is left of the body that the request says it has.
func isTaken(r *http.Request, body []byte) bool { return len(body) == 0 && r.ContentLength > 0 }

// Reader is ReadAll or ReadSoon.
type Reader func(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *Fault)

// ReadBody reads a body of the media type. The size is judged first, as the contract has it.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64, mediaType string, read Reader) ([]byte, *Fault) {
	body, fault := read(w, r, limit)
	if fault == nil {
		fault = checkContent(r.Header, mediaType)
	}
	if fault != nil {
		return nil, fault
	}
	if isTaken(r, body) {
		return nil, BodyTaken
	}
	if mediaType == MediaJSON && bytes.HasPrefix(body, []byte("\ufeff")) {
		return nil, Unprocessable("the body begins with a byte order mark: send JSON in UTF-8 without one")
	}
	return body, nil
}

// ReadForm reads the parameters of a body of the type application/x-www-form-urlencoded, each with every value that was
// given. A middleware may have parsed the form before, with [http.Request.ParseForm]: the body is empty then, and the
// parameters are in r.PostForm. Parameters of the query are never read. The body must come within bodyTime: forms come from
// callers who are not known yet.
func ReadForm(w http.ResponseWriter, r *http.Request, limit int64) (url.Values, *Fault) {
	body, fault := ReadSoon(w, r, limit)
	if fault != nil && (fault.Status == http.StatusRequestEntityTooLarge || r.PostForm == nil) {
		return nil, fault
	}
	if fault := checkContent(r.Header, MediaForm); fault != nil {
		return nil, fault
	}
	if len(body) == 0 && r.PostForm != nil {
		return parsedForm(r.PostForm, limit)
	}
	if isTaken(r, body) {
		return nil, BodyTaken
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, Unprocessable("the body is not a form: it has a malformed percent-encoding or a semicolon")
	}
	return values, nil
}

// parsedForm applies the limit to a form that somebody else has read.
func parsedForm(values url.Values, limit int64) (url.Values, *Fault) {
	size := int64(0)
	for name, given := range values {
		for _, value := range given {
			size += int64(len(name) + len(value))
		}
	}
	if size > limit {
		return nil, tooLarge(limit)
	}
	return values, nil
}

// ReadAll reads a body that is not larger than the limit.
func ReadAll(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *Fault) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	if r.Body == nil { // a request that no server has made
		return nil, nil
	}
	body, err := readToEnd(http.MaxBytesReader(w, r.Body, limit), r.ContentLength)
	if err == nil {
		return body, nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge(limit)
	}
	return nil, Unprocessable("the body could not be read to its end")
}

// readToEnd is io.ReadAll with a buffer for as many bytes as were announced. A negative number is unknown. The buffer begins with a few
// kilobytes at most, since a client can announce a large body and never send it.
func readToEnd(body io.Reader, announced int64) ([]byte, error) {
	const unknown, most = 512, 4 << 10
	if announced < 0 {
		announced = unknown
	}
	text := make([]byte, 0, min(announced, most)+1) // with a byte for the end, which is read, too
	for {
		n, err := body.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if err == io.EOF {
			return text, nil
		}
		if err != nil {
			return nil, err
		}
		if len(text) == cap(text) {
			text = append(text, 0)[:len(text)]
		}
	}
}

func checkContent(header http.Header, mediaType string) *Fault {
	switch {
	case !hasMediaType(header, mediaType):
		return Unprocessable("the Content-Type must be " + mediaType)
	case !unencoded(header):
		return Unprocessable("the body must be sent without a Content-Encoding")
	}
	return nil
}

// hasMediaType accepts one Content-Type header of this type. The charset of JSON must be UTF-8. A form's charset is
// ignored: the encoding of a form is percent-encoded UTF-8 whatever the header says (WHATWG URL, section 5).
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
	return !given || want == MediaForm || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

func unencoded(header http.Header) bool {
	for _, value := range header.Values("Content-Encoding") {
		if !strings.EqualFold(value, "identity") {
			return false
		}
	}
	return true
}
