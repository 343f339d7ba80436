package magiclink_test

import (
	"context"
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// BenchmarkBareEd25519Sign is the floor of the others in this file: read them as multiples of it from the same run.
func BenchmarkBareEd25519Sign(b *testing.B) {
	key, text := seededKey(), make([]byte, 290)
	b.ReportAllocs()
	for b.Loop() {
		ed25519.Sign(key, text)
	}
}

func BenchmarkMintAccessToken(b *testing.B) {
	for _, algorithm := range algorithms {
		b.Run(string(algorithm), func(b *testing.B) {
			keys, token := generate(b, algorithm), accessToken()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := keys.SignAccessToken(token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyAccessToken(b *testing.B) {
	for _, algorithm := range algorithms {
		b.Run(string(algorithm), func(b *testing.B) {
			keys := generate(b, algorithm)
			token := sign(b, keys)
			b.ReportAllocs()
			for b.Loop() {
				if err := verify(keys, token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// discard is a store that costs nothing.
type discard struct{ magiclink.Store }

func (discard) Create(context.Context, magiclink.Record) error { return nil }

// benchmarkIssue issues to a store. The full input has every field; the least has a business alone.
func benchmarkIssue(b *testing.B, store magiclink.Store, in magiclink.MagicLinkCreate) {
	b.Helper()
	issuer, err := magiclink.New(magiclink.Config{
		BaseURL: baseURL, Keys: seededKeyring(b), Store: store, Businesses: magiclink.AnyBusiness,
	})
	require.NoError(b, err)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := issuer.Issue(ctx, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIssueDiscard(b *testing.B) {
	b.Run("least", func(b *testing.B) { benchmarkIssue(b, discard{}, magiclink.MagicLinkCreate{BusinessID: businessA}) })
	b.Run("full", func(b *testing.B) { benchmarkIssue(b, discard{}, fullInput) })
}

func BenchmarkIssueMemory(b *testing.B) { benchmarkIssue(b, memory.New(), fullInput) }

func BenchmarkIssueMemoryParallel(b *testing.B) {
	issuer, err := magiclink.New(magiclink.Config{
		BaseURL: baseURL, Keys: seededKeyring(b), Store: memory.New(), Businesses: magiclink.AnyBusiness,
	})
	require.NoError(b, err)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := issuer.Issue(b.Context(), fullInput); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkUnmarshalCreate(b *testing.B) {
	body := []byte(withID(`"ttl":10,"session_timeout":3600,"email":"jane@example.com","path":"/reports?y=1#top"`))
	b.ReportAllocs()
	for b.Loop() {
		var in magiclink.MagicLinkCreate
		if err := in.UnmarshalJSON(body); err != nil {
			b.Fatal(err)
		}
	}
}
