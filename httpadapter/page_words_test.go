package httpadapter_test

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/language"
)

// confirmButtons are the words of one button, as a second source.
var confirmButtons = map[string]string{
	"en": "Sign in", "de": "Anmelden", "fr": "Se connecter", "es": "Iniciar sesión", "pt": "Entrar", "pl": "Zaloguj się", "tr": "Oturum aç",
	"ar": "تسجيل الدخول", "hi": "साइन\u00a0इन करें", "ja": "サインイン", "zh": "登录",
}

// The page is in the language that the browser prefers, and says so to caches and to programs that read it aloud.
func TestPageLanguages(t *testing.T) {
	require.Len(t, confirmButtons, len(language.All))
	s := newSite(t)
	link, _ := s.link(create)
	for header, want := range map[string]string{
		"": "en", "nl": "en", "de-CH,fr;q=0.5": "de", "fr": "fr", "es-419": "es", "pt-BR, en;q=0.8": "pt", "pl": "pl", "tr": "tr", "ar-EG": "ar",
		"hi": "hi", "ja": "ja", "zh-Hant-TW": "zh", hostile: "en", strings.Repeat("de;q=0.1,", 400) + "fr": "de", "en;q=0, *": "en",
	} {
		got := s.browser().send(http.MethodGet, link, "", "Accept-Language", header)
		require.Equal(t, http.StatusOK, got.status, header)
		dir := "ltr"
		if want == "ar" {
			dir = "rtl"
		}
		require.Contains(t, got.body, `<html lang="`+want+`" dir="`+dir+`">`, header)
		require.Contains(t, got.body, `<button type="submit">`+confirmButtons[want]+`</button>`, header)
		require.Contains(t, got.body, `<title>`+confirmButtons[want]+` · Acme</title>`, header)
		require.Equal(t, []string{"Accept-Language"}, got.header.Values("Vary"), header)
		requireSecure(t, got)
	}
	b := s.browser()
	split := b.send(http.MethodGet, link, "", "Accept-Language", "nl", "Accept-Language", "ja")
	require.Contains(t, split.body, `lang="ja"`, "a header may come in several lines")
	sent := b.post(split.form(t), "Accept-Language", "ja")
	require.Equal(t, http.StatusSeeOther, sent.status)
	require.Empty(t, sent.header.Values("Vary"), "a redirection has no language")
	dead := b.send(http.MethodGet, s.server.URL+"/magic", "", "Accept-Language", "fr")
	require.Contains(t, dead.body, "<h1>Ce lien ne fonctionne plus</h1>")
	refused := s.browser().send(http.MethodPost, link, "", "Accept-Language", "de")
	require.Contains(t, refused.body, `<html lang="de" dir="ltr">`)
}

// An application that has one language keeps to it.
func TestPageOfOneLanguage(t *testing.T) {
	s := newSite(t, func(c *httpadapter.PageConfig) { c.Language = "pl" })
	link, _ := s.link(create)
	got := s.browser().send(http.MethodGet, link, "", "Accept-Language", "ar")
	require.Contains(t, got.body, `<html lang="pl" dir="ltr">`)
	require.Empty(t, got.header.Values("Vary"))
	for _, wrong := range []string{"nl", "de-CH", "DE", "english", " en"} {
		_, err := httpadapter.NewPage(httpadapter.PageConfig{Redeemer: s.redeemer, Sessions: s.sessions, Language: wrong})
		require.Equal(t, []string{"Language"}, faultyFields(t, err), wrong)
	}
}

var textNames = regexp.MustCompile(`[a-z]+(-[a-z]+)*`)

