package httpadapter

import "strings"

// maskEmail shows enough of an address for its owner to know it: j•••@example.com. It returns "" for a text without an "@".
func maskEmail(address string) string {
	local, domain, found := strings.Cut(address, "@")
	if !found {
		return ""
	}
	first := ""
	if runes := []rune(local); len(runes) > 1 {
		first = string(runes[:1])
	}
	return first + "•••@" + domain
}

// destinationPath is the path to show: a query and a fragment may be secret.
func destinationPath(path string) string {
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "?")
	if path == "" {
		return "/"
	}
	return path
}
