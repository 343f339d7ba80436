package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// classic speaks to a WebDriver server by HTTP.
type classic struct {
	server  string // such as http://127.0.0.1:4444
	session string // empty before there is one
	client  http.Client
}

// endpoints are the method and the path of each command, below the session.
var endpoints = map[string]struct{ method, path string }{
	"DeleteSession":    {http.MethodDelete, ""},
	"SetTimeouts":      {http.MethodPost, "/timeouts"},
	"Navigate":         {http.MethodPost, "/url"},
	"GetCurrentURL":    {http.MethodGet, "/url"},
	"Back":             {http.MethodPost, "/back"},
	"Refresh":          {http.MethodPost, "/refresh"},
	"GetTitle":         {http.MethodGet, "/title"},
	"GetPageSource":    {http.MethodGet, "/source"},
	"GetWindowHandle":  {http.MethodGet, "/window"},
	"SwitchToWindow":   {http.MethodPost, "/window"},
	"NewWindow":        {http.MethodPost, "/window/new"},
	"SetWindowRect":    {http.MethodPost, "/window/rect"},
	"FindElement":      {http.MethodPost, "/element"},
	"ElementClick":     {http.MethodPost, "/element/{id}/click"},
	"ElementClear":     {http.MethodPost, "/element/{id}/clear"},
	"ElementSendKeys":  {http.MethodPost, "/element/{id}/value"},
	"ExecuteScript":    {http.MethodPost, "/execute/sync"},
	"GetCookies":       {http.MethodGet, "/cookie"},
	"DeleteAllCookies": {http.MethodDelete, "/cookie"},
	"PerformActions":   {http.MethodPost, "/actions"},
	"ExecuteCDP":       {http.MethodPost, "/goog/cdp/execute"}, // chromedriver alone
	"Print":            {http.MethodPost, "/print"},
	"TakeScreenshot":   {http.MethodGet, "/screenshot"},
}

func (c *classic) call(command string, parameters map[string]any) (json.RawMessage, error) {
	method, address := http.MethodPost, c.server+"/session"
	if command != "NewSession" {
		endpoint, known := endpoints[command]
		if !known {
			return nil, fmt.Errorf("no endpoint is known")
		}
		id, _ := parameters["id"].(string)
		method, address = endpoint.method, address+"/"+c.session+strings.ReplaceAll(endpoint.path, "{id}", id)
	}
	if parameters == nil {
		parameters = map[string]any{}
	}
	body, err := json.Marshal(parameters)
	if err != nil {
		return nil, err
	}
	if method != http.MethodPost {
		body = nil
	}
	r, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return c.send(r)
}

func (c *classic) send(r *http.Request) (json.RawMessage, error) {
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := c.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Value json.RawMessage `json:"value"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		return answer.Value, nil
	}
	var failure failure
	if err := json.Unmarshal(answer.Value, &failure); err != nil {
		return nil, fmt.Errorf("status %d: %s", response.StatusCode, answer.Value)
	}
	return nil, &failure
}

// failure is how a browser says why a command failed.
type failure struct {
	Code    string `json:"error"`
	Message string `json:"message"`
}

func (f *failure) Error() string { return f.Code + ": " + f.Message }
