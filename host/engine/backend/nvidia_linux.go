//go:build cgo && linux

package backend

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

// One call, since dlerror speaks of the calling thread, and Go may change threads between two.
static const char *preload(const char *path) {
	return dlopen(path, RTLD_NOW | RTLD_LOCAL) ? NULL : dlerror();
}
*/
import "C"

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unsafe"
)

// nvidiaLibraries are what XLA and NVIDIA's own libraries look for by name alone, below the folder "nvidia"; one comes
// after those it needs. What is loaded once is found by all that ask for it later, whatever their search path.
var nvidiaLibraries = []string{
	"cu13/lib/libcudart.so.13",
	"cu13/lib/libnvJitLink.so.13",
	"cu13/lib/libnvrtc.so.13",
	"cu13/lib/libcublasLt.so.13",
	"cu13/lib/libcublas.so.13",
	"nccl/lib/libnccl.so.2",
	"cu13/lib/libcupti.so.13",
	"cu13/lib/libcusparse.so.12",
	"cu13/lib/libcusolver.so.12",
	"cu13/lib/libcufft.so.12",
	"nvshmem/lib/libnvshmem_host.so.3",
	"cudnn/lib/libcudnn.so.9",
}

// findNVIDIA loads NVIDIA's libraries from the folder and tells XLA where ptxas and libdevice are. A folder that has
// none of them, beside a library of the user's own, leaves everything to the system.
func findNVIDIA(folder string) error {
	cuda := filepath.Join(folder, "cu13")
	if _, err := os.Stat(cuda); err != nil {
		return nil
	}
	if flags := os.Getenv("XLA_FLAGS"); !strings.Contains(flags, "--xla_gpu_cuda_data_dir") {
		if err := os.Setenv("XLA_FLAGS", strings.TrimSpace(flags+" "+cudaFlag(cuda))); err != nil {
			return err
		}
	}
	for _, name := range nvidiaLibraries {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if _, err := os.Stat(path); err != nil {
			if os.IsNotExist(err) {
				return fmt.Errorf("%s: %w", path, fs.ErrNotExist)
			}
			return err
		}
		if err := preload(path); err != nil {
			return err
		}
	}
	return nil
}

// cudaFlag quotes the folder, since XLA splits its flags at spaces.
func cudaFlag(folder string) string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(folder)
	return `--xla_gpu_cuda_data_dir="` + quoted + `"`
}

// preload loads a library and keeps it for the life of the process.
func preload(path string) error {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	if message := C.preload(name); message != nil {
		return errors.New(C.GoString(message))
	}
	return nil
}
