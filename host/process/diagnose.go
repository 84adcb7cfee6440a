package process

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"runtime"
	"strings"
	"syscall"
)

// thisSystem is what a plugin must be built for.
const thisSystem = runtime.GOOS + "/" + runtime.GOARCH

// builtFor says for what system a program is built, as far as its first bytes
// tell, or "" if it is none of the usual ones (a script, say).
func builtFor(path string) string {
	if f, err := elf.Open(path); err == nil {
		defer f.Close()
		system := "linux"
		switch f.OSABI {
		case elf.ELFOSABI_FREEBSD:
			system = "freebsd"
		case elf.ELFOSABI_NETBSD:
			system = "netbsd"
		case elf.ELFOSABI_OPENBSD:
			system = "openbsd"
		}
		return system + "/" + named(map[elf.Machine]string{
			elf.EM_X86_64: "amd64", elf.EM_386: "386", elf.EM_AARCH64: "arm64", elf.EM_ARM: "arm", elf.EM_RISCV: "riscv64",
		}, f.Machine)
	}
	if f, err := macho.Open(path); err == nil {
		defer f.Close()
		return "darwin/" + named(map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}, f.Cpu)
	}
	if f, err := pe.Open(path); err == nil {
		defer f.Close()
		return "windows/" + named(map[uint16]string{
			pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_I386: "386", pe.IMAGE_FILE_MACHINE_ARM64: "arm64",
		}, f.Machine)
	}
	return ""
}

func named[M comparable](names map[M]string, machine M) string {
	if name, known := names[machine]; known {
		return name
	}
	return "another machine"
}

// isBadProgram tells whether the system says that a file is no program of its
// own, in the words of Windows and macOS.
func isBadProgram(err error) bool {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return false
	}
	return runtime.GOOS == "windows" && (number == 193 || number == 216) || // ERROR_BAD_EXE_FORMAT, ERROR_EXE_MACHINE_TYPE_MISMATCH
		runtime.GOOS == "darwin" && strings.Contains(number.Error(), "bad CPU type")
}
