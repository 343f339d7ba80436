package signin

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/magiclink-go/magiclink/internal/webform"
	"github.com/magiclink-go/magiclink/internal/webpage"
)

//go:embed page.html
var pageHTML string

//go:embed words
var wordFiles embed.FS

var (
	builtIn = template.Must(webpage.Layout().Parse(pageHTML))
	words   = webpage.NewWords(wordFiles, "words")
)

// The screens.
const (
	screenRequest = "request" // the field for the address
	screenWait    = "wait"    // the field for the code
	screenRefused = "refused" // the application does not let the person in
)

// The notices above a screen, by the names of their texts.
const (
	noticeWrongCode    = "code-wrong"
	noticeCodeEnded    = "code-ended"
	noticeLinkEnded    = "link-ended"
	noticeLimited      = "limited"
	noticeRefused      = "form-refused"
	noticeWrongAddress = "wrong-address"
	noticeUnavailable  = "unavailable"
)

// pageData is the data of the template. It holds an address and a form token.
type pageData struct {
	webpage.Frame
	Screen, Notice string
	Host           string
	Note           string // of the configuration; may be empty
	FormToken      string // empty where no form is shown
	Next           string // where to go after the sign-in; may be empty
	LinkUsed       bool   // in screenRefused: the link is used up

	RequestURL, RequestAction, CheckAction, ResendAction string

	// The rest is for screenWait alone.

	Address string
	Minutes int    // for how long link and code still work; 0 is over, and there is no field for the code
	Until   string // and until when, such as "14:32"
	Resend  int    // in how many seconds to offer another mail
}

// Text returns one of the texts in the language of the page.
func (d pageData) Text(name string) (template.HTML, error) { return words.Text(d.Language, name, d) }

// String returns the screen alone.
func (d pageData) String() string { return "pageData{Screen:" + d.Screen + "}" }

// pageOf returns the data of a screen for the browser of the request. Without a flow there is nothing to wait for.
func (f *Flow) pageOf(r *http.Request, screen, notice string) pageData {
	data := pageData{Screen: screen, Notice: notice}
	a, found := f.asked(r)
	if screen != screenWait {
		return data
	}
	if !found {
		data.Screen = screenRequest
		return data
	}
	now, ends := f.now(), a.at.Add(f.config.TTL)
	data.Address, data.Next, data.Until = webpage.Middle(webpage.Plain(a.address)), a.next, ends.UTC().Format("15:04")
	if left := min(ends.Sub(now), f.config.TTL); left > 0 && notice != noticeLinkEnded {
		data.Minutes = int((left + time.Minute - 1) / time.Minute)
	} else if notice == noticeWrongCode || notice == noticeCodeEnded {
		data.Notice = "" // the page says that the code has expired, and the code may have been the right one
	}
	if wait := f.remaining(a, now); wait > 0 {
		data.Resend = int((wait + time.Second - 1) / time.Second)
	}
	return data
}

// showForm shows a page that has forms.
func (f *Flow) showForm(w http.ResponseWriter, r *http.Request, status int, data pageData) {
	data.FormToken = formToken(f.cookies.EnsureFormSecret(w, r), webform.NewSecret())
	f.show(w, r, status, data)
}

func (f *Flow) show(w http.ResponseWriter, r *http.Request, status int, data pageData) {
	err := f.look.Show(w, r, status, func(frame webpage.Frame) ([]byte, error) { return f.render(data, frame) })
	if err != nil {
		f.logger.ErrorContext(r.Context(), "magiclink: a sign-in page could not be shown", "screen", data.Screen, "error", err)
	}
}

func (f *Flow) render(data pageData, frame webpage.Frame) ([]byte, error) {
	data.Frame, data.Host, data.Note = frame, hostOf(f.redeemer.BaseURL()), f.config.Note
	data.RequestAction, data.CheckAction, data.ResendAction = f.origin+RequestPath, f.origin+CheckPath, f.origin+ResendPath
	data.RequestURL = data.RequestAction
	if data.Next != "" {
		data.RequestURL += "?next=" + url.QueryEscape(data.Next)
	}
	data.Style += "\n.later{margin-block-start:1rem}.quiet a{color:inherit}"
	if data.Resend > 0 { // without scripts: the button takes the place of the text when the pause is over
		data.Style += template.CSS(fmt.Sprintf("\n"+ //nolint:gosec // a number
			".later form{animation:later 1ms %[1]ds both}@keyframes later{from{visibility:hidden}to{visibility:visible}}"+
			".soon{animation:soon 1ms %[1]ds both}@keyframes soon{from{visibility:visible}to{visibility:hidden}}", data.Resend))
	}
	var page bytes.Buffer
	err := builtIn.Execute(&page, data)
	return page.Bytes(), err
}

// showUnavailable answers an outage. The cause is logged and never sent.
func (f *Flow) showUnavailable(w http.ResponseWriter, r *http.Request, data pageData, cause error) {
	f.logger.Log(r.Context(), outageLevel(r), "magiclink: answered 503", "error", cause)
	w.Header().Set("Retry-After", retryAfterSeconds)
	if data.Screen == "" {
		data.Screen = screenRequest
	}
	data.Notice = noticeUnavailable
	f.showForm(w, r, http.StatusServiceUnavailable, data)
}

// outageLevel is the level at which the log has what failed while a request was answered.
func outageLevel(r *http.Request) slog.Level {
	if errors.Is(r.Context().Err(), context.Canceled) {
		return slog.LevelDebug // the client has gone, which is no outage
	}
	return slog.LevelError
}
