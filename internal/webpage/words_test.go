package webpage_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/internal/webpage"
)

func wordFiles() fstest.MapFS {
	files := fstest.MapFS{}
	for _, tag := range language.All {
		files["words/"+tag+".html"] = &fstest.MapFile{Data: []byte(
			`{{define "hello"}}` + tag + ` <bdi>{{.Name}}</bdi>{{end}}` + "\n" + `{{define "bye"}}bye{{end}}`)}
	}
	return files
}

func TestWords(t *testing.T) {
	words := webpage.NewWords(wordFiles(), "words")
	data := struct{ Name string }{`<b>"x"`}
	for _, tag := range language.All {
		text, err := words.Text(tag, "hello", data)
		require.NoError(t, err)
		require.Equal(t, tag+" <bdi>&lt;b&gt;&#34;x&#34;</bdi>", string(text))
		names, err := words.Names(tag)
		require.NoError(t, err)
		require.Equal(t, []string{"bye", "hello"}, names)
	}
	text, err := words.Text("", "hello", data)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(text), "en "))
	for _, row := range [][2]string{{"nl", "hello"}, {"en", "missing"}} {
		_, err = words.Text(row[0], row[1], data)
		require.Error(t, err, row)
	}
	_, err = words.Text("en", "hello", struct{}{})
	require.Error(t, err, "a field that the data does not have")
}

// A file that is missing or broken is an error at each use, and no panic.
func TestBrokenWords(t *testing.T) {
	files := wordFiles()
	files["words/de.html"].Data = []byte(`{{define "hello"}}`)
	delete(files, "words/fr.html")
	words := webpage.NewWords(files, "words")
	for range 2 {
		for _, tag := range []string{"de", "fr"} {
			_, err := words.Text(tag, "hello", nil)
			require.Error(t, err)
			_, err = words.Names(tag)
			require.Error(t, err)
		}
	}
	_, err := words.Text("es", "bye", nil)
	require.NoError(t, err, "the control")
}

func TestWordsConcurrently(t *testing.T) {
	words := webpage.NewWords(wordFiles(), "words")
	var group sync.WaitGroup
	texts := make([]string, 32)
	for i := range texts {
		group.Go(func() {
			text, err := words.Text("ja", "hello", struct{ Name string }{"x"})
			if err == nil {
				texts[i] = string(text)
			}
		})
	}
	group.Wait()
	require.Equal(t, slices.Repeat([]string{"ja <bdi>x</bdi>"}, len(texts)), texts)
}
