// Package nilvalue finds nil values that hide in interfaces.
package nilvalue

import "reflect"

// Is reports whether an interface is nil or holds a nil value, on which a method would panic later.
func Is(v any) bool {
	value := reflect.ValueOf(v)
	switch value.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan, reflect.UnsafePointer:
		return value.IsNil()
	}
	return false
}
