package container_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository is the root of the repository, where both files are.
const repository = "../.."

// instruction is one line of a Dockerfile.
type instruction struct{ name, rest string }

// stage is the instructions from one FROM to the next.
type stage struct {
	image        string
	instructions []instruction
}

// stages reads the Dockerfile.
func stages(t *testing.T) (found []stage) {
	t.Helper()
	text, err := os.ReadFile(repository + "/Dockerfile")
	require.NoError(t, err)
	joined := strings.ReplaceAll(string(text), "\\\n", " ")
	for line := range strings.Lines(joined) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "", "#":
		case "FROM":
			found = append(found, stage{image: rest})
		default:
			require.NotEmpty(t, found, "the file begins with FROM")
			last := &found[len(found)-1]
			last.instructions = append(last.instructions, instruction{name, strings.TrimSpace(rest)})
		}
	}
	require.Len(t, found, 2)
	return found
}

func (s stage) all(name string) (rests []string) {
	for _, each := range s.instructions {
		if each.name == name {
			rests = append(rests, each.rest)
		}
	}
	return rests
}

func (s stage) one(t *testing.T, name string) string {
	t.Helper()
	found := s.all(name)
	require.Len(t, found, 1, name)
	return found[0]
}

// words reads the JSON form of an instruction.
func words(t *testing.T, rest string) (list []string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(rest), &list), rest)
	return list
}

func TestImageIsSmallAndHasNoRights(t *testing.T) {
	image := stages(t)[1]
	require.Equal(t, "scratch", image.image)
	require.Equal(t, "65532:65532", image.one(t, "USER"), "by number: there is no /etc/passwd")
	require.Empty(t, image.all("RUN"))
	require.Empty(t, image.all("ADD"))
	require.Equal(t, []string{"/magiclink"}, words(t, image.one(t, "ENTRYPOINT")))
	require.Equal(t, []string{"serve"}, words(t, image.one(t, "CMD")))
}
