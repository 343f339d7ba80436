package guide

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var blockPattern = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// Every block of Go in the guides is a part of a file that is compiled. An indentation does not count, and a line with "…" stands for lines that
// are left out.
func TestBlocksAreCompiled(t *testing.T) {
	source := "\n"
	for _, pattern := range []string{"*.go", "../app/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			source += unindented(t, file)
		}
	}
	for _, guide := range []string{"sign-in.md", "testing.md"} {
		text, err := os.ReadFile(filepath.Join("../../docs/guide", guide))
		require.NoError(t, err)
		blocks := blockPattern.FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, blocks, guide)
		for _, block := range blocks {
			for part := range strings.SplitSeq(trimLines(block[1]), "\n…\n") {
				require.Contains(t, source, "\n"+strings.Trim(part, "\n")+"\n", guide)
			}
		}
	}
}

func unindented(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return trimLines(string(text))
}

// trimLines removes the indentation, and the blanks with which gofmt aligns.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for n, line := range lines {
		lines[n] = strings.Join(strings.Fields(line), " ")
	}
	return strings.Join(lines, "\n")
}
