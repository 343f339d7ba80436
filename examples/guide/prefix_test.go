package guide

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBelowPrefix(t *testing.T) {
	var got string
	app := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.Path })
	belowPrefix(app).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/app/reports", nil))
	require.Equal(t, "/reports", got)
}
