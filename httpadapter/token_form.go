package httpadapter

import (
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
	businessID       string
	lifetime         int64 // seconds; 0 when not given
	scopes           []string
	resources        []string
}

// invalidRequest is the answer to a form that is malformed, with the status that the document has for it.
func invalidRequest(description string) *problem {
	return oauthProblem(http.StatusUnprocessableEntity, "invalid_request", description)
}

func oauthProblem(status int, code, description string) *problem {
	return &problem{status: status, code: code, description: description}
}

// parseTokenForm reads the parameters of RFC 6749 section 4.4.2 and those of the document. A parameter without a value
// counts as not given, and unknown ones are ignored (RFC 6749 section 3.2).
func parseTokenForm(r *http.Request, body []byte) (tokenForm, *problem) {
	if r.URL.RawQuery != "" {
		return tokenForm{}, invalidRequest("parameters belong in the body, not in the query")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return tokenForm{}, invalidRequest("the body is not a form")
	}
	for name, given := range values {
		if len(given) > 1 && name != "resource" {
			return tokenForm{}, invalidRequest("a parameter is repeated")
		}
		values[name] = slices.DeleteFunc(given, func(value string) bool { return value == "" })
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
	id, secret, ok := basicCredentials(authorization[0])
	if !ok {
		return oauthProblem(http.StatusUnauthorized, "invalid_client", "the client's credentials are not valid")
	}
	if f.clientID != "" && f.clientID != id {
		return invalidRequest("client_id is not the client that authenticates")
	}
	f.clientID, f.secret = id, secret
	return nil
}

// basicCredentials reads HTTP Basic, in which OAuth has both parts form-encoded (RFC 6749 section 2.3.1).
func basicCredentials(authorization string) (id, secret string, ok bool) {
	r := http.Request{Header: http.Header{"Authorization": {authorization}}}
	id, secret, ok = r.BasicAuth()
	if !ok {
		return "", "", false
	}
	id, err1 := url.QueryUnescape(id)
	secret, err2 := url.QueryUnescape(secret)
	return id, secret, err1 == nil && err2 == nil
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
		f.lifetime, _ = strconv.ParseInt(text, 10, 64) // digits alone: what is out of range becomes the greatest number
	}
	if scope := values.Get("scope"); scope != "" {
		f.scopes = strings.Split(scope, " ")
		if !allScopeTokens(f.scopes) {
			return oauthProblem(http.StatusUnprocessableEntity, "invalid_scope", "scope must be names with one space between them")
		}
	}
	if len(f.resources) > maxResources || !allResources(f.resources) {
		return oauthProblem(http.StatusUnprocessableEntity, "invalid_target",
			"resource must be an absolute URI without a fragment, given at most "+strconv.Itoa(maxResources)+" times")
	}
	return nil
}

func allScopeTokens(scopes []string) bool {
	for _, scope := range scopes {
		if !scopeToken(scope) {
			return false
		}
	}
	return true
}

// allResources checks resource indicators (RFC 8707 section 2).
func allResources(resources []string) bool {
	for _, resource := range resources {
		u, err := url.Parse(resource)
		if err != nil || !u.IsAbs() || u.Host == "" && strings.HasPrefix(u.Scheme, "http") || strings.Contains(resource, "#") || strings.ContainsFunc(resource, notVisible) {
			return false
		}
	}
	return true
}
