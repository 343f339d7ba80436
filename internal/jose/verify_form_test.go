package jose_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/jose"
)

func publicBytes(t *testing.T, key *jose.Key) []byte {
	t.Helper()
	text, err := jose.MarshalSet(members(key.Public()))
	require.NoError(t, err)
	var set struct{ Keys []struct{ X string } }
	require.NoError(t, json.Unmarshal(text, &set))
	raw, err := base64.RawURLEncoding.DecodeString(set.Keys[0].X)
	require.NoError(t, err)
	return raw
}

func TestFormRefused(t *testing.T) {
	each(t, func(t *testing.T, p party) {
		token := p.signed(t)
		parts := strings.Split(token, ".")
		h, c, s := parts[0], parts[1], parts[2]
		require.NoError(t, p.verify(h+"."+c+"."+s), "the token that each case spoils")
		for name, token := range map[string]string{
			"empty": "", "dots": "..", "one dot": h + "." + c, "no dot": h, "no signature": h + "." + c + ".", "no header": "." + c + "." + s,
			"no claims": h + ".." + s, "three dots": token + ".", "four parts": token + "." + s, "leading dot": "." + token, "five parts": h + "." + c + "." + s + "." + c + "." + s,
			"space before": " " + token, "space behind": token + " ", "line break behind": token + "\n", "CRLF behind": token + "\r\n", "NUL": token + "\x00",
			"Bearer": "Bearer " + token, "quotes": `"` + token + `"`, "JSON": `{"payload":"` + c + `","protected":"` + h + `","signature":"` + s + `"}`,
			"padded": h + "." + c + "." + s + "=", "padded twice": h + "." + c + "." + s + "==", "header padded": h + "=." + c + "." + s, "claims padded": h + "." + c + "=." + s,
			"claims in standard alphabet": h + "." + base64.RawStdEncoding.EncodeToString([]byte(claims+"\xff\xfe")) + "." + s,
			"too long":                    h + "." + c + "." + s + strings.Repeat("A", 4096), "4 MiB": strings.Repeat("A", 4<<20), "all dots": strings.Repeat(".", 5000), "signature twice": h + "." + c + "." + s + s,
			"claims as signature": h + "." + c + "." + c, "percent": h + "%2E" + c + "." + s, "wide dot": h + "\uff0e" + c + "." + s, "BOM": "\ufeff" + token,
		} {
			require.Equal(t, jose.ErrInvalid, p.verify(token), name)
		}
		for n, char := range []string{" ", "\t", "\n", "\r", "\r\n", "=", "+", "/", "%", "\x00", "é", "~", "-", "A"} {
			for _, part := range parts {
				for _, at := range []int{0, 1, len(part) / 2, len(part) - 1, len(part)} {
					spoiled := strings.Replace(token, part, part[:at]+char+part[at:], 1)
					require.ErrorIs(t, p.verify(spoiled), jose.ErrInvalid, "%d: %q", n, spoiled)
				}
			}
		}
	})
}

// Line breaks are skipped by Go's decoder, and were signed: so it is the form alone that is refused here.
func TestFormRefusedThoughSigned(t *testing.T) {
	each(t, func(t *testing.T, p party) {
		h, c := encode([]byte(p.header())), encode([]byte(claims))
		check := func(signed string) error { return p.verify(signed + "." + encode(p.sign(signed))) }
		require.NoError(t, check(h+"."+c))
		for name, signed := range map[string]string{
			"line break in header": h[:4] + "\n" + h[4:] + "." + c, "line break in claims": h + "." + c[:4] + "\r\n" + c[4:],
			"break behind header": h + "\n." + c, "break before claims": h + ".\n" + c, "header padded": padded(p.header()) + "." + c, "claims padded": h + "." + padded(claims),
			"header's last bits": lastBits(h) + "." + c, "claims' last bits": h + "." + lastBits(encode([]byte(claims+" "))), "standard alphabet": h + "." + base64.RawStdEncoding.EncodeToString([]byte(`{"a":"???>>>~~~"}`)),
			"claims in hex": h + ".7b7d7", "no claims": h + ".", "space": h + "." + c + " ", "over 4096 bytes": h + "." + encode([]byte(`{"a":"`+strings.Repeat("x", 3100)+`"}`)),
		} {
			require.ErrorIs(t, check(signed), jose.ErrInvalid, name)
		}
	})
}

func padded(text string) string {
	return base64.URLEncoding.EncodeToString([]byte(text + "  ")[:len(text)/3*3+1])
}

// lastBits sets bits that the decoded bytes do not show.
func lastBits(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, text[len(text)-1])
	return text[:len(text)-1] + string(alphabet[last|1])
}

func TestLongestToken(t *testing.T) {
	p := hs256(t)
	rest := len(p.craft(p.header(), "")) - 1
	for length, ok := range map[int]bool{4094: true, 4095: true, 4096: true, 4097: false, 4098: false} {
		payload := make([]byte, (length-rest-1)*3/4)
		token := p.craft(p.header(), string(payload))
		if len(token) != length {
			continue // base64 has no text of this length
		}
		require.Equal(t, ok, p.verify(token) == nil, length)
	}
	require.NoError(t, p.verify(p.craft(p.header(), strings.Repeat("x", (4096-rest-2)*3/4))))
	require.Error(t, p.verify(p.craft(p.header(), strings.Repeat("x", (4096-rest+4)*3/4))))
}

// Each bit of a token counts.
func TestEveryBitCounts(t *testing.T) {
	each(t, func(t *testing.T, p party) {
		token := p.signed(t)
		parts := strings.Split(token, ".")
		for n, part := range parts {
			raw, err := base64.RawURLEncoding.DecodeString(part)
			require.NoError(t, err)
			for at := range raw {
				raw[at] ^= 1 << (at % 8)
				spoiled := append([]string(nil), parts...)
				spoiled[n] = encode(raw)
				require.ErrorIs(t, p.verify(strings.Join(spoiled, ".")), jose.ErrInvalid, "part %d, byte %d", n, at)
				raw[at] ^= 1 << (at % 8)
			}
			for at := range part { // each character in another case, or moved by one
				char := part[at] ^ 0x20
				require.Error(t, p.verify(strings.Replace(token, part, part[:at]+string(char)+part[at+1:], 1)), "part %d, character %d", n, at)
			}
		}
	})
}

func TestSignatureOfAnotherLength(t *testing.T) {
	each(t, func(t *testing.T, p party) {
		signed := encode([]byte(p.header())) + "." + encode([]byte(claims))
		signature := p.sign(signed)
		require.NoError(t, p.verify(signed+"."+encode(signature)))
		half := len(signature) / 2
		for length := range len(signature) {
			require.Error(t, p.verify(signed+"."+encode(signature[:length])), length)
		}
		zero := make([]byte, 1)
		for name, other := range map[string][]byte{
			"zero behind": append(append([]byte{}, signature...), 0), "zero before": append(append([]byte{}, zero...), signature...),
			"halves with zeros": append(append(append(append([]byte{}, zero...), signature[:half]...), zero...), signature[half:]...),
			"twice":             append(append([]byte{}, signature...), signature...), "all zero": make([]byte, len(signature)), "another's": p.sign(signed + "x"),
		} {
			require.Error(t, p.verify(signed+"."+encode(other)), name)
		}
	})
}
