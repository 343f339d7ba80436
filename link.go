package magiclink

import (
	"strings"
	"sync"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// linkParts are buffers in which a link is made, kept from one link to the next.
type linkParts struct{ claims, link []byte }

var linkPool = sync.Pool{New: func() any { return new(linkParts) }}

// link makes the link to a record, with its token. A local path keeps its own query and fragment.
func (i *Issuer) link(record *Record) (string, error) {
	parts := linkPool.Get().(*linkParts)
	defer linkPool.Put(parts)
	path, fragment := cutFragment(record.Path)
	buf := i.settings.route.appendTo(parts.link[:0], path)
	parts.claims = i.tokens.appendClaims(parts.claims[:0], record)
	buf, err := i.tokens.keys.appendSigned(buf, jose.Link, parts.claims)
	if err != nil {
		return "", err
	}
	buf = appendURI(buf, fragment)
	link := string(buf)
	clear(buf) // the link is a credential: do not leave it in the pooled buffer
	parts.link = buf
	return link, nil
}

// cutFragment returns the fragment with its "#", or "" if the path has none.
func cutFragment(path string) (rest, fragment string) {
	at := strings.IndexByte(path, '#')
	if at < 0 {
		return path, ""
	}
	return path[:at], path[at:]
}

// appendTo appends the link to a path without a fragment, up to its token.
func (b baseURL) appendTo(buf []byte, path string) []byte {
	buf = appendURI(append(buf, b.url...), path)
	switch last := len(path) - 1; {
	case strings.IndexByte(path, '?') < 0:
		buf = append(buf, '?')
	case path[last] != '?' && path[last] != '&':
		buf = append(buf, '&')
	}
	return append(buf, "token="...)
}
