// Package wire is the Go code generated from plugin.proto: messages and service
// as gRPC needs them, and nothing else. People read package protocol.
package wire
