package main

import (
	"database/sql"
	"path/filepath"
	"testing"
)

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.db")
	if err := run(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var invoices, accounts, uses int
	const query = "SELECT (SELECT count(*) FROM invoices), (SELECT count(*) FROM accounts), (SELECT count(*) FROM magiclink_uses)"
	if err := db.QueryRow(query).Scan(&invoices, &accounts, &uses); err != nil {
		t.Fatal(err)
	}
	if invoices != 1 || accounts != 1 || uses != 1 {
		t.Errorf("%d invoices, %d accounts, %d uses", invoices, accounts, uses)
	}
}
