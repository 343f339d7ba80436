package contracttest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// documents are the published document, byte for byte, and the one that the library serves.
var documents = sync.OnceValues(func() (map[string]validator.Validator, error) {
	published, err := os.ReadFile("testdata/openapi-spec.yaml")
	if err != nil {
		return nil, err
	}
	made := map[string]validator.Validator{}
	for name, text := range map[string][]byte{"published": published, "served": servedDocument()} {
		document, err := libopenapi.NewDocument(text)
		if err != nil {
			return nil, err
		}
		v, errs := validator.NewValidator(document,
			config.WithFormatAssertions(),
			config.WithCustomFormat("biz_string", format("biz")),
			config.WithCustomFormat("mlk_string", format("mlk")),
			config.WithCustomFormat("ses_string", format("ses")))
		if len(errs) > 0 {
			return nil, errors.Join(errs...)
		}
		made[name] = v
	}
	return made, nil
})

func servedDocument() []byte {
	answer := httptest.NewRecorder()
	httpadapter.OpenAPIHandler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, httpadapter.OpenAPIPath, nil))
	return answer.Body.Bytes()
}

// format is a format of ids that the document names but cannot describe.
func format(prefix string) func(any) error {
	pattern := regexp.MustCompile(`^` + prefix + `_[2-9A-HJ-NP-Za-km-z]{22}$`)
	return func(value any) error {
		if text, ok := value.(string); ok && !pattern.MatchString(text) {
			return errors.New("is not an id with the prefix " + prefix)
		}
		return nil
	}
}

// publishedStatuses are those that the published document has; 405 and 413 are the library's own.
var publishedStatuses = []int{201, 401, 403, 404, 422, 503}

// checkDocuments fails if a document would refuse the answer.
func checkDocuments(tb testing.TB, r request, got answer) {
	tb.Helper()
	route, _, _ := strings.Cut(r.path, "?")
	if route == httpadapter.IssuePath && slices.Contains(publishedStatuses, got.status) {
		require.Empty(tb, complaints(tb, "published", http.MethodPost, route, got), "%s", got.body)
	}
	require.Empty(tb, complaints(tb, "served", http.MethodPost, route, got), "%s", got.body)
}

// complaints returns what a document's validator has against an answer. A 405 is described beside the POST.
func complaints(tb testing.TB, document, method, route string, got answer) []string {
	tb.Helper()
	validators, err := documents()
	require.NoError(tb, err)
	question := httptest.NewRequest(method, route, nil)
	_, faults := validators[document].ValidateHttpResponse(question, &http.Response{
		StatusCode: got.status, Header: got.header, Body: io.NopCloser(bytes.NewReader(got.body)),
	})
	var list []string
	for _, fault := range faults {
		list = append(list, fault.Error())
	}
	return list
}

// Without this control a validator that accepts everything would pass for a proof.
func TestValidatorsRefuseWrongAnswers(t *testing.T) {
	const id = "mlk_GA6EG2qFxA97NZHtxeLPUy"
	for _, row := range []struct {
		name   string
		status int
		body   string
		good   bool
	}{
		{"201 as it should be", 201, `{"data":{"magic_link":"https://x","magic_link_id":"` + id + `"}}`, true},
		{"201 without data", 201, `{"magic_link":"https://x","magic_link_id":"` + id + `"}`, false},
		{"201 without the id", 201, `{"data":{"magic_link":"https://x"}}`, false},
		{"201 with a malformed id", 201, `{"data":{"magic_link":"https://x","magic_link_id":"mlk_1"}}`, false},
		{"201 with a number for a link", 201, `{"data":{"magic_link":1,"magic_link_id":"` + id + `"}}`, false},
		{"401 as it should be", 401, `{"error":null,"data":null}`, true},
		{"401 without error", 401, `{"data":null}`, false},
		{"401 without data", 401, `{"error":"x"}`, false},
		{"401 with a number for an error", 401, `{"error":1,"data":null}`, false},
		{"401 that is no object", 401, `"no"`, false},
		{"a status that is not there", 418, `{"error":"x","data":null}`, false},
	} {
		for _, document := range []string{"published", "served"} {
			t.Run(row.name+"/"+document, func(t *testing.T) {
				got := answer{row.status, http.Header{"Content-Type": {"application/json"}}, []byte(row.body)}
				found := complaints(t, document, http.MethodPost, httpadapter.IssuePath, got)
				require.Equal(t, row.good, len(found) == 0, "%v", found)
			})
		}
	}
}

func TestDocumentsAreValidOpenAPI(t *testing.T) {
	validators, err := documents()
	require.NoError(t, err)
	for name, v := range validators {
		t.Run(name, func(t *testing.T) {
			valid, faults := v.ValidateDocument()
			require.True(t, valid, "%v", faults)
		})
	}
	broken, err := libopenapi.NewDocument([]byte("openapi: 3.1.0\ninfo: {title: x}\npaths: {}\n"))
	require.NoError(t, err)
	v, errs := validator.NewValidator(broken)
	require.Empty(t, errs)
	valid, _ := v.ValidateDocument()
	require.False(t, valid, "control: a document without a version")
}
