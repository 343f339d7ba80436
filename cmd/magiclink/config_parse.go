package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// parseConfig reads the file strictly: a misspelt member is a fault, not a setting without effect. Errors name the member,
// such as clients[0].secret_sha256.
func parseConfig(text []byte) (*configFile, error) {
	var lists struct {
		Clients    []json.RawMessage `json:"clients"`
		Businesses []json.RawMessage `json:"businesses"`
		SignIn     json.RawMessage   `json:"sign_in"`
	}
	if hasByteOrderMark(text) {
		return nil, errors.New("the file begins with a byte order mark (BOM): save it as UTF-8 without one")
	}
	if err := decodeObject("", text, &lists); err != nil {
		return nil, err
	}
	var config configFile
	var err error
	if config.Clients, err = decodeList[clientEntry]("clients", lists.Clients); err != nil {
		return nil, err
	}
	if config.Businesses, err = decodeList[businessEntry]("businesses", lists.Businesses); err != nil {
		return nil, err
	}
	if lists.SignIn != nil {
		config.SignIn = new(signInEntry)
		if err = decodeObject("sign_in", lists.SignIn, config.SignIn); err != nil {
			return nil, err
		}
	}
	return &config, config.check()
}

// hasByteOrderMark reports whether an editor has marked the text as UTF-8 or UTF-16.
func hasByteOrderMark(text []byte) bool {
	return slices.ContainsFunc([]string{"\xEF\xBB\xBF", "\xFF\xFE", "\xFE\xFF"}, func(mark string) bool { return bytes.HasPrefix(text, []byte(mark)) })
}

func decodeList[T any](name string, texts []json.RawMessage) ([]T, error) {
	entries := make([]T, len(texts))
	for n, text := range texts {
		if err := decodeObject(name+"["+strconv.Itoa(n)+"]", text, &entries[n]); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// decodeObject reads one JSON object into a struct. At is the place of the object in the file, or "" for the whole file.
func decodeObject(at string, text []byte, into any) error {
	if err := checkNames(at, text, into); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return jsonFault(at, text, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text behind the JSON object: remove it")
	}
	return nil
}

// checkNames finds the members that encoding/json would take silently: one that stands twice, and one with other capitals.
func checkNames(at string, text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil {
		return jsonFault(at, text, err)
	} else if start != json.Delim('{') {
		return fmt.Errorf("%s must be a JSON object", place(at, ""))
	}
	known, seen := memberNames(into), map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return jsonFault(at, text, err)
		}
		name, _ := token.(string)
		switch {
		case !slices.Contains(known, name):
			return fmt.Errorf("%s is not a member that the configuration has: write one of %s", place(at, name), strings.Join(known, ", "))
		case seen[name]:
			return fmt.Errorf("%s is a duplicate: remove one of the two", place(at, name))
		}
		seen[name] = true
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return jsonFault(at, text, err)
		}
	}
	return nil
}

// memberNames returns the names of a struct's members in JSON.
func memberNames(pointer any) []string {
	kind := reflect.TypeOf(pointer).Elem()
	names := make([]string, 0, kind.NumField())
	for i := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// place names a member of the object at a place.
func place(at, name string) string {
	switch {
	case at == "" && name == "":
		return "the configuration"
	case at == "":
		return name
	case name == "":
		return at
	}
	return at + "." + name
}

// jsonFault says where the fault is, and what belongs there.
func jsonFault(at string, text []byte, err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("%s must be %s", place(at, kind.Field), kindName(kind))
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && at == "" {
		line := 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
		return fmt.Errorf("line %d is not valid JSON: %w", line, err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON object is not complete: its end is missing")
	}
	return fmt.Errorf("%s: %w", place(at, ""), err)
}

func kindName(fault *json.UnmarshalTypeError) string {
	switch {
	case strings.HasPrefix(fault.Field, "scopes"), strings.HasPrefix(fault.Field, "domains"):
		return "a list of strings"
	case fault.Type.Kind() == reflect.Slice:
		return "a list"
	case fault.Type.Kind() == reflect.Bool:
		return "true or false"
	}
	return "a string"
}
