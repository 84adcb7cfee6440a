package wheel

// CPU are the ways to install XLA for the CPU on linux/amd64, the preferred first. docs/backends.md says how they were
// chosen.
var CPU = []Set{
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

// nvidia is the licence of NVIDIA's packages: each has its text in its dist-info folder.
const nvidia = "NVIDIA proprietary"

// CUDA are XLA's CUDA library as JAX 0.11.2 ships it, of the same XLA as the first of CPU, and one
// release of CUDA, 13.1, with the libraries of NVIDIA that JAX asks for. Not older: cuBLAS before 13.2 is known to
// corrupt results on Blackwell GPUs. Not newer: any driver from release 580 on runs it.
var CUDA = []Set{{
	{Package{"jax-cuda13-pjrt", "0.11.2", "jax_cuda13_pjrt-0.11.2-py3-none-manylinux_2_27_x86_64.whl",
		"e5ff589d43064913bb74027682d89639c7ea48f9f81c2bae6fc75117e913f93e", 134162640, "Apache-2.0"}, "jax_plugins/xla_cuda13/xla_cuda_plugin.so"},
	{Package{"nvidia-cuda-runtime", "13.1.80", "nvidia_cuda_runtime-13.1.80-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
		"dac25b52e69050e5a7a84957e6df470a85b185f8f648a99a1ab1dfce027576cf", 2297816, nvidia}, ""},
	{Package{"nvidia-cuda-nvcc", "13.1.115", "nvidia_cuda_nvcc-13.1.115-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
		"fe5c0604869dfbc837bdce9e1eef8e4f0e0d103c29e3875014ba3538c70efb74", 42261253, nvidia}, ""},
	{Package{"nvidia-nvvm", "13.1.115", "nvidia_nvvm-13.1.115-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
		"6fdf483d85d9903f9cbf84c41d99221a86e0c0511d05de3d237b4ab69c11627e", 63386729, nvidia}, ""},
	{Package{"nvidia-nvjitlink", "13.1.115", "nvidia_nvjitlink-13.1.115-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
		"658e87d42ac6be82ae2c56eb9abe45bc8de45b7cf7692d24f86848f0266d121b", 40920528, nvidia}, ""},
	{Package{"nvidia-cuda-nvrtc", "13.1.115", "nvidia_cuda_nvrtc-13.1.115-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
		"d7cf1284ab82f379884decc8813d9d4a729bc96b1ec020a9cf80303f698d73c4", 46564545, nvidia}, ""},
	{Package{"nvidia-cuda-cupti", "13.1.115", "nvidia_cuda_cupti-13.1.115-py3-none-manylinux_2_25_x86_64.whl",
		"2c76d91807cf76fc0e4b08ad71c4dff0e8e9f678fc8dbbbc43ec55125a70b553", 11372238, nvidia}, ""},
	{Package{"nvidia-cublas", "13.2.1.1", "nvidia_cublas-13.2.1.1-py3-none-manylinux_2_27_x86_64.whl",
		"8c13c93cf8be4480b4909905c96d2d31575b4af43fcd3af0e84af94762665e4f", 401085577, nvidia}, ""},
	{Package{"nvidia-cufft", "12.1.0.78", "nvidia_cufft-12.1.0.78-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
		"e1ceed544d2c1d92a19e91c3de20d7eaca58075e43d4b09efbda7f603607f1c2", 226114436, nvidia}, ""},
	{Package{"nvidia-cusolver", "12.0.9.81", "nvidia_cusolver-12.0.9.81-py3-none-manylinux_2_27_x86_64.whl",
		"5d28371e1301d1edfb15b8b1201e24cd680bc72de7f384cc162c7edbd8c5348c", 202032975, nvidia}, ""},
	{Package{"nvidia-cusparse", "12.7.3.1", "nvidia_cusparse-12.7.3.1-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
		"39dc7926b835761ade1a7210e047877977cdf4153ac2f8df57662047916d92ad", 153162100, nvidia}, ""},
	{Package{"nvidia-cudnn-cu13", "9.18.1.3", "nvidia_cudnn_cu13-9.18.1.3-py3-none-manylinux_2_27_x86_64.whl",
		"ece857192c8c5d4e2152c32172ffe41c27c2ec484ef5c39c3f6cf592e512c46d", 358846259, nvidia}, ""},
	{Package{"nvidia-nccl-cu13", "2.28.9", "nvidia_nccl_cu13-2.28.9-py3-none-manylinux_2_18_x86_64.whl",
		"e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42", 196493177, "BSD-3-Clause"}, ""},
	{Package{"nvidia-nvshmem-cu13", "3.4.5", "nvidia_nvshmem_cu13-3.4.5-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
		"290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80", 60412546, nvidia}, ""},
}}
