// Package cputime says how much processor time this process has used: what a piece of work costs, whatever else runs on
// the machine.
package cputime
