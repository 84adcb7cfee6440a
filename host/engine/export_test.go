package engine

// What benchmarks outside the package open trainings and networks on devices with.
var (
	UploadTo       = upload
	NewPredictorOn = newPredictor
	BenchNative    = benchNative
	DeviceOf       = deviceOf
)
