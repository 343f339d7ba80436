package e2e_test

import (
	_ "embed"
	"encoding/json"
	"strings"
)

// Hostile paths are a lead, which makes a reader think that what follows is a host, then a host, and perhaps an end.
var (
	leads = []string{
		"//", "///", "////", "/////", "/\\", "\\/", "\\\\", "/\\/", "//\\", "/\\\\", "\\\\\\", "/\t/", "/\n/", "/\r/", "/\r\n/",
		"\t//", "\n//", " //", "\x00//", "\x1f//", "/ /", "/.//", "/./\\", "/..//", "/../\\", "/.\t//", "/.\n.//", "/a/..//", "/a/../..//",
		"/a/.//", "/a//", "/a/b//", "/;//", "/..;//", "/%2e//", "/%2E//", "/%2e%2e//", "/%2E%2E//", "/.%2e//", "/%2e.//", "/%2e%2e/",
		"/a/%2e%2e//", "/%2e%2e%2f", "/%2f", "/%2F", "/%2f/", "/%2f%2f", "//%2f", "/%5c", "/%5C", "/%5c/", "/%5c%5c", "/%09/", "/%0a/",
		"/%0d%0a/", "/%0d%0aLocation:", "/%00/", "/%7f/", "/\x7f/", "/%", "/%2", "/%zz/", "/%u002f/", "http:", "http:/", "http://", "https:",
		"https:/", "https://", "https:///", "https:\\\\", "hTTp://", "\thttp://", "\x01http://", " https://", "ht\ntp://", "ws://", "ftp://",
		"blob:http://", "view-source:http://", "javascript:alert(1)//", "java\tscript:alert(1)//", "data:text/html,", "file://", "about:",
		"//user@", "//user:pass@", "//127.0.0.1@", "//127.0.0.1:80@", "/\\user@", "/\u2044", "/\u2215", "/\uff0f", "/\uff3c", "/\u3002\u3002/",
		"/\u200b/", "/\u00ad/", "/\ufeff/", "/\xff/", "/\xc0\xaf", "x//", "x:", "?//", "#//", ".//", "..//", "~//", "",
	}
	hosts = []string{
		"evil.example", "evil.example:8080", "127.0.0.1@evil.example", "127.0.0.1.evil.example", "localhost", "[::1]", "0x7f.1",
		"2130706433", "evil%2eexample", "\u0435vil.example", "evil\u3002example",
	}
	ends = []string{"/", "/%2e%2e", "?next=/reports", "#/reports"}
)

// shapes are payloads of open redirections that the lists do not produce, and values that are merely broken or odd. Some
// are local paths in every reader's eyes.
var shapes = []string{
	"/%252f%252fevil.example", "/%25%32%66evil.example", "/%252e%252e//evil.example", "/%252e%252e/evil.example", "/%255cevil.example",
	"/%2500", "/@evil.example", "/:80@evil.example", "/user:pass@evil.example", "/http://evil.example", "/https:evil.example",
	"/https:%2f%2fevil.example", "/javascript:alert(1)", "/a?next=//evil.example", "/a?next=https://evil.example/", "/a?//evil.example",
	"/?//evil.example", "/#//evil.example", "/a#//evil.example", "/a?%2f%5c", "/a?x=%0d%0aSet-Cookie:a=b", "/a#%0d%0a", "/a?\\evil",
	"/a\r\nSet-Cookie: a=b", "/a?\r\nSet-Cookie: a=b", "/a#\r\n", "/;@evil.example", "/.evil.example", "/..evil.example", "/...",
	"/....//evil.example", "/..%00/", "/.;/", "/a;/../b", "/*//evil.example", "/$$//evil.example", "/<script>", `/"onload="`, "/'", "/`",
	"/{}", "/|", "/^", "/[::1]", "/a?token=x", "/?token=x&token=y", "/magic", "/magic/", "/magic/x?token=y", "/session", "/a%", "/a?%",
	"/a#%zz", "/\ud7ff", "/a?\u00fc", "/a#\u00fc", "/a?b c", "/a#b c", "/a ", " /a", "/a\t", "?", "#", ".", "..", "/.", "/..", "/./", "/../",
	"/a/.", "/a/..", "/a/./b", "/a/../b", "/%2e", "/%2e%2e", "/%2e/", "/a/%2e/b", "/" + strings.Repeat("a", 512),
	"/" + strings.Repeat("../", 160), "/" + strings.Repeat("%2f", 170), "/" + strings.Repeat("é", 100), "//" + strings.Repeat("a", 600),
}

// benign paths are accepted, and a browser arrives at exactly that address.
var benign = []string{
	"/", "/reports", "/reports/", "/a/b/c", "/a/b/c/", "/reports?y=1", "/reports?y=1&z=2", "/reports?y=1#top", "/#top", "/?a=b", "/...", "/..a",
	"/a..", "/.a", "/a.b/c..d", "/.well-known/change-password", "/a%20b", "/%C3%BC", "/100%25", "/%252e%252e/a", "/%252f", "/a%7Eb",
	"/%3F", "/%23", "/%3A", "/a:b", "/a@b", "/user:pw@host", "/a;b=c", "/a,b", "/*", "/~a", "/!$&()*+,;=", "/a=b", "/a?b=/c/d", "/a?next=/b",
	"/a?next=https%3A%2F%2Fevil.example%2F", "/a?b=%0A", "/a??b", "/a?b#c?d", "/invoices/2026-11/INV-0001", "/search?q=a+b&page=2", "/a_b-c",
	"/orders/550e8400-e29b-41d4-a716-446655440000", "/a?token=own", "/" + strings.Repeat("a", 511), "/?" + strings.Repeat("b", 510),
	"/a" + strings.Repeat("/b", 200),
}

//go:embed testdata/urltestdata-inputs.json
var whatwg []byte

// hostile puts all of them together, each once.
func hostile() (paths []string) {
	known := map[string]bool{"": true} // no path at all is no hostile one
	add := func(path string) {
		if !known[path] {
			known[path] = true
			paths = append(paths, path)
		}
	}
	for _, lead := range leads {
		for _, host := range hosts {
			add(lead + host)
		}
		for _, end := range ends {
			add(lead + hosts[0] + end)
		}
	}
	for _, path := range shapes {
		add(path)
	}
	var inputs []string
	if err := json.Unmarshal(whatwg, &inputs); err != nil {
		panic(err) // the file is ours
	}
	for _, path := range inputs {
		add(path)
	}
	return paths
}
