package guide

import "net/http"

// belowPrefix is the NotFound of the service.
func belowPrefix(app http.Handler) http.Handler {
	pages := http.NewServeMux()
	pages.Handle("/app/", http.StripPrefix("/app", app))
	return pages
}
