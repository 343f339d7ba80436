// Package httpadapter puts magic links on the web with net/http alone.
//
// [New] makes the handler of POST /v0/auth/magic-link, which issues a link for an authenticated caller. Who may call is
// up to an [Authenticator]: [NewBearer] takes the access tokens that [NewTokenEndpoint] hands out, and an application with
// an authority of its own implements the one method itself.
//
// Every handler answers at whatever path it is mounted, on any router and behind any prefix. [MagicLinkPath], [TokenPath]
// and the others are the paths of the published document, which [OpenAPI] serves.
//
// # Answers
//
// Answers are JSON with Cache-Control: no-store. An error is {"error": "what is wrong", "data": …}; at the token endpoint
// "error" is the code of RFC 6749 section 5.2 with "error_description" beside it. In a 422 of the magic-link route, data is
// {"fields": [{"field": "ttl", "rule": "max", "message": "must be at most 15"}]} with every broken field; the list is empty
// where the body could not be read at all. A failure of the store, the directory or the key is a 503 with Retry-After;
// its cause is logged and never sent.
package httpadapter
