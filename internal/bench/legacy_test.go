package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/convert"
)

// BenchmarkConvert makes a .fkz of a pickled net11 of full size, 20 million
// parameters with as many velocities, and has Python load the same file with
// stub classes, in alternating rounds. Converting is all of it: reading,
// checksums, the model's file synced to the disk; «read» is without the file.
// Protocol 2 as Python 3 writes it has its bytes as text.
func BenchmarkConvert(b *testing.B) {
	python := startPeer(b, "legacy.py")
	for _, protocol := range []int{4, 2} {
		b.Run(fmt.Sprintf("protocol%d", protocol), func(b *testing.B) {
			dir := b.TempDir()
			path, out := filepath.Join(dir, "net11.pickle"), filepath.Join(dir, "net11.fkz")
			if _, err := python.do(fmt.Sprintf("make %d", protocol), path, 1); err != nil {
				b.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			var ours, read, theirs []float64
			for b.Loop() {
				for range 5 {
					var r *convert.Result
					seconds, err := timed(1, func() (err error) {
						r, err = convert.File(context.Background(), path, convert.Options{})
						return err
					})
					if err != nil {
						b.Fatal(err)
					}
					saving, err := timed(1, func() error { return r.Save(out, true) })
					if err != nil {
						b.Fatal(err)
					}
					loading, err := python.do("load", path, 1)
					if err != nil {
						b.Fatal(err)
					}
					read, ours, theirs = append(read, seconds[0]), append(ours, seconds[0]+saving[0]), append(theirs, loading[0])
				}
			}
			b.ReportMetric(float64(info.Size())/1e6, "MB")
			b.ReportMetric(1e3*median(read), "read-ms")
			b.ReportMetric(1e3*median(ours), "convert-ms")
			b.ReportMetric(1e3*median(theirs), "pickle.load-ms")
			b.ReportMetric(median(ours)/median(theirs), "times-pickle.load")
		})
	}
}