// Every text of every language can be shown, with and without what it names, and what it names cannot become markup.
func TestTexts(t *testing.T) {
	const names = "confirm-heading confirm-text destination active confirm-button not-asked other-browser-heading " +
		"other-browser-code other-browser-only code-label code-wrong code-ended dead-heading dead-text dead-hint refused-heading " +
		"refused-text refused-causes refused-cookies refused-browser refused-time wrong-address-heading wrong-address-text " +
		"not-admitted-heading not-admitted-text link-used link-unused unavailable-heading unavailable-text unavailable-hint limited-text " +
		"try-again continue open-again new-link home"
	data := httpadapter.PageData{App: hostile, Host: hostile, Account: hostile, ActiveAccount: hostile}
	markup := regexp.MustCompile(`<[^>]*>`)
	for _, data.Language = range language.All {
		seen := map[template.HTML]string{}
		for _, name := range textNames.FindAllString(names, -1) {
			text, err := data.Text(name)
			require.NoError(t, err, data.Language)
			require.NotEmpty(t, text)
			require.Empty(t, seen[text], "%s says the same as %s in %s", name, seen[text], data.Language)
			seen[text] = name
			for _, tag := range markup.FindAllString(string(text), -1) {
				require.Contains(t, []string{"<bdi>", `<bdi dir="ltr">`, "</bdi>", "<strong>", "</strong>"}, tag, "%s in %s", name, data.Language)
			}
			bare, err := httpadapter.PageData{Language: data.Language}.Text(name)
			require.NoError(t, err)
			english, err := httpadapter.PageData{App: hostile, Host: hostile, Account: hostile, ActiveAccount: hostile}.Text(name)
			require.NoError(t, err)
			require.Equal(t, strings.Count(string(english), "&lt;script"), strings.Count(string(text), "&lt;script"),
				"%s names in %s what it names in English", name, data.Language)
			require.Equal(t, data.Language == "en", text == english, "%s in %s", name, data.Language)
			require.NotContains(t, bare, "script")
		}
	}
	for _, language := range []string{"nl", "../page/en", "DE"} {
		_, err := httpadapter.PageData{Language: language}.Text("home")
		require.Error(t, err)
	}
	_, err := httpadapter.PageData{Language: "en"}.Text("missing")
	require.ErrorContains(t, err, "missing")
}

// The built-in page shows every state in every language.
func TestEveryStateInEveryLanguage(t *testing.T) {
	s := newSite(t, func(c *httpadapter.PageConfig) {
		c.Admit = func(*http.Request, magiclink.Redemption) error { return httpadapter.ErrRefused }
		c.ActiveAccount = func(*http.Request) string { return "Mallory" }
	})
	link, _ := s.link(create)
	for _, tag := range language.All {
		prefers := []string{"Accept-Language", tag}
		b := s.browser()
		shown := b.send(http.MethodGet, link, "", prefers...)
		f := shown.form(t)
		all := []view{
			shown, b.send(http.MethodGet, s.server.URL+"/magic", "", prefers...), b.post(f, prefers...), s.browser().post(f, prefers...),
			b.post(f, append(prefers, "Origin", "null")...),
		}
		s.store.failAfter(0)
		all = append(all, b.send(http.MethodGet, link, "", prefers...), b.post(f, prefers...))
		s.store.set(nil, nil)
		titles := map[string]bool{}
		for i, status := range []int{200, 410, 403, 403, 403, 503, 503} {
			require.Equal(t, status, all[i].status, "%s, page %d", tag, i)
			require.Contains(t, all[i].body, `<html lang="`+tag+`"`)
			requireSecure(t, all[i])
			titles[regexp.MustCompile(`<title>.*</title>`).FindString(all[i].body)] = true
		}
		require.Len(t, titles, 6, "two pages are of one state")
	}
}

// A template of an application can use the built-in words, and fails at the start for a word that does not exist, or for what it
// does in one language alone.
func TestOwnTemplateInLanguages(t *testing.T) {
	own := func(text string) *template.Template { return template.Must(template.New("own").Parse(text)) }
	s := newSite(t, func(c *httpadapter.PageConfig) {
		c.Template = own(`<p lang="{{.Language}}" dir="{{.Direction}}" title="{{.Text "active"}}">{{.Text "home"}}`)
		c.ActiveAccount = func(*http.Request) string { return "Mallory" }
	})
	link, _ := s.link(create)
	got := s.browser().send(http.MethodGet, link, "", "Accept-Language", "ar")
	require.Equal(t, `<p lang="ar" dir="rtl" title="تم تسجيل دخولك هنا بالفعل باسم Mallory. عند الضغط على الزر تنتهي تلك الجلسة.">الانتقال إلى <bdi>Acme</bdi>`, got.body)

	for _, text := range []string{`{{.Text "missing"}}`, `{{if eq .Direction "rtl"}}{{.Missing}}{{end}}`, `{{if eq .Language "zh"}}{{.Missing}}{{end}}`} {
		config := httpadapter.PageConfig{Redeemer: s.redeemer, Sessions: s.sessions, Template: own(text)}
		_, err := httpadapter.NewPage(config)
		require.Equal(t, []string{"Template"}, faultyFields(t, err), text)
	}
	config := httpadapter.PageConfig{
		Redeemer: s.redeemer, Sessions: s.sessions, Template: own(`{{if eq .Language "zh"}}{{.Missing}}{{end}}`), Language: "en",
	}
	page, err := httpadapter.NewPage(config)
	require.NoError(t, err, "only the languages that can be shown")
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/magic", nil))
	require.Equal(t, http.StatusGone, w.Code)
}
