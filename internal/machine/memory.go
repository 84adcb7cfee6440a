package machine

import (
	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/shirou/gopsutil/v4/mem"
)

// Memory is how many bytes this process may take beside what it has: what the system could give without taking it from
// others, and on Linux no more than the limit of the process's control group. 0: the system doesn't tell.
func Memory() uint64 {
	free := uint64(0)
	if v, err := mem.VirtualMemory(); err == nil {
		free = v.Available
	}
	if s, err := mem.SwapMemory(); err == nil && free > 0 {
		free += s.Free
	}
	if limit, err := memlimit.FromCgroup(); err == nil && (free == 0 || limit < free) {
		free = limit
	}
	return free
}
