package httpadapter

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/magiclink-go/magiclink"
)

const (
	defaultPage = 50
	maxPage     = 200
)

// pageQuery is the query of a list as the caller has asked for it.
type pageQuery magiclink.ListQuery

// readListQuery reads the parameters of a list. Those that it does not know are ignored.
func readListQuery(rawQuery string, withState bool) (query pageQuery, _ *problem) {
	read, fault := newQueryReader(rawQuery)
	if fault != nil {
		return query, fault
	}
	read.takeSubject()
	if withState {
		query.State = read.state(read.one("state"))
	}
	query.Limit = read.limit(read.one("limit"))
	query.Before = read.cursor(read.one("cursor"))
	if len(read.subject.faults) > 0 {
		return pageQuery{}, invalidFields(read.subject.faults)
	}
	query.Subject = read.subject.Subject
	return query, nil
}

// andOneMore asks for one record more than the caller gets, which tells whether there is another page.
func (q pageQuery) andOneMore() magiclink.ListQuery {
	q.Limit++
	return magiclink.ListQuery(q)
}

// page returns what the caller gets of the links, and the cursor of the next page, or nil for the last page.
func (q pageQuery) page(links []magiclink.Link) ([]magiclink.Link, *string) {
	if len(links) <= q.Limit {
		return links, nil
	}
	links = links[:q.Limit]
	next := cursorAfter(links[q.Limit-1].ID)
	return links, &next
}

// parameter is the value of a parameter, or nil where it is not given.
type parameter = *string

type queryReader struct {
	values  url.Values
	subject subjectReader
}

func newQueryReader(rawQuery string) (queryReader, *problem) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return queryReader{}, malformed(unprocessable("the query of the address has a malformed percent-encoding or a semicolon"))
	}
	return queryReader{values: values}, nil
}

func (q *queryReader) takeSubject() {
	for _, name := range []string{"business_id", "external_business_id", "email"} {
		q.subject.take(name, q.one(name))
	}
}

func (q *queryReader) one(name string) parameter {
	switch list := q.values[name]; len(list) {
	case 0:
		return nil
	case 1:
		return &list[0]
	}
	q.subject.fault(name, "once", "must be given once")
	return nil
}

func (q *queryReader) state(text parameter) magiclink.State {
	if text == nil {
		return ""
	}
	state := magiclink.State(*text)
	switch state {
	case magiclink.StateLive, magiclink.StateUsed, magiclink.StateRevoked, magiclink.StateExpired:
		return state
	}
	q.subject.fault("state", "oneof", "must be live, used, revoked or expired")
	return ""
}

func (q *queryReader) limit(text parameter) int {
	if text == nil {
		return defaultPage
	}
	if *text == "" || strings.Trim(*text, "0123456789") != "" {
		q.subject.fault("limit", "type", "must be a whole number in digits")
		return 0
	}
	limit, err := strconv.Atoi(*text)
	switch {
	case err != nil || limit > maxPage: // digits alone fail only where the number is out of range
		q.subject.fault("limit", "max", "must be at most "+strconv.Itoa(maxPage))
	case limit < 1:
		q.subject.fault("limit", "min", "must be at least 1")
	}
	return limit
}

func (q *queryReader) cursor(text parameter) string {
	if text == nil {
		return ""
	}
	before, ok := readCursor(*text)
	if !ok {
		q.subject.fault("cursor", "cursor", "must be the next_cursor of an earlier answer")
	}
	return before
}
