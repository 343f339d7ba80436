// Package contracttest holds the HTTP answers of httpadapter against the published OpenAPI 3.1 document, over real
// connections. It is a module of its own because a validator for OpenAPI has no place among the library's dependencies.
package contracttest
