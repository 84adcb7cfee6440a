package format

import "github.com/fkzoo/fkzoo/format/value"

// FromJSON turns one JSON document into a value for Meta. A number without point or exponent becomes an integer (int64,
// above its range uint64; one outside both is refused), any other a float64, so that ToJSON and FromJSON undo each other.
// A name twice in an object, text that is not UTF-8 and nesting deeper than a file may are refused.
func FromJSON(data []byte) (any, error) { return value.FromJSON(data) }

// ToJSON gives a value's JSON in one form: names sorted, no spaces, a float always with a point or an exponent.
// NaN, infinities and bytes have no JSON form and are refused with ErrValue, naming where they are.
func ToJSON(v any) ([]byte, error) { return value.ToJSON(v) }
