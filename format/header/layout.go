package header

// RoundUp gives the first multiple of Align at or after n.
func RoundUp(n int64) int64 { return (n + Align - 1) &^ (Align - 1) }

// place gives each tensor its offset. The first one's is first; each further one begins at the first multiple of 64 that
// leaves room for its bin head.
func place(infos []Info, first int64) {
	for i := range infos {
		infos[i].Offset = first
		first = RoundUp(first + infos[i].Length + BinHead)
	}
}

// fits0 says whether the first tensor may have offset 0: whether its bin head fits before the first multiple of 64.
func fits0(headerLen int64) bool {
	end := PrologueLength + headerLen
	return RoundUp(end)-end >= BinHead
}

// LayoutOf is what decides where tensors lie: the header's length and the first one's offset.
func LayoutOf(head []byte, infos []Info) [2]int64 {
	if len(infos) == 0 {
		return [2]int64{int64(len(head))}
	}
	return [2]int64{int64(len(head)), infos[0].Offset}
}

// EndOf gives a file's length.
func EndOf(head []byte, infos []Info) int64 {
	end := PrologueLength + int64(len(head))
	if n := len(infos); n > 0 {
		end = RoundUp(end) + infos[n-1].Offset + infos[n-1].Length
	}
	return end
}

// BinHeadOf gives the msgpack head in front of data of this length.
func BinHeadOf(length int64) [BinHead]byte {
	return [BinHead]byte{0xc6, byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}
}
