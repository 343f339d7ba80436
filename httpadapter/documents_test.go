package httpadapter_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

func ask(handler http.Handler, method string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
	return w
}

func TestDocumentsAnswerGetAndHead(t *testing.T) {
	for mediaType, handler := range map[string]http.Handler{
		"application/yaml":         httpadapter.OpenAPIHandler(),
		"application/json":         httpadapter.OpenAPIJSONHandler(),
		"application/jwk-set+json": httpadapter.JWKSHandler(seededKeyring(t)),
	} {
		t.Run(mediaType, func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				w := ask(handler, method)
				require.Equal(t, http.StatusOK, w.Code)
				require.Equal(t, mediaType, w.Header().Get("Content-Type"))
				require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
				require.Contains(t, w.Header().Get("Cache-Control"), "max-age")
				require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
			}
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
				w := ask(handler, method)
				requireEnvelope(t, http.StatusMethodNotAllowed, w)
				require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
				require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			}
		})
	}
}

func TestJWKSFollowsTheRingAndHoldsNoPrivateKey(t *testing.T) {
	keys, err := magiclink.GenerateKeyring(magiclink.ES256)
	require.NoError(t, err)
	handler := httpadapter.JWKSHandler(keys)
	ids := func() (list []string) {
		var set struct{ Keys []map[string]string }
		require.NoError(t, json.Unmarshal(ask(handler, http.MethodGet).Body.Bytes(), &set))
		for _, key := range set.Keys {
			require.NotContains(t, key, "d")
			require.Contains(t, key, "x")
			list = append(list, key["kid"])
		}
		return list
	}
	old := keys.Keys()[0].ID
	require.Equal(t, []string{old}, ids())
	fresh, err := keys.Rotate()
	require.NoError(t, err)
	require.Equal(t, []string{fresh, old}, ids())
	require.NoError(t, keys.Retire(old))
	require.Equal(t, []string{fresh}, ids())
}

func TestJWKSOfASharedSecretIsEmpty(t *testing.T) {
	keys, err := magiclink.GenerateKeyring(magiclink.HS256)
	require.NoError(t, err)
	w := ask(httpadapter.JWKSHandler(keys), http.MethodGet)
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"keys":[]}`, w.Body.String())
}

// A service that signs sessions with keys of their own publishes both rings, and a ring that is given twice once.
func TestJWKSOfSeveralRings(t *testing.T) {
	other, err := magiclink.GenerateKeyring(magiclink.ES256)
	require.NoError(t, err)
	var set struct{ Keys []map[string]string }
	handler := httpadapter.JWKSHandler(seededKeyring(t), other, seededKeyring(t), nil)
	require.NoError(t, json.Unmarshal(ask(handler, http.MethodGet).Body.Bytes(), &set))
	require.Len(t, set.Keys, 2)
	require.Equal(t, seededKeyring(t).Keys()[0].ID, set.Keys[0]["kid"])
	require.Equal(t, other.Keys()[0].ID, set.Keys[1]["kid"])
	for _, key := range set.Keys {
		require.NotContains(t, key, "d")
	}
}
