package httpadapter

import (
	"net/http"
	"net/url"

	"github.com/magiclink-go/magiclink/internal/webform"
)

const (
	mediaJSON = webform.MediaJSON
	mediaForm = webform.MediaForm
)

// The greatest bodies in bytes that are read where nothing else is configured.
const (
	defaultMaxBody    = 64 << 10 // of a caller who has authenticated
	defaultMaxUnknown = 16 << 10 // of everybody else
)

// bodyFault is what is wrong with a body before anybody looks into it.
type bodyFault = webform.Fault

func unprocessable(reason string) *bodyFault { return webform.Unprocessable(reason) }

func readBody(w http.ResponseWriter, r *http.Request, limit int64, mediaType string, read webform.Reader) ([]byte, *bodyFault) {
	return webform.ReadBody(w, r, limit, mediaType, read)
}

func readForm(w http.ResponseWriter, r *http.Request, limit int64) (url.Values, *bodyFault) {
	return webform.ReadForm(w, r, limit)
}

// readPosted is readForm for a page, which does not tell the person why a form is refused.
func (e *endpoint) readPosted(w http.ResponseWriter, r *http.Request, limit int64) (url.Values, *bodyFault) {
	values, fault := readForm(w, r, limit)
	if fault == webform.BodyTaken {
		e.logger.ErrorContext(r.Context(), "magiclink: no form can be accepted", "error", fault.Reason)
	}
	return values, fault
}

func readAll(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *bodyFault) {
	return webform.ReadAll(w, r, limit)
}

func readSoon(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *bodyFault) {
	return webform.ReadSoon(w, r, limit)
}

func originOf(baseURL string) string { return webform.OriginOf(baseURL) }

func sameOrigin(r *http.Request, origin string) bool { return webform.SameOrigin(r, origin) }

func isSafe(method string) bool { return webform.IsSafe(method) }
