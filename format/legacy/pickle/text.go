package pickle

import (
	"bytes"
	"strconv"
	"strings"
)

// line is what stands before the first line end, or all.
func line(b []byte) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i]
	}
	return b
}

// trimSpace drops the \r and blanks that text mode or an editor may have left.
func trimSpace(b []byte) []byte { return bytes.Trim(b, " \t\r\n\v\f") }

// decodeString undoes the escapes of Python 2's repr of a str.
func decodeString(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		const codes, values = `\'"abfnrtv`, "\\'\"\a\b\f\n\r\t\v"
		if at := strings.IndexByte(codes, b[i]); at >= 0 {
			out = append(out, values[at])
			continue
		}
		end := i
		switch {
		case b[i] == 'x' && i+2 < len(b):
			if v, err := strconv.ParseUint(string(b[i+1:i+3]), 16, 8); err == nil {
				out = append(out, byte(v))
				i += 2
				continue
			}
		case b[i] >= '0' && b[i] <= '7':
			for end < len(b) && end < i+3 && b[end] >= '0' && b[end] <= '7' {
				end++
			}
			v, _ := strconv.ParseUint(string(b[i:end]), 8, 16)
			out = append(out, byte(v))
			i = end - 1
			continue
		}
		out = append(out, '\\', b[i])
	}
	return out
}

// decodeRawUnicode undoes Python's raw-unicode-escape: \uXXXX and \UXXXXXXXX;
// all other bytes are Latin-1.
func decodeRawUnicode(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) {
			digits := map[byte]int{'u': 4, 'U': 8}[b[i+1]]
			if digits > 0 && i+2+digits <= len(b) {
				if v, err := strconv.ParseUint(string(b[i+2:i+2+digits]), 16, 32); err == nil {
					out.WriteRune(rune(v))
					i += 1 + digits
					continue
				}
			}
		}
		out.WriteRune(rune(b[i]))
	}
	return out.String()
}
