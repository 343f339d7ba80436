package language_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/language"
)

func TestMatch(t *testing.T) {
	for header, want := range map[string]string{
		"":                                    "en",
		"*":                                   "en",
		"de":                                  "de",
		"DE-ch":                               "de",
		"zh-Hant-TW, en;q=0.5":                "zh",
		"nl, sv;q=0.9, ja;q=0.3":              "ja",
		"en;q=0.5, fr;q=0.8, es;q=0.8":        "fr",
		"fr;q=0, de;q=0.1":                    "de",
		"fr;q=NaN, pl;q=2, tr;q=-1, ar;q=0.2": "ar",
		"fr;level=1":                          "en",
		",,;;q=,de":                           "de",
	} {
		require.Equal(t, want, language.Match(header), header)
	}
}

func TestDirection(t *testing.T) {
	require.Equal(t, "rtl", language.Direction("ar"))
	require.Equal(t, "ltr", language.Direction("ja"))
}

func FuzzMatch(f *testing.F) {
	f.Add("de-CH, en;q=0.5")
	f.Fuzz(func(t *testing.T, header string) { require.Contains(t, language.All, language.Match(header)) })
}
