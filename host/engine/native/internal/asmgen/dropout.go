package main

// Offsets in kernel.Dropout.
const (
	dropX, dropY, dropPixels, dropVecs = 0, 8, 16, 24
	dropHalf, dropHash, dropStep       = 32, 40, 104
	dropMul, dropLimit, dropKeep       = 112, 120, 128
)

// dropout sets values to zero by a hash of their positions, of which each serves two halves of a pixel's channels. SI and DI walk
// through the values, R9 is the distance of the halves; CX counts pixels, DX a half's vectors.
func (m *x86) dropout(s, stubs *text) {
	name := "dropout" + m.name
	stub(stubs, name, "Dropout")
	s.function(name, "sets values to zero by a hash of their positions.", "Dropout")
	s.say("\tMOVQ a+0(FP), AX\n\tMOVQ %d(AX), SI\n\tMOVQ %d(AX), DI\n\tMOVQ %d(AX), CX\n\tMOVQ %d(AX), R9", dropX, dropY, dropPixels, dropHalf)
	s.say("\tVMOVDQU%s %d(AX), %s", map[string]string{"Z": "64", "Y": ""}[m.reg], dropHash, m.v(0))
	for i, at := range []int{dropStep, dropMul, dropLimit} {
		s.say("\tVPBROADCASTQ %d(AX), %s", at, m.v(1+i))
	}
	if m == avx512 {
		s.say("\tVBROADCASTSS %d(AX), Y4", dropKeep)
	} else {
		s.say("\tVBROADCASTSS %d(AX), X4\n\tVPSRLQ $32, Y2, Y5\n\tVPCMPEQD Y6, Y6, Y6\n\tVPSLLQ $63, Y6, Y6\n\tVPXOR Y6, Y3, Y3", dropKeep)
	}
	s.say("pixel:\n\tMOVQ %d(AX), DX\nvector:", dropVecs)
	if m == avx512 {
		s.say("\tVPSRLQ $32, Z0, Z7\n\tVPXORQ Z0, Z7, Z7\n\tVPMULLQ Z2, Z7, Z7\n\tVPADDQ Z1, Z0, Z0")
		s.say("\tVPCMPUQ $5, Z3, Z7, K1\n\tVPSLLQ $24, Z7, Z8\n\tVPCMPUQ $5, Z3, Z8, K2")
		s.say("\tVMULPS.Z (SI), Y4, K1, Y9\n\tVMULPS.Z (SI)(R9*1), Y4, K2, Y10")
		s.say("\tVMOVUPS Y9, (DI)\n\tVMOVUPS Y10, (DI)(R9*1)\n\tADDQ $32, SI\n\tADDQ $32, DI")
	} else {
		// The lower 64 bits of a product, from products of 32 bits.
		s.say("\tVPSRLQ $32, Y0, Y8\n\tVPXOR Y0, Y8, Y7\n\tVPADDQ Y1, Y0, Y0\n\tVPMULUDQ Y2, Y8, Y9\n\tVPMULUDQ Y5, Y7, Y10")
		s.say("\tVPADDQ Y9, Y10, Y9\n\tVPSLLQ $32, Y9, Y9\n\tVPMULUDQ Y2, Y7, Y7\n\tVPADDQ Y9, Y7, Y7")
		for half, at := range []string{"", "(R9*1)"} {
			if half == 1 {
				s.say("\tVPSLLQ $24, Y7, Y7")
			}
			// Signed comparison, with the signs turned; then the masks' halves side by side.
			s.say("\tVPXOR Y6, Y7, Y8\n\tVPCMPGTQ Y8, Y3, Y8\n\tVEXTRACTI128 $1, Y8, X9\n\tVSHUFPS $0x88, X9, X8, X8")
			s.say("\tVMULPS (SI)%s, X4, X9\n\tVANDNPS X9, X8, X8\n\tVMOVUPS X8, (DI)%s", at, at)
		}
		s.say("\tADDQ $16, SI\n\tADDQ $16, DI")
	}
	s.say("\tDECQ DX\n\tJNZ vector\n\tADDQ R9, SI\n\tADDQ R9, DI\n\tDECQ CX\n\tJNZ pixel\n\tVZEROUPPER\n\tRET\n")
}
