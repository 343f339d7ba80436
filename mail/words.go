package mail

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/magiclink-go/magiclink/internal/language"
)

// words are the texts of one language by their keys. The keys of one kind of message begin with the kind and a dot.
type words map[string]string

var (
	placeholder  = regexp.MustCompile(`\{[^{}]*\}`)
	placeholders = []string{"{app}", "{by}", "{browser}", "{system}", "{asked}", "{expires}"}
	languageTag  = regexp.MustCompile(`^[a-z]{2,3}$`)
)

// loadWords returns the texts of every language: those built in, with the files of overrides laid over them. What a new language
// lacks is English.
func loadWords(builtIn, overrides fs.FS) (map[string]words, error) {
	all := map[string]words{}
	for _, lang := range language.All {
		var err error
		if all[lang], err = readWords(builtIn, lang); err != nil {
			return nil, err
		}
	}
	files, err := fs.Glob(overrides, "words/*.json")
	if err != nil {
		return nil, err
	}
	english := all[language.Default]
	for _, file := range files {
		lang := strings.TrimSuffix(path.Base(file), ".json")
		if !languageTag.MatchString(lang) {
			return nil, fmt.Errorf(`%s: name the file by the primary subtag of a language, such as "words/nl.json"`, file)
		}
		changes, err := readWords(overrides, lang)
		if err != nil {
			return nil, err
		}
		if err := changes.check(english); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if all[lang] == nil {
			all[lang] = maps.Clone(english)
		}
		maps.Copy(all[lang], changes)
	}
	return all, nil
}

func readWords(from fs.FS, lang string) (words, error) {
	file := "words/" + lang + ".json"
	text, err := fs.ReadFile(from, file)
	if err != nil {
		return nil, err
	}
	var w words
	if err := json.Unmarshal(text, &w); err != nil {
		return nil, fmt.Errorf("%s: must be a JSON object of texts: %w", file, err)
	}
	return w, nil
}

// check refuses what has no effect or an unwanted one.
func (w words) check(english words) error {
	for _, key := range slices.Sorted(maps.Keys(w)) {
		text := w[key]
		if english[key] == "" {
			return fmt.Errorf("the key %q is unknown: take one of words/en.json", key)
		}
		for _, found := range placeholder.FindAllString(text, -1) {
			switch {
			case !slices.Contains(placeholders, found):
				return fmt.Errorf("%q: the placeholder %s is unknown: take one of %s", key, found, strings.Join(placeholders, " "))
			case strings.HasSuffix(key, ".subject") && found != "{app}":
				return fmt.Errorf("%q: the subject can have {app} alone", key)
			}
		}
	}
	if direction := w["direction"]; direction != "" && direction != "ltr" && direction != "rtl" {
		return fmt.Errorf(`"direction" must be "ltr" or "rtl"`)
	}
	return nil
}

// of returns the texts for a message, with their placeholders filled in. The prefix of its kind is cut off.
func (w words) of(c Content) words {
	inText := func(value string) string { return isolate(w["direction"], value) }
	fill := strings.NewReplacer("{app}", inText(c.App), "{by}", inText(c.InvitedBy), "{browser}", inText(c.Browser), "{system}", inText(c.System),
		"{asked}", inText(c.Asked), "{expires}", inText(c.Expires))
	subject := strings.NewReplacer("{app}", c.App)
	filled := words{"advice": "", "link": "", "button": ""} // those that not every kind has
	for key, text := range w {
		kind, name, ofKind := strings.Cut(key, ".")
		switch {
		case !ofKind:
			filled[key] = fill.Replace(text)
		case kind == string(c.Kind) && name == "subject":
			filled[name] = subject.Replace(text)
		case kind == string(c.Kind):
			filled[name] = fill.Replace(text)
		}
	}
	if c.InvitedBy != "" {
		filled["intro"] = filled["intro_by"]
	}
	return filled
}
