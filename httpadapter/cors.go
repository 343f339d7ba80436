package httpadapter

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// allowedOrigins are the origins whose pages may call a route (CORS, the Fetch standard section 3.2). Cookies are never
// allowed. It is empty where nothing is configured, and every origin but the own is then refused by browsers.
type allowedOrigins []string

func newAllowedOrigins(found *faults, origins []string) allowedOrigins {
	for _, origin := range origins {
		if !isOrigin(origin) {
			found.add("AllowedOrigins", `must be origins such as "https://app.example.com": scheme and host in lower case, no path, `+
				`and the port only where it is not the scheme's own`)
			break
		}
	}
	return slices.Clone(origins)
}

// isOrigin reports whether the text is an origin as a browser writes it.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || originOf(text) != text {
		return false
	}
	return strings.Trim(u.Host, "abcdefghijklmnopqrstuvwxyz0123456789-.:[]") == ""
}

// answer adds to the answer what an allowed origin needs, and reports whether it has answered a preflight request.
func (a allowedOrigins) answer(w http.ResponseWriter, r *http.Request) bool {
	if len(a) == 0 {
		return false
	}
	header := w.Header()
	header.Add("Vary", "Origin")
	origins := r.Header.Values("Origin")
	if len(origins) != 1 || !slices.Contains(a, origins[0]) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origins[0])
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		header.Set("Access-Control-Expose-Headers", "Retry-After")
		return false
	}
	header.Set("Access-Control-Allow-Methods", http.MethodPost)
	header.Set("Access-Control-Allow-Headers", "Content-Type, Idempotency-Key")
	header.Set("Access-Control-Max-Age", "600")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return true
}
