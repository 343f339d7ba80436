package httpadapter

import (
	"net/url"
	"strings"
)

// resources are the resource servers for which tokens may be asked (RFC 8707): the configured spelling by the canonical
// form.
type resources map[string]string

// newResources takes the own audience and the others.
func newResources(found *faults, audience string, others []string) resources {
	const fault = "must be absolute URIs without a fragment"
	allowed := make(resources, 1+len(others))
	for _, resource := range others {
		form, ok := canonicalResource(resource)
		if !ok {
			if !found.has("Resources", fault) {
				found.add("Resources", fault)
			}
			continue
		}
		allowed[form] = resource
	}
	if form, ok := canonicalResource(audience); ok {
		allowed[form] = audience
	} else {
		allowed[audience] = audience // a name that is no absolute URI, which is granted when no resource is asked for
	}
	return allowed
}

// canonicalResource returns one form for all spellings of a resource that URL libraries write (RFC 3986 sections 6.2.2.1
// and 6.2.3): scheme and host in lower case, no port that is the scheme's own, and "/" for an empty path. It reports false
// for a text that is not an absolute URI without a fragment (RFC 8707 section 2).
func canonicalResource(resource string) (form string, ok bool) {
	u, err := url.Parse(resource)
	if err != nil || !u.IsAbs() || strings.Contains(resource, "#") || strings.ContainsFunc(resource, notVisible) {
		return "", false
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return resource, true
	}
	if u.Hostname() == "" {
		return "", false
	}
	u.Host = strings.ToLower(u.Host)
	u.Host = strings.TrimSuffix(u.Host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), true
}
