package kernel

import "unsafe"

var plainSet = Set{Name: "plain", kind: plain, Lanes: 4, Block: 8, Groups: 1, OuterRows: [3]int{4, 2, 1}, peakFMAs: 64}

func number(p unsafe.Pointer, bytes int) *float32 { return (*float32)(unsafe.Add(p, bytes)) }

// tilePlain computes a pixel after the other.
func tilePlain(groups, block int, a *Tile) {
	spans := unsafe.Slice(a.Spans, a.NSpans)
	for count := range a.Count {
		for g := range groups {
			for p := range GroupPixels {
				in := unsafe.Add(a.In[g], count*a.InStep+p*a.InPixel)
				out := unsafe.Add(a.Out[g], count*a.OutStep+p*a.OutPixel)
				if block == 8 {
					pixel8(a, spans, in, (*[8]float32)(out))
				} else {
					pixel4(a, spans, in, (*[4]float32)(out))
				}
			}
		}
	}
	a.Count = 0
}

func pixel8(a *Tile, spans []Span, in unsafe.Pointer, out *[8]float32) {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	at := 0
	for _, span := range spans {
		for i := range span.Count {
			x := *number(in, span.Offset+4*i)
			w := (*[8]float32)(unsafe.Add(a.W, at))
			s0 += x * w[0]
			s1 += x * w[1]
			s2 += x * w[2]
			s3 += x * w[3]
			s4 += x * w[4]
			s5 += x * w[5]
			s6 += x * w[6]
			s7 += x * w[7]
			at += 32
		}
	}
	base := out
	if a.Add == 0 {
		base = (*[8]float32)(a.Bias)
	}
	for i, s := range [8]float32{s0, s1, s2, s3, s4, s5, s6, s7} {
		out[i] = largerOf(a.Low, s+base[i])
	}
}

func pixel4(a *Tile, spans []Span, in unsafe.Pointer, out *[4]float32) {
	var s0, s1, s2, s3 float32
	at := 0
	for _, span := range spans {
		for i := range span.Count {
			x := *number(in, span.Offset+4*i)
			w := (*[4]float32)(unsafe.Add(a.W, at))
			s0 += x * w[0]
			s1 += x * w[1]
			s2 += x * w[2]
			s3 += x * w[3]
			at += 16
		}
	}
	base := out
	if a.Add == 0 {
		base = (*[4]float32)(a.Bias)
	}
	for i, s := range [4]float32{s0, s1, s2, s3} {
		out[i] = largerOf(a.Low, s+base[i])
	}
}

// outerPlain sums four channels at a time.
func outerPlain(rows, block int, a *Outer) {
	for i := range rows {
		for c := 0; c < block; c += 4 {
			var s0, s1, s2, s3 float32
			for r := range a.Rows {
				x, y := unsafe.Add(a.A, r*a.ARow+4*i), unsafe.Add(a.B, r*a.BRow+4*c)
				for p := range a.Pixels {
					v, w := *number(x, p*a.APixel), (*[4]float32)(unsafe.Add(y, p*a.BPixel))
					s0 += v * w[0]
					s1 += v * w[1]
					s2 += v * w[2]
					s3 += v * w[3]
				}
			}
			to := (*[4]float32)(unsafe.Add(a.C, i*a.CRow+4*c))
			if a.Add == 0 {
				*to = [4]float32{s0, s1, s2, s3}
				continue
			}
			to[0] += s0
			to[1] += s1
			to[2] += s2
			to[3] += s3
		}
	}
}

// peakPlain gives its sums, so that the compiler doesn't leave them out.
//
//go:noinline
func peakPlain(turns int) float32 {
	var s [8]float32
	x, y := float32(turns), 1/float32(turns+1)
	for range turns {
		for range 8 {
			s[0] += x * y
			s[1] += x * y
			s[2] += x * y
			s[3] += x * y
			s[4] += x * y
			s[5] += x * y
			s[6] += x * y
			s[7] += x * y
		}
	}
	return s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7]
}
