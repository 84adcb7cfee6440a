package backend

import "runtime"

// wheel is a package of the index, known by its checksum.
type wheel struct {
	Package
	// Library is the PJRT library's path in the wheel, empty for a wheel that only has what the library needs.
	Library string
}

// wheelSet is one way to install a backend: all of its wheels, the one with the library first.
type wheelSet []wheel

// pinned lists the ways to install a backend on this system, the preferred first; the next serves when the index has
// the one before no longer. docs/backends.md says how they were chosen.
func pinned(k Kind) []wheelSet {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil
	}
	if k == XLACPU {
		return cpuWheels
	}
	return nil
}

var cpuWheels = []wheelSet{
	{{
		Package: Package{
			Name: "lammps-jax-pjrt-cpu", Version: "0.11.2",
			File:    "lammps_jax_pjrt_cpu-0.11.2-py3-none-manylinux_2_27_x86_64.whl",
			SHA256:  "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
			Size:    62711338,
			Licence: "Apache-2.0",
		},
		Library: "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so",
	}},
	{{
		Package: Package{
			Name: "fastatomstruct-xla-cpu", Version: "2026.6.23",
			File:    "fastatomstruct_xla_cpu-2026.6.23-py3-none-manylinux_2_27_x86_64.whl",
			SHA256:  "88b1c430b341b4bea40a37420311c9c75db6e22b46d2ff95b6986577bee6afe9",
			Size:    63200622,
			Licence: "Apache-2.0",
		},
		Library: "fastatomstruct_xla_cpu/libpjrt_cpu.so",
	}},
}
