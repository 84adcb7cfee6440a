package plugins

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/protocol"
	"github.com/fkzoo/fkzoo/specs/protocol/wire"
)

func describe(Request) (*blueprint.Document, error) { return &blueprint.Document{}, nil }

func TestCheck(t *testing.T) {
	good := Architecture{Name: "net", Summary: "a net", Settings: []Setting{{"a", "1", "help"}, {"b", "", ""}}, Blueprint: describe}
	with := func(change func(*Architecture)) []Architecture {
		a := good
		change(&a)
		return []Architecture{a}
	}
	for _, test := range []struct {
		offered []Architecture
		says    string // "": taken
	}{
		{[]Architecture{good}, ""},
		{nil, "found 0 architectures"},
		{[]Architecture{good, good}, "architecture net: found it twice"},
		{with(func(a *Architecture) { a.Name = "Net" }), `architecture 1: name "Net" has 'N' at byte 0`},
		{with(func(a *Architecture) { a.Summary = "two\nlines" }), "architecture net: summary"},
		{with(func(a *Architecture) { a.Blueprint = nil }), "architecture net: found no function Blueprint"},
		{with(func(a *Architecture) { a.Settings = []Setting{{Name: "a b"}} }), "architecture net: setting"},
		{with(func(a *Architecture) { a.Settings = []Setting{{Name: "a"}, {Name: "a"}} }), "setting a: found it twice"},
		{with(func(a *Architecture) { a.Settings = []Setting{{Name: "a", Default: "\x00"}} }), "setting a"},
		{with(func(a *Architecture) { a.Settings = make([]Setting, protocol.MaxSettings+1) }), "found 101 settings, want at most 100"},
		{make([]Architecture, protocol.MaxArchitectures+1), "found 1001 architectures, want 1 to 1000"},
	} {
		err := check(test.offered)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("check of %d architectures = %v, want %q", len(test.offered), err, test.says)
		}
	}
}

func TestNumbers(t *testing.T) {
	for value, want := range map[string]struct {
		whole  int // 0: refused
		number bool
	}{
		"1": {1, true}, "500": {500, true}, "0": {0, true}, "-3": {0, true}, "0.5": {0, true}, "1e3": {0, true},
		"": {0, false}, "many": {0, false}, "NaN": {0, false}, "Inf": {0, false}, "1e999": {0, false}, "99999999999999999999": {0, true},
	} {
		r := Request{Settings: map[string]string{"x": value}}
		n, err := r.Int("x")
		if n != want.whole || (err == nil) != (want.whole != 0) {
			t.Errorf("Int of %q = %d, %v; want %d", value, n, err, want.whole)
		}
		if _, err := r.Float("x"); (err == nil) != want.number {
			t.Errorf("Float of %q: %v, want a number: %v", value, err, want.number)
		}
	}
}

func TestServer(t *testing.T) {
	shared := &blueprint.Document{Source: "the same document every time"}
	s := &server{offered: []Architecture{
		{Name: "net", Summary: "a net", Blueprint: func(Request) (*blueprint.Document, error) { return shared, nil }},
		{Name: "sorry", Blueprint: func(Request) (*blueprint.Document, error) { return nil, errors.New("no mouth in this data") }},
		{Name: "nothing", Blueprint: func(Request) (*blueprint.Document, error) { return nil, nil }},
		{Name: "panic", Blueprint: func(Request) (*blueprint.Document, error) {
			var layers []int
			_ = layers[3]
			return nil, nil
		}},
	}}
	for _, test := range []struct {
		request *wire.BlueprintRequest
		code    codes.Code
		says    string
	}{
		{&wire.BlueprintRequest{Architecture: "net"}, codes.OK, `"name": "net"`},
		{&wire.BlueprintRequest{Architecture: "sorry"}, codes.InvalidArgument, "no mouth in this data"},
		{&wire.BlueprintRequest{Architecture: "nothing"}, codes.InvalidArgument, "found no blueprint and no error"},
		{&wire.BlueprintRequest{Architecture: "panic"}, codes.Internal, "panicked at plugins_test.go:"},
		{&wire.BlueprintRequest{Architecture: "other"}, codes.NotFound, `architecture "other" is not offered`},
		{&wire.BlueprintRequest{Architecture: "net", Settings: map[string]string{"a": "1"}}, codes.InvalidArgument, `setting "a": unknown, want none: net has no settings`},
		{&wire.BlueprintRequest{Architecture: "net", Data: &wire.DataSummary{Rows: -1}}, codes.InvalidArgument, "found -1 rows"},
	} {
		answer, err := s.Blueprint(t.Context(), test.request)
		text := string(answer.GetDocument())
		if err != nil {
			text = err.Error()
		}
		if status.Code(err) != test.code || !strings.Contains(text, test.says) {
			t.Errorf("%v: %v %q, want %v %q", test.request, status.Code(err), text, test.code, test.says)
		}
	}
	if shared.Name != "" || shared.Version != 0 {
		t.Errorf("the plugin's own document was changed: %+v", shared)
	}
	list, err := s.List(t.Context(), nil)
	if err != nil || len(list.GetArchitectures()) != 4 || list.GetArchitectures()[0].GetSummary() != "a net" {
		t.Errorf("List gave %v, %v", list, err)
	}
}

func TestDefaultsAreFilledIn(t *testing.T) {
	var got Request
	a := Architecture{Name: "net", Settings: []Setting{{Name: "a", Default: "1"}, {Name: "b", Default: "2"}}, Blueprint: func(r Request) (*blueprint.Document, error) {
		got = r
		return &blueprint.Document{Name: "mine"}, nil
	}}
	d, err := a.Document(map[string]string{"b": "3"}, protocol.DataSummary{Rows: 5})
	if err != nil || d.Name != "mine" || d.Version != blueprint.Version {
		t.Errorf("found %+v, %v", d, err)
	}
	if got.Settings["a"] != "1" || got.Settings["b"] != "3" || got.Data.Rows != 5 {
		t.Errorf("the function got %+v", got)
	}
}

func TestLifeline(t *testing.T) {
	ended := 0
	l := newLifeline(func() { ended++ })
	for i, step := range []struct {
		what stats.ConnStats
		ends int
	}{
		{&stats.ConnBegin{}, 0}, {&stats.ConnBegin{}, 0}, {&stats.ConnEnd{}, 0}, {&stats.ConnEnd{}, 1},
	} {
		l.HandleConn(context.Background(), step.what)
		if ended != step.ends {
			t.Errorf("step %d: ended %d times, want %d", i, ended, step.ends)
		}
	}
	if l.timer.Stop() {
		t.Error("the timer runs on after the first connection")
	}

	alone := make(chan bool)
	l = newLifeline(func() { close(alone) })
	l.timer.Reset(time.Millisecond)
	<-alone // nobody ever connected
}

func TestIntroduction(t *testing.T) {
	text := introduction("fkzoo-plugin-x", []Architecture{{Name: "net", Summary: "a net"}})
	for _, want := range []string{"fkzoo-plugin-x is a plugin", "net", "a net", "fkzoo plugin install"} {
		if !strings.Contains(text, want) {
			t.Errorf("introduction %q, want %q in it", text, want)
		}
	}
}
