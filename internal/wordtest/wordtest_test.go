package wordtest_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/internal/wordtest"
)

var definition = regexp.MustCompile(`(?m)^\{\{define "([^"]*)"\}\}(.*)\{\{end\}\}$`)

// The texts of all pages.
func TestPages(t *testing.T) {
	for _, dir := range []string{"httpadapter/words/page", "httpadapter/words/sessions", "signin/words"} {
		texts := map[string]wordtest.Texts{}
		for _, tag := range language.All {
			file, err := os.ReadFile("../../" + dir + "/" + tag + ".html")
			require.NoError(t, err)
			texts[tag] = wordtest.Texts{}
			for _, found := range definition.FindAllStringSubmatch(string(file), -1) {
				texts[tag][found[1]] = found[2]
			}
		}
		require.Greater(t, len(texts["en"]), 20, dir)
		require.Empty(t, wordtest.Faults(texts), dir)
	}
}

// Each fault is found.
func TestFaults(t *testing.T) {
	const english = "Hello {name}, how are you?"
	for tag, wrong := range map[string][]string{
		"de": {"Hallo, wie geht es?", "Hallo {name} {name}, wie geht es?", "Hallo {naem}, wie geht es?", english, "Hallo {name},  wie geht es?", "Hallo {name}, wie geht es? ", ""},
		"fr": {"Bonjour {name}, ça va?", "Bonjour {name}, ça va ?", "Bonjour {name}, c'est bien", "Bonjour {name}: ça va"},
		"es": {"Hola {name}, qué tal?"},
		"ar": {"مرحبا {name}, كيف حالك", "مرحبا {name}، كيف حالك?", "Hello {name}"},
		"hi": {"नमस्ते {name}.", "नमस्ते {name}, कैसे हैं."},
		"ja": {"こんにちは{name}、元気ですか?", "Hello {name}"},
		"zh": {"你好,{name}", "你好{name},您好吗？", "链接:{name}"},
	} {
		for _, text := range wrong {
			require.NotEmpty(t, wordtest.Faults(in(tag, text)), "%s: %s", tag, text)
		}
	}
	for tag, right := range map[string]string{
		"de": "Hallo {name}, wie geht es?", "fr": "Bonjour {name}, ça va\u00a0?", "es": "Hola {name}, ¿qué tal?", "ar": "مرحبا {name}، كيف حالك؟",
		"hi": "नमस्ते {name}, कैसे हैं?", "ja": "こんにちは {name} さん、元気ですか？", "zh": "你好 {name}，您好吗？",
	} {
		require.Empty(t, wordtest.Faults(in(tag, right)), tag)
	}
	missing := in("de", "Hallo {name}")
	delete(missing["de"], "hello")
	require.Len(t, wordtest.Faults(missing), 1)
}

// in returns texts that have no fault but those of one text.
func in(tag, text string) map[string]wordtest.Texts {
	texts := map[string]wordtest.Texts{}
	for _, each := range language.All {
		texts[each] = wordtest.Texts{"hello": map[string]string{
			"ar": "مرحبا {name}", "hi": "नमस्ते {name}", "ja": "こんにちは {name}", "zh": "你好 {name}",
		}[each]}
		if texts[each]["hello"] == "" {
			texts[each]["hello"] = each + " {name}"
		}
	}
	texts["en"]["hello"] = "Hello {name}, how are you?"
	texts[tag]["hello"] = text
	return texts
}
