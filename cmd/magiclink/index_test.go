package main_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIndex(t *testing.T) {
	for name, ready := range map[string]func(*testing.T) string{
		"sqlite": func(*testing.T) string { return "sqlite" }, "postgres": sharedStores["postgres"],
	} {
		t.Run(name, func(t *testing.T) {
			folder := installed(t)
			env := []string{"MAGICLINK_STORE=" + ready(t)}
			p := serve(t, folder, env)
			require.Equal(t, 201, p.issue(p.token(), acme).status)
			require.Equal(t, "[]\n", command(t, folder, env, "index", "list", "-json").stdout)
			for range 2 {
				got := command(t, folder, env, "index", "create", "external-business")
				require.Zero(t, got.code, got.stderr)
				require.Regexp(t, `^made the index external-business in \S+s\n$`, got.stdout)
			}
			require.Equal(t, 201, p.issue(p.token(), acme).status, "beside serve")
			require.JSONEq(t, `["external-business"]`, command(t, folder, env, "index", "list", "-json").stdout)
			require.Regexp(t, `(?m)^email +no\n.*\nexternal-business +yes$`, command(t, folder, env, "index", "list").stdout)
			require.Len(t, rows(t, command(t, folder, env, "links", "list", "-external-business", "acme", "-json")), 2)
			require.Contains(t, command(t, folder, env, "index", "drop", "external-business").stdout, "removed the index")
			require.Equal(t, "[]\n", command(t, folder, env, "index", "list", "-json").stdout)
		})
	}
	requireFailure(t, command(t, installed(t), []string{"MAGICLINK_STORE=" + sharedStores["redis"](t)}, "index", "list"), "-redis-index")
}
