package signin

import "net/url"

// hostOf returns the host of a BaseURL, with its port.
func hostOf(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil { // NewRedeemer has parsed it already
		return ""
	}
	return u.Host
}

// homeOf returns the path "/" on the origin of a BaseURL.
func homeOf(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return "/"
	}
	return u.Scheme + "://" + u.Host + "/"
}
