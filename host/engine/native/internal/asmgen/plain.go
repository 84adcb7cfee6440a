package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// plainColumns writes the operations in Go.
func plainColumns() []byte {
	var s text
	s.say(header + "package kernel\n\nimport \"math\"\n")
	s.say("// The operations along channels, see [Columns].\nconst (")
	for i := range operations {
		first := ""
		if i == 0 {
			first = " Op = iota"
		}
		s.say("\tOp%s%s // %s; of %s", operations[i].name, first, operations[i].doc, streamNames(&operations[i]))
	}
	s.say("\topCount\n)\n")
	s.say("// opStreams is how many streams each operation has, and how many of them, the first ones, have rows.\nvar opStreams = [opCount]struct{ all, rows int }{")
	for i := range operations {
		fmt.Fprintf(&s, "{%d, %d},", len(operations[i].streams), len(rowStreams(&operations[i])))
		if i%16 == 15 {
			s.say("")
		}
	}
	s.say("\n}\n")
	s.say("// columnsPlain does some columns from one on, a number at a time.\nfunc columnsPlain(op Op, a *Columns, from, cols int) { plainOps[op](a, from, from+cols) }\n")
	s.say("var plainOps = [opCount]func(a *Columns, from, to int){")
	for i := range operations {
		plainOperation(&s, &operations[i])
	}
	s.say("}")
	return s.Bytes()
}

func streamNames(o *operation) string {
	names := make([]string, len(o.streams))
	for i, x := range o.streams {
		names[i] = x.name
	}
	return strings.Join(names, ", ")
}

// plainBody turns steps into Go: what is used once stands where it is used, unless that gets long.
type plainBody struct {
	text map[val]string
	uses map[val]int
}

func plainOperation(s *text, o *operation) {
	b := newBody(o)
	p := plainBody{map[val]string{}, map[val]int{}}
	for _, x := range b.list {
		for _, v := range x.args {
			p.uses[v]++
		}
	}
	s.say("\tfunc(a *Columns, from, to int) { // %s\n\t\tfor c := from; c < to; c++ {", o.name)
	for i, x := range o.streams {
		if x.role >= channel {
			s.say("\t\t\ts%d := *a.at(%d, 0, c)", i, i)
		}
	}
	s.say("\t\t\tfor r := range a.Rows {")
	for _, x := range b.list {
		if line := p.step(x); line != "" {
			s.say("\t\t\t\t%s", line)
		}
	}
	s.say("\t\t\t}")
	for i, x := range o.streams {
		if x.role == sum {
			s.say("\t\t\t*a.at(%d, 0, c) = s%d", i, i)
		}
	}
	s.say("\t\t}\n\t},")
}

// plainForms are the operations' expressions.
var plainForms = map[string]string{
	"add": "(%s + %s)", "sub": "(%s - %s)", "mul": "float32(%s * %s)", "div": "(%s / %s)", "max": "largerOf(%s, %s)", "min": "smallerOf(%s, %s)",
	"fma": "(float32(%s*%s) + %s)", "fnma": "(%[3]s - float32(%[1]s*%[2]s))", "sqrt": "float32(math.Sqrt(float64(%s)))",
	"round": "float32(math.RoundToEven(float64(%s)))", "greater": "(%s > %s)", "equal": "(%s == %s)", "keep": "choose(%s, %s, 0)",
	"choose": "choose(%s, %s, %s)",
}

// step gives a line, or remembers the expression for where it is used.
func (p *plainBody) step(x instr) string {
	var args []any
	for _, v := range x.args {
		args = append(args, p.text[v])
	}
	trimmed := func(i int) string { return strings.TrimSuffix(strings.TrimPrefix(args[i].(string), "("), ")") }
	switch x.op {
	case "literal":
		p.text[x.to] = strconv.FormatFloat(float64(math.Float32frombits(x.bits)), 'g', -1, 32)
		return ""
	case "const":
		p.text[x.to] = fmt.Sprintf("a.Consts[%d]", x.n)
		return ""
	case "channel":
		p.text[x.to] = fmt.Sprintf("s%d", x.n)
		return ""
	case "store":
		if strings.Count(args[0].(string), "(") == 1 && strings.HasPrefix(args[0].(string), "(") {
			args[0] = trimmed(0)
		}
		return fmt.Sprintf("*a.at(%d, r, c) = %s", x.n, args[0])
	case "sum":
		return fmt.Sprintf("s%d += %s", x.n, args[0])
	case "dot":
		return fmt.Sprintf("s%d += float32(%s * %s)", x.n, args[0], args[1])
	case "top":
		return fmt.Sprintf("s%d = largerOf(s%d, %s)", x.n, x.n, args[0])
	case "load":
		p.text[x.to] = fmt.Sprintf("*a.at(%d, r, c)", x.n)
	case "pow2":
		p.text[x.to] = fmt.Sprintf("pow2(%s)", args[0])
	default:
		p.text[x.to] = fmt.Sprintf(plainForms[x.op], args...)
	}
	// What is read stays in a value of its own: it may be written before it is used again.
	const long = 70
	if p.uses[x.to] == 1 && x.op != "load" && len(p.text[x.to]) < long {
		return ""
	}
	line := fmt.Sprintf("v%d := %s", x.to, p.text[x.to])
	p.text[x.to] = fmt.Sprintf("v%d", x.to)
	return line
}
