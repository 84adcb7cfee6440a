package input

import (
	"bytes"
	"io"
	"regexp"
)

const headBytes = 512

// Peek reads a file's beginning and goes back to its start.
func Peek(f io.ReadSeeker) ([]byte, error) {
	head := make([]byte, headBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return head[:n], err
}

// KindOf names a kind of file by its first bytes, as errors say it: those that some
// format reads ("zip", "png", "jpeg", "npy", "text"), "empty", and well-known others.
func KindOf(head []byte) string {
	for _, k := range []struct{ magic, kind string }{
		{"PK\x03\x04", "zip"}, {"PK\x05\x06", "zip"},
		{"\x89PNG\r\n\x1a\n", "png"}, {"\xff\xd8\xff", "jpeg"}, {"\x93NUMPY", "npy"},
		{"\x1f\x8b", "a gzip file"}, {"GIF8", "a GIF picture"}, {"BM", "a BMP picture"},
		{"\xfd7zXZ\x00", "an xz file"}, {"7z\xbc\xaf\x27\x1c", "a 7z file"}, {"%PDF", "a PDF file"},
		{"\xff\xfe", "UTF-16 text"}, {"\xfe\xff", "UTF-16 text"},
	} {
		if bytes.HasPrefix(head, []byte(k.magic)) && (k.magic != "BM" || bytes.IndexByte(head, 0) >= 0) {
			return k.kind
		}
	}
	switch {
	case len(bytes.TrimPrefix(head, BOM)) == 0:
		return "empty"
	case bytes.HasPrefix(head, []byte("RIFF")) && len(head) >= 12 && string(head[8:12]) == "WEBP":
		return "a WebP picture"
	case bytes.IndexByte(head, 0) >= 0:
		return "a binary file"
	case json.Match(bytes.TrimPrefix(head, BOM)):
		return "JSON"
	}
	return "text"
}

// json is how an object begins, or a list of objects, lists or strings, and hardly the
// header of a CSV.
var json = regexp.MustCompile(`^\s*(\{\s*(["}]|$)|\[\s*[\[{"\]])`)

// BOM is the byte-order mark that may stand before a text in UTF-8.
var BOM = []byte("\xef\xbb\xbf")
