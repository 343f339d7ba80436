package mail

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode/utf8"

	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/internal/nilvalue"
	"github.com/magiclink-go/magiclink/signin"
)

//go:embed templates
var embedded embed.FS

// BuiltIn returns the files that are built in: mail.txt, mail.html and words/en.json to words/zh.json. They are a starting point for
// files of your own.
func BuiltIn() fs.FS {
	files, err := fs.Sub(embedded, "templates")
	if err != nil {
		panic(err) // the name is valid
	}
	return files
}

// Content is what the templates mail.txt and mail.html are executed with.
type Content struct {
	Kind      signin.Kind
	Language  string // the language that the mail is written in, such as "de"
	App       string
	Link      string // empty for KindNoAccount
	Code      string // "XXXX-XXXX", or empty
	Expires   string // when link and code expire, in the format of the language; empty for KindNoAccount
	Browser   string // or empty
	System    string // or empty
	Asked     string // when somebody asked, in the format of the language, or empty
	InvitedBy string // or empty

	// Words are the texts of the language for this kind of message, with their placeholders filled in: the key "sign-in.button" of
	// words/de.json is .Words.button.
	Words map[string]string
}

// Rendered is a mail as it is read. Text and HTML hold the link and the code, which are credentials: printed by fmt or slog, a Rendered
// shows neither.
type Rendered struct {
	Language string // that the mail is written in
	Subject  string // one line; holds neither link nor code
	Text     string // lines end with "\n"
	HTML     string
}

var errNoTemplates = errors.New("magiclink/mail: Templates is not initialized: use LoadTemplates")

// Templates write mails. It is safe for concurrent use. The zero value has no languages, and
// its Render returns an error: use [LoadTemplates].
type Templates struct {
	text  *texttemplate.Template
	html  *htmltemplate.Template
	words map[string]words
}

// LoadTemplates reads the templates that are built in. Files of overrides, which may be nil, replace them one by one: see the package's
// description. Each template is executed for each language and each kind of message, with all optional fields and with none of them. An error says
// which file has the fault.
func LoadTemplates(overrides fs.FS) (*Templates, error) {
	if nilvalue.Is(overrides) {
		overrides = BuiltIn()
	}
	t, err := readTemplates(BuiltIn(), overrides)
	if err != nil {
		return nil, fmt.Errorf("magiclink/mail: %w", err)
	}
	for _, lang := range t.Languages() {
		for _, kind := range []signin.Kind{signin.KindSignIn, signin.KindNoAccount, signin.KindInvitation} {
			for _, m := range []signin.Message{Sample(kind, lang), bare(kind, lang)} {
				if err := t.try(m); err != nil {
					return nil, fmt.Errorf("magiclink/mail: the language %q, a message of the kind %s: %w", lang, kind, err)
				}
			}
		}
	}
	return t, nil
}

func readTemplates(builtIn, overrides fs.FS) (*Templates, error) {
	text, err := readOr(overrides, builtIn, "mail.txt")
	if err != nil {
		return nil, err
	}
	html, err := readOr(overrides, builtIn, "mail.html")
	if err != nil {
		return nil, err
	}
	t := &Templates{}
	if t.text, err = texttemplate.New("mail.txt").Option("missingkey=error").Parse(text); err != nil {
		return nil, err
	}
	if t.html, err = htmltemplate.New("mail.html").Option("missingkey=error").Parse(html); err != nil {
		return nil, err
	}
	t.words, err = loadWords(builtIn, overrides)
	return t, err
}

// readOr reads a file of the first file system that has it.
func readOr(first, second fs.FS, name string) (string, error) {
	content, err := fs.ReadFile(first, name)
	if errors.Is(err, fs.ErrNotExist) {
		content, err = fs.ReadFile(second, name)
	}
	return string(content), err
}

// Languages returns the languages that there are texts of, in alphabetical order.
func (t *Templates) Languages() []string {
	if t == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(t.words))
}

// try reports what is wrong with the templates for one message.
func (t *Templates) try(m signin.Message) error {
	r, err := t.write(m)
	switch {
	case err != nil:
		return err
	case r.Subject == "" || strings.ContainsAny(r.Subject, "\r\n"):
		return errors.New("the subject must be one line")
	case !utf8.ValidString(r.Text) || !utf8.ValidString(r.HTML):
		return errors.New("a template is not UTF-8")
	case !hasLine(r.Text, m.Link) || !hasLine(r.Text, m.Code):
		return errors.New("mail.txt must have .Link and .Code, where they are not empty, each alone on a line")
	case !strings.Contains(r.HTML, m.Link) || !strings.Contains(r.HTML, m.Code):
		return errors.New("mail.html must have .Link and .Code where they are not empty")
	}
	return nil
}

func hasLine(text, line string) bool {
	return strings.Contains("\n"+text+"\n", "\n"+line+"\n") || line == ""
}

// Render writes a message in its language, or in English where there are no texts of that. A message that cannot be written, for example
// for want of a link, is an error that matches [signin.ErrPermanent] and holds no part of the message.
func (t *Templates) Render(message signin.Message) (Rendered, error) {
	if t == nil || t.text == nil {
		return Rendered{}, errNoTemplates
	}
	message, err := checked(message)
	if err != nil {
		return Rendered{}, err
	}
	rendered, err := t.write(message)
	if err != nil { // the error of a template may quote what it was executed with
		return Rendered{}, fmt.Errorf("magiclink/mail: a template fails for this message: try it with LoadTemplates: %w", signin.ErrPermanent)
	}
	return rendered, nil
}

// write writes a message that was checked.
func (t *Templates) write(m signin.Message) (Rendered, error) {
	c := t.content(m)
	var text, html strings.Builder
	if err := execute(t.text, &text, c); err != nil {
		return Rendered{}, err
	}
	if err := execute(t.html, &html, c); err != nil {
		return Rendered{}, err
	}
	return Rendered{Language: c.Language, Subject: c.Words["subject"], Text: text.String(), HTML: html.String()}, nil
}

func execute(template interface{ Execute(io.Writer, any) error }, to *strings.Builder, c Content) error {
	return template.Execute(to, c)
}

func (t *Templates) content(m signin.Message) Content {
	lang := m.Language
	if t.words[lang] == nil {
		lang = language.Default
	}
	w := t.words[lang]
	c := Content{
		Kind: m.Kind, Language: lang, App: m.App, Link: m.Link, Code: m.Code,
		Expires: moment(w, m.ExpiresAt), Browser: m.Browser, System: m.System, Asked: moment(w, m.AskedAt), InvitedBy: m.InvitedBy,
	}
	c.Words = w.of(c)
	return c
}

// moment writes a time in the format of the language.
func moment(w words, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(w["time"])
}
