package contracttest

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

var update = flag.Bool("update", false, "write ../httpadapter/openapi.json from openapi.yaml")

// The document in JSON is made from the document in YAML:
//
//	go test -run TestJSONDocumentIsTheYAMLDocument -update
func TestJSONDocumentIsTheYAMLDocument(t *testing.T) {
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	require.NoError(t, encoder.Encode(parse(t, servedDocument())))
	if *update {
		require.NoError(t, os.WriteFile("../httpadapter/openapi.json", want.Bytes(), 0o600))
		t.Skip("written: run the test again without -update")
	}
	answer := httptest.NewRecorder()
	httpadapter.OpenAPIJSONHandler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, httpadapter.OpenAPIJSONPath, nil))
	require.Equal(t, want.String(), answer.Body.String(), "run this test with -update")
}
