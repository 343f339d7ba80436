package httpadapter

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// maxResources bounds how many audiences one token may have.
const maxResources = 8

// tokenForm is a request for an access token, read and checked by itself. Empty fields were not given.
type tokenForm struct {
	clientID, secret string
	hint             string // what to add to the answer if the credentials are wrong
	businessID       string
	lifetime         int64 // seconds; 0 when not given
	scopes           []string
	resources        []string
}

// invalidRequest is the answer to a form that is malformed, with the status that the document has for it.
func invalidRequest(description string) *problem {
	return oauthProblem(http.StatusUnprocessableEntity, "invalid_request", description)
}

func invalidTarget(description string) *problem {
	return oauthProblem(http.StatusUnprocessableEntity, "invalid_target", description)
}

func invalidClient(description string) *problem {
	return oauthProblem(http.StatusUnauthorized, "invalid_client", description)
}

func oauthProblem(status int, code, description string) *problem {
	return &problem{status: status, code: code, description: description}
}

// parseTokenForm reads the parameters of RFC 6749 section 4.4.2 and those of the document. A parameter without a value
// counts as not given, and unknown parameters are ignored (RFC 6749 section 3.2), but for a resource that is written as an
// element of a list: its client would get a token for another resource than it has asked for.
func parseTokenForm(r *http.Request, given url.Values) (tokenForm, *problem) {
	if r.URL.RawQuery != "" {
		return tokenForm{}, invalidRequest("parameters belong in the body, not in the query")
	}
	values := make(url.Values, len(given))
	for name, list := range given {
		if len(list) > 1 && name != "resource" {
			return tokenForm{}, invalidRequest("a parameter is repeated: only resource may be given more than once")
		}
		values[name] = slices.DeleteFunc(slices.Clone(list), func(value string) bool { return value == "" })
		if len(values[name]) > 0 && strings.HasPrefix(name, "resource[") && strings.HasSuffix(name, "]") {
			return tokenForm{}, invalidRequest("write several resources as resource=A&resource=B, without brackets (RFC 8707 section 2)")
		}
	}
	form := tokenForm{businessID: values.Get("business_id"), resources: values["resource"]}
	if fault := form.credentials(r.Header, values); fault != nil {
		return tokenForm{}, fault
	}
	return form, form.parameters(values)
}

// credentials takes the client's id and secret from exactly one place.
func (f *tokenForm) credentials(header http.Header, values url.Values) *problem {
	f.clientID, f.secret = values.Get("client_id"), values.Get("client_secret")
	authorization := header.Values("Authorization")
	if len(authorization) == 0 {
		return nil
	}
	if len(authorization) > 1 || f.secret != "" {
		return invalidRequest("the client authenticates in more than one way")
	}
	basic, ok := readBasic(authorization[0])
	if !ok {
		return invalidClient("the client's credentials are not valid" + basic.hint)
	}
	if f.clientID != "" && f.clientID != basic.id {
		return invalidRequest("client_id is not the client that authenticates")
	}
	f.clientID, f.secret, f.hint = basic.id, basic.secret, basic.hint
	return nil
}

// basicCredentials are what HTTP Basic has sent. The hint is for a client that has not encoded its credentials.
type basicCredentials struct{ id, secret, hint string }

const encodingHint = `: in HTTP Basic the id and the secret are form-encoded, so a "%" is sent as "%25" and a "+" as "%2B" ` +
	`(RFC 6749 section 2.3.1)`

// readBasic reads HTTP Basic, in which OAuth has both parts form-encoded (RFC 6749 section 2.3.1).
func readBasic(authorization string) (basic basicCredentials, ok bool) {
	scheme, encoded, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return basic, false
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return basic, false
	}
	id, secret, ok := strings.Cut(string(decoded), ":")
	if !ok {
		return basic, false
	}
	if strings.ContainsAny(string(decoded), "%+") {
		basic.hint = encodingHint
	}
	var err1, err2 error
	basic.id, err1 = url.QueryUnescape(id)
	basic.secret, err2 = url.QueryUnescape(secret)
	return basic, err1 == nil && err2 == nil
}

func (f *tokenForm) parameters(values url.Values) *problem {
	if grant := values.Get("grant_type"); grant != "" && grant != "client_credentials" {
		return oauthProblem(http.StatusUnprocessableEntity, "unsupported_grant_type", "the only grant_type is client_credentials")
	}
	if f.businessID != "" && !magiclink.ValidBusinessID(f.businessID) {
		return invalidRequest(`business_id must be a business id such as "biz_GA6EG2qFxA97NZHtxeLPUy"`)
	}
	if text := values.Get("expires_in"); text != "" {
		if strings.Trim(text, "0123456789") != "" || text[0] == '0' {
			return invalidRequest("expires_in must be a number of seconds, at least 1")
		}
		f.lifetime, _ = strconv.ParseInt(text, 10, 64) // digits alone: a number out of range becomes the greatest number
	}
	if scope := values.Get("scope"); scope != "" {
		f.scopes = strings.Split(scope, " ")
		if slices.ContainsFunc(f.scopes, func(scope string) bool { return !scopeToken(scope) }) {
			return oauthProblem(http.StatusUnprocessableEntity, "invalid_scope", "scope must be names with one space between them")
		}
	}
	if len(f.resources) > maxResources {
		return invalidTarget("resource may be given at most " + strconv.Itoa(maxResources) + " times")
	}
	return nil
}
