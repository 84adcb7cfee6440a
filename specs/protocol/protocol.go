// Package protocol is the contract between fkzoo and its plugins: the
// handshake by which a plugin is started, the two questions it is asked
// (plugin.proto, with its generated Go code in the subpackage wire), and the
// limits an answer must keep.
//
// It knows what passes between the two sides, and nothing of how the host
// finds, trusts or runs a plugin, nor of what a blueprint means.
//
// # Speaking it without Go
//
// A plugin is an executable named fkzoo-plugin-NAME. The host starts it with
// an environment of its own making, in which CookieKey has the value
// CookieValue, PLUGIN_PROTOCOL_VERSIONS lists the versions the host speaks
// (comma separated), PLUGIN_UNIX_SOCKET_DIR is a private folder for the
// plugin's socket, and PLUGIN_CLIENT_CERT holds the host's certificate (PEM,
// P-256). The plugin listens, makes a certificate of its own for "localhost",
// and prints one line to standard output:
//
//	1|VERSION|unix|PATH OF THE SOCKET|grpc|CERTIFICATE
//
// with its certificate as DER in base64 without padding (on Windows:
// tcp|127.0.0.1:PORT). It then serves gRPC over TLS, accepting only that host
// certificate, with the services fkzoo.plugin.v1.Plugin and
// grpc.health.v1.Health (service "plugin": SERVING). It must end when its last
// connection ends.
package protocol

//go:generate go run ./internal/generate

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/protocol/wire"
)

// Version is the newest version of the protocol that this package describes:
// service fkzoo.plugin.v1.Plugin. Host and plugin agree on the highest version
// that both speak.
const Version = 1

// CookieKey and CookieValue are the environment variable by which a plugin
// knows that fkzoo started it. They are no secret, only a courtesy to people
// who start a plugin by hand.
const (
	CookieKey   = "FKZOO_PLUGIN_COOKIE"
	CookieValue = "0f2f1e6c5a6f4a0c9b0b3c1b7d58e2c4"
)

// ServiceName is the key under which go-plugin knows the service.
const ServiceName = "architectures"

// ExecutablePrefix starts the file name of every plugin; what follows it
// (without .exe) is the plugin's name.
const ExecutablePrefix = "fkzoo-plugin-"

// Limits on what a plugin may answer.
const (
	// MaxAnswer is the size in bytes of the largest answer that is read.
	MaxAnswer = 5 << 20
	// MaxArchitectures is how many architectures one plugin may offer.
	MaxArchitectures = 1000
	// MaxSettings is how many settings one architecture may have.
	MaxSettings = 100
	// MaxName is the length in bytes of a plugin's, an architecture's or a
	// setting's name.
	MaxName = 64
	// MaxLine is the length in bytes of a summary or a setting's help.
	MaxLine = 500
)

// CheckName tells whether name may name a plugin, an architecture or a
// setting, by the rule of [blueprint.ValidName]: a to z, 0 to 9, '.', '_' and
// '-', a letter or a digit at both ends, at most MaxName bytes. The error says
// what was found and what is wanted.
func CheckName(name string) error {
	switch {
	case blueprint.ValidName(name):
		return nil
	case name == "":
		return fmt.Errorf("found an empty name, want letters, digits, '.', '_' or '-'")
	case len(name) > MaxName:
		return fmt.Errorf("name %.20q... has %d bytes, want at most %d", name, len(name), MaxName)
	}
	at := len(name) - 1 // if it is nothing else, it is the end
	for i := range at {
		if c := name[i : i+1]; !blueprint.ValidName(c) && (i == 0 || !strings.Contains("._-", c)) {
			at = i
			break
		}
	}
	return fmt.Errorf("name %q has %q at byte %d, want a to z, 0 to 9, and between them '.', '_', '-'", name, name[at], at)
}

// CheckLine tells whether text is fit to be shown on one line: UTF-8 without
// control characters, at most MaxLine bytes.
func CheckLine(text string) error {
	if len(text) > MaxLine {
		return fmt.Errorf("text %.20q... has %d bytes, want at most %d", text, len(text), MaxLine)
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("text %.40q is not UTF-8", text)
	}
	for _, r := range text {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return fmt.Errorf("text %.40q has the character %U, want printable characters on one line", text, r)
		}
	}
	return nil
}

// CheckOffer tells whether a plugin may answer the question what it offers
// with these architectures. Names, texts and counts must keep the limits above,
// each name be there once. It is the one check on both sides: the host makes
// it of the answer, a plugin made with the SDK before it serves.
func CheckOffer(offered []*wire.Architecture) error {
	if len(offered) == 0 || len(offered) > MaxArchitectures {
		return fmt.Errorf("found %d architectures, want 1 to %d", len(offered), MaxArchitectures)
	}
	names := map[string]bool{}
	for i, a := range offered {
		name := a.GetName()
		if err := CheckName(name); err != nil {
			return fmt.Errorf("architecture %d: %w", i+1, err)
		}
		if names[name] {
			return fmt.Errorf("architecture %s: found it twice, want each name once", name)
		}
		names[name] = true
		if err := CheckLine(a.GetSummary()); err != nil {
			return fmt.Errorf("architecture %s: summary: %w", name, err)
		}
		if err := checkSettings(a.GetSettings()); err != nil {
			return fmt.Errorf("architecture %s: %w", name, err)
		}
	}
	return nil
}

func checkSettings(settings []*wire.Setting) error {
	if len(settings) > MaxSettings {
		return fmt.Errorf("found %d settings, want at most %d", len(settings), MaxSettings)
	}
	names := map[string]bool{}
	for i, s := range settings {
		name := s.GetName()
		if err := CheckName(name); err != nil {
			return fmt.Errorf("setting %d: %w", i+1, err)
		}
		if names[name] {
			return fmt.Errorf("setting %s: found it twice, want each name once", name)
		}
		names[name] = true
		if err := CheckLine(s.GetDefault()); err != nil {
			return fmt.Errorf("setting %s: default: %w", name, err)
		}
		if err := CheckLine(s.GetHelp()); err != nil {
			return fmt.Errorf("setting %s: help: %w", name, err)
		}
	}
	return nil
}
