// Package wordtest finds the faults of translations that a program can see: texts and placeholders that are missing, texts that were left in English, and
// punctuation that is not that of the language.
package wordtest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/magiclink-go/magiclink/internal/language"
)

// Texts are the texts of a language by their names.
type Texts map[string]string

var (
	placeholders = regexp.MustCompile(`\{+[^{}]*\}+`)
	markup       = regexp.MustCompile(`<[^<>]*>|&[a-z]+;`)
	french       = regexp.MustCompile(`[^\s\x{a0}\x{202f}][;:?!»]|[ \x{202f}]:|[ ][;?!»]|«[^\x{a0}\x{202f}]|'|"`)
	chinese      = regexp.MustCompile(`[\p{Han}\p{Hiragana}\p{Katakana}] ?[,.;:?!()]|[,;?!()]`)
	arabic       = regexp.MustCompile(`[,;?]`)
	hindi        = regexp.MustCompile(`\p{Devanagari}\.|\.$|\|`)
)

// Faults compares the texts of every language with the English ones.
func Faults(texts map[string]Texts) (faults []string) {
	english := texts[language.Default]
	for _, tag := range language.All {
		translated := texts[tag]
		if names, want := slices.Sorted(maps.Keys(translated)), slices.Sorted(maps.Keys(english)); !slices.Equal(names, want) {
			faults = append(faults, fmt.Sprintf("%s has the texts %q, and English has %q", tag, names, want))
			continue
		}
		for name, text := range translated {
			for _, fault := range textFaults(tag, english[name], text) {
				faults = append(faults, fmt.Sprintf("%s %s: %s: %s", tag, name, fault, text))
			}
		}
	}
	return faults
}

func textFaults(tag, english, text string) (faults []string) {
	if !slices.Equal(sorted(english, placeholders), sorted(text, placeholders)) {
		faults = append(faults, "other placeholders than in English")
	}
	said := markup.ReplaceAllString(placeholders.ReplaceAllString(text, "x"), "")
	if tag != language.Default && text == english && len(strings.Fields(said)) > 2 {
		faults = append(faults, "left in English")
	}
	if script := scripts[tag]; script != nil && !strings.ContainsFunc(said, func(r rune) bool { return unicode.In(r, script...) }) {
		faults = append(faults, "not in the script of the language")
	}
	if strings.Contains(said, "  ") || said != strings.TrimSpace(said) {
		faults = append(faults, "a space too many")
	}
	if wrong := punctuation(tag, said); wrong != "" {
		faults = append(faults, "the punctuation "+wrong)
	}
	return faults
}

var scripts = map[string][]*unicode.RangeTable{
	"ar": {unicode.Arabic}, "hi": {unicode.Devanagari}, "ja": {unicode.Han, unicode.Hiragana, unicode.Katakana}, "zh": {unicode.Han},
}

// punctuation returns what the language writes in another way.
func punctuation(tag, text string) string {
	switch tag {
	case "fr":
		return french.FindString(text)
	case "ja", "zh":
		return chinese.FindString(text)
	case "ar":
		return arabic.FindString(text)
	case "hi":
		return hindi.FindString(text)
	case "es":
		if strings.Count(text, "?") != strings.Count(text, "¿") || strings.Count(text, "!") != strings.Count(text, "¡") {
			return "¿? ¡!"
		}
	}
	return ""
}

func sorted(text string, parts *regexp.Regexp) []string {
	found := parts.FindAllString(text, -1)
	slices.Sort(found)
	return found
}
