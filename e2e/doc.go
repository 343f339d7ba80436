// Package e2e holds tests of the finished thing: the command as a process, with a real database, and Chromium in front of
// it. What only a browser can say is asked there: whether a cookie is kept, which Origin a form is posted with, and where
// a redirection leads.
package e2e
