package jose_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// The floor of signing: the bare signature over a text as long as that of a token.
func BenchmarkBareEd25519Sign(b *testing.B) {
	private := ed25519.NewKeyFromSeed(seed)
	text := make([]byte, 290)
	b.ReportAllocs()
	for b.Loop() {
		ed25519.Sign(private, text)
	}
}

func BenchmarkBareEd25519Verify(b *testing.B) {
	private := ed25519.NewKeyFromSeed(seed)
	text := make([]byte, 290)
	signature := ed25519.Sign(private, text)
	public := private.Public().(ed25519.PublicKey)
	b.ReportAllocs()
	for b.Loop() {
		ed25519.Verify(public, text, signature)
	}
}

func BenchmarkAppendSigned(b *testing.B) {
	for _, p := range []party{edDSA(b), es256(b), hs256(b)} {
		b.Run(string(p.key.Algorithm()), func(b *testing.B) {
			payload := make([]byte, 165)
			buf := make([]byte, 0, 1024)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.key.AppendSigned(buf, jose.Link, payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, p := range []party{edDSA(b), es256(b), hs256(b)} {
		b.Run(string(p.key.Algorithm()), func(b *testing.B) {
			token, err := p.key.AppendSigned(nil, jose.Access, make([]byte, 165))
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if p.verify(string(token)) != nil {
					b.Fatal("refused")
				}
			}
		})
	}
}
