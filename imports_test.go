package magiclink_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module = "github.com/magiclink-go/magiclink"
	jwx    = "github.com/lestrrat-go/jwx/v2"
)

// imports returns what each package of the pattern imports outside of its tests.
func imports(t *testing.T, pattern string) map[string][]string {
	t.Helper()
	if testing.Short() {
		t.Skip("asks the go command")
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports", pattern)
	out, err := list.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, list.Start())
	found := map[string][]string{}
	decoder := json.NewDecoder(out)
	for {
		var one struct {
			ImportPath string
			Imports    []string
		}
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		found[one.ImportPath] = one.Imports
	}
	require.NoError(t, list.Wait())
	require.Contains(t, found, module)
	return found
}

func ours(pkg string) bool { return pkg == module || strings.HasPrefix(pkg, module+"/") }

// The core reaches no store and no driver. That net/http is linked in is the doing of jwx, whose jwk package can fetch key
// sets; none of our core packages imports it.
func TestCoreImportsPointInward(t *testing.T) {
	core := imports(t, module)
	for pkg := range core {
		require.NotEqual(t, "database/sql", pkg)
		require.NotContains(t, pkg, "sqlite")
		if ours(pkg) {
			require.True(t, pkg == module || strings.HasPrefix(pkg, module+"/internal/"), pkg)
			require.NotContains(t, core[pkg], "net/http", pkg)
			require.NotContains(t, core[pkg], "unsafe", pkg)
			require.NotContains(t, core[pkg], "math/rand", pkg)
			require.NotContains(t, core[pkg], "math/rand/v2", pkg)
		}
	}
	require.Contains(t, core, jwx+"/jws", "the list goes down to what others import")
}

// jwx has one importer, and neither of the two packages of it that must not be called.
func TestOnlyJoseImportsJWX(t *testing.T) {
	importers := 0
	for pkg, list := range imports(t, module+"/...") {
		if !ours(pkg) {
			continue
		}
		for _, imported := range list {
			if !strings.HasPrefix(imported, "github.com/lestrrat-go/") {
				continue
			}
			importers++
			require.Equal(t, module+"/internal/jose", pkg)
			require.Contains(t, []string{"jwa", "jwk", "jws"}, path.Base(imported))
		}
	}
	require.Positive(t, importers)
}

func TestStrictJSONImportsTheStandardLibraryAlone(t *testing.T) {
	for _, imported := range imports(t, module)[module+"/internal/strictjson"] {
		require.NotContains(t, strings.Split(imported, "/")[0], ".", imported)
		require.NotEqual(t, "encoding/json", imported)
	}
}
