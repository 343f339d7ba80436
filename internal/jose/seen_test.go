package jose_test

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// A link that a key has made, or has verified before, is judged like one that it sees for the first time.
func TestLinksSeenBefore(t *testing.T) {
	each(t, func(t *testing.T, p party) {
		made, err := p.key.AppendSigned(nil, jose.Link, []byte(claims))
		require.NoError(t, err)
		token := string(made)
		set, err := jose.MarshalSet(members(p.key))
		require.NoError(t, err)
		read, err := jose.ParseSet(set)
		require.NoError(t, err)
		stranger := keysOf(read)
		for _, keys := range [][]*jose.Key{p.keys(), {p.key.Public()}, stranger, stranger} {
			text, err := jose.Verify(token, jose.Link, keys)
			require.NoError(t, err)
			require.Equal(t, claims, string(text))
		}
		for at := range token {
			changed := token[:at] + string(token[at]^1) + token[at+1:]
			_, err = jose.Verify(changed, jose.Link, p.keys())
			require.ErrorIs(t, err, jose.ErrInvalid, "byte %d", at)
		}
		for _, kind := range []jose.Kind{jose.Session, jose.Access} {
			_, err = jose.Verify(token, kind, p.keys())
			require.ErrorIs(t, err, jose.ErrInvalid)
		}
		_, err = jose.Verify(token, jose.Link, nil)
		require.ErrorIs(t, err, jose.ErrInvalid, "its key is gone")
		other, err := jose.Generate("k", p.key.Algorithm())
		require.NoError(t, err)
		_, err = jose.Verify(token, jose.Link, []*jose.Key{other})
		require.ErrorIs(t, err, jose.ErrInvalid, "its key was replaced by another of the same name")
	})
}

func digestOf(n int) [32]byte { return sha256.Sum256(fmt.Append(nil, n)) }

func TestSeenForgetsTheOldest(t *testing.T) {
	t.Parallel()
	var s jose.Seen
	inOneBucket := func(n byte) [32]byte { return [32]byte{n, 15: n} }
	require.False(t, s.Has(inOneBucket(1)), "of an empty table")
	for n := range byte(4) {
		require.False(t, s.Has(inOneBucket(n+1)))
		s.Put(inOneBucket(n + 1))
		s.Put(inOneBucket(n + 1)) // again: it pushes nobody out
	}
	for n := range byte(4) {
		require.True(t, s.Has(inOneBucket(n+1)))
	}
	s.Put(inOneBucket(5))
	require.False(t, s.Has(inOneBucket(1)))
	for n := range byte(4) {
		require.True(t, s.Has(inOneBucket(n+2)))
	}
}

// Nothing is known that was not put, however full the table is; and of ten thousand nearly all are known.
func TestSeenNeverInvents(t *testing.T) {
	t.Parallel()
	var s jose.Seen
	const few, many = 10_000, 300_000
	for n := range many {
		if n == few {
			known := 0
			for n := range few {
				if s.Has(digestOf(n)) {
					known++
				}
			}
			require.Greater(t, known, few*95/100)
		}
		require.False(t, s.Has(digestOf(n)))
		s.Put(digestOf(n))
		require.True(t, s.Has(digestOf(n)))
	}
}

func TestSeenConcurrently(t *testing.T) {
	t.Parallel()
	var s jose.Seen
	var group sync.WaitGroup
	for caller := range 8 {
		group.Go(func() {
			for n := range 5000 {
				s.Put(digestOf(caller*5000 + n))
				if s.Has(digestOf(-1 - n)) {
					t.Error("a digest is known that was not put")
				}
			}
		})
	}
	group.Wait()
}
