package redis

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// Index is what [Store.List] and [Store.RevokeSubject] search by: for each tenant, or each value within a tenant, a sorted set of ids. There
// is none unless [Options] names it. ByTenant serves every query. The others serve the queries with their field; such a query takes the
// first index there is of ByEmail, ByBusiness, ByExternalBusiness and ByTenant, and filters what it finds by the other fields.
//
// # Cost
//
// An index makes Create a second round trip: the entries are written first, and then the link. Measured in one run with alternating turns,
// a lone Create took 2.6 times as long with one index and 4 to 5 times as long with four; with 64 callers it took 2 to 4 times as long with
// one, 4 to 6 times with two and 5 to 10 times with four. Consume, Get and Revoke do not touch the indexes. An entry takes 52 bytes
// in a set of up to 128 entries and 143 bytes in a larger one. ByTenant is one key for each tenant, so in a cluster all Creates
// of a tenant go to one server, too.
//
// # What is in an index
//
// A link is never without its entries, wherever a process dies: the entries come first. An entry without a link is passed over. An index
// does not know the links that were made before it was switched on, nor those of a Store that has other Indexes: switch an index on in
// all processes, and wait until the links and sessions of before have ended. In a cluster the index lies on another server
// than the link, so a failover of that server can lose entries of links that are there; RequireReplicas counts for entries, too.
//
// An entry leaves one hour ([Margin]) after the last moment at which a session of its link can end, whether or not the link was used: by
// later Creates as a rule, by a Purge in any case, and with the whole set when the last link of the set has gone.
type Index string

// The indexes there can be. An index leaves out records whose value is empty.
const (
	ByTenant           Index = "tenant"            // for each query
	ByEmail            Index = "email"             // for queries with an Email
	ByBusiness         Index = "business"          // for queries with a BusinessID
	ByExternalBusiness Index = "external_business" // for queries with an ExternalBusinessID
)

// apartFromIDs stands behind the prefix in the keys that are no links. An id is valid UTF-8, so no id begins with it.
const apartFromIDs = "\xff"

// kinds are the indexes in the order in which a query looks for one, with their value of a subject.
var kinds = []struct {
	index Index
	value func(magiclink.Subject) string
}{
	{ByEmail, func(s magiclink.Subject) string { return s.Email }},
	{ByBusiness, func(s magiclink.Subject) string { return s.BusinessID }},
	{ByExternalBusiness, func(s magiclink.Subject) string { return s.ExternalBusinessID }},
	{ByTenant, nil},
}

func checkIndexes(indexes []Index) error {
	for _, index := range indexes {
		if index != ByTenant && index != ByEmail && index != ByBusiness && index != ByExternalBusiness {
			return fmt.Errorf("there is no index %q: use the constants in Options.Indexes", string(index))
		}
	}
	return nil
}

func distinct(indexes []Index) []Index {
	sorted := slices.Clone(indexes)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// indexKeys returns the keys of the indexes that have a value for the subject, the best one for a query first.
func (s *Store) indexKeys(subject magiclink.Subject) (keys []string) {
	for _, kind := range kinds {
		if !slices.Contains(s.options.Indexes, kind.index) {
			continue
		}
		value := ""
		if kind.value != nil {
			if value = kind.value(subject); value == "" {
				continue
			}
		}
		keys = append(keys, s.options.Prefix+apartFromIDs+string(kind.index)+":"+digest(subject.TenantID, value))
	}
	return keys
}

// digest keeps addresses out of the names of keys, and makes all names equally long.
func digest(tenant, value string) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(len(tenant)) + ":" + tenant + value))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// A member of an index is the id, a NUL, and in 16 digits the time from which the link is gone for certain, in milliseconds. All scores are
// zero, so members are in the order of their bytes. The bytes 0 and 1 of an id are written as the pairs 1 1 and 1 2: members then have the
// order of their ids. Two attempts at a Create with one id can have two members, and each leaves at its own time.
const stopDigits = 16

var (
	escaper   = strings.NewReplacer("\x00", "\x01\x01", "\x01", "\x01\x02")
	unescaper = strings.NewReplacer("\x01\x01", "\x00", "\x01\x02", "\x01")
)

var errNoIndexEntry = errors.New("the key of an index holds something else: give the store a prefix of its own by Options.Prefix")

func member(id string, stop int64) string {
	return fmt.Sprintf("%s\x00%0*d", escaper.Replace(id), stopDigits, stop)
}

// idOf returns the id of a member.
func idOf(member string) (string, error) {
	end := len(member) - stopDigits - 1
	if end < 0 || member[end] != 0 {
		return "", errNoIndexEntry
	}
	return unescaper.Replace(member[:end]), nil
}

// lastStop returns when the server has removed the key of the record, whatever happens to the link: the session of a link that is used in
// the last moment ends last.
func lastStop(r *magiclink.Record) int64 {
	last := r.ExpiresAt.Add(max(0, r.SessionTimeout))
	if end := r.End(); end.After(last) {
		last = end
	}
	return broom(last)
}

// errNoIndex returns the error of a query for which there is no index.
func errNoIndex(subject magiclink.Subject) error {
	names := []string{"ByTenant"}
	for _, field := range []struct{ value, name string }{
		{subject.ExternalBusinessID, "ByExternalBusiness"}, {subject.BusinessID, "ByBusiness"}, {subject.Email, "ByEmail"},
	} {
		if field.value != "" {
			names = append([]string{field.name}, names...)
		}
	}
	return fmt.Errorf("%w: it has no index for this search: set Options.Indexes to %s in every process", magiclink.ErrUnsupported,
		strings.Join(names, " or "))
}

// unchanged is the error of a call that has changed nothing that anybody sees, whatever the cause says.
type unchanged struct{ error }

// Is leaves out that the outcome is unknown.
func (e unchanged) Is(target error) bool {
	return target != magiclink.ErrUnknownOutcome && errors.Is(e.error, target)
}

// As implements what [errors.As] looks for.
func (e unchanged) As(target any) bool { return errors.As(e.error, target) }
