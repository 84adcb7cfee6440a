package main

import (
	"fmt"
	"strings"
)

// plainColumns writes the operations in Go.
func plainColumns() []byte {
	var s text
	s.say(header + "package kernel\n\nimport \"math\"\n")
	s.say("// The operations along channels, see [Columns].\nconst (")
	for i := range operations {
		s.say("\t// Op%s: %s; of %s.", operations[i].name, operations[i].doc, streamNames(&operations[i]))
		if i == 0 {
			s.say("\tOp%s Op = iota", operations[i].name)
		} else {
			s.say("\tOp%s", operations[i].name)
		}
	}
	s.say("\topCount\n)\n")
	s.say("// opStreams is how many streams each operation has, and how many of them, the first ones, have rows.\nvar opStreams = [opCount]struct{ all, rows int }{")
	for i := range operations {
		s.say("\tOp%s: {%d, %d},", operations[i].name, len(operations[i].streams), len(rowStreams(&operations[i])))
	}
	s.say("}\n")
	s.say("// columnsPlain does some columns from one on, a number at a time.\nfunc columnsPlain(op Op, a *Columns, from, cols int) {\n\tswitch op {")
	for i := range operations {
		s.say("\tcase Op%s:\n\t\tplain%s(a, from, cols)", operations[i].name, operations[i].name)
	}
	s.say("\t}\n}\n")
	for i := range operations {
		plainOperation(&s, &operations[i])
	}
	return s.Bytes()
}

func streamNames(o *operation) string {
	names := make([]string, len(o.streams))
	for i, x := range o.streams {
		names[i] = x.name
	}
	return strings.Join(names, ", ")
}

func plainOperation(s *text, o *operation) {
	b := newBody(o)
	s.say("func plain%s(a *Columns, from, cols int) {\n\tfor c := from; c < from+cols; c++ {", o.name)
	for i, x := range o.streams {
		switch x.role {
		case channel:
			s.say("\t\tchannel%d := *a.at(%d, 0, c)", i, i)
		case sum:
			s.say("\t\tsum%d := *a.at(%d, 0, c)", i, i)
		}
	}
	for _, x := range b.list {
		switch x.op {
		case "literal":
			if x.bits != 127 {
				s.say("\t\tv%d := math.Float32frombits(%#08x)", x.to, x.bits)
			}
		case "const":
			s.say("\t\tv%d := a.constant(%d)", x.to, x.n)
		case "channel":
			s.say("\t\tv%d := channel%d", x.to, x.n)
		}
	}
	s.say("\t\tfor r := range a.Rows {")
	for _, x := range b.list {
		if line := plainStep(x); line != "" {
			s.say("\t\t\t%s", line)
		}
	}
	s.say("\t\t}")
	for i, x := range o.streams {
		if x.role == sum {
			s.say("\t\t*a.at(%d, 0, c) = sum%d", i, i)
		}
	}
	s.say("\t}\n}\n")
}

func plainStep(x instr) string {
	v := func(k int) string { return fmt.Sprintf("v%d", x.args[k]) }
	set := func(format string, args ...any) string {
		return fmt.Sprintf("v%d := ", x.to) + fmt.Sprintf(format, args...)
	}
	switch x.op {
	case "load":
		return set("*a.at(%d, r, c)", x.n)
	case "store":
		return fmt.Sprintf("*a.at(%d, r, c) = %s", x.n, v(0))
	case "add", "sub", "mul", "div":
		return set("%s %s %s", v(0), map[string]string{"add": "+", "sub": "-", "mul": "*", "div": "/"}[x.op], v(1))
	case "max", "min":
		return set("%sOf(%s, %s)", map[string]string{"max": "larger", "min": "smaller"}[x.op], v(0), v(1))
	case "fma":
		return set("float32(%s*%s) + %s", v(0), v(1), v(2))
	case "fnma":
		return set("%s - float32(%s*%s)", v(2), v(0), v(1))
	case "sqrt":
		return set("float32(math.Sqrt(float64(%s)))", v(0))
	case "round":
		return set("float32(math.RoundToEven(float64(%s)))", v(0))
	case "pow2":
		return set("pow2(%s)", v(0))
	case "greater":
		return set("%s > %s", v(0), v(1))
	case "equal":
		return set("%s == %s", v(0), v(1))
	case "keep":
		return set("choose(%s, %s, 0)", v(0), v(1))
	case "choose":
		return set("choose(%s, %s, %s)", v(0), v(1), v(2))
	case "sum":
		return fmt.Sprintf("sum%d += %s", x.n, v(0))
	case "dot":
		return fmt.Sprintf("sum%d += float32(%s * %s)", x.n, v(0), v(1))
	case "top":
		return fmt.Sprintf("sum%d = largerOf(sum%d, %s)", x.n, x.n, v(0))
	}
	return ""
}
