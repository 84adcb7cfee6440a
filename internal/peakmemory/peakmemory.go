// Package peakmemory says how much memory this process had at most.
package peakmemory
