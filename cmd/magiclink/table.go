package main

import (
	"fmt"
	"io"
	"iter"
	"strings"
	"text/tabwriter"
)

// flushEvery is how many rows are aligned together: a long table is printed as it comes.
const flushEvery = 1000

// printTable prints rows under their headings, aligned.
func printTable[T any](w io.Writer, headings []string, rows iter.Seq2[T, error], cells func(T) []string) (n int, err error) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(headings, "\t"))
	for row, err := range rows {
		if err != nil {
			if n > 0 {
				_ = table.Flush() // the first error counts
			}
			return n, err
		}
		fmt.Fprintln(table, strings.Join(cells(row), "\t"))
		if n++; n%flushEvery == 0 {
			if err := table.Flush(); err != nil {
				return n, err
			}
		}
	}
	return n, table.Flush()
}

// printJSONList prints rows as one JSON value, as they come.
func printJSONList[T any](w io.Writer, rows iter.Seq2[T, error]) error {
	separator := "["
	for row, err := range rows {
		if err != nil {
			return err
		}
		text, err := indentedJSON(row)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n  %s", separator, strings.TrimSpace(strings.ReplaceAll(text, "\n", "\n  "))); err != nil {
			return err
		}
		separator = ","
	}
	end := "\n]\n"
	if separator == "[" {
		end = "[]\n"
	}
	_, err := io.WriteString(w, end)
	return err
}

func indentedJSON(value any) (string, error) {
	var b strings.Builder
	err := printJSON(&b, value)
	return b.String(), err
}

// values returns rows that are there already as a sequence.
func values[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}
