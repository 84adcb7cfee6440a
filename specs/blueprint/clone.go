package blueprint

import "reflect"

// deepCopy copies a value with all that it points to.
func deepCopy[T any](v T) T { return copyValue(reflect.ValueOf(v)).Interface().(T) }

func copyValue(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return v
		}
		if v.Kind() == reflect.Interface {
			return copyValue(v.Elem())
		}
		out = reflect.New(v.Type().Elem())
		out.Elem().Set(copyValue(v.Elem()))
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(copyValue(v.Index(i)))
		}
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out = reflect.MakeMapWithSize(v.Type(), v.Len())
		for k, x := range v.Seq2() {
			out.SetMapIndex(k, copyValue(x))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(copyValue(v.Field(i)))
		}
	default:
		return v
	}
	return out
}
